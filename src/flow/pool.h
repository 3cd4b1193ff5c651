/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of one size, one after the other in blocks: of 100,000 sockets the allocator's own head and
 * rounding would be some MiB. What is put back is used again; blocks are only freed with the pool.
 */
#ifndef NETPROBE_FLOW_POOL_H
#define NETPROBE_FLOW_POOL_H

#include <stddef.h>

struct pool {
	size_t size; /* of an object: a multiple of 8, at least that */
	struct pool_block *blocks;
	void *unused; /* chain through their first bytes */
};

/* Zeroed; NULL: no memory. */
void *pool_take(struct pool *p);
void pool_put(struct pool *p, void *object);
/* Whatever is still taken is gone with it. */
void pool_done(struct pool *p);

#endif
