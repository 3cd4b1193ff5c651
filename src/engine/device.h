/* SPDX-License-Identifier: BSD-2-Clause */
/* Guard's part of the event stream: stats.iface and stats.global, stats.lb, security.*. */
#ifndef NETPROBE_ENGINE_DEVICE_H
#define NETPROBE_ENGINE_DEVICE_H

#include "guard/guard.h"
#include "out/device.h"
#include "out/event.h"

/* One stats.iface for each interface, then the stats.global of all. */
void device_events(const struct guard_if *ifs, int n, void (*fn)(const struct event *ev, void *arg),
		   void *arg);

/*
 * Follows the guard of this network namespace, which may come and go meanwhile. A process that may not
 * see it sees nothing. NULL: no memory.
 */
struct devices;
struct devices *devices_new(void (*fn)(const struct event *ev, void *arg), void *arg);
struct devices *devices_free(struct devices *d);
/* What was found since the last call. */
void devices_poll(struct devices *d);
/* End of an interval: the counters, where any moved. */
void devices_tick(struct devices *d);
/* Security events that were overwritten before they were read. */
uint64_t devices_lost(const struct devices *d);

#endif
