/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --resolve: own reverse look-ups, by libc in a thread of their own, so that nobody waits for them. The
 * only part of netprobe that asks the network for anything.
 */
#ifndef NETPROBE_ENGINE_RESOLVE_H
#define NETPROBE_ENGINE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

struct resolver;

/* NULL: no memory, or no thread. */
struct resolver *resolver_new(void);
/* Does not wait for a look-up under way. */
struct resolver *resolver_free(struct resolver *r);
/* Look it up, unless that was tried in the last ten minutes, or too many wait. Cheap. */
void resolver_want(struct resolver *r, const uint8_t addr[16], uint64_t now_ns);
/* Names found since the last time. */
void resolver_take(struct resolver *r,
		   void (*fn)(const uint8_t addr[16], const char *name, void *arg), void *arg);

#endif
