/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of addresses, as answers gave them: what a remote host was called by who asked for it. A
 * name holds for as long as the answer said, so whoever met the address within that time may use it
 * later, too. Bounded; the entry that ended first gives way.
 */
#ifndef NETPROBE_NAME_CACHE_H
#define NETPROBE_NAME_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#define NAME_GRACE_NS 30000000000ULL /* programs use an address a while after its time is over */

#define NAME_TTL_MAX 86400u /* seconds a name holds at most, whatever its answer says */

/* Where a name is from: a better source is not replaced by a worse one that is as fresh. */
#define NAME_FROM_LOOKUP 0 /* own reverse look-up (--resolve) */
#define NAME_FROM_PTR 1	   /* the answer to somebody's reverse look-up */
#define NAME_FROM_DNS 2	   /* the name somebody asked for, and got this address */

struct name_cache;

struct name_cache *name_cache_new(uint32_t max);
struct name_cache *name_cache_free(struct name_cache *c);
/* addr is called name for ttl seconds from now on. 0 or -ENOMEM. */
int name_cache_add(struct name_cache *c, const uint8_t addr[16], const char *name, uint8_t from,
		   uint32_t ttl, uint64_t now_ns);
/*
 * The name of addr for something that began at_ns: NULL where there was none, or it was over by then.
 * Valid until the next addition.
 */
const char *name_cache_find(const struct name_cache *c, const uint8_t addr[16], uint64_t at_ns);
uint32_t name_cache_count(const struct name_cache *c);
/* Names that gave way while they still held. */
uint64_t name_cache_evicted(const struct name_cache *c);

#endif
