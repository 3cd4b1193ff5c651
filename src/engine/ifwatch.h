/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces of the own network namespace that come and go while netprobe runs: said, and told apart by number. Internal to engine/. */
#ifndef NETPROBE_ENGINE_IFWATCH_H
#define NETPROBE_ENGINE_IFWATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/netdev.h"
#include "wire/config.h"

struct ifwatch;

/* NULL where the kernel tells of none (no rtnetlink). */
struct ifwatch *ifwatch_new(void);
struct ifwatch *ifwatch_free(struct ifwatch *w);
/*
 * Take what has changed. Those that the filter names are said in any case, others where all is set: to a rung that
 * sees its own namespace alone each of them matters.
 */
void ifwatch_read(struct ifwatch *w, const struct np_filter *filter, bool all);
/* Number of the interface of that name; 0 unknown. */
uint32_t ifwatch_index(const struct ifwatch *w, const char *name);
/* Is it part of another interface (a bridge's, a bond's), or is another one on it (a VLAN)? */
bool ifwatch_is_stacked(const struct ifwatch *w, uint32_t ifindex);
/* What it had counted when it came. false: unknown. */
bool ifwatch_began(const struct ifwatch *w, uint32_t ifindex, struct netdev *ret);

/* NETPROBE_LINK_*, its speed, NETPROBE_DUPLEX_*; 0: not known. */
uint32_t ifwatch_state(const struct ifwatch *w, uint32_t ifindex, uint32_t *ret_mbit,
		       uint32_t *ret_duplex);
/* Does a filter (-i) let this interface pass? */
bool ifwatch_wanted(const struct np_filter *filter, const char *name);

#endif
