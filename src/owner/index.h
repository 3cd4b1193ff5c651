/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash index over objects that carry their own link: nothing is allocated per entry, so adding
 * cannot fail. Chains keep their order through growth, the newest entry first. It owns no entry
 * and knows no key: callers walk a chain and compare.
 */
#ifndef NETPROBE_OWNER_INDEX_H
#define NETPROBE_OWNER_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct index_node {
	struct index_node *next;
};

struct index {
	struct index_node **slots;
	uint32_t mask;	/* slots - 1, slots being a power of two */
	uint32_t count; /* entries */
	uint64_t (*hash)(const struct index_node *node);
};

#define index_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* slots: a power of two to start with. -ENOMEM. */
int index_init(struct index *ix, uint32_t slots, uint64_t (*hash)(const struct index_node *node));
/* Forgets all entries; they are the caller's to free. Safe on a zeroed or failed index. */
void index_done(struct index *ix);
/* Grows where memory allows; where it does not, chains get longer and nothing is lost. */
void index_add(struct index *ix, struct index_node *node);
void index_remove(struct index *ix, struct index_node *node);
/* Keyed hash (seeded by the kernel at program start): peers cannot choose colliding addresses. */
uint64_t index_hash(const void *data, size_t len);

static inline struct index_node *index_chain(const struct index *ix, uint64_t hash)
{
	return ix->slots[(uint32_t)hash & ix->mask];
}

#endif
