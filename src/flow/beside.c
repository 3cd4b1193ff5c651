/* SPDX-License-Identifier: BSD-2-Clause */
/* See beside.h. */
#include "flow/beside.h"

#include <stdlib.h>
#include <string.h>

/* Interfaces come and go: the ones met first make room. */
#define MOST 4096

void beside_done(struct beside *b)
{
	free(b->all);
	*b = (struct beside){ 0 };
}

void beside_begin(struct beside *b, float seconds)
{
	b->seconds = seconds;
	for (uint32_t i = 0; i < b->n; i++)
		b->all[i].tx_rate = b->all[i].rx_rate = 0;
}

static struct beside_row *get(struct beside *b, const struct group_key *key)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (group_key_equal(&b->all[i].key, key))
			return &b->all[i];
	if (b->n == MOST) {
		b->n--;
		memmove(b->all, b->all + 1, b->n * sizeof(*b->all));
	}
	if (b->n == b->cap) {
		uint32_t cap = b->cap ? b->cap * 2 : 8;
		void *p = reallocarray(b->all, cap, sizeof(*b->all));

		if (!p)
			return NULL;
		b->all = p;
		b->cap = cap;
	}
	b->all[b->n] = (struct beside_row){ .key = *key };
	return &b->all[b->n++];
}

void beside_add(struct beside *b, const struct np_tuple *where, uint32_t what, uint64_t tx_bytes,
		uint64_t rx_bytes)
{
	struct beside_row *row;
	struct group_key key;

	/* hashed and compared as bytes */
	memset(&key, 0, sizeof(key));
	key.kind = GROUP_INTERFACE | what << 8;
	key.netns = where->netns;
	memcpy(key.ifname, where->ifname, strnlen(where->ifname, sizeof(key.ifname) - 1));
	row = get(b, &key);
	if (!row)
		return;
	row->tx_bytes += tx_bytes;
	row->rx_bytes += rx_bytes;
	row->tx_rate = b->seconds > 0 ? (float)tx_bytes / b->seconds : 0;
	row->rx_rate = b->seconds > 0 ? (float)rx_bytes / b->seconds : 0;
}

void beside_restart(struct beside *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		b->all[i].tx_bytes = b->all[i].rx_bytes = 0;
}

int beside_seed(const struct beside *b, struct tallies *t)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct beside_row *from = &b->all[i];
		struct tally *row;
		int r = tallies_add(t, &from->key, &row);

		if (r < 0)
			return r;
		row->tx_bytes = from->tx_bytes;
		row->rx_bytes = from->rx_bytes;
		row->tx_rate = from->tx_rate;
		row->rx_rate = from->rx_rate;
	}
	return 0;
}
