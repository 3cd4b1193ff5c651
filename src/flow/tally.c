/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of one query, found by key. Freed with it: nothing here lasts. */
#include <errno.h>
#include <stdlib.h>

#include "flow/rank.h"
#include "flow/tally.h"

static uint64_t tally_hash(const struct index_node *node)
{
	return group_key_hash(&index_entry(node, struct tally, node)->key);
}

int tallies_init(struct tallies *t, uint32_t n_flows)
{
	int r;

	*t = (struct tallies){ 0 };
	r = index_init(&t->by_key, 256, tally_hash);
	if (r < 0)
		return r;
	t->rtts = malloc(((size_t)n_flows + 1) * sizeof(*t->rtts));
	return t->rtts ? 0 : -ENOMEM;
}

void tallies_done(struct tallies *t)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		free(t->all[i]);
	free(t->all);
	free(t->rtts);
	index_done(&t->by_key);
}

static int tallies_append(struct tallies *t, struct tally **ret)
{
	struct tally **all;
	struct tally *row;

	if (t->n == t->cap) {
		uint32_t cap = t->cap ? t->cap * 2 : 64;

		all = realloc(t->all, cap * sizeof(struct tally *));
		if (!all)
			return -ENOMEM;
		t->all = all;
		t->cap = cap;
	}
	row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->row = t->n;
	t->all[t->n++] = row;
	*ret = row;
	return 0;
}

struct tally *tallies_find(const struct tallies *t, const struct group_key *key)
{
	struct index_node *n = index_chain(&t->by_key, group_key_hash(key));

	for (; n; n = n->next) {
		struct tally *row = index_entry(n, struct tally, node);

		if (group_key_equal(&row->key, key))
			return row;
	}
	return NULL;
}

int tallies_add(struct tallies *t, const struct group_key *key, struct tally **ret)
{
	int r = tallies_append(t, ret);

	if (r < 0)
		return r;
	(*ret)->key = *key;
	index_add(&t->by_key, &(*ret)->node);
	return 0;
}

int tallies_rest(struct tallies *t, uint32_t kind, struct tally **ret)
{
	int r = tallies_append(t, ret);

	if (r < 0)
		return r;
	(*ret)->rest = true;
	(*ret)->key.kind = kind;
	return 0;
}

/* What moved since the last tick is not shown yet. */
static void tally_set(struct tally *row, const struct sums *s)
{
	row->tx_bytes = s->tx_bytes - s->now_tx;
	row->rx_bytes = s->rx_bytes - s->now_rx;
	row->retrans = s->retrans;
	row->segs = s->segs;
	row->retrans_rate = s->retrans_rate;
	row->segs_rate = s->segs_rate;
	row->trouble = s->trouble;
	row->tx_rate = s->tx_rate;
	row->rx_rate = s->rx_rate;
	row->history = s->history;
}

int tallies_seed(struct tallies *t, const struct group_set *set, uint32_t kind)
{
	const struct group *g;
	struct tally *row;
	int r;

	for (g = set->newest; g; g = g->older) {
		r = tallies_add(t, &g->key, &row);
		if (r < 0)
			return r;
		tally_set(row, &g->sums);
	}
	if (!(set->rest.tx_bytes | set->rest.rx_bytes | set->rest.retrans))
		return 0;
	r = tallies_rest(t, kind, &row);
	if (!r)
		tally_set(row, &set->rest);
	return r;
}

void tallies_rtt(struct tallies *t, struct tally *row, uint32_t us)
{
	t->rtts[t->n_rtts++] = (struct rtt_sample){ row->row, us };
	row->n_rtt++;
}

void tallies_times(struct tally *row, const struct verdict_times *t)
{
	bool idle = verdict_share(t, NETPROBE_VERDICT_APPLICATION) >= 1;
	struct verdict_times *sum = idle ? &row->idle : &row->busy;
	unsigned int i;

	for (i = 0; i < NETPROBE_VERDICT_MAX; i++)
		sum->us[i] += t->us[i];
}

int tally_verdict(const struct tally *row)
{
	int verdict = verdict_first(&row->busy);

	return verdict < 0 ? verdict_first(&row->idle) : verdict;
}

int tallies_finish(struct tallies *t)
{
	uint32_t *sorted, *at, i, sum = 0;

	if (!t->n_rtts)
		return 0;
	sorted = malloc(t->n_rtts * sizeof(*sorted));
	at = malloc(t->n * sizeof(*at));
	if (!sorted || !at) {
		free(sorted);
		free(at);
		return -ENOMEM;
	}
	/* samples side by side for each row, then the middle of each stretch */
	for (i = 0; i < t->n; i++) {
		at[i] = sum;
		sum += t->all[i]->n_rtt;
	}
	for (i = 0; i < t->n_rtts; i++)
		sorted[at[t->rtts[i].row]++] = t->rtts[i].us;
	for (i = 0; i < t->n; i++) {
		struct tally *row = t->all[i];

		row->rtt_us = rank_median(sorted + at[i] - row->n_rtt, row->n_rtt);
	}
	free(sorted);
	free(at);
	return 0;
}
