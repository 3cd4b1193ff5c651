/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules: what entries share, in a table that both halves see. */
#ifndef NETPROBE_GUARD_RULE_H
#define NETPROBE_GUARD_RULE_H

#include "guard/internal.h"

struct rule_index; /* finds equal rules */
int rule_index_new(struct guard *g, struct rule_index **ret);
struct rule_index *rule_index_free(struct rule_index *x);
/*
 * The number of the rule for this item alone, or, with before, for it and what the entry before had.
 * -ENOSPC: no more rules; -E2BIG: more than NP_GUARD_CLAUSES for one address. The entry is filled.
 */
int rule_entry(struct rule_index *x, const struct guard_item *item, uint32_t now,
	       const struct np_guard_entry *before, struct np_guard_entry *ret);

/* The entry *e, made alone, and one before it for the same address become one. Errors as rule_entry's. */
int rule_join(struct rule_index *x, uint32_t now, const struct np_guard_entry *before,
	      struct np_guard_entry *e);

/*
 * The entry as it is without the rule for the protocol and the ports of that item. 1: nothing is left of it; -ENOENT:
 * it has no such rule.
 */
int rule_without(struct rule_index *x, const struct guard_item *item, uint32_t now,
		 const struct np_guard_entry *before, struct np_guard_entry *ret);

#endif
