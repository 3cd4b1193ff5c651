/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each member walks all places in an order of its own (start and step from its name; the number of
 * places is a prime) and takes the first free one when it is its turn. Weights are turns: a member
 * gathers its weight each round and takes a place when it has gathered the largest weight.
 */
#include "balance/maglev.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct walker {
	uint32_t at, step;
	uint32_t gathered;
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

uint64_t maglev_name(const uint8_t addr[16])
{
	uint64_t high, low;

	/* Bytes, not numbers: the same on both kinds of machine is not asked for, the same twice is. */
	memcpy(&high, addr, sizeof(high));
	memcpy(&low, addr + sizeof(high), sizeof(low));
	return mix(mix(high + 0x9e3779b97f4a7c15ULL) ^ low);
}

static int by_name(const void *a, const void *b)
{
	const struct maglev_member *x = a, *y = b;

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static uint16_t *next_free(struct walker *w, struct lb_ring *ring)
{
	uint16_t *place;

	do {
		place = &ring->slot[w->at];
		w->at += w->step;
		if (w->at >= LB_RING_SIZE)
			w->at -= LB_RING_SIZE;
	} while (*place);
	return place;
}

int maglev_build(struct maglev_member *members, unsigned int n, struct lb_ring *ret)
{
	struct walker *walkers = calloc(n ? n : 1, sizeof(*walkers));
	uint32_t largest = 0, left = LB_RING_SIZE;

	if (!walkers)
		return -ENOMEM;
	memset(ret, 0, sizeof(*ret));
	if (n)
		qsort(members, n, sizeof(*members), by_name);
	for (unsigned int i = 0; i < n; i++) {
		walkers[i].at = (uint32_t)(members[i].name % LB_RING_SIZE);
		walkers[i].step = (uint32_t)(mix(members[i].name) % (LB_RING_SIZE - 1)) + 1;
		if (members[i].weight > largest)
			largest = members[i].weight;
	}
	while (largest && left) {
		for (unsigned int i = 0; i < n && left; i++) {
			walkers[i].gathered += members[i].weight;
			if (walkers[i].gathered < largest)
				continue;
			walkers[i].gathered -= largest;
			*next_free(&walkers[i], ret) = members[i].slot;
			left--;
		}
	}
	free(walkers);
	return 0;
}
