/* SPDX-License-Identifier: BSD-2-Clause */
/* What bench_flood tells flood.bpf.c, and what that counts: the one value of the map np_flood. */
#ifndef BENCH_FLOOD_H
#define BENCH_FLOOD_H

#include "wire/events.h"

struct flood {
	__u32 batch;	 /* records of one run */
	__u32 only_open; /* 1: NP_EV_CONN_OPEN alone; 0: each is followed by its socket's close */
	__u64 written;	 /* records the ring took */
	__u64 full;	 /* records it had no room for */
	__u64 next;
	struct np_ev_sock record; /* each record but for its type, time and socket */
};

#endif
