/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the interfaces of the own network namespace moved without any socket (AF_XDP, packet sockets, kernel tunnels),
 * and what it forwarded: rows of `top --by interface`, transport.bw without an owner. Internal to engine/.
 */
#ifndef NETPROBE_ENGINE_UNOWNED_H
#define NETPROBE_ENGINE_UNOWNED_H

#include "capture/netdev.h"
#include "capture/rung.h"
#include "engine/emit.h"
#include "engine/ifwatch.h"
#include "flow/view.h"

struct unowned;

/* Counting begins now. devs outlives it. netns: the own one. NULL: no memory, or no counters to be read. */
struct unowned *unowned_new(const struct netdevs *devs, uint32_t netns, const struct ifwatch *watch,
			    struct flow_table *flows, struct viewer *viewer);
struct unowned *unowned_free(struct unowned *u);
/* An interval ends: its sweep begins. NULL does nothing. */
void unowned_begin(struct unowned *u);
/* ... and is over: the counters of the interfaces, at the same moment. NULL does nothing. */
void unowned_read(struct unowned *u);
/*
 * Its records are in the flow table. Nothing is known of an interval in which a filter or a rate left sockets out,
 * or records were lost. e NULL: nobody wants events.
 */
void unowned_tick(struct unowned *u, const struct np_filter *filter,
		  const struct probe_loss losses[LOSS_MAX], struct engine_events *e);

#endif
