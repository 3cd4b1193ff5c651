/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel half as a rung of the ladder. */
#include <string.h>

#include "engine/rungs.h"
#include "probe/kernel.h"
#include "probe/pids.h"

static void close_probe(void *rung)
{
	(void)probe_close(rung);
}

static uint32_t set_filter(void *rung, const struct np_filter *filter)
{
	return probe_set_filter(rung, filter);
}

static int sweep(void *rung, bool full, probe_sock_fn fn, void *arg)
{
	return probe_sweep(rung, full, fn, arg);
}

static void parts_turn(void *rung)
{
	probe_parts_turn(rung);
}

static int parts(void *rung, probe_part_fn fn, void *arg)
{
	return probe_parts(rung, fn, arg);
}

static int events(void *rung, probe_event_fn fn, void *arg)
{
	return probe_events(rung, fn, arg);
}

static int fd(const void *rung)
{
	return probe_event_fd(rung);
}

static int seed(void *rung)
{
	return probe_seed(rung);
}

static int watch_reads(void *rung, bool on)
{
	return probe_watch_reads(rung, on);
}

static int stalls(void *rung, uint64_t threshold_ns)
{
	return probe_stalls(rung, threshold_ns);
}

static int exec(const void *rung, uint32_t tgid, struct np_exec *ret_exec)
{
	return probe_exec(rung, tgid, ret_exec);
}

static int v1(void *rung, uint64_t key, struct np_v1 *ret_v1)
{
	return probe_v1(rung, key, ret_v1);
}

static int losses(const void *rung, struct probe_loss ret_losses[LOSS_MAX])
{
	memset(ret_losses, 0, LOSS_MAX * sizeof(*ret_losses));
	return probe_losses(rung, ret_losses);
}

static const char *note(const void *rung)
{
	return probe_note(rung);
}

static const struct rung_ops ebpf_ops = {
	.mode = "ebpf",
	.close = close_probe,
	.set_filter = set_filter,
	.sweep = sweep,
	.parts_turn = parts_turn,
	.parts = parts,
	.events = events,
	.fd = fd,
	.seed = seed,
	.watch_reads = watch_reads,
	.stalls = stalls,
	.exec = exec,
	.losses = losses,
	.note = note,
};

int ebpf_open(const struct session_opts *opts, struct rung *ret_rung, struct netprobe_error *err)
{
	struct probe_opts po = opts->probe;
	struct probe *p;
	int r;

	po.filter = &opts->filter;
	r = probe_open(&po, &p, err);
	if (!r)
		*ret_rung = (struct rung){ &ebpf_ops, p };
	return r;
}

void ebpf_owners(const struct rung *rung, struct process_table *procs)
{
	if (!ebpf_probe(rung))
		return;
	process_table_v1_by(procs, v1, rung->arg);
	if (pids_differ())
		process_table_inside(procs);
}

struct probe *ebpf_probe(const struct rung *rung)
{
	return rung->ops == &ebpf_ops ? rung->arg : NULL;
}

int session_check_btf(const char *path, struct netprobe_error *err)
{
	return kernel_btf_check(path, err);
}
