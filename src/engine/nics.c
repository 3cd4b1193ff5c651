/* SPDX-License-Identifier: BSD-2-Clause */
/* See nics.h. */
#include "engine/nics.h"

#include <stdlib.h>
#include <string.h>

#include "engine/session.h"
#include "capture/links.h"

struct known {
	uint32_t ifindex;
	struct netdev start, last;
	bool seen;
};

struct nic_reader {
	const struct netdevs *devs;
	uint32_t netns;
	const struct ifwatch *watch;
	struct viewer *viewer;
	struct known *all;
	size_t n, cap;
	uint64_t tick_ns;
	double seconds; /* of the interval that ends */
	bool first;
};

static struct known *get(struct nic_reader *r, const struct netdev *d, uint32_t ifindex)
{
	struct known *k;

	for (size_t i = 0; i < r->n; i++)
		if (r->all[i].ifindex == ifindex)
			return &r->all[i];
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 16;
		void *p = reallocarray(r->all, cap, sizeof(*r->all));

		if (!p)
			return NULL;
		r->all = p;
		r->cap = cap;
	}
	k = &r->all[r->n++];
	*k = (struct known){ .ifindex = ifindex, .start = *d };
	/* one that comes later has counted before what it had in another namespace */
	if (!r->first)
		(void)ifwatch_began(r->watch, ifindex, &k->start);
	k->last = k->start;
	return k;
}

static void put(struct nic *n, unsigned int side, const uint64_t now[4], const uint64_t last[4],
		const uint64_t start[4], double seconds)
{
	nic_set(n, side,
		&(struct nic_counts){ now[0] - start[0], now[1] - start[1], now[2] - start[2],
				      now[3] - start[3] });
	n->side[side].bytes_s = seconds > 0 ? (float)((double)(now[0] - last[0]) / seconds) : 0;
	n->side[side].packets_s = seconds > 0 ? (float)((double)(now[1] - last[1]) / seconds) : 0;
}

static void counts(const struct netdev *d, uint64_t ret[2][4])
{
	const uint64_t all[2][4] = {
		[NETPROBE_RX] = { d->rx_bytes, d->rx_packets, d->rx_errors, d->rx_dropped },
		[NETPROBE_TX] = { d->tx_bytes, d->tx_packets, d->tx_errors, d->tx_dropped },
	};

	memcpy(ret, all, sizeof(all));
}

static void on_dev(const struct netdev *d, void *arg)
{
	struct nic_reader *r = arg;
	uint32_t ifindex = ifwatch_index(r->watch, d->name);
	struct known *k = ifindex ? get(r, d, ifindex) : NULL;
	uint64_t now[2][4], last[2][4], start[2][4];
	struct nic *n;

	if (!k)
		return;
	k->seen = true;
	counts(d, now);
	counts(&k->last, last);
	/* a counter of 32 bits that went round, or one that its driver set back: begin again */
	for (unsigned int i = 0; i < 8; i++)
		if (now[i / 4][i % 4] < last[i / 4][i % 4]) {
			k->start = k->last = *d;
			counts(d, last);
			break;
		}
	counts(&k->start, start);
	k->last = *d;
	n = viewer_nic(r->viewer, r->netns, ifindex, d->name);
	if (!n)
		return;
	n->state = ifwatch_state(r->watch, ifindex, &n->mbit, &n->duplex);
	for (unsigned int side = NETPROBE_RX; side <= NETPROBE_TX; side++)
		put(n, side, now[side], last[side], start[side], r->seconds);
}

static void read_all(struct nic_reader *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		r->all[i].seen = false;
	viewer_nics_begin(r->viewer);
	if (netdevs_each(r->devs, on_dev, r) < 0)
		return;
	viewer_nics_end(r->viewer);
	for (size_t i = 0; i < r->n; i++)
		if (r->all[i].seen)
			r->all[n++] = r->all[i];
	r->n = n;
}

struct nic_reader *nic_reader_new(const struct netdevs *devs, uint32_t netns,
				  const struct ifwatch *watch, struct viewer *viewer)
{
	struct nic_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct nic_reader){ .netns = netns,
				  .watch = watch,
				  .viewer = viewer,
				  .devs = devs,
				  .tick_ns = clock_monotonic_ns(),
				  .first = true };
	if (!devs || !watch || !netns)
		return nic_reader_free(r);
	read_all(r);
	r->first = false;
	return r;
}

struct nic_reader *nic_reader_free(struct nic_reader *r)
{
	if (!r)
		return NULL;
	free(r->all);
	free(r);
	return NULL;
}

void nic_reader_tick(struct nic_reader *r, uint64_t now_ns)
{
	if (!r)
		return;
	r->seconds = (double)(now_ns - r->tick_ns) / 1e9;
	r->tick_ns = now_ns;
	read_all(r);
}
