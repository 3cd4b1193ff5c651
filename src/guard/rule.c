/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule.h. */
#include "guard/rule.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS (2 * NP_GUARD_RULES) /* a power of two, twice the rules */

struct rule_index {
	struct guard *g;
	uint16_t slot[SLOTS]; /* rule; 0 free */
	uint16_t free[NP_GUARD_RULES];
	uint32_t n_free;
	bool used[NP_GUARD_RULES]; /* given out by this index, or found in a list by collect() */
	bool collected;
};

static size_t slot_of(const struct rule_index *x, const struct np_guard_rule *rule)
{
	size_t i = XXH3_64bits(rule, sizeof(*rule)) & (SLOTS - 1);

	while (x->slot[i] && memcmp(&x->g->rules[x->slot[i]], rule, sizeof(*rule)) != 0)
		i = (i + 1) & (SLOTS - 1);
	return i;
}

/* All there are; the lowest free one is given out first. */
static void index_all(struct rule_index *x)
{
	uint32_t n = x->g->conf->n_rules < NP_GUARD_RULES ? x->g->conf->n_rules : NP_GUARD_RULES;

	memset(x->slot, 0, sizeof(x->slot));
	x->n_free = 0;
	for (uint32_t i = n - 1; i; i--) {
		if (!x->g->rules[i].n)
			x->free[x->n_free++] = (uint16_t)i;
		else
			x->slot[slot_of(x, &x->g->rules[i])] = (uint16_t)i;
	}
}

int rule_index_new(struct guard *g, struct rule_index **ret)
{
	struct rule_index *x = calloc(1, sizeof(*x));

	if (!x)
		return -ENOMEM;
	x->g = g;
	index_all(x);
	*ret = x;
	return 0;
}

/*
 * Give back the rules that no entry has any more: in either set, because one that waits to be confirmed goes
 * back to the other. It takes as long as reading the lists, so not before there is no room.
 */
static int collect(struct rule_index *x)
{
	uint32_t now = guard_tick_now();
	int r = 0;

	x->collected = true;
	for (uint32_t k = 0; k < 2 * NP_SET_MAX && !r; k++) {
		struct raw_list l = {};

		r = set_read(x->g, k & 1, k / 2, &l);
		/* A set that is about to be built has no maps yet. */
		if (r == -ENOENT)
			r = 0;
		for (size_t i = 0; i < l.n; i++) {
			const struct np_guard_entry *e = &l.items[i].entry;

			/* One that has ended is not asked for its rule. */
			if (e->rule < NP_GUARD_RULES && (!e->expires || e->expires > now))
				x->used[e->rule] = true;
		}
		free(l.items);
	}
	for (uint32_t i = 1; i < x->g->conf->n_rules && i < NP_GUARD_RULES && !r; i++)
		if (!x->used[i])
			x->g->rules[i].n = 0;
	index_all(x);
	return r;
}

/* The kernel half may still be at an entry that had this slot: to it the rule says nothing until it is whole. */
static void put(struct np_guard_rule *to, const struct np_guard_rule *rule)
{
	__atomic_store_n(&to->n, 0, __ATOMIC_SEQ_CST);
	memcpy(to->clause, rule->clause, sizeof(to->clause));
	to->pad = rule->pad;
	memcpy(to->reason, rule->reason, sizeof(to->reason));
	memcpy(to->who, rule->who, sizeof(to->who));
	__atomic_store_n(&to->n, rule->n, __ATOMIC_SEQ_CST);
}

struct rule_index *rule_index_free(struct rule_index *x)
{
	free(x);
	return NULL;
}

static int find(struct rule_index *x, const struct np_guard_rule *rule)
{
	size_t i = slot_of(x, rule);
	uint32_t n = x->slot[i];
	int r;

	if (!n && !x->n_free && x->g->conf->n_rules >= NP_GUARD_RULES && !x->collected) {
		r = collect(x);
		if (r)
			return r;
		i = slot_of(x, rule);
	}
	if (!n) {
		if (x->n_free)
			n = x->free[--x->n_free];
		else if (x->g->conf->n_rules < NP_GUARD_RULES)
			n = x->g->conf->n_rules;
		else
			return -ENOSPC;
		put(&x->g->rules[n], rule);
		x->slot[i] = (uint16_t)n;
		if (n == x->g->conf->n_rules)
			x->g->conf->n_rules = n + 1;
	}
	x->used[n] = true;
	return (int)n;
}

static bool same_match(const struct np_guard_clause *a, const struct np_guard_clause *b)
{
	return a->proto == b->proto && a->port_from == b->port_from && a->port_to == b->port_to;
}

/* The clauses the entry had that are neither over nor said anew; each gets an end of its own. */
static int keep_clauses(const struct guard *g, const struct np_guard_entry *before, uint32_t now,
			struct np_guard_rule *rule)
{
	struct np_guard_rule old = g->rules[before->rule];

	if (before->expires && before->expires <= now)
		return 0;
	if (!before->rule) {
		old.n = 1;
		old.clause[0] = (struct np_guard_clause){ .port_to = 0xffff };
	}
	for (uint32_t i = 0; i < old.n && i < NP_GUARD_CLAUSES; i++) {
		struct np_guard_clause c = old.clause[i];

		if (!c.expires)
			c.expires = before->expires;
		if ((c.expires && c.expires <= now) || same_match(&c, &rule->clause[0]))
			continue;
		if (rule->n == NP_GUARD_CLAUSES)
			return -E2BIG;
		rule->clause[rule->n++] = c;
	}
	/* One reason for all rules of an address: the last that was given. */
	if (rule->n > 1 && !rule->reason[0])
		memcpy(rule->reason, old.reason, sizeof(rule->reason));
	return 0;
}

/* The rule of this item alone. */
static void rule_of(const struct guard_item *item, struct np_guard_rule *ret)
{
	struct np_guard_clause *c = &ret->clause[0];

	ret->n = 1;
	c->port_from = item->port_from;
	c->port_to = item->port_to;
	/* "icmp" of an IPv6 source is what has that part there. */
	c->proto = item->v6 && item->proto == IPPROTO_ICMP ? IPPROTO_ICMPV6 : item->proto;
	c->dry_run = item->dry_run;
	memcpy(ret->reason, item->reason, strnlen(item->reason, sizeof(ret->reason) - 1));
	memcpy(ret->who, item->who, strnlen(item->who, sizeof(ret->who) - 1));
}

/* *e, whose rule has one clause, with what the entry before had. */
static int join(struct rule_index *x, struct np_guard_rule *rule, uint32_t now,
		const struct np_guard_entry *before, struct np_guard_entry *e)
{
	struct np_guard_clause *c = &rule->clause[0];
	uint32_t expires = e->expires;
	int r = before ? keep_clauses(x->g, before, now, rule) : 0;

	if (r)
		return r;
	if (rule->n > 1) {
		/* Clauses end by themselves, and the entry with the last of them. */
		c->expires = expires;
		for (uint32_t i = 0; i < rule->n; i++) {
			if (!rule->clause[i].expires || !e->expires)
				e->expires = 0;
			else if (rule->clause[i].expires > e->expires)
				e->expires = rule->clause[i].expires;
		}
	}
	r = find(x, rule);
	if (r < 0)
		return r;
	e->rule = (uint32_t)r;
	return 0;
}

int rule_entry(struct rule_index *x, const struct guard_item *item, uint32_t now,
	       const struct np_guard_entry *before, struct np_guard_entry *ret)
{
	struct np_guard_entry e = { .expires = item->ttl_s ? now + guard_ticks(item->ttl_s) : 0,
				    .added = now,
				    .len = item->len,
				    .hits = before ? before->hits : 0 };
	struct np_guard_rule rule = {};
	int r;

	rule_of(item, &rule);
	r = join(x, &rule, now, before, &e);
	if (!r)
		*ret = e;
	return r;
}

int rule_join(struct rule_index *x, uint32_t now, const struct np_guard_entry *before,
	      struct np_guard_entry *e)
{
	struct np_guard_rule rule;

	if (before->rule == e->rule && x->g->rules[e->rule].n == 1)
		return 0; /* the same again: its time counts anew */
	rule = x->g->rules[e->rule];
	return join(x, &rule, now, before, e);
}

int rule_without(struct rule_index *x, const struct guard_item *item, uint32_t now,
		 const struct np_guard_entry *before, struct np_guard_entry *ret)
{
	struct np_guard_rule none = {}, rule = {}, old = x->g->rules[before->rule];
	struct np_guard_entry e = *before;
	bool found = false;
	int r;

	rule_of(item, &none);
	if (!before->rule) {
		old.n = 1;
		old.clause[0] = (struct np_guard_clause){ .port_to = 0xffff };
	}
	e.expires = 1;
	for (uint32_t i = 0; i < old.n && i < NP_GUARD_CLAUSES; i++) {
		struct np_guard_clause c = old.clause[i];

		if (!c.expires)
			c.expires = before->expires;
		if (c.expires && c.expires <= now)
			continue;
		if (same_match(&c, &none.clause[0])) {
			found = true;
			continue;
		}
		if (!c.expires || !e.expires)
			e.expires = 0;
		else if (c.expires > e.expires)
			e.expires = c.expires;
		rule.clause[rule.n++] = c;
	}
	if (!found)
		return -ENOENT;
	if (!rule.n)
		return 1;
	/* One alone ends with its entry, as it does where it was made alone. */
	if (rule.n == 1)
		rule.clause[0].expires = 0;
	memcpy(rule.reason, old.reason, sizeof(rule.reason));
	memcpy(rule.who, old.who, sizeof(rule.who));
	r = find(x, &rule);
	if (r < 0)
		return r;
	e.rule = (uint32_t)r;
	*ret = e;
	return 0;
}
