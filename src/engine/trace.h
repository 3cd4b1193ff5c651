/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps of packets as events. Runs beside a session, which knows the owners of sockets. */
#ifndef NETPROBE_ENGINE_TRACE_H
#define NETPROBE_ENGINE_TRACE_H

#include "engine/session.h"
#include "probe/trace.h"

struct trace_watch;

/* filter: which packets; by hosts and ports, since most steps have no owner. */
int trace_watch_open(struct session *s, const struct np_filter *filter, uint32_t steps,
		     session_event_fn fn, void *arg, struct trace_watch **ret_watch,
		     struct netprobe_error *err);
struct trace_watch *trace_watch_close(struct trace_watch *w);
void trace_watch_set_filter(struct trace_watch *w, const struct np_filter *filter);
int trace_watch_poll(struct trace_watch *w);
/* Its row of the account of losses. */
void trace_watch_account(const struct trace_watch *w, struct losses *to);
int trace_watch_losses(const struct trace_watch *w, struct np_trace_loss *ret_loss);
const char *trace_watch_note(const struct trace_watch *w);

#endif
