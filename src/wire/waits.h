/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long data waits in the queues of sockets, from kernel to user: one entry a process, whose
 * counters only grow.
 */
#ifndef NETPROBE_WIRE_WAITS_H
#define NETPROBE_WIRE_WAITS_H

#include "record.h"

/* Powers of two of microseconds: slot 0 is less than 1, slot n from 2^(n-1) on, the last has no end. */
#define NP_HIST_SLOTS 32
#define NP_WAIT_PROCESSES 16384 /* processes kept apart */

/* struct np_wait_key: a process. 16 bytes. */
struct np_wait_key {
	__u64 start_ns; /* as in struct np_owner */
	__u32 tgid;
	__u32 pad;
};

/* struct np_wait_hist: its waits, by length. */
struct np_wait_hist {
	__u64 rx[NP_HIST_SLOTS]; /* from arrival in a receive queue until it was read */
	__u64 tx[NP_HIST_SLOTS]; /* from the return of send() until its last byte left */
	struct np_owner owner;	 /* as it was at the first */
};

/* struct np_wait_loss: what is in no histogram. 32 bytes. */
struct np_wait_loss {
	__u64 map_full; /* too many processes */
	__u64 unowned;	/* of sockets nobody is known to use */
	__u64 passed;	/* sends whose last byte left while they were noted */
	__u64 untimed;	/* whose end was before the hook that tells it was attached */
};

NP_WIRE_SIZE(struct np_wait_key, 16);
NP_WIRE_SIZE(struct np_wait_hist, 584);
NP_WIRE_SIZE(struct np_wait_loss, 32);

#endif
