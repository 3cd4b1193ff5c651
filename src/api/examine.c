/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine allows: every way to see everything, tried. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/internal.h"
#include "base/cgroup2.h"
#include "base/error.h"
#include "owner/container_name.h"
#include "owner/memory.h"
#include "probe/asked.h"
#include "probe/kernel.h"
#include "probe/trial.h"

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static int tell(unsigned int id, unsigned int i, const struct hook_status *hs, netprobe_hook_fn fn,
		void *arg)
{
	const struct hook *hook = &hook_table[id];
	const struct hook_alt *alt = &hook->alts[i];
	const struct hook_alt_status *st = &hs->alts[i];
	struct netprobe_hook x = {
		.size = sizeof(x),
		.name = hook->name,
		.what = hook->what,
		.family = family_label(alt->family),
		.kind = kind_label(alt->kind),
		.target = alt->progs[0] ? probe_trial_target(alt->progs[0]) : NULL,
		.since = alt->since,
		.until = alt->until,
		.lacks = st->second ? NULL : alt->lacks,
		.reason = or_null(st->reason),
		.remedy = or_null(st->remedy),
		.status = st->status,
		.error = st->err > 0 ? (uint32_t)st->err : 0,
		.required = hook->required,
		.proven = hs->proven,
		.seen = hs->used >= 0,
		.program = alt->kind != KIND_NONE,
	};

	return fn ? fn(&x, arg) : 0;
}

static void put_facts(const struct kernel_facts *f, struct netprobe_machine *ret)
{
	(void)snprintf(ret->kernel, sizeof(ret->kernel), "%s", f->release);
	(void)snprintf(ret->arch, sizeof(ret->arch), "%s", f->arch);
	(void)snprintf(ret->cgroup_mount, sizeof(ret->cgroup_mount), "%s",
		       f->cgroup ? f->cgroup->where : "");
	(void)snprintf(ret->lockdown, sizeof(ret->lockdown), "%s", f->lockdown);
	if (!probe_asked_missing(ret->uprobes_missing, sizeof(ret->uprobes_missing)))
		ret->uprobes_missing[0] = '\0';
	ret->bpf = !f->no_bpf;
	ret->btf = f->btf != NULL;
	ret->btf_own = f->btf_own;
	ret->cap_bpf = f->cap_bpf;
	ret->cap_perfmon = f->cap_perfmon;
	ret->cap_net_admin = f->cap_net_admin;
	ret->kprobes = f->kprobe_pmu;
	ret->trampolines = f->trampoline_err < 0 ? -1 : !f->trampoline_err;
	ret->unprivileged_bpf_disabled = f->unprivileged_disabled;
	ret->perf_paranoid = f->perf_paranoid;
	ret->seccomp = f->seccomp;
	ret->memory_limit_bytes = memory_limit("/proc", "/sys/fs/cgroup");
	ret->xdp_syncookies = f->bpf_err ? -1 : guard_cookie_helpers();
	if (ret->xdp_syncookies < 0)
		ret->xdp_syncookies = -1;
	ret->tcp_syncookies = guard_cookie_setting();
	ret->tracked = guard_tracked();
	(void)snprintf(ret->names_denied, sizeof(ret->names_denied), "%s",
		       container_denied("") ?: "");
}

/* What a real start chooses. */
static void start(const struct probe_opts *opts, struct hook_status *hooks,
		  struct netprobe_machine *ret)
{
	struct probe *p = NULL;
	int r = probe_open(opts, &p, &ret->ebpf);

	probe_trial_begin(hooks, r ? NULL : probe_hooks(p));
	if (r)
		return;
	ret->ebpf = (struct netprobe_error){};
	(void)snprintf(ret->family, sizeof(ret->family), "%s", family_label(probe_family(p)));
	(void)snprintf(ret->note, sizeof(ret->note), "%s", probe_note(p));
	(void)probe_close(p);
}

static void look(const struct netprobe_config *c, struct hook_status *hooks,
		 struct netprobe_machine *ret)
{
	struct np_filter filter = { .enabled = 1, .gen = 1, .sample_rate = 1 };
	struct session_opts opts = { .filter = filter };
	struct kernel_facts facts;

	opts.packets = (struct afpacket_opts){ .ring_bytes = c->packet_ring_bytes,
					       .block_bytes = c->packet_block_bytes,
					       .timeout_ms = c->packet_timeout_ms,
					       .rings = c->packet_rings };
	if (!session_try_mode(&opts, NETPROBE_CAPTURE_AFPACKET, &ret->afpacket))
		ret->afpacket = (struct netprobe_error){};
	if (!session_try_mode(&opts, NETPROBE_CAPTURE_PROC, &ret->proc))
		ret->proc = (struct netprobe_error){};
	opts.probe.family = (uint8_t)c->hook;
	opts.probe.perf_buffer = c->event_buffer == NETPROBE_BUFFER_PERF;
	opts.probe.btf_path = c->btf;
	opts.probe.filter = &filter;
	kernel_facts_init(&facts, c->btf);
	start(&opts.probe, hooks, ret);
	probe_trial_all(&facts, hooks);
	put_facts(&facts, ret);
	kernel_facts_done(&facts);
}

API_PUBLIC int netprobe_examine(const struct netprobe_config *config, struct netprobe_machine *ret,
				netprobe_hook_fn fn, void *arg, struct netprobe_error *err)
{
	struct netprobe_machine machine = { .size = sizeof(machine) };
	struct hook_status *hooks;
	struct netprobe_config c;
	struct np_filter filter;
	int n = 0, r = api_config_take(config, &c, &filter, err);

	if (r)
		return r;
	if (ret && (ret->size < sizeof(size_t) || ret->size > API_SIZE_MAX))
		return error_set(err, -EINVAL, "size: takes the sizeof of the structure");
	hooks = calloc(NP_PROG_MAX, sizeof(*hooks));
	if (!hooks)
		return error_set(err, -ENOMEM, "no memory");
	look(&c, hooks, &machine);
	if (ret)
		(void)GIVE(ret, machine);
	for (unsigned int id = 0; !r && id < NP_PROG_MAX && machine.bpf; id++) {
		for (unsigned int i = 0; !r && i < hook_table[id].n_alts; i++, n++)
			r = tell(id, i, &hooks[id], fn, arg);
	}
	free(hooks);
	return n;
}
