/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drops that interfaces count themselves: in their drivers, in queueing disciplines, and in the
 * backlog of processors. Of every network namespace that a process lives in, or that has a name.
 * Counters of the kernel, read now and then: nobody's in particular.
 */
#ifndef NETPROBE_ENGINE_IFDROPS_H
#define NETPROBE_ENGINE_IFDROPS_H

#include <stdint.h>

struct ifdrops;

/* Of one counter: what it went up by. Strings are valid during the call. */
struct ifdrops_count {
	/* empty for the backlog, which is the processors', and for sums of interfaces that are gone */
	const char *iface;
	const char *
		reason; /* "DRIVER_RX", "DRIVER_TX", "DRIVER_RX_MISSED", "QDISC", "SOFTNET_BACKLOG" */
	uint32_t ifindex, netns; /* 0 for the backlog; netns 0 also where that is gone */
	uint64_t packets;
};

typedef void (*ifdrops_fn)(const struct ifdrops_count *n, void *arg);

/* Counting begins now; NULL: no memory, or no rtnetlink. */
struct ifdrops *ifdrops_new(void);
struct ifdrops *ifdrops_free(struct ifdrops *d);
/* What each counter went up by since the last call. */
void ifdrops_poll(struct ifdrops *d, ifdrops_fn fn, void *arg);
/* ... and since the start, up to the last call of ifdrops_poll. */
void ifdrops_totals(const struct ifdrops *d, ifdrops_fn fn, void *arg);
/* Namespaces that could not be looked into, or not wholly, for want of a right or of room. */
unsigned int ifdrops_left_out(const struct ifdrops *d);

#endif
