/* SPDX-License-Identifier: BSD-2-Clause */
/* See drop_sums.h. */
#include "flow/drop_sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct drop_sums {
	struct index by_key;
	size_t max, n[3]; /* rows, by key.rest */
	void (*done)(const struct process *owner, void *arg);
	void *arg;
};

static uint64_t row_hash(const struct index_node *node)
{
	return index_hash(&index_entry(node, struct drop_row, node)->key,
			  sizeof(struct drop_kind_key));
}

struct drop_sums *drop_sums_new(size_t max, void (*done)(const struct process *owner, void *arg),
				void *arg)
{
	struct drop_sums *s = calloc(1, sizeof(*s));

	if (s && index_init(&s->by_key, 64, row_hash) < 0) {
		free(s);
		return NULL;
	}
	if (s) {
		s->max = max;
		s->done = done;
		s->arg = arg;
	}
	return s;
}

static void row_free(struct drop_sums *s, struct drop_row *row)
{
	index_remove(&s->by_key, &row->node);
	s->n[row->key.rest]--;
	if (row->owner)
		s->done(row->owner, s->arg);
	free(row);
}

struct drop_sums *drop_sums_free(struct drop_sums *s)
{
	if (!s)
		return NULL;
	for (uint32_t i = 0; i <= s->by_key.mask; i++)
		while (s->by_key.slots[i])
			row_free(s, index_entry(s->by_key.slots[i], struct drop_row, node));
	index_done(&s->by_key);
	free(s);
	return NULL;
}

static struct drop_row *find(const struct drop_sums *s, const struct drop_kind_key *key)
{
	struct index_node *n = index_chain(&s->by_key, index_hash(key, sizeof(*key)));

	for (; n; n = n->next) {
		struct drop_row *row = index_entry(n, struct drop_row, node);

		if (!memcmp(&row->key, key, sizeof(*key)))
			return row;
	}
	return NULL;
}

static struct drop_row *make(struct drop_sums *s, const struct drop_kind_key *key,
			     const char function[48])
{
	struct drop_row *row = calloc(1, sizeof(*row));

	if (!row)
		return NULL;
	row->key = *key;
	memcpy(row->function, function, sizeof(row->function));
	s->n[key->rest]++;
	index_add(&s->by_key, &row->node);
	return row;
}

/* The sum that a kind is part of. */
static struct drop_kind_key wider(const struct drop_kind_key *key)
{
	struct drop_kind_key to = *key;

	to.rest = key->rest + 1;
	to.kernel.listener = 0;
	to.kernel.owner_start_ns = 0;
	to.kernel.tgid = 0;
	to.kernel.lport = 0;
	if (to.rest < 2)
		return to;
	to.kernel.netns = 0;
	to.kernel.ifindex = 0;
	to.kernel.proto = 0;
	to.kernel.family = 0;
	memset(to.ifname, 0, sizeof(to.ifname));
	return to;
}

/* The widest sums are as many as there are places in the kernel that drop. */
static bool has_room(const struct drop_sums *s, uint64_t rest)
{
	return rest > 1 || s->n[rest] < (rest ? s->max / 4 : s->max);
}

struct drop_row *drop_sums_row(struct drop_sums *s, const struct drop_kind_key *key,
			       const char function[48])
{
	struct drop_kind_key k = *key;
	struct drop_row *row = find(s, &k);

	while (!row && !has_room(s, k.rest)) {
		k = wider(&k);
		row = find(s, &k);
	}
	return row ? row : make(s, &k, function);
}

void drop_sums_look(struct drop_sums *s)
{
	for (uint32_t i = 0; i <= s->by_key.mask; i++)
		for (struct index_node *n = s->by_key.slots[i]; n; n = n->next) {
			struct drop_row *row = index_entry(n, struct drop_row, node);

			row->now_packets = 0;
			row->now_bytes = 0;
		}
}

static bool is_over(const struct drop_row *row)
{
	return row->owner ? row->owner->exited : !row->key.kernel.tgid;
}

/* What is no loss goes before what is, then the oldest. */
static int least(const void *a, const void *b)
{
	const struct drop_row *x = *(struct drop_row *const *)a, *y = *(struct drop_row *const *)b;

	if (x->quiet != y->quiet)
		return x->quiet ? -1 : 1;
	return x->last_ns < y->last_ns ? -1 : x->last_ns > y->last_ns;
}

/* false: no memory for its sum, so it stays. */
static bool fold(struct drop_sums *s, struct drop_row *row)
{
	const struct drop_kind_key key = wider(&row->key);
	struct drop_row *to = drop_sums_row(s, &key, row->function);

	if (!to)
		return false;
	to->packets += row->packets;
	to->bytes += row->bytes;
	if (to->last_ns < row->last_ns)
		to->last_ns = row->last_ns;
	row_free(s, row);
	return true;
}

void drop_sums_trim(struct drop_sums *s)
{
	struct drop_row **rows;
	size_t n = 0;

	if (s->n[0] <= s->max / 4 * 3)
		return;
	rows = calloc(s->n[0], sizeof(*rows));
	if (!rows)
		return;
	for (uint32_t i = 0; i <= s->by_key.mask; i++)
		for (struct index_node *x = s->by_key.slots[i]; x; x = x->next) {
			struct drop_row *row = index_entry(x, struct drop_row, node);

			if (!row->key.rest && is_over(row))
				rows[n++] = row;
		}
	qsort(rows, n, sizeof(*rows), least);
	for (size_t i = 0; i < n && s->n[0] > s->max / 2 && fold(s, rows[i]); i++)
		;
	free(rows);
}

void drop_sums_each(struct drop_sums *s, void (*fn)(const struct drop_row *row, void *arg),
		    void *arg)
{
	for (uint32_t i = 0; i <= s->by_key.mask; i++)
		for (struct index_node *n = s->by_key.slots[i]; n; n = n->next)
			fn(index_entry(n, struct drop_row, node), arg);
}

size_t drop_sums_count(const struct drop_sums *s, size_t *ret_rest)
{
	*ret_rest = s->n[1] + s->n[2];
	return s->n[0];
}
