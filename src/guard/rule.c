/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule.h. */
#include "guard/rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS (2 * NP_GUARD_RULES) /* a power of two, twice the rules */

struct rule_index {
	struct guard *g;
	uint16_t slot[SLOTS]; /* rule; 0 free */
};

static size_t slot_of(const struct rule_index *x, const struct np_guard_rule *rule)
{
	size_t i = XXH3_64bits(rule, sizeof(*rule)) & (SLOTS - 1);

	while (x->slot[i] && memcmp(&x->g->rules[x->slot[i]], rule, sizeof(*rule)) != 0)
		i = (i + 1) & (SLOTS - 1);
	return i;
}

int rule_index_new(struct guard *g, struct rule_index **ret)
{
	struct rule_index *x = calloc(1, sizeof(*x));

	if (!x)
		return -ENOMEM;
	x->g = g;
	for (uint32_t i = 1; i < g->conf->n_rules && i < NP_GUARD_RULES; i++)
		x->slot[slot_of(x, &g->rules[i])] = (uint16_t)i;
	*ret = x;
	return 0;
}

struct rule_index *rule_index_free(struct rule_index *x)
{
	free(x);
	return NULL;
}

static int find(struct rule_index *x, const struct np_guard_rule *rule)
{
	size_t i = slot_of(x, rule);
	uint32_t n = x->g->conf->n_rules;

	if (x->slot[i])
		return x->slot[i];
	if (n >= NP_GUARD_RULES)
		return -ENOSPC;
	memcpy(&x->g->rules[n], rule, sizeof(*rule));
	x->slot[i] = (uint16_t)n;
	x->g->conf->n_rules = n + 1;
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
	return 0;
}

int rule_entry(struct rule_index *x, const struct guard_item *item, uint32_t now,
	       const struct np_guard_entry *before, struct np_guard_entry *ret)
{
	struct np_guard_rule rule = { .n = 1 };
	struct np_guard_clause *c = &rule.clause[0];
	uint32_t expires = item->ttl_s ? now + guard_ticks(item->ttl_s) : 0;
	int r = 0;

	c->port_from = item->port_from;
	c->port_to = item->port_to;
	c->proto = item->proto;
	c->dry_run = item->dry_run;
	memcpy(rule.reason, item->reason, strnlen(item->reason, sizeof(rule.reason) - 1));
	memcpy(rule.who, item->who, strnlen(item->who, sizeof(rule.who) - 1));
	if (before)
		r = keep_clauses(x->g, before, now, &rule);
	if (r)
		return r;
	*ret = (struct np_guard_entry){ .expires = expires,
					.added = now,
					.len = item->len,
					.hits = before ? before->hits : 0 };
	if (rule.n > 1) {
		/* Clauses end by themselves, and the entry with the last of them. */
		c->expires = expires;
		for (uint32_t i = 0; i < rule.n; i++) {
			if (!rule.clause[i].expires || !ret->expires)
				ret->expires = 0;
			else if (rule.clause[i].expires > ret->expires)
				ret->expires = rule.clause[i].expires;
		}
	}
	r = find(x, &rule);
	if (r < 0)
		return r;
	ret->rule = (uint32_t)r;
	return 0;
}
