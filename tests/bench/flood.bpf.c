// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Writes made-up records into the event ring of a running netprobe: real connections come and go at
 * a few ten thousand a second at most. np_events is that probe's own map (bench_flood sees to it);
 * records are written and the reader is woken as the probe's programs do.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "flood.h"

#define BATCH_MAX 4096
#define WAKEUP (2 * 1024 * 1024) /* cfg_ring_wakeup */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} np_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flood);
} np_flood SEC(".maps");

static long one(__u32 i, void *ctx)
{
	__u64 flags = BPF_RB_NO_WAKEUP, n;
	struct np_ev_sock *ev;
	struct flood *f;
	__u32 zero = 0;

	(void)i;
	(void)ctx;
	f = bpf_map_lookup_elem(&np_flood, &zero);
	if (!f)
		return 1;
	ev = &f->record;
	n = f->next++;
	ev->hdr.type = f->only_open || !(n & 1) ? NP_EV_CONN_OPEN : NP_EV_CONN_CLOSE;
	ev->hdr.ts_ns = bpf_ktime_get_ns();
	ev->rec.sock_id = (1ULL << 50) + (f->only_open ? n : n >> 1);
	ev->rec.tuple.flags = ev->hdr.type == NP_EV_CONN_CLOSE ? NP_F_DEAD : 0;
	if (bpf_ringbuf_query(&np_events, BPF_RB_AVAIL_DATA) >= WAKEUP)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&np_events, ev, sizeof(*ev), flags))
		f->full++;
	else
		f->written++;
	return 0;
}

/* Run by BPF_PROG_TEST_RUN. */
SEC("syscall")
int flood(void *ctx)
{
	struct flood *f;
	__u32 zero = 0;

	(void)ctx;
	f = bpf_map_lookup_elem(&np_flood, &zero);
	if (!f)
		return 0;
	bpf_loop(f->batch < BATCH_MAX ? f->batch : BATCH_MAX, one, NULL, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
