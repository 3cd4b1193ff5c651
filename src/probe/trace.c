/* SPDX-License-Identifier: BSD-2-Clause */
/* See trace.h. */
#include "probe/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "probe/internal.h"
#include "probe/percpu.h"
#include "probe/pids.h"
#include "probe/reasons.h"
#include "trace.skel.h"

#define TRACE_LINKS 24

struct probe_trace {
	struct probe *probe;
	struct netprobe_trace *skel;
	struct bpf_link *links[TRACE_LINKS];
	unsigned int n_links;
	struct ring_buffer *ring;
	struct reasons reasons;
	char note[192];
	probe_trace_fn fn; /* of the probe_trace_poll call under way */
	void *arg;
	int n;
};

/* Each step by itself: what a kernel has not is a step less and no failure. */
static bool is_possible(const struct probe_trace *t, const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);
	const struct probe *p = t->probe;

	/* of the two at one tracepoint the one with its arguments */
	if (prog == t->skel->progs.np_step_drop && kernel_drop_args(&p->facts) < 3)
		return false;
	if (prog == t->skel->progs.np_step_drop_plain && kernel_drop_args(&p->facts) >= 3)
		return false;
	if (strncmp(section, "tp_btf/", 7) && p->facts.trampoline_err)
		return false;
	return kernel_has_target(&p->facts, section, 0);
}

static int choose(struct probe_trace *t)
{
	struct bpf_program *prog;
	bool functions = false;

	bpf_object__for_each_program (prog, t->skel->obj) {
		bool possible = is_possible(t, prog);
		int r = bpf_program__set_autoload(prog, possible);

		if (r)
			return r;
		functions = functions ||
			    (possible && strncmp(bpf_program__section_name(prog), "tp_btf/", 7));
	}
	if (!functions)
		(void)snprintf(
			t->note, sizeof(t->note),
			"kernel %s takes no BPF trampolines: no steps at IP, transport and netfilter, "
			"only at devices, sockets and drops",
			t->probe->facts.release);
	return 0;
}

static int attach(struct probe_trace *t)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, t->skel->obj) {
		struct bpf_link *link;

		if (bpf_program__fd(prog) < 0 || t->n_links == TRACE_LINKS)
			continue;
		link = bpf_program__attach(prog);
		if (link)
			t->links[t->n_links++] = link;
		else if (!strncmp(bpf_program__section_name(prog), "tp_btf/", 7))
			return -errno;
		else
			log_debug("no step from %s: %s", bpf_program__section_name(prog),
				  strerror(errno));
	}
	return 0;
}

static int on_ring(void *ctx, void *data, size_t size)
{
	struct probe_trace *t = ctx;
	const struct np_ev_trace *ev = data;

	if (size < sizeof(*ev) || ev->hdr.len < sizeof(*ev) || ev->hdr.type != NP_EV_TRACE ||
	    ev->step >= NP_STEP_MAX)
		return 0;
	t->n++;
	if (t->fn)
		t->fn(ev, t->arg);
	return 0;
}

static int load(struct probe_trace *t, const struct np_filter *filter, uint32_t steps)
{
	struct netprobe_bpf *main_skel = t->probe->skel;
	struct netprobe_trace *s = t->skel;
	int r;

	s->rodata->cfg_store_hash = t->probe->store_hash;
	filter_host(&s->data->np_filter, filter);
	if (steps)
		s->data->st_steps = steps;
	r = bpf_map__reuse_fd(s->maps.np_socks, bpf_map__fd(main_skel->maps.np_socks));
	if (!r)
		r = bpf_map__reuse_fd(s->maps.np_socks_h, bpf_map__fd(main_skel->maps.np_socks_h));
	if (!r)
		r = netprobe_trace__load(s);
	if (!r)
		r = attach(t);
	if (r)
		return r;
	t->ring = ring_buffer__new(bpf_map__fd(s->maps.np_trace_ring), on_ring, t, NULL);
	return t->ring ? 0 : -errno;
}

int probe_trace_open(struct probe *p, const struct np_filter *filter, uint32_t steps,
		     struct probe_trace **ret_trace, struct netprobe_error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts, .btf_custom_path = p->opts.btf_path);
	struct probe_trace *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return error_set(err, -ENOMEM, "out of memory");
	t->probe = p;
	kernel_btf_hold(&p->facts);
	reasons_init(&t->reasons, p->facts.btf);
	t->skel = netprobe_trace__open_opts(&open_opts);
	r = t->skel ? choose(t) : -errno;
	if (!r)
		r = load(t, filter, steps);
	if (r) {
		(void)probe_trace_close(t);
		return error_set(err, r, "cannot load the BPF programs that follow packets: %s",
				 strerror(-r));
	}
	*ret_trace = t;
	return 0;
}

struct probe_trace *probe_trace_close(struct probe_trace *t)
{
	if (!t)
		return NULL;
	for (unsigned int i = 0; i < t->n_links; i++)
		(void)bpf_link__destroy(t->links[i]);
	ring_buffer__free(t->ring);
	netprobe_trace__destroy(t->skel);
	kernel_btf_release(&t->probe->facts); /* its names of reasons were in there */
	free(t);
	return NULL;
}

void probe_trace_set_filter(struct probe_trace *t, const struct np_filter *filter)
{
	struct np_filter host;

	filter_host(&host, filter);
	t->skel->data->np_filter = host; /* asked anew for each packet */
}

int probe_trace_poll(struct probe_trace *t, probe_trace_fn fn, void *arg)
{
	int r;

	t->fn = fn;
	t->arg = arg;
	t->n = 0;
	r = ring_buffer__consume(t->ring);
	t->fn = NULL;
	return r < 0 ? r : t->n;
}

int probe_trace_losses(const struct probe_trace *t, struct np_trace_loss *ret_loss)
{
	return percpu_sum(t->skel->maps.np_trace_loss, ret_loss, sizeof(*ret_loss));
}

const char *probe_trace_reason(const struct probe_trace *t, uint32_t reason, char *buf, size_t size)
{
	return reasons_name(&t->reasons, reason, buf, size);
}

const char *probe_trace_note(const struct probe_trace *t)
{
	return t->note;
}
