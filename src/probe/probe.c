/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of a probe: open, close, filters, and what doctor asks. Reading what it counts is read.c's. */
#include "probe/probe.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "probe/internal.h"
#include "probe/pids.h"

static int check_rights(const struct probe *p, struct netprobe_error *err)
{
	const char *cap = kernel_missing_cap(&p->facts);
	char reason[200], remedy[160];

	if (cap) {
		error_set(err, -EPERM, "eBPF capture needs %s, which this process does not have",
			  cap);
		error_hint(
			err,
			"run it as root, as a member of the group netprobe where it is installed, or give a file of your own the right: setcap cap_bpf,cap_perfmon,cap_net_admin+ep FILE");
		return -EPERM;
	}
	if (kernel_refuses_bpf(&p->facts, reason, sizeof(reason), remedy, sizeof(remedy))) {
		error_set(err, -EOPNOTSUPP, "eBPF capture cannot work here: %s", reason);
		if (remedy[0])
			error_hint(err, "%s", remedy);
		return -EOPNOTSUPP;
	}
	if (!p->facts.btf) {
		error_set(err, -EOPNOTSUPP, "eBPF capture needs the kernel's BTF, and %s",
			  p->opts.btf_path
				  ? p->opts.btf_path
				  : "/sys/kernel/btf/vmlinux is not there (CONFIG_DEBUG_INFO_BTF)");
		error_hint(err, "give a BTF file of this kernel by netprobe_config.btf");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* What only loading took: the kernel's BTF, and the pages of this program that hold its BPF half. */
static void probe_lean(struct probe *p)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)p->skel->skeleton->data;
	uintptr_t to = from + p->skel->skeleton->data_sz;

	kernel_btf_release(&p->facts);
	from = (from + page - 1) / page * page;
	to = to / page * page;
	/* of a file, never written: read again when somebody looks */
	if (from < to)
		(void)madvise((void *)from, to - from, MADV_DONTNEED);
	(void)malloc_trim(0);
}

static int open_readers(struct probe *p, struct netprobe_error *err)
{
	int r = p->opts.fail_at == FAIL_READ ? -ENOBUFS : probe_readers_init(p);
	char reason[200], remedy[160];

	if (!r)
		return 0;
	if (!p->opts.perf_buffer || r == -ENOMEM || r == -ENOBUFS)
		return error_set(err, r, "cannot read what the programs count: %s", strerror(-r));
	kernel_perf_reason(&p->facts, -r, reason, sizeof(reason), remedy, sizeof(remedy));
	/* not for want of a capability that the message could name */
	r = error_set(err, -EOPNOTSUPP, "there is no perf buffer for events: %s", reason);
	if (remedy[0])
		error_hint(err, "%s", remedy);
	return r;
}

void probe_note_add(struct probe *p, const char *fmt, ...)
{
	size_t n = strlen(p->note);
	va_list args;

	if (n + 2 >= sizeof(p->note))
		return;
	va_start(args, fmt);
	if (n)
		(void)strcpy(p->note + n, "; ");
	n = strlen(p->note);
	(void)vsnprintf(p->note + n, sizeof(p->note) - n, fmt, args);
	va_end(args);
}

/* What programs at the root of the cgroup tree see, and nothing else here does. */
static void note_cgroup(struct probe *p)
{
	bool peers = p->hooks[NP_PROG_UDP_SEND_PEER].used < 0;

	if (p->facts.cgroup)
		return;
	probe_note_add(p, "unseen are %s%sDNS and pcap, for %s",
		       probe_misses_ends(p) ? "ends of UDP sockets, " : "",
		       peers ? "unconnected peers, " : "", p->facts.cgroup_missing);
}

int probe_open(const struct probe_opts *opts, struct probe **ret_probe, struct netprobe_error *err)
{
	struct probe *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	p->opts = *opts;
	p->cgroup_fd = -1;
	for (unsigned int i = 0; i < NP_PROG_MAX; i++)
		p->hooks[i].used = -1;
	kernel_facts_init(&p->facts, opts->btf_path);
	p->opts.btf_path = p->facts.btf_path[0] ? p->facts.btf_path : NULL;
	if ((opts->fail_at >= FAIL_SECOND && opts->fail_at <= FAIL_SENDS) ||
	    opts->fail_at == FAIL_SILENT || opts->fail_at == FAIL_REFUSE)
		p->facts.tp_preempted = true;
	if (!libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL))
		p->opts.perf_buffer = true; /* before 5.8 */
	r = check_rights(p, err);
	if (!r)
		r = probe_load(p, err);
	if (!r)
		r = open_readers(p, err);
	if (r) {
		(void)probe_close(p);
		return r;
	}
	note_cgroup(p);
	if (pids_inside())
		probe_note_add(
			p,
			"sockets older than this have no owner until their first use, unless one "
			"of this pid namespace holds them");
	p->has_pt_regs = kernel_has_helper(&p->facts, "BPF_FUNC_task_pt_regs");
	probe_lean(p);
	r = p->seed_link ? probe_seed(p) : 0;
	probe_watch_arrivals(p); /* for readers that it found */
	if (!p->seed_link && !p->facts.btf_own)
		probe_note_add(
			p,
			"without BTF of its own the kernel tells nothing of sockets older than this: they are owned and counted from their first use on");
	if (r < 0)
		log_warn("sockets older than the probe have no owner: %s, ignoring", strerror(-r));
	*ret_probe = p;
	return 0;
}

struct probe *probe_close(struct probe *p)
{
	if (!p)
		return NULL;
	probe_readers_done(p);
	probe_unload(p);
	kernel_facts_done(&p->facts);
	free(p);
	return NULL;
}

uint32_t probe_set_filter(struct probe *p, const struct np_filter *filter)
{
	struct np_filter *live = &p->skel->data->np_filter;
	uint32_t gen = live->gen + 1;

	if (!gen)
		gen = 1;
	filter_copy(live, filter);
	/* Programs that evaluate a half-written filter do so under the old number and do it again. */
	__atomic_store_n(&live->gen, gen, __ATOMIC_RELEASE);
	return gen;
}

int probe_answers(struct probe *p, const uint16_t *ports, size_t n)
{
#if defined(__x86_64__) || defined(__aarch64__)
	if (p->opts.perf_buffer || !p->has_pt_regs)
		return -EOPNOTSUPP;
	for (size_t i = 0; i < n; i++)
		p->skel->bss->st_answer_ports[ports[i] / 64] |= 1ULL << (ports[i] % 64);
	return 0;
#else
	(void)p, (void)ports, (void)n;
	return -EOPNOTSUPP;
#endif
}

const struct hook_status *probe_hooks(const struct probe *p)
{
	return p->hooks;
}

uint8_t probe_family(const struct probe *p)
{
	int8_t used = p->hooks[NP_PROG_SEND].used;

	return used < 0 ? NETPROBE_HOOK_AUTO : hook_table[NP_PROG_SEND].alts[used].family;
}

bool probe_store_is_hash(const struct probe *p)
{
	return p->store_hash;
}

const char *probe_note(const struct probe *p)
{
	return p->note;
}
