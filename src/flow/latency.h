/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Latencies of processes as histograms: round trips, connects, waits in both queues of their sockets,
 * stalls. Fed by the engine, which says how long those of processes that are gone are kept.
 */
#ifndef NETPROBE_FLOW_LATENCY_H
#define NETPROBE_FLOW_LATENCY_H

#include <netprobe/capture.h>
#include <stdbool.h>

#include "flow/histogram.h"
#include "flow/table.h"

struct latency {
	struct process *proc; /* a reference on it */
	struct histogram h[NETPROBE_LATENCY_MAX];
	struct index_node node;
};

struct latencies;

struct latencies *latencies_new(struct process_table *procs);
struct latencies *latencies_free(struct latencies *l);
/* False: no room or no memory for one more process; counted. */
bool latencies_add(struct latencies *l, struct process *proc, unsigned int what, uint64_t us);
/* Counters that were summed up elsewhere and only grow. */
bool latencies_set(struct latencies *l, struct process *proc, unsigned int what,
		   const __u64 n[NP_HIST_SLOTS]);
/*
 * A record of a TCP socket came; before: its main flow as it was, NULL it had none. Adds the round
 * trip, the connect latency and the stall that are new in it. A stall's end comes with a record of its
 * own; where that was lost, those since the record before are one.
 */
struct latency_before {
	uint64_t opened_ns, bytes_acked, stall_ns;
	uint32_t connect_us;
	bool known;
};
void latency_before(struct latency_before *ret, const struct flow *f);
void latencies_flow(struct latencies *l, const struct latency_before *before,
		    const struct np_sock_rec *rec, struct process *proc);
/*
 * Once an interval, before the groups': lets go of processes that nothing but figures refers to, when
 * they are gone for grace_ns.
 */
void latencies_tick(struct latencies *l, uint64_t now_ns, uint64_t grace_ns);
/* NULL: nothing of it was timed. */
const struct latency *latencies_find(const struct latencies *l, const struct process *proc);
int latencies_each(const struct latencies *l, int (*fn)(const struct latency *e, void *arg),
		   void *arg);
uint64_t latencies_dropped(const struct latencies *l); /* figures left out, see latencies_add */
const char *latency_name(unsigned int what);	       /* "receive_wait" */

#endif
