/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums: what flows moved that had to make room. Each is of one process, interface, transport and family, as
 * the kernel half's are (np_sum_key), and is shown as a closed flow without ends.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "flow/store.h"

#define SUMS_LEAST 64
/* One for so many flows of a full table. */
#define SUMS_SHARE 16
/* More of them for owners that have none, by interface, transport and family alone. */
#define SUMS_UNOWNED 64

static const struct np_owner nobody;

/* Hashed and compared as bytes. */
struct sum_key {
	const struct process *owner;
	uint32_t netns, ifindex;
	char ifname[16]; /* where ifindex is not known */
	uint8_t proto, family, match, zero[5];
};

_Static_assert(sizeof(struct sum_key) == sizeof(void *) + 32, "padding in struct sum_key");

static struct sum_key key_of(const struct flow *f)
{
	struct sum_key key = { .owner = f->owner,
			       .netns = f->tuple.netns,
			       .ifindex = f->tuple.ifindex,
			       .proto = f->tuple.proto,
			       .family = f->tuple.family,
			       .match = f->owner_match };

	if (!key.ifindex)
		memcpy(key.ifname, f->tuple.ifname, sizeof(key.ifname));
	return key;
}

static uint64_t sum_hash(const struct index_node *node)
{
	struct sum_key key = key_of(index_entry(node, struct flow, node));

	return index_hash(&key, sizeof(key));
}

int store_sums_init(struct flow_table *t)
{
	t->max_sums = t->opts.max_flows / SUMS_SHARE;
	if (t->max_sums < SUMS_LEAST)
		t->max_sums = SUMS_LEAST;
	return index_init(&t->by_sum, SUMS_LEAST, sum_hash);
}

void store_sums_done(struct flow_table *t)
{
	for (uint32_t i = 0; i < t->by_sum.count; i++) {
		process_unref(t->procs, t->sums[i]->owner);
		process_unref(t->procs, t->sums[i]->last);
		free(t->sums[i]);
	}
	free(t->sums);
	index_done(&t->by_sum);
}

static struct flow *sum_find(const struct flow_table *t, const struct flow *f)
{
	struct sum_key key = key_of(f);
	struct index_node *n = index_chain(&t->by_sum, index_hash(&key, sizeof(key)));

	for (; n; n = n->next) {
		struct flow *s = index_entry(n, struct flow, node);
		struct sum_key other = key_of(s);

		if (!memcmp(&key, &other, sizeof(key)))
			return s;
	}
	return NULL;
}

static struct flow *sum_make(struct flow_table *t, const struct flow *f, uint32_t max)
{
	struct flow_summed *m;
	struct flow *s;

	if (t->by_sum.count >= max || store_reserve(&t->sums, &t->sums_cap, t->by_sum.count) < 0)
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	s = &m->flow;
	if (f->tuple.proto == IPPROTO_TCP || f->tuple.proto == NP_IPPROTO_MPTCP)
		s->tcp = &m->tcp;
	s->rare = &m->rare;
	s->part = true;
	s->closed = true;
	s->owner = f->owner;
	s->last = f->owner;
	f->owner->refs += 2;
	s->owner_match = f->owner_match;
	s->last_match = f->owner_match;
	s->serial = ++t->serial;
	s->tuple = (struct np_tuple){ .netns = f->tuple.netns,
				      .ifindex = f->tuple.ifindex,
				      .proto = f->tuple.proto,
				      .family = f->tuple.family };
	memcpy(s->tuple.ifname, f->tuple.ifname, sizeof(s->tuple.ifname));
	t->sums[t->by_sum.count] = s;
	index_add(&t->by_sum, &s->node);
	return s;
}

static void add_tcp(struct flow_tcp *to, struct flow_rare *to_rare, const struct flow *f)
{
	struct flow_rare rare;
	struct flow_tcp own;

	flow_tcp_own(f, &own, &rare);
	to->bytes_acked += own.bytes_acked;
	to->bytes_received += own.bytes_received;
	to->bytes_sent += own.bytes_sent;
	to->bytes_retrans += own.bytes_retrans;
	to_rare->rx_unseen += rare.rx_unseen;
	to_rare->tx_unseen += rare.tx_unseen;
	to_rare->stall_ns += rare.stall_ns;
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		to_rare->rtx_cause[i] += rare.rtx_cause[i];
	to_rare->rtx_spurious += rare.rtx_spurious;
	to_rare->synack_retrans += rare.synack_retrans;
}

static struct flow *sum_get(struct flow_table *t, const struct flow *f)
{
	struct flow *s = sum_find(t, f) ?: sum_make(t, f, t->max_sums);
	struct flow unowned = { .tuple = f->tuple };

	if (s)
		return s;
	/* too many owners: nobody's, never another one's */
	unowned.owner = process_table_get(t->procs, &nobody, 0);
	s = sum_find(t, &unowned) ?: sum_make(t, &unowned, t->max_sums + SUMS_UNOWNED);
	process_unref(t->procs, unowned.owner);
	t->left.unowned += s != NULL;
	return s;
}

void store_sum(struct flow_table *t, const struct flow *f)
{
	struct flow *s = sum_get(t, f);

	if (!s) {
		t->left.lost++;
		t->left.lost_tx_bytes += f->counts.tx_bytes;
		t->left.lost_rx_bytes += flow_rx_bytes(f);
		return;
	}
	t->left.summed++;
	s->counts.tx_bytes += f->counts.tx_bytes;
	s->counts.rx_bytes += f->counts.rx_bytes;
	s->counts.retrans += f->counts.retrans;
	s->tx_pkts += f->tx_pkts;
	s->rx_pkts += f->rx_pkts;
	if (f->closed_ns > s->closed_ns)
		s->closed_ns = f->closed_ns;
	if (s->tcp && f->tcp)
		add_tcp(s->tcp, s->rare, f);
}

void store_spill(struct flow_table *t, const struct np_owner *owner, const struct np_tuple *tuple,
		 const struct flow_delta *d, uint64_t now_ns)
{
	struct flow f = { .part = true,
			  .closed = true,
			  .closed_ns = now_ns,
			  .opened_ns = now_ns,
			  .tuple = *tuple,
			  .owner_match = owner->match,
			  .last_match = owner->match,
			  .counts = { .tx_bytes = d->tx_bytes,
				      .rx_bytes = d->rx_bytes,
				      .retrans = d->retrans },
			  .tx_pkts = d->tx_pkts,
			  .rx_pkts = d->rx_pkts };

	f.owner = process_table_get(t->procs, owner, now_ns);
	if (!f.owner) {
		t->left.lost++;
		t->left.lost_tx_bytes += d->tx_bytes;
		t->left.lost_rx_bytes += d->rx_bytes;
		return;
	}
	f.last = f.owner;
	for (struct flow_watch *w = t->watches; w; w = w->next)
		w->fn(&f, d, w->arg);
	if (t->opts.keep_closed)
		store_sum(t, &f);
	process_unref(t->procs, f.owner);
}
