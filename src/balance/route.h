/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way to a backend, by rtnetlink: which address of ours goes there, and a neighbour entry that the
 * kernel keeps resolved, because packets that XDP sends do not make it ask.
 */
#ifndef NETPROBE_BALANCE_ROUTE_H
#define NETPROBE_BALANCE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct route {
	uint8_t src[16]; /* ours on that way; IPv4 v4-mapped */
	uint8_t hop[16]; /* the gateway, or the address itself */
	uint32_t ifindex;
};

/* -ENETUNREACH, -EADDRINUSE (the address is this host's own), other -errno of netlink. */
int route_find(const uint8_t addr[16], struct route *ret, struct netprobe_error *err);
/*
 * Have the kernel keep hop's hardware address resolved (before 5.16: resolve it once). -EEXIST: there is
 * an entry of somebody's own, which stays as it is.
 */
int route_keep(const uint8_t hop[16], uint32_t ifindex);
void route_forget(const uint8_t hop[16], uint32_t ifindex);
/* Whether packets that come in there may be forwarded: what bpf_fib_lookup insists on. */
bool route_forwards(const char *ifname, bool v6);

#endif
