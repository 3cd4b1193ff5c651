/* SPDX-License-Identifier: BSD-2-Clause */
/* The commonest test: run a maker under `netprobe flows`, and every byte is its maker's. */
#ifndef LIVE_OWNERSHIP_H
#define LIVE_OWNERSHIP_H

#include "maker.h"
#include "netns.h"
#include "probe.h"

#define FLOWS "flows", "--format", "json", "--duration", "36000"
#define EVENTS "events", "--format", "json", "--interval", "0.2"

/* What such a run leaves: the reports, the flows, and where it took place. */
struct run {
	struct netns ns;
	struct probe probe;
	struct maker maker;
};

/* In a namespace of its own; owners are checked. */
struct run run_flows(const char *command);

/* Bytes sent from that port to that port by sockets of that namespace. */
uint64_t sent_from_to(const struct probe *p, const struct netns *ns, uint16_t lport,
		      uint16_t rport);

#endif
