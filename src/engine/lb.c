/* SPDX-License-Identifier: BSD-2-Clause */
/* See lb.h. */
#include "engine/lb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "balance/health.h"
#include "engine/session.h"

static const char *const state_names[] = { "free", "up", "draining", "down" };
static const char *const forward_names[] = { "encap", "mac" };
static const char *const check_names[] = { "none", "tcp", "http" };

/* A VIP's backends into *ret (free() it). Number or -errno. */
int lb_backends(const struct balance *b, unsigned int vip, struct event_lb_backend **ret)
{
	struct event_lb_backend *all = NULL, *more;
	unsigned int n = 0;
	int r = 0;

	for (unsigned int i = 0; !r && (i = model_next(b->model, vip, i));) {
		const struct lb_backend_conf *c = &b->model->confs[i];

		more = reallocarray(all, n + 1, sizeof(*all));
		if (!more) {
			r = -ENOMEM;
			break;
		}
		all = more;
		all[n] = (struct event_lb_backend){
			.state = state_names[health_state(c) & 3],
			.forward = forward_names[b->model->backends[i].forward & 1],
			.check = check_names[c->check % 3],
			.why = c->why,
			.weight = c->weight,
			.checked_ns = c->checked_ns,
		};
		addr_format(b->model->backends[i].addr, all[n].addr);
		r = balance_backend_count(b, i, &all[n++].n);
	}
	if (r) {
		free(all);
		return r;
	}
	*ret = all;
	return (int)n;
}

static void tell(const struct event_lb *lb, void (*fn)(const struct event *ev, void *arg),
		 void *arg)
{
	uint64_t packets = lb->vip ? lb->n.packets : lb->totals[LB_FORWARDED];
	struct event ev = { .kind = EVENT_LB,
			    .wall_ns = clock_wall_ns(),
			    .ktime_ns = clock_monotonic_ns(),
			    .num = (double)packets,
			    .unit = "packets",
			    .mode = "ebpf",
			    .lb = lb };

	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", lb->vip ? lb->vip : "balancer");
	(void)snprintf(ev.value, sizeof(ev.value), "%llu", (unsigned long long)packets);
	fn(&ev, arg);
}

int lb_events(const struct balance *b, void (*fn)(const struct event *ev, void *arg), void *arg)
{
	uint64_t totals[LB_TOTALS];
	int r = 0;

	for (unsigned int i = 0; !r && i < LB_VIPS; i++) {
		struct event_lb_backend *backends = NULL;
		char text[VIP_TEXT_SIZE];
		struct event_lb lb;

		if (!b->model->vips[i].key.proto)
			continue;
		vip_format(&b->model->vips[i].key, text);
		lb = (struct event_lb){ .vip = text };
		r = balance_vip_count(b, i, &lb.n);
		if (!r)
			r = lb_backends(b, i, &backends);
		if (r >= 0) {
			lb.backends = backends;
			lb.n_backends = (unsigned int)r;
			tell(&lb, fn, arg);
			r = 0;
		}
		free(backends);
	}
	if (!r)
		r = balance_totals(b, totals);
	if (!r)
		tell(&(struct event_lb){ .totals = totals }, fn, arg);
	return r;
}
