/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash index behind the process, cgroup and flow tables. Chained, doubled at load 2; not here:
 * keys, ownership, locking (each table lives on one thread).
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "owner/index.h"

#define INDEX_SLOTS_MAX (1u << 24)

static uint64_t index_seed(void)
{
	static uint64_t seed; /* threads may be the first at once: all of them write the same */
	uint64_t s = __atomic_load_n(&seed, __ATOMIC_RELAXED);
	const void *random;

	if (s)
		return s;
	/* sixteen random bytes every process gets from execve(2): it costs no system call */
	random = (const void *)getauxval(AT_RANDOM);
	if (random)
		memcpy(&s, random, sizeof(s));
	s |= 1;
	__atomic_store_n(&seed, s, __ATOMIC_RELAXED);
	return s;
}

uint64_t index_hash(const void *data, size_t len)
{
	return XXH3_64bits_withSeed(data, len, index_seed());
}

int index_init(struct index *ix, uint32_t slots, uint64_t (*hash)(const struct index_node *node))
{
	struct index_node **p = calloc(slots, sizeof(struct index_node *));

	if (!p)
		return -ENOMEM;
	*ix = (struct index){ .slots = p, .mask = slots - 1, .hash = hash };
	return 0;
}

void index_done(struct index *ix)
{
	free(ix->slots);
	*ix = (struct index){ 0 };
}

/* One old chain becomes two; appending to both keeps the newest entry in front. */
static void index_split(struct index *ix, struct index_node *node, struct index_node **slots,
			uint32_t i, uint32_t half)
{
	struct index_node **tail[2] = { &slots[i], &slots[i + half] };

	while (node) {
		struct index_node *next = node->next;
		unsigned int high = ((uint32_t)ix->hash(node) & half) != 0;

		node->next = NULL;
		*tail[high] = node;
		tail[high] = &node->next;
		node = next;
	}
}

static void index_grow(struct index *ix)
{
	uint32_t half = ix->mask + 1, i;
	struct index_node **slots;

	if (half >= INDEX_SLOTS_MAX)
		return;
	slots = calloc((size_t)half * 2, sizeof(struct index_node *));
	if (!slots)
		return;
	for (i = 0; i < half; i++)
		index_split(ix, ix->slots[i], slots, i, half);
	free(ix->slots);
	ix->slots = slots;
	ix->mask = half * 2 - 1;
}

void index_add(struct index *ix, struct index_node *node)
{
	struct index_node **slot;

	if (ix->count / 2 > ix->mask)
		index_grow(ix);
	slot = &ix->slots[(uint32_t)ix->hash(node) & ix->mask];
	node->next = *slot;
	*slot = node;
	ix->count++;
}

void index_remove(struct index *ix, struct index_node *node)
{
	struct index_node **link = &ix->slots[(uint32_t)ix->hash(node) & ix->mask];

	for (; *link; link = &(*link)->next) {
		if (*link != node)
			continue;
		*link = node->next;
		node->next = NULL;
		ix->count--;
		return;
	}
}
