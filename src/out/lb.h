/* SPDX-License-Identifier: BSD-2-Clause */
/* What a stats.lb line has beside the common keys: a VIP with its backends, or the balancer's totals. */
#ifndef NETPROBE_OUT_LB_H
#define NETPROBE_OUT_LB_H

#include "base/buf.h"
#include "wire/lb.h"

struct event_lb_backend {
	char addr[48];
	const char *state;   /* "up", "draining", "down" */
	const char *forward; /* "encap", "mac" */
	const char *check;   /* "none", "tcp", "http" */
	const char *why;     /* what the last failed check met; "" none */
	uint32_t weight;     /* as asked for */
	uint64_t checked_ns; /* CLOCK_MONOTONIC of the last check; 0 never */
	struct lb_count n;
};

struct event_lb {
	const char *vip; /* NULL: the balancer as a whole, totals and nothing else */
	struct lb_count n;
	const struct event_lb_backend *backends;
	unsigned int n_backends;
	const uint64_t *totals; /* LB_TOTALS of them */
};

/* "no_backend", "too_big", ...; index LB_*. */
const char *lb_total_name(unsigned int what);
void lb_put_json(struct buf *b, const struct event_lb *e);
void lb_put_text(struct buf *b, const struct event_lb *e);

#endif
