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
};

struct ifrates {
	uint32_t netns;
	struct known *all;
	size_t n, cap;
	bool first;
	struct engine_events *events; /* of the tick under way */
	double seconds;
};

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
	/* One that appears later counts from nothing. */
	r->all[r->n] = (struct known){ .start = *d };
	if (!r->first) {
		memset(&r->all[r->n].start, 0, sizeof(*d));
		memcpy(r->all[r->n].start.name, d->name, sizeof(d->name));
	}
	r->all[r->n].last = r->all[r->n].start;
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

	if (!k)
		return;
	/* Made anew under its name, or a counter of 32 bits that went round: begin again. */
	if (d->tx_bytes < k->last.tx_bytes || d->rx_bytes < k->last.rx_bytes) {
		k->start = k->last = *d;
		return;
	}
	if (r->events &&
	    (d->tx_packets != k->last.tx_packets || d->rx_packets != k->last.rx_packets))
		tell(r, k, d);
	k->last = *d;
}

struct ifrates *ifrates_new(uint32_t netns)
{
	struct ifrates *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->netns = netns;
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

void ifrates_tick(struct ifrates *r, struct engine_events *e, double seconds)
{
	r->events = e;
	r->seconds = seconds;
	(void)netdev_each(NETDEV, on_dev, r);
	r->events = NULL;
}
