/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Second programs at hooks where a call that is left out would be lost. The kernel leaves a program out that is active
 * on the processor: in a softirq that interrupts it, and, since tracepoint programs may be preempted (7.0), in any other
 * task that comes there meanwhile. A second program at the hook runs all the same; what both were left out of is lost.
 *
 * At states and ends it is one with the same body, that finds there whether the first one was (life.h). At sends and
 * receives it is a few instructions: what the first one saw it leaves alone, else it calls that one, by tail call, which
 * no such check is made for; where the first one stands at a function it does that one's work itself. How it knows: a mark
 * of each thread, since a thread is in one call at a time, wherever it is preempted or moved to between the two. The first
 * program leaves its mark there, the second takes it away.
 */
#ifndef NETPROBE_BPF_LIB_SECOND_H
#define NETPROBE_BPF_LIB_SECOND_H

#include "np.h"

/* 1: there are second programs at sends and receives. 0: nothing of the marks is loaded. */
extern const volatile __u8 cfg_second;

/* What only second programs saw: so much of what the kernel left out is not lost. By NP_PROG_*. */
extern volatile __u64 st_second[NP_PROG_MAX];

static __always_inline void second_saw(__u32 prog)
{
	if (prog & NP_PROG_SECOND)
		__sync_fetch_and_add(&st_second[prog & NP_PROG_MASK], 1);
}

/* That the hook fires is proven by first programs alone: a second one may stand elsewhere. */
static __always_inline void first_hit(__u32 prog)
{
	if (!(prog & NP_PROG_SECOND))
		prog_hit(prog);
}

/* A byte for each thread id there can be: user space makes the value NP_MARKS long where cfg_second is set. */
struct np_marks_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 8);
};
extern struct np_marks_map np_marks SEC(".maps");

#define MARK_SEEN(prog) ((prog) + 1) /* the first program was here */
#define MARK_AGAIN 0xff		     /* it is called by the second one */

/* Threads with numbers in a row run at the same time on other processors: they are kept 64 bytes apart. */
static __always_inline __u8 *mark_of(__u64 key)
{
	__u32 tid = CUT(__u32, key), zero = 0;
	__u8 *marks = bpf_map_lookup_elem(&np_marks, &zero);

	return marks ? marks + ((tid << 6 | tid >> 16) & (NP_MARKS - 1)) : NULL;
}

/* The first program has this call. True: the second one called it. */
static __always_inline bool mark_seen(__u64 key, __u8 prog)
{
	__u8 *mark = cfg_second ? mark_of(key) : NULL;
	bool again;

	if (!mark)
		return false;
	again = *mark == MARK_AGAIN;
	*mark = again ? 0 : MARK_SEEN(prog);
	return again;
}

/* Was the first program left out? Then the mark becomes next, and the call is the second one's, who says so (second_saw). */
static __always_inline bool mark_take(__u8 prog, __u8 next)
{
	__u8 *mark = cfg_second ? mark_of(bpf_get_current_pid_tgid()) : NULL;

	if (!mark)
		return false;
	if (likely(*mark == MARK_SEEN(prog))) {
		*mark = 0;
		return false;
	}
	*mark = next;
	return true;
}

/* The same for one that calls the first. */
static __always_inline bool mark_missing(__u8 prog)
{
	bool missing = mark_take(prog, MARK_AGAIN);

	if (missing)
		second_saw(prog | NP_PROG_SECOND);
	return missing;
}

#endif
