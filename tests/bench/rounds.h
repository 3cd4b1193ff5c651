/* SPDX-License-Identifier: BSD-2-Clause */
/* One measured run of rr. */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

struct rr_result {
	uint64_t round_trips;
	double seconds, rate;
	double per_cpu; /* round trips in a second of processor time of both ends */
};

/*
 * proto: as rr takes it; rate 0: as fast as it goes. one_cpu: client and server share a processor, so
 * that no time passes waking the other one; else they have one each. threads, sockets: of each end, 0 is 1.
 * warm: called once each socket was used, before any round trip that counts; NULL none.
 */
struct rr_how {
	const char *proto, *seconds;
	bool one_cpu;
	unsigned int rate, threads, sockets;
	void (*warm)(void *arg);
	void *arg;
};

struct rr_result rr_run(const struct rr_how *how);

#endif
