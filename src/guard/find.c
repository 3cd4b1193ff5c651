/* SPDX-License-Identifier: BSD-2-Clause */
/* What the lists have for one address or network, and how much they have in all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guard/internal.h"

static void mask(uint8_t *addr, unsigned int len, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		if (8 * i >= len)
			addr[i] = 0;
		else if (8 * (i + 1) > len)
			addr[i] &= (uint8_t)(0xff << (8 - len % 8));
}

struct finding {
	int (*fn)(const struct guard_item *item, void *arg);
	void *arg;
};

/* One entry, with the hits that wait for it. */
static int found(struct guard *g, uint32_t kind, const uint8_t key[20],
		 const struct np_guard_entry *e, const struct finding *f)
{
	struct raw_item raw = { .entry = *e };
	struct raw_list l = { .items = &raw, .n = 1, .room = 1 };

	memcpy(raw.key, key, sizeof(raw.key));
	if (kind < NP_SET_ALLOW4)
		hot_add(g, set_current(g), kind, &l);
	return list_one(g, kind, &raw, guard_tick_now(), f->fn, f->arg);
}

/* The longest network first, then those around it: a trie answers with the longest that is no longer than asked. */
static int find_nets(struct guard *g, uint32_t kind, int fd, const struct guard_item *at,
		     const struct finding *f)
{
	unsigned int bytes = at->v6 ? 16 : 4;
	struct np_guard_entry e;
	uint8_t key[20] = {};
	int r = 0;

	for (int len = at->len; len >= 0 && !r; len = (int)e.len - 1) {
		uint32_t bits = (uint32_t)len;

		memcpy(key, &bits, 4);
		memcpy(key + 4, at->addr, bytes);
		mask(key + 4, bits, bytes);
		if (bpf_map_lookup_elem(fd, key, &e))
			return 0;
		bits = e.len;
		memcpy(key, &bits, 4);
		mask(key + 4, bits, bytes);
		r = found(g, kind, key, &e, f);
	}
	return r;
}

int guard_find(struct guard *g, const struct guard_item *at,
	       int (*fn)(const struct guard_item *item, void *arg), void *arg,
	       struct netprobe_error *err)
{
	static const uint32_t kinds[] = { NP_SET_ALLOW4, NP_SET_HOSTS4, NP_SET_NETS4 };
	struct finding f = { fn, arg };
	uint32_t set = set_current(g);
	int r = 0;

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !r; i++) {
		uint32_t kind = kinds[i] | at->v6;
		struct np_guard_entry e;
		uint8_t key[20] = {};
		int fd = set_fd(g, set, kind);

		if (fd < 0)
			return error_set(err, fd, "cannot open the list: %s", strerror(-fd));
		memcpy(key, at->addr, at->v6 ? 16 : 4);
		if (kinds[i] != NP_SET_HOSTS4)
			r = find_nets(g, kind, fd, at, &f);
		else if (at->len == (at->v6 ? 128 : 32) && !bpf_map_lookup_elem(fd, key, &e))
			r = found(g, kind, key, &e, &f);
		(void)close(fd);
	}
	return r;
}

struct counting {
	const struct guard *g;
	uint32_t now, n;
};

/* As list_one() calls: each of its rules that has not ended. */
static int count_one(const uint8_t *key, size_t key_size, const struct np_guard_entry *e, void *arg)
{
	struct counting *c = arg;
	const struct np_guard_rule *rule = &c->g->rules[e->rule < NP_GUARD_RULES ? e->rule : 0];
	uint32_t n = e->rule && rule->n > 1 ? rule->n : 1;

	if (e->expires && e->expires <= c->now)
		return 0;
	for (uint32_t i = 0; i < n && i < NP_GUARD_CLAUSES; i++)
		c->n += n == 1 || !rule->clause[i].expires || rule->clause[i].expires > c->now;
	return 0;
}

static void count_again(void *arg)
{
	struct counting *c = arg;

	c->n = 0;
}

int guard_count(struct guard *g, uint32_t *ret_bans, uint32_t *ret_allows)
{
	uint32_t set = set_current(g), n[2] = {};
	volatile struct np_guard_policy *p = &g->conf->policy[set];
	int r = 0;

	for (uint32_t k = 0; k < NP_SET_MAX && !r; k++) {
		struct counting c = { .g = g, .now = guard_tick_now() };

		/* Long lists mostly are of one kind: their number is known. */
		if (p->plain)
			c.n = p->n[k];
		else
			r = set_each(g, set, k, count_one, count_again, &c);
		n[k >= NP_SET_ALLOW4] += c.n;
	}
	if (r)
		return r;
	*ret_bans = n[0];
	*ret_allows = n[1];
	return 0;
}
