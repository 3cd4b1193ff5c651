/* SPDX-License-Identifier: BSD-2-Clause */
/* See gone.h. */
#include "capture/gone.h"

#include <stdlib.h>

#include "owner/index.h"

#define GONE_MAX 16384

struct one {
	struct index_node node;
	uint64_t cookie; /* 0: free */
};

struct gone {
	struct index by_cookie;
	uint32_t next; /* the oldest one's place */
	struct one all[GONE_MAX];
};

static uint64_t hash_of(uint64_t cookie)
{
	return index_hash(&cookie, sizeof(cookie));
}

static uint64_t node_hash(const struct index_node *node)
{
	return hash_of(index_entry(node, struct one, node)->cookie);
}

struct gone *gone_free(struct gone *g)
{
	if (!g)
		return NULL;
	index_done(&g->by_cookie);
	free(g);
	return NULL;
}

static void forget(struct gone *g, struct one *o)
{
	index_remove(&g->by_cookie, &o->node);
	o->cookie = 0;
}

void gone_add(struct gone **g, uint64_t cookie)
{
	struct one *o;

	if (!*g) {
		*g = calloc(1, sizeof(**g));
		if (*g && index_init(&(*g)->by_cookie, 64, node_hash))
			*g = gone_free(*g);
		if (!*g)
			return;
	}
	o = &(*g)->all[(*g)->next++ % GONE_MAX];
	if (o->cookie)
		forget(*g, o);
	o->cookie = cookie;
	index_add(&(*g)->by_cookie, &o->node);
}

bool gone_take(struct gone *g, uint64_t cookie)
{
	struct index_node *n = g ? index_chain(&g->by_cookie, hash_of(cookie)) : NULL;

	for (; n; n = n->next) {
		struct one *o = index_entry(n, struct one, node);

		if (o->cookie != cookie)
			continue;
		forget(g, o);
		return true;
	}
	return false;
}
