/* SPDX-License-Identifier: BSD-2-Clause */
/* See nic.h. */
#include "flow/nic.h"

#include <stdlib.h>
#include <string.h>

void nics_done(struct nics *s)
{
	free(s->all);
	*s = (struct nics){ 0 };
}

void nics_begin(struct nics *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		s->all[i].seen = false;
}

void nics_end(struct nics *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->all[i].seen)
			s->all[n++] = s->all[i];
	s->n = n;
}

struct nic *nics_get(struct nics *s, uint32_t netns, uint32_t ifindex, const char *name)
{
	struct nic *n = NULL;

	for (uint32_t i = 0; i < s->n && !n; i++)
		if (s->all[i].netns == netns && s->all[i].ifindex == ifindex)
			n = &s->all[i];
	if (!n && s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 8;
		void *p = reallocarray(s->all, cap, sizeof(*s->all));

		if (!p)
			return NULL;
		s->all = p;
		s->cap = cap;
	}
	if (!n) {
		n = &s->all[s->n++];
		*n = (struct nic){ .netns = netns, .ifindex = ifindex };
		n->side[NETPROBE_RX].unowned = n->side[NETPROBE_TX].unowned = -1;
	}
	memset(n->name, 0, sizeof(n->name));
	memcpy(n->name, name, strnlen(name, sizeof(n->name) - 1));
	n->seen = true;
	return n;
}

const struct nic *nics_find(const struct nics *s, const struct group_key *key)
{
	if (key->kind != GROUP_INTERFACE)
		return NULL;
	for (uint32_t i = 0; i < s->n; i++)
		if ((!key->netns || s->all[i].netns == key->netns) &&
		    (key->ifindex ? s->all[i].ifindex == key->ifindex
				  : !memcmp(s->all[i].name, key->ifname, sizeof(key->ifname))))
			return &s->all[i];
	return NULL;
}

void nics_restart(struct nics *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		for (unsigned int d = NETPROBE_RX; d <= NETPROBE_TX; d++)
			s->all[i].side[d].before = s->all[i].side[d].all;
}

void nic_set(struct nic *n, unsigned int side, const struct nic_counts *all)
{
	const struct nic_counts *before = &n->side[side].before;

	n->side[side].all = *all;
	if (all->bytes < before->bytes || all->packets < before->packets ||
	    all->errors < before->errors || all->dropped < before->dropped)
		n->side[side].before = (struct nic_counts){ 0 };
}

struct nic_counts nic_counts(const struct nic *n, unsigned int side)
{
	const struct nic_counts *a = &n->side[side].all, *b = &n->side[side].before;

	return (struct nic_counts){ a->bytes - b->bytes, a->packets - b->packets,
				    a->errors - b->errors, a->dropped - b->dropped };
}

/* A rung that knows no numbers, or no namespaces, has it by its name. */
static bool has_by_name(const struct tallies *t, struct group_key key)
{
	key.ifindex = 0;
	if (tallies_find(t, &key))
		return true;
	key.netns = 0;
	return tallies_find(t, &key) != NULL;
}

int nics_seed(const struct nics *s, struct tallies *t)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct group_key key;
		struct tally *row;
		int r;

		/* hashed and compared as bytes */
		memset(&key, 0, sizeof(key));
		key.kind = GROUP_INTERFACE;
		key.netns = s->all[i].netns;
		key.ifindex = s->all[i].ifindex;
		memcpy(key.ifname, s->all[i].name, sizeof(key.ifname));
		if (tallies_find(t, &key) || has_by_name(t, key))
			continue;
		r = tallies_add(t, &key, &row);
		if (r < 0)
			return r;
	}
	return 0;
}
