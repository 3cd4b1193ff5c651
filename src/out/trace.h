/* SPDX-License-Identifier: BSD-2-Clause */
/* What an event says of one step of a packet: beside struct event. */
#ifndef NETPROBE_OUT_TRACE_H
#define NETPROBE_OUT_TRACE_H

#include "base/buf.h"
#include "wire/trace.h"

struct event_trace {
	const struct np_ev_trace *ev;
	const char *reason;   /* of a drop; NULL */
	const char *location; /* of a drop; NULL */
};

const char *step_name(uint32_t step); /* "ip_receive" */
void trace_put_json(struct buf *b, const struct event_trace *t);
void trace_put_text(struct buf *b, const struct event_trace *t);

#endif
