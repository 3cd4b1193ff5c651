/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of one size, one after the other in blocks: of 100,000 sockets the allocator's own head and
 * rounding would be some MiB. What is put back is used again; a block of which nothing is taken any more is
 * freed, but for one, so that what a burst of sockets took is given back after it.
 */
#ifndef NETPROBE_FLOW_POOL_H
#define NETPROBE_FLOW_POOL_H

#include <stddef.h>

struct pool_block;

struct pool {
	size_t size;		  /* of an object: a multiple of 8, at least that */
	struct pool_block *roomy; /* blocks with unused objects */
	struct pool_block *full;
	unsigned int n_empty; /* of the roomy ones: nothing is taken */
};

/* Zeroed; NULL: no memory. */
void *pool_take(struct pool *p);
void pool_put(struct pool *p, void *object);
/* Whatever is still taken is gone with it. */
void pool_done(struct pool *p);

#endif
