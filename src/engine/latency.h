/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Latencies of a session: round trips, connects and stalls come with what it reads anyway; waits in
 * the queues of sockets only while somebody asks for them.
 */
#ifndef NETPROBE_ENGINE_LATENCY_H
#define NETPROBE_ENGINE_LATENCY_H

#include "flow/latency.h"
#include "probe/waits.h"

struct engine_latency;

/* grace_ns: how long figures of processes that are gone are kept; UINT64_MAX for ever. */
struct engine_latency *engine_latency_new(struct process_table *procs, uint64_t grace_ns);
struct engine_latency *engine_latency_free(struct engine_latency *e);
/* Time waits from now on, or stop it. Errors as probe_waits_open's. */
int engine_latency_watch(struct engine_latency *e, struct probe *p, bool on,
			 struct netprobe_error *err);
/* Read what the kernel half timed. */
/*
 * Several times an interval: hooks come and go with what there is to time. spliced: some process takes bytes
 * without receive calls.
 */
void engine_latency_poll(struct engine_latency *e, uint64_t now_ns, bool spliced);
void engine_latency_tick(struct engine_latency *e, uint64_t now_ns);
/* A stall of that process is over. */
void engine_latency_stall(struct engine_latency *e, struct process *proc, uint64_t ns);
struct latencies *engine_latency_all(struct engine_latency *e);
/* Zeroes while waits are not timed. */
void engine_latency_losses(const struct engine_latency *e, struct np_wait_loss *ret_loss);
bool engine_latency_watched(const struct engine_latency *e);	 /* ever, in this run */
const char *engine_latency_note(const struct engine_latency *e); /* what this kernel lacks; empty */

#endif
