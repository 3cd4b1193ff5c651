/* SPDX-License-Identifier: BSD-2-Clause */
/* What guard counts, as events: stats.iface and stats.global. */
#ifndef NETPROBE_ENGINE_DEVICE_H
#define NETPROBE_ENGINE_DEVICE_H

#include "guard/guard.h"
#include "out/device.h"
#include "out/event.h"

/* One stats.iface for each interface, then the stats.global of all. */
void device_events(const struct guard_if *ifs, int n, void (*fn)(const struct event *ev, void *arg),
		   void *arg);

#endif
