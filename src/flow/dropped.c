/* SPDX-License-Identifier: BSD-2-Clause */
/* See dropped.h. */
#include "flow/dropped.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct index_node node;
	struct group_key key; /* process and cgroup are nobody's reference: only compared */
	uint64_t life;	      /* of them: another one may be in its place by now */
	uint64_t packets;
};

/* What no other one of the same place in memory has: when the process began, the cgroup's number. */
static uint64_t life_of(const struct group_key *key)
{
	return key->proc ? key->proc->start_ns : key->cgroup ? key->cgroup->id : 0;
}

struct dropped {
	struct index by_key;
};

static uint64_t entry_hash(const struct index_node *node)
{
	return group_key_hash(&index_entry(node, struct entry, node)->key);
}

struct dropped *dropped_new(void)
{
	struct dropped *d = calloc(1, sizeof(*d));

	if (d && index_init(&d->by_key, 64, entry_hash) < 0) {
		free(d);
		return NULL;
	}
	return d;
}

void dropped_clear(struct dropped *d)
{
	for (uint32_t i = 0; i <= d->by_key.mask; i++) {
		while (d->by_key.slots[i]) {
			struct entry *e = index_entry(d->by_key.slots[i], struct entry, node);

			index_remove(&d->by_key, &e->node);
			free(e);
		}
	}
}

struct dropped *dropped_free(struct dropped *d)
{
	if (!d)
		return NULL;
	dropped_clear(d);
	index_done(&d->by_key);
	free(d);
	return NULL;
}

static struct entry *find(const struct dropped *d, const struct group_key *key)
{
	struct index_node *n = index_chain(&d->by_key, group_key_hash(key));

	for (; n; n = n->next)
		if (group_key_equal(&index_entry(n, struct entry, node)->key, key))
			return index_entry(n, struct entry, node);
	return NULL;
}

static int add(struct dropped *d, const struct group_key *key, uint64_t packets)
{
	struct entry *e = find(d, key);

	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return -ENOMEM;
		e->key = *key;
		e->life = life_of(key);
		index_add(&d->by_key, &e->node);
	}
	e->packets += packets;
	return 0;
}

struct dropped *dropped_copy(const struct dropped *from)
{
	struct dropped *d = dropped_new();

	for (uint32_t i = 0; d && i <= from->by_key.mask; i++)
		for (const struct index_node *n = from->by_key.slots[i]; n; n = n->next) {
			const struct entry *e = index_entry(n, struct entry, node);

			struct entry *copy = malloc(sizeof(*copy));

			if (!copy)
				return dropped_free(d);
			*copy = *e;
			index_add(&d->by_key, &copy->node);
		}
	return d;
}

int dropped_add(struct dropped *d, const struct process *proc, uint32_t netns, const char *ifname,
		uint64_t packets)
{
	struct group_key key;
	int r = 0;

	if (proc && proc->tgid) {
		memset(&key, 0, sizeof(key));
		key.kind = GROUP_PROCESS;
		key.proc = (struct process *)proc;
		r = add(d, &key, packets);
		memset(&key, 0, sizeof(key));
		key.kind = GROUP_CONTAINER;
		key.cgroup = proc->cgroup;
		if (!r)
			r = add(d, &key, packets);
	}
	if (!r && ifname && *ifname) {
		memset(&key, 0, sizeof(key));
		key.kind = GROUP_INTERFACE;
		key.netns = netns;
		memcpy(key.ifname, ifname, strnlen(ifname, sizeof(key.ifname) - 1));
		r = add(d, &key, packets);
	}
	return r;
}

bool dropped_find(const struct dropped *d, const struct group_key *key, uint64_t *ret_packets)
{
	struct group_key named = *key;
	const struct entry *e;

	/* Whom a packet was from is not among what makes a kind; nobody's are no process's. */
	if (key->kind == GROUP_REMOTE || key->kind >= GROUP_MAX ||
	    (key->kind == GROUP_PROCESS && !key->proc->tgid))
		return false;
	named.ifindex = 0; /* who counts drops tells the name of today */
	e = find(d, &named);
	if (e && e->life != life_of(&named))
		e = NULL;
	*ret_packets = e ? e->packets : 0;
	return true;
}
