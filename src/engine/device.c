/* SPDX-License-Identifier: BSD-2-Clause */
/* See device.h. */
#include "engine/device.h"

#include <errno.h>
#include <stdio.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "balance/balance.h"
#include "engine/attacks.h"
#include "engine/lb.h"
#include "engine/netns.h"
#include "engine/session.h"

struct devices {
	void (*fn)(const struct event *ev, void *arg);
	void *arg;
	struct attacks *attacks;
	struct guard_watch *watch; /* NULL: there is no guard */
	uint64_t lost;		   /* by watches of before */
	uint64_t moved;		   /* packets when counters were told last */
	uint64_t balanced;
};

static void tell(const struct event_device *dev, const char *name,
		 void (*fn)(const struct event *ev, void *arg), void *arg)
{
	struct np_tuple where = { .netns = netns_inode("/proc/thread-self/ns/net") };
	uint64_t packets = dev->count->rx.packets + dev->count->tx.packets;
	struct event ev = {
		.kind = dev->mode ? EVENT_IFACE : EVENT_GLOBAL,
		.wall_ns = clock_wall_ns(),
		.ktime_ns = clock_monotonic_ns(),
		.num = (double)packets,
		.unit = "packets",
		.mode = "ebpf",
		.tuple = &where,
		.iface = dev->mode ? name : NULL,
		.device = dev,
	};

	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", name);
	(void)snprintf(ev.value, sizeof(ev.value), "%llu", (unsigned long long)packets);
	fn(&ev, arg);
}

static void own_add(struct event_device_own *to, const struct event_device_own *from)
{
	to->packets += from->packets;
	to->bytes += from->bytes;
	to->dropped += from->dropped;
	to->errors += from->errors;
}

void device_events(const struct guard_if *ifs, int n, void (*fn)(const struct event *ev, void *arg),
		   void *arg)
{
	static const char *const modes[] = { "monitor", "filter", "balance" };
	static const char *const xdp[] = { "none", "native", "generic" };
	static const char *const tc[] = { "none", "tcx", "clsact" };
	struct np_guard_dev sum = {};
	struct event_device all = { .count = &sum, .interfaces = (unsigned int)n };

	for (int i = 0; i < n; i++) {
		const struct guard_if *f = &ifs[i];
		const uint64_t *from = (const uint64_t *)&f->count;
		struct event_device dev = {
			.mode = modes[f->at.mode % 3],
			.xdp = xdp[f->at.xdp % 3],
			.tc = tc[f->at.tc % 3],
			.ifindex = f->at.ifindex,
			.gone = f->gone,
			.tx_errors_known = f->tx_errors_known,
			.count = &f->count,
			.rx = { f->rx_packets, f->rx_bytes, f->rx_dropped, f->rx_errors },
			.tx = { f->tx_packets, f->tx_bytes, f->tx_dropped, f->tx_errors },
		};

		for (size_t k = 0; k < sizeof(sum) / sizeof(*from); k++)
			((uint64_t *)&sum)[k] += from[k];
		all.tx_errors_known |= f->tx_errors_known;
		own_add(&all.rx, &dev.rx);
		own_add(&all.tx, &dev.tx);
		tell(&dev, f->name, fn, arg);
	}
	tell(&all, "all", fn, arg);
}

/* The guard that is there now; another than before is read from its beginning. */
static struct guard *look(struct devices *d, bool first)
{
	struct guard *g = NULL;

	if (guard_open(GUARD_SHARED, &g, NULL))
		return NULL;
	if (d->watch && !guard_watch_is_of(d->watch, g)) {
		d->lost += guard_watch_lost(d->watch);
		d->watch = guard_watch_close(d->watch);
	}
	if (!d->watch)
		(void)guard_watch_open(g, !first, &d->watch, NULL);
	return g;
}

struct devices *devices_new(void (*fn)(const struct event *ev, void *arg), void *arg)
{
	struct devices *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->fn = fn;
	d->arg = arg;
	d->attacks = attacks_new(fn, arg);
	if (!d->attacks)
		return devices_free(d);
	guard_close(look(d, true));
	return d;
}

struct devices *devices_free(struct devices *d)
{
	if (!d)
		return NULL;
	guard_watch_close(d->watch);
	attacks_free(d->attacks);
	free(d);
	return NULL;
}

static void on_attack(const struct np_ev_guard *ev, void *arg)
{
	struct devices *d = arg;
	char name[IF_NAMESIZE];

	if (!if_indextoname(ev->ifindex, name))
		name[0] = '\0';
	attacks_tell(d->attacks, ev, name);
}

void devices_poll(struct devices *d)
{
	if (d->watch)
		(void)guard_watch_poll(d->watch, on_attack, d);
	attacks_tick(d->attacks);
}

static void tell_balance(struct devices *d)
{
	uint64_t totals[LB_TOTALS], sum = 0;
	struct balance b = {};

	if (balance_open(false, NULL, &b, NULL))
		return;
	balance_share(&b);
	if (!balance_totals(&b, totals)) {
		for (unsigned int i = 0; i < LB_TOTALS; i++)
			sum += totals[i];
		if (sum != d->balanced)
			(void)lb_events(&b, d->fn, d->arg);
		d->balanced = sum;
	}
	balance_close(&b);
}

void devices_tick(struct devices *d)
{
	struct guard *g = look(d, false);
	struct guard_if *ifs = NULL;
	uint64_t moved = 0;
	int n = g ? guard_ifs(g, &ifs) : 0;
	bool balances = false;

	guard_close(g);
	devices_poll(d);
	for (int i = 0; i < n; i++) {
		moved += ifs[i].count.rx.packets + ifs[i].count.tx.packets;
		balances = balances || ifs[i].at.mode == NP_GUARD_BALANCE;
	}
	if (n > 0 && moved != d->moved)
		device_events(ifs, n, d->fn, d->arg);
	d->moved = moved;
	free(ifs);
	if (balances)
		tell_balance(d);
}

uint64_t devices_lost(const struct devices *d)
{
	return d->lost + (d->watch ? guard_watch_lost(d->watch) : 0);
}
