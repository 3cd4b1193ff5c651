/* SPDX-License-Identifier: BSD-2-Clause */
/* See past.h. */
#include "flow/past.h"

#include <errno.h>
#include <stdlib.h>

#include "flow/fill.h"

struct past {
	struct index_node node;
	uint32_t serial;
	struct flow_delta sums;
};

static uint64_t past_hash(const struct index_node *node)
{
	const uint32_t *serial = &index_entry(node, struct past, node)->serial;

	return index_hash(serial, sizeof(*serial));
}

void pasts_done(struct pasts *p)
{
	for (uint32_t i = 0; p->by_serial.slots && i <= p->by_serial.mask; i++) {
		struct index_node *n = p->by_serial.slots[i], *next;

		for (; n; n = next) {
			next = n->next;
			free(index_entry(n, struct past, node));
		}
	}
	index_done(&p->by_serial);
	*p = (struct pasts){ 0 };
}

static int take(struct flow *f, void *arg)
{
	struct pasts *to = arg;
	const struct flow_delta *early = flow_early(f);
	struct past past = { .serial = f->serial };
	struct past *made;

	fill_sums(f, &past.sums);
	/* groups show them before their interval is over, and so have none of them any more */
	past.sums.retrans += early->retrans + early->synack;
	if (!(past.sums.tx_bytes | past.sums.rx_bytes | past.sums.retrans | past.sums.tx_pkts))
		return 0;
	made = malloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	*made = past;
	index_add(&to->by_serial, &made->node);
	return 0;
}

int pasts_take(struct pasts *p, struct flow_table *flows)
{
	struct pasts now = { 0 };
	int r = index_init(&now.by_serial, 64, past_hash);

	if (!r)
		r = flow_table_each(flows, take, &now);
	if (r) {
		pasts_done(&now);
		return r;
	}
	pasts_done(p);
	*p = now;
	return 0;
}

static const struct past *find(const struct pasts *p, const struct flow *f)
{
	struct index_node *n;

	if (!p->by_serial.count)
		return NULL;
	for (n = index_chain(&p->by_serial, index_hash(&f->serial, sizeof(f->serial))); n;
	     n = n->next) {
		const struct past *past = index_entry(n, struct past, node);

		if (past->serial == f->serial)
			return past;
	}
	return NULL;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void past_off_sums(const struct pasts *p, const struct flow *f, struct flow_delta *sums)
{
	const struct past *past = find(p, f);

	if (!past)
		return;
	sums->tx_bytes = less(sums->tx_bytes, past->sums.tx_bytes);
	sums->rx_bytes = less(sums->rx_bytes, past->sums.rx_bytes);
	sums->retrans = less(sums->retrans, past->sums.retrans);
	sums->tx_pkts = less(sums->tx_pkts, past->sums.tx_pkts);
}
