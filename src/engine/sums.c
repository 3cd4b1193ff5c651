/* SPDX-License-Identifier: BSD-2-Clause */
/* Open addressing over an array of sums; the array keeps the order in which they came. */
#include "engine/sums.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sums {
	struct sum *items;
	size_t n, cap;
	uint32_t *index; /* item + 1; 0 free. A power of two, at most half full */
	size_t index_size;
	double seconds;
	size_t max;
	bool held; /* some were not taken */
	struct process_table *procs;
};

struct sums *sums_new(struct process_table *procs, size_t max)
{
	struct sums *s = calloc(1, sizeof(*s));

	if (s)
		*s = (struct sums){ .procs = procs, .max = max };
	return s;
}

static void let_go(struct sums *s, const struct sum *item)
{
	if (item->owner)
		process_unref(s->procs, (struct process *)item->owner);
}

struct sums *sums_free(struct sums *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		let_go(s, &s->items[i]);
	free(s->items);
	free(s->index);
	free(s);
	return NULL;
}

static size_t hash(const struct process *owner, uint32_t netns, const char *iface)
{
	uint64_t h = (uint64_t)(uintptr_t)owner ^ ((uint64_t)netns << 32);

	for (; *iface; iface++)
		h = (h ^ (uint8_t)*iface) * 0x100000001b3ULL;
	return (size_t)((h ^ (h >> 29)) * 0x9e3779b97f4a7c15ULL >> 20);
}

static size_t slot_of(const struct sums *s, const struct process *owner, uint32_t netns,
		      const char *iface)
{
	size_t i = hash(owner, netns, iface) & (s->index_size - 1);

	for (;; i = (i + 1) & (s->index_size - 1)) {
		const struct sum *at;

		if (!s->index[i])
			return i;
		at = &s->items[s->index[i] - 1];
		if (at->owner == owner && at->netns == netns && !strcmp(at->iface, iface))
			return i;
	}
}

static int grow(struct sums *s)
{
	size_t cap = s->cap ? s->cap * 2 : 128;
	uint32_t *index = calloc(cap * 2, sizeof(*index));
	struct sum *items = index ? reallocarray(s->items, cap, sizeof(*items)) : NULL;

	if (!items) {
		free(index);
		return -ENOMEM;
	}
	free(s->index);
	s->items = items;
	s->cap = cap;
	s->index = index;
	s->index_size = cap * 2;
	for (size_t i = 0; i < s->n; i++)
		s->index[slot_of(s, items[i].owner, items[i].netns, items[i].iface)] =
			(uint32_t)i + 1;
	return 0;
}

int sums_add(struct sums *s, const struct process *owner, uint8_t owner_match, uint32_t netns,
	     const char *iface, const struct sum *add)
{
	struct sum *to;
	size_t slot;

	if (!iface)
		iface = "";
	if (s->n == s->cap && grow(s))
		return -ENOMEM;
	slot = slot_of(s, owner, netns, iface);
	if (!s->index[slot]) {
		if (s->held && s->n >= s->max)
			return -ENOSPC;
		if (owner)
			((struct process *)owner)->refs++;
		s->items[s->n] =
			(struct sum){ .owner = owner, .netns = netns, .owner_match = owner_match };
		(void)snprintf(s->items[s->n].iface, sizeof(s->items[0].iface), "%s", iface);
		s->index[slot] = (uint32_t)++s->n;
	}
	to = &s->items[s->index[slot] - 1];
	if (owner_match != NP_MATCH_EXACT)
		to->owner_match = owner_match;
	to->tx_bytes += add->tx_bytes;
	to->rx_bytes += add->rx_bytes;
	to->tx_pkts += add->tx_pkts;
	to->rx_pkts += add->rx_pkts;
	to->segments += add->segments;
	return 0;
}

/* The first n are gone. */
static void cut(struct sums *s, size_t n)
{
	s->n -= n;
	if (s->index)
		memset(s->index, 0, s->index_size * sizeof(*s->index));
	memmove(s->items, s->items + n, s->n * sizeof(*s->items));
	for (size_t i = 0; i < s->n; i++) {
		const struct sum *at = &s->items[i];

		s->index[slot_of(s, at->owner, at->netns, at->iface)] = (uint32_t)i + 1;
	}
}

void sums_drain(struct sums *s, double seconds, bool (*fn)(const struct sum *, void *), void *arg)
{
	size_t taken = 0;

	for (; taken < s->n; taken++) {
		s->seconds = s->items[taken].held_s + seconds;
		if (!fn(&s->items[taken], arg))
			break;
		let_go(s, &s->items[taken]);
	}
	if (taken)
		cut(s, taken);
	for (size_t i = 0; i < s->n; i++)
		s->items[i].held_s += seconds;
	s->held = s->n;
}

size_t sums_count(const struct sums *s)
{
	return s->n;
}

double sums_seconds(const struct sums *s)
{
	return s->seconds;
}
