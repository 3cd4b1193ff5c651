/* SPDX-License-Identifier: BSD-2-Clause */
/* stats.iface: what each interface moved, by its own counters, where no kernel half tells of it. Internal to engine/. */
#ifndef NETPROBE_ENGINE_IFRATES_H
#define NETPROBE_ENGINE_IFRATES_H

#include "engine/emit.h"

struct ifrates;

struct ifrates *ifrates_new(uint32_t netns); /* counting begins now */
struct ifrates *ifrates_free(struct ifrates *r);
/* One record of each interface that moved something in the interval. */
void ifrates_tick(struct ifrates *r, struct engine_events *e, double seconds);

#endif
