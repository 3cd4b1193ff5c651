/* SPDX-License-Identifier: BSD-2-Clause */
/* stats.iface: what each interface moved, by its own counters, where no kernel half tells of it. Internal to engine/. */
#ifndef NETPROBE_ENGINE_IFRATES_H
#define NETPROBE_ENGINE_IFRATES_H

#include "capture/netdev.h"
#include "engine/emit.h"
#include "engine/ifwatch.h"

struct ifrates;

/* Counting begins now. devs outlives it, and is read before each tick. watch tells one interface from its successor of the same name; NULL: nobody does. */
struct ifrates *ifrates_new(const struct netdevs *devs, uint32_t netns,
			    const struct ifwatch *watch);
struct ifrates *ifrates_free(struct ifrates *r);
/* One record of each interface that moved something in the interval and that the filter lets pass. */
void ifrates_tick(struct ifrates *r, const struct np_filter *filter, struct engine_events *e,
		  double seconds);

#endif
