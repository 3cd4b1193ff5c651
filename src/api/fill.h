/* SPDX-License-Identifier: BSD-2-Clause */
/* From the flow table's structures to the library's. Strings stay the former's. */
#ifndef NETPROBE_API_FILL_H
#define NETPROBE_API_FILL_H

#include <netprobe/netprobe.h>

#include "flow/derive.h"
#include "flow/view.h"

/* counted: are bytes of its protocol counted here? seconds: length of the last interval. */
void api_flow_fill(struct netprobe_flow *x, const struct flow *f, const char *rname, bool counted,
		   float seconds, uint64_t now_ns);
void api_latency_fill(struct netprobe_latency *x, const struct latency *e);
/* cg NULL: in none. */
void api_container_fill(struct netprobe_container *x, const struct cgroup *cg);
/* The oldest first; how many. h NULL: none. */
uint32_t api_rates_fill(float rates[NETPROBE_ROW_RATES], const struct history *h);

/* A row and what it points to. */
struct api_row {
	struct netprobe_row row;
	struct netprobe_flow flow;
	struct netprobe_latency latency;
	struct netprobe_link link;
	float rates[NETPROBE_ROW_RATES];
	char group[DERIVE_TEXT_MAX + 1]; /* where it is longer than a view has room for */
};
void api_row_fill(struct api_row *to, const struct view_row *from, bool counted, float seconds,
		  uint64_t now_ns);

#endif
