/* SPDX-License-Identifier: BSD-2-Clause */
/* See pool.h. Under AddressSanitizer each object is allocated by itself, so that it can watch them. */
#include "flow/pool.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 65536

struct pool_block {
	struct pool_block *next, *prev;
	void *unused; /* chain through their first bytes */
	unsigned int taken;
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
/* Before each object: its block. */
#define HEAD sizeof(struct pool_block *)

static void block_push(struct pool_block **list, struct pool_block *b)
{
	b->prev = NULL;
	b->next = *list;
	if (*list)
		(*list)->prev = b;
	*list = b;
}

static void block_remove(struct pool_block **list, struct pool_block *b)
{
	if (b->prev)
		b->prev->next = b->next;
	else
		*list = b->next;
	if (b->next)
		b->next->prev = b->prev;
}

static int add_block(struct pool *p)
{
	size_t left = BLOCK_BYTES - 16 - sizeof(struct pool_block), each = HEAD + p->size;
	struct pool_block *b =
		malloc(BLOCK_BYTES - 16); /* with the allocator's head in whole pages */
	char *at;

	if (!b)
		return -1;
	*b = (struct pool_block){ 0 };
	at = (char *)(b + 1);
	for (; left >= each; left -= each) {
		*(struct pool_block **)(void *)at = b;
		at += HEAD;
		*(void **)(void *)at = b->unused;
		b->unused = at;
		at += p->size;
	}
	block_push(&p->roomy, b);
	p->n_empty++;
	return 0;
}

void *pool_take(struct pool *p)
{
	struct pool_block *b;
	void *object;

	if (!p->roomy && add_block(p))
		return NULL;
	b = p->roomy;
	object = b->unused;
	b->unused = *(void **)object;
	p->n_empty -= !b->taken++;
	if (!b->unused) {
		block_remove(&p->roomy, b);
		block_push(&p->full, b);
	}
	return memset(object, 0, p->size);
}

void pool_put(struct pool *p, void *object)
{
	struct pool_block *b;

	if (!object)
		return;
	b = *(struct pool_block **)(void *)((char *)object - HEAD);
	if (!b->unused) {
		block_remove(&p->full, b);
		block_push(&p->roomy, b);
	}
	*(void **)object = b->unused;
	b->unused = object;
	if (--b->taken)
		return;
	if (!p->n_empty++)
		return;
	block_remove(&p->roomy, b);
	free(b);
	p->n_empty--;
}

static void free_all(struct pool_block *b)
{
	while (b) {
		struct pool_block *next = b->next;

		free(b);
		b = next;
	}
}

void pool_done(struct pool *p)
{
	free_all(p->roomy);
	free_all(p->full);
	p->roomy = p->full = NULL;
	p->n_empty = 0;
}
#endif
