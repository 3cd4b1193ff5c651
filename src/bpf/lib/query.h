/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What limits and detection ask of the packet at hand, and where that lies meanwhile. */
#ifndef NETPROBE_BPF_LIB_QUERY_H
#define NETPROBE_BPF_LIB_QUERY_H

#include "guard.h"

/* What limits and detection need of a frame, as numbers. */
struct limit_query {
	/* halves of the addresses as they are in memory, IPv4 as ::ffff:a.b.c.d */
	__u64 shi, slo, dhi, dlo;
	__u64 now;
	__u32 len; /* of the frame */
	__u32 set;
	__u16 sport, dport; /* host order */
	__u8 proto;
	__u8 flags; /* of TCP */
	__u8 icmp_type;
	__u8 bad;
	__u8 new_flow; /* first datagram of a flow */
	__u8 source_lost;
	__u8 per; /* NP_PER_* */
};

/* Of the packet at hand: the stack is too small for it and the longest chain of calls behind it. */
struct np_query_place {
	struct limit_query q;
	__u32 busy; /* with cfg_rt: 1 while it is somebody's */
};

#define QUERY_DEPTH 4

struct np_query_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, QUERY_DEPTH);
	__type(key, __u32);
	__type(value, struct np_query_place);
};
extern struct np_query_map np_query SEC(".maps");

/*
 * A place of this processor; NULL: all are taken. These programs run with softirqs off, so one is enough: nothing that runs them
 * interrupts them, preempt=full or not. With PREEMPT_RT they may be preempted, and since 6.18 (PREEMPT_RT_NEEDS_BH_LOCK is
 * not set) by others with softirqs off.
 */
static __always_inline struct np_query_place *query_take(void)
{
	__u32 first = 0;

	if (!cfg_rt)
		return bpf_map_lookup_elem(&np_query, &first);
#pragma unroll
	for (__u32 i = 0; i < QUERY_DEPTH; i++) {
		__u32 slot = i;
		struct np_query_place *place = bpf_map_lookup_elem(&np_query, &slot);

		if (place && !__sync_val_compare_and_swap(&place->busy, 0, 1))
			return place;
	}
	return NULL;
}

static __always_inline void query_give(struct np_query_place *place)
{
	if (!cfg_rt)
		return;
	(void)__sync_lock_test_and_set(&place->busy, 0); /* all was read before */
}

#endif
