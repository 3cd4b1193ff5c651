/* SPDX-License-Identifier: BSD-2-Clause */
/* Interface counters -> events (see ifrates.h). */
#include "engine/ifrates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct known {
	struct netdev start, last;
	uint32_t ifindex; /* 0 unknown */
	bool seen;	  /* in this tick */
};

struct ifrates {
	const struct netdevs *devs;
	uint32_t netns;
	const struct ifwatch *watch;
	const struct np_filter *filter; /* of the tick under way, as events */
	struct known *all;
	size_t n, cap;
	bool first;
	struct engine_events *events; /* of the tick under way */
	double seconds;
};

/*
 * Interfaces are their numbers: a new name changes nothing. One that appears while we run begins with what
 * it had counted by then: nothing, unless it comes from another namespace; where that is not known, with
 * its first figures.
 */
static struct known *find(struct ifrates *r, const struct netdev *d, uint32_t ifindex)
{
	for (size_t i = 0; i < r->n; i++)
		if (ifindex && r->all[i].ifindex ? r->all[i].ifindex == ifindex
						 : !strcmp(r->all[i].last.name, d->name))
			return &r->all[i];
	return NULL;
}

static struct known *get(struct ifrates *r, const struct netdev *d, uint32_t ifindex)
{
	struct known *k = find(r, d, ifindex);

	if (k)
		return k;
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 16;
		void *p = reallocarray(r->all, cap, sizeof(*r->all));

		if (!p)
			return NULL;
		r->all = p;
		r->cap = cap;
	}
	k = &r->all[r->n++];
	*k = (struct known){ .start = *d, .ifindex = ifindex };
	if (!r->first && ifindex)
		(void)ifwatch_began(r->watch, ifindex, &k->start);
	k->last = k->start;
	return k;
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
	(void)fmt_milli(ev.value, sizeof(ev.value), ev.num);
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", d->name);
	engine_events_tell(r->events, &ev);
}

static void on_dev(const struct netdev *d, void *arg)
{
	struct ifrates *r = arg;
	uint32_t ifindex = r->watch ? ifwatch_index(r->watch, d->name) : 0;
	struct known *k = get(r, d, ifindex);

	if (!k)
		return;
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

struct ifrates *ifrates_new(const struct netdevs *devs, uint32_t netns, const struct ifwatch *watch)
{
	struct ifrates *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->netns = netns;
	r->watch = watch;
	r->devs = devs;
	r->first = true;
	(void)netdevs_each(devs, on_dev, r);
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
	if (netdevs_each(r->devs, on_dev, r) >= 0)
		forget(r);
	r->events = NULL;
}
