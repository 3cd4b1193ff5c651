/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYNs that a listener dropped for want of room in its queues: no packet is seen dropped, only the listener's
 * own counter rises. As drops, for the event stream and for whoever watches drops.
 */
#ifndef NETPROBE_ENGINE_LISTEN_H
#define NETPROBE_ENGINE_LISTEN_H

#include "flow/table.h"
#include "out/drop.h"
#include "out/event.h"

/* "LISTEN_OVERFLOW", "SYN_QUEUE_FULL"; "LISTEN_DROP" where neither queue was seen full. */
const char *listen_reason(uint32_t limits);
/* ev but for its time; d and where are what it points to. */
void listen_event(struct event *ev, struct event_drop *d, struct np_tuple *where,
		  const struct flow *f, const struct flow_delta *delta);

#endif
