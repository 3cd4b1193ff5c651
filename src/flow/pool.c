/* SPDX-License-Identifier: BSD-2-Clause */
/* See pool.h. Under AddressSanitizer each object is allocated by itself, so that it can watch them. */
#include "flow/pool.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 65536

struct pool_block {
	struct pool_block *next;
};

#ifdef __SANITIZE_ADDRESS__
void *pool_take(struct pool *p)
{
	return calloc(1, p->size);
}

void pool_put(struct pool *p, void *object)
{
	(void)p;
	free(object);
}

void pool_done(struct pool *p)
{
	(void)p;
}
#else
static int add_block(struct pool *p)
{
	struct pool_block *b =
		malloc(BLOCK_BYTES - 16); /* with the allocator's head in whole pages */
	char *at;

	if (!b)
		return -1;
	b->next = p->blocks;
	p->blocks = b;
	at = (char *)(b + 1);
	for (size_t left = BLOCK_BYTES - 16 - sizeof(*b); left >= p->size; left -= p->size) {
		*(void **)(void *)at = p->unused;
		p->unused = at;
		at += p->size;
	}
	return 0;
}

void *pool_take(struct pool *p)
{
	void *object;

	if (!p->unused && add_block(p))
		return NULL;
	object = p->unused;
	p->unused = *(void **)object;
	return memset(object, 0, p->size);
}

void pool_put(struct pool *p, void *object)
{
	if (!object)
		return;
	*(void **)object = p->unused;
	p->unused = object;
}

void pool_done(struct pool *p)
{
	while (p->blocks) {
		struct pool_block *next = p->blocks->next;

		free(p->blocks);
		p->blocks = next;
	}
	p->unused = NULL;
}
#endif
