/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the records of the event stream out of what the layers below know. Internal to engine/. */
#ifndef NETPROBE_ENGINE_EMIT_H
#define NETPROBE_ENGINE_EMIT_H

#include "engine/session.h"

struct engine_events;

/* mode: of all records. procs: of their owners. */
struct engine_events *engine_events_new(session_event_fn fn, void *arg, const char *mode,
					struct process_table *procs);
/* room(arg): whether a record of counts finds room; without, each does. What finds none is kept, and added to. */
void engine_events_ask(struct engine_events *e, session_room_fn room, void *arg);
/* Counts that were not kept for want of room or memory. */
void engine_events_lost(const struct engine_events *e, struct np_loss *ret_loss);
/* A record made elsewhere: time and mode are put in. */
void engine_events_tell(struct engine_events *e, struct event *ev);
struct engine_events *engine_events_free(struct engine_events *e);

/*
 * conn.open, conn.close, conn.fail, resets: one kernel record. owner: of rec->last. f: what is known of
 * the socket, this record not among it; may be NULL.
 */
void engine_events_sock(struct engine_events *e, const struct np_ev_sock *ev,
			const struct process *owner, const struct flow *f);
/* 1 in so many sockets is recorded: records are marked with it. */
void engine_events_rate(struct engine_events *e, uint32_t sample_rate);
/* A sweep's record: remembers who was on the CPU at its latest retransmit, for this interval's events. */
void engine_events_seen(struct engine_events *e, const struct np_sock_rec *rec);
/* A flow moved something: summed up per owner and interface until engine_events_tick. */
void engine_events_flow(struct engine_events *e, const struct flow *f, const struct flow_delta *d);
/* SYNs that listeners dropped are told by somebody else. */
void engine_events_no_drops(struct engine_events *e);
/* transport.bw and retransmit records of the interval, and of those before that found no room. */
void engine_events_tick(struct engine_events *e, double seconds);
/* What finds no room now is lost, and counted. */
void engine_events_end(struct engine_events *e);

#endif
