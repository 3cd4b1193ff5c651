/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How sockets fare: retransmits by cause and stalls, counted once however often a socket changes
 * hands or a record comes late, and what limited a connection lately. Lives beside the flow table;
 * group.c sums up what it hands out.
 */
#ifndef NETPROBE_FLOW_HEALTH_H
#define NETPROBE_FLOW_HEALTH_H

#include "flow/table.h"
#include "flow/verdict.h"

struct trouble {
	uint64_t rtx[NP_RTX_MAX]; /* segments, index NP_RTX_* */
	uint64_t synack;	  /* SYN-ACKs of a listener that went out again */
	uint64_t spurious;	  /* segments of those in rtx that were not needed */
	uint64_t stall_ns;	  /* in stalls that are over */
};

/* Sockets that had trouble; while watching, every TCP connection. */
struct healths {
	struct index by_sock;
	bool watching;
	uint64_t tick_ns;  /* of the last look */
	uint32_t purge_at; /* entries at which it is worth looking for sockets that are gone */
};

int healths_init(struct healths *h);
void healths_done(struct healths *h);
/*
 * What f's socket met with since it was asked last. False: nothing, or no memory (then it comes with
 * the next call that finds some). To be called when f moved.
 */
bool healths_take(struct healths *h, const struct flow *f, struct trouble *ret);
/* Whether verdicts are wanted. They cost a walk over all flows a tick, so not unless somebody looks. */
void healths_watch(struct healths *h, bool on);
void healths_tick(struct healths *h, struct flow_table *flows, uint64_t now_ns);
/* Of the socket whose main flow f is; zeroes where there is none. */
const struct trouble *healths_trouble(const struct healths *h, const struct flow *f);
/* The same, since sums began anew. */
void healths_trouble_since(const struct healths *h, const struct flow *f, struct trouble *ret);
/* They begin anew. A socket's are in here and not with its flow, so that another owner does not begin with old ones. */
void healths_restart(struct healths *h);
/* The last few intervals, the latest weighing most; zeroes: not watched, or not for long enough. */
const struct verdict_times *healths_times(const struct healths *h, const struct flow *f);

void trouble_add(struct trouble *to, const struct trouble *t);
bool trouble_is_none(const struct trouble *t);

#endif
