/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Room for records that are too large for the stack: places of each processor, each owned by one run at a
 * time. A program may be interrupted by itself, or by another one with the same body, on its processor: cgroup
 * programs by a softirq, and by each other where tasks are preempted (the kernel only keeps them on their processor,
 * bpf_prog_run_array_cg, 6.18); trampolines and tracepoints are kept from running twice as one program
 * (since 5.11 and 6.1), not as two with one body. Migration is off in all of them, so a place is given
 * back on the processor that it was taken on, or by its address.
 */
#ifndef NETPROBE_BPF_LIB_SCRATCH_H
#define NETPROBE_BPF_LIB_SCRATCH_H

#include "np.h"

/* Process, softirq, hard interrupt, and one that was preempted. */
#define SCRATCH_DEPTH 4

/* In front of a place's record. */
struct scratch_head {
	__u32 busy; /* 1 while it is somebody's */
	__u32 slot; /* of scratch_take: which one it is */
};

/* A place of this processor, with what was left in it; NULL: all are taken. map's values begin with a scratch_head. */
static __always_inline void *scratch_take(void *map)
{
#pragma unroll
	for (__u32 i = 0; i < SCRATCH_DEPTH; i++) {
		__u32 slot = i;
		struct scratch_head *head = bpf_map_lookup_elem(map, &slot);

		if (head && !__sync_val_compare_and_swap(&head->busy, 0, 1)) {
			head->slot = i;
			return head;
		}
	}
	return NULL;
}

static __always_inline void scratch_give(void *place)
{
	struct scratch_head *head = place;

	barrier();
	head->busy = 0;
}

#endif
