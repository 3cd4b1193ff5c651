/* SPDX-License-Identifier: BSD-2-Clause */
/* See device.h. */
#include "engine/device.h"

#include <stdio.h>

#include "engine/netns.h"
#include "engine/session.h"

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
