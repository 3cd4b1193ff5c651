/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes to other hosts, what comes from them, and what stays on this one. Where both ends of a
 * connection are sockets of this host its bytes are sent and received here: each of them is counted once,
 * as sent. Inside is what goes to an address that a socket of this host has as its own.
 */
#ifndef NETPROBE_FLOW_INSIDE_H
#define NETPROBE_FLOW_INSIDE_H

#include "flow/group.h"
#include "flow/history.h"

struct inside {
	bool wanted;			       /* somebody looked: from then on every tick counts */
	float up_rate, down_rate, inside_rate; /* bytes a second, in the last interval */
	struct history up, down, inside;
};

/* From now on. */
void inside_wanted(struct inside *in);
/* After groups_tick(). No memory: the interval has no sample. */
void inside_tick(struct inside *in, struct flow_table *flows, const struct groups *gs);

#endif
