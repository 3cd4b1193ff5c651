/* SPDX-License-Identifier: BSD-2-Clause */
/* Interface counters -> events (see ifrates.h). */
#include "engine/ifrates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/netdev.h"

#define NETDEV "/proc/self/net/dev"

struct known {
	struct netdev start, last;
	uint32_t ifindex; /* 0 unknown */
	bool seen;	  /* in this tick */
};

struct ifrates {
	uint32_t netns;
	const struct ifwatch *watch;
	const struct np_filter *filter; /* of the tick under way, as events */
	struct known *all;
	size_t n, cap;
	bool first;
	struct engine_events *events; /* of the tick under way */
	double seconds;
};

/* It appeared while we run: all that it counted is of this time. */
static void from_nothing(struct known *k, const struct netdev *d)
{
	memset(&k->start, 0, sizeof(k->start));
	memcpy(k->start.name, d->name, sizeof(d->name));
	k->last = k->start;
}

static struct known *get(struct ifrates *r, const struct netdev *d)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->all[i].last.name, d->name))
			return &r->all[i];
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 16;
		void *p = reallocarray(r->all, cap, sizeof(*r->all));

		if (!p)
			return NULL;
		r->all = p;
		r->cap = cap;
	}
	r->all[r->n] = (struct known){ .start = *d, .last = *d };
	if (!r->first)
		from_nothing(&r->all[r->n], d);
	return &r->all[r->n++];
}

static void tell(struct ifrates *r, const struct known *k, const struct netdev *d)
{
	struct np_tuple where = { .netns = r->netns };
	double tx = (double)(d->tx_bytes - k->last.tx_bytes) * 8 / 1e6;
	double rx = (double)(d->rx_bytes - k->last.rx_bytes) * 8 / 1e6;
	struct event ev = {
		.kind = EVENT_IFACE,
		.tuple = &where,
		.unit = "Mbit/s",
		.tx_bytes = d->tx_bytes - k->start.tx_bytes,
		.rx_bytes = d->rx_bytes - k->start.rx_bytes,
		.tx_pkts = d->tx_packets - k->start.tx_packets,
		.rx_pkts = d->rx_packets - k->start.rx_packets,
		.interval_s = r->seconds,
	};

	if (r->seconds > 0) {
		ev.tx_mbit = tx / r->seconds;
		ev.rx_mbit = rx / r->seconds;
	}
	ev.num = ev.tx_mbit + ev.rx_mbit;
	memcpy(where.ifname, d->name, sizeof(where.ifname));
	(void)snprintf(ev.value, sizeof(ev.value), "%.3f", ev.num);
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", d->name);
	engine_events_tell(r->events, &ev);
}

static void on_dev(const struct netdev *d, void *arg)
{
	struct ifrates *r = arg;
	struct known *k = get(r, d);
	uint32_t ifindex;

	if (!k)
		return;
	ifindex = r->watch ? ifwatch_index(r->watch, d->name) : 0;
	if (k->ifindex && ifindex && k->ifindex != ifindex)
		from_nothing(k, d);
	k->ifindex = ifindex ? ifindex : k->ifindex;
	k->seen = true;
	/* A counter of 32 bits that went round, or one that its driver set back: begin again. */
	if (d->tx_bytes < k->last.tx_bytes || d->rx_bytes < k->last.rx_bytes) {
		k->start = k->last = *d;
		return;
	}
	if (r->events && ifwatch_wanted(r->filter, d->name) &&
	    (d->tx_packets != k->last.tx_packets || d->rx_packets != k->last.rx_packets))
		tell(r, k, d);
	k->last = *d;
}

struct ifrates *ifrates_new(uint32_t netns, const struct ifwatch *watch)
{
	struct ifrates *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->netns = netns;
	r->watch = watch;
	r->first = true;
	(void)netdev_each(NETDEV, on_dev, r);
	r->first = false;
	return r;
}

struct ifrates *ifrates_free(struct ifrates *r)
{
	if (!r)
		return NULL;
	free(r->all);
	free(r);
	return NULL;
}

/* Who is gone: on a host that starts and ends containers all day they would add up. */
static void forget(struct ifrates *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->all[i].seen)
			r->all[n++] = r->all[i];
	r->n = n;
}

void ifrates_tick(struct ifrates *r, const struct np_filter *filter, struct engine_events *e,
		  double seconds)
{
	for (size_t i = 0; i < r->n; i++)
		r->all[i].seen = false;
	r->filter = filter;
	r->events = e;
	r->seconds = seconds;
	if (netdev_each(NETDEV, on_dev, r) >= 0)
		forget(r);
	r->events = NULL;
}
