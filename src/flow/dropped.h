/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dropped packets by who lost them: process, container, interface. Built anew from the kinds of
 * drops at each interval; which those are the engine knows.
 */
#ifndef NETPROBE_FLOW_DROPPED_H
#define NETPROBE_FLOW_DROPPED_H

#include <stdbool.h>

#include "flow/group.h"

struct dropped;

struct dropped *dropped_new(void);
struct dropped *dropped_free(struct dropped *d);
struct dropped *dropped_copy(const struct dropped *from); /* NULL: no memory */
void dropped_clear(struct dropped *d);
/* proc NULL: nobody's. ifname NULL: at no interface. -ENOMEM: left out. */
int dropped_add(struct dropped *d, const struct process *proc, uint32_t netns, const char *ifname,
		uint64_t packets);
/* Packets of the group with that key; false: drops are not told apart by that kind. */
bool dropped_find(const struct dropped *d, const struct group_key *key, uint64_t *ret_packets);

#endif
