/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which interface the kernel sends to an address by: asked of the kernel (RTM_GETROUTE) in the
 * flow's own network namespace, for datagrams whose socket has no route of its own. Cached.
 */
#ifndef NETPROBE_ENGINE_ROUTE_H
#define NETPROBE_ENGINE_ROUTE_H

#include <stdint.h>

struct route_cache;

struct route_cache *route_cache_new(void);
struct route_cache *route_cache_free(struct route_cache *c);
/* To be called several times a second: lets go of namespaces that were asked a second ago. */
void route_cache_tick(struct route_cache *c, uint64_t now_ns);

/*
 * Name and number of the interface towards raddr (16 bytes, v4-mapped) in namespace netns (inode number); NULL
 * where the kernel has no route, or the namespace cannot be entered. tgid: a process that lives in
 * it, if it still lives. The name is the cache's, valid until the next call.
 */
const char *route_iface(struct route_cache *c, uint32_t netns, uint32_t tgid,
			const uint8_t raddr[16], uint64_t now_ns, uint32_t *ret_ifindex);

#endif
