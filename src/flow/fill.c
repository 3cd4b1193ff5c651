/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in a row: figures of a flow or of a group, put where drawing code looks for them. */
#include <netinet/in.h>
#include <string.h>

#include "flow/beside.h"
#include "flow/derive.h"
#include "flow/fill.h"
#include "flow/row.h"

void fill_sums(const struct flow *f, struct flow_delta *d)
{
	const struct flow_delta *early = flow_early(f);

	*d = (struct flow_delta){ .tx_bytes = f->counts.tx_bytes,
				  .rx_bytes = flow_rx_bytes(f),
				  .retrans = f->counts.retrans,
				  .tx_pkts = f->tx_pkts };
	if (f->rare)
		d->retrans += f->rare->synack_retrans -
			      (f->rare->former ? f->rare->former->synack_retrans : 0);
	d->tx_bytes -= early->tx_bytes;
	d->rx_bytes -= early->rx_bytes;
	d->retrans -= early->retrans + early->synack;
}

void fill_tally(struct tally *row, const struct flow *f, const struct flow_delta *sums,
		float seconds)
{
	const struct flow_delta *d = flow_delta(f);
	bool tcp = f->tuple.proto == IPPROTO_TCP;

	row->tx_bytes = sums->tx_bytes;
	row->rx_bytes = sums->rx_bytes;
	row->retrans = sums->retrans;
	row->segs = tcp ? sums->tx_pkts : 0;
	row->retrans_rate = seconds > 0 ? (float)(d->retrans + d->synack) / seconds : 0;
	row->segs_rate = tcp && seconds > 0 ? (float)d->tx_pkts / seconds : 0;
	row->tx_rate = flow_tx_rate(f, seconds);
	row->rx_rate = flow_rx_rate(f, seconds);
	row->conns = flow_is_connection(f);
	row->rtt_us = f->tcp ? f->tcp->srtt_us : 0;
}

static void fill_common(struct view_row *to, const struct tally *row)
{
	to->tx_rate = row->tx_rate;
	to->rx_rate = row->rx_rate;
	to->tx_bytes = row->tx_bytes;
	to->rx_bytes = row->rx_bytes;
	to->retrans = row->retrans;
	to->segs = row->segs;
	to->retrans_rate = row->retrans_rate;
	to->segs_rate = row->segs_rate;
	to->trouble = row->trouble;
	to->conns = row->conns;
	to->rtt_us = row->rtt_us;
	to->history = row->history;
}

void fill_flow(struct view_row *to, const struct healths *h, const struct pasts *past,
	       const struct flow *f, float seconds)
{
	struct tally row = { .history = f->recent ? f->recent->history : NULL };
	struct flow_delta sums;

	fill_sums(f, &sums);
	if (past)
		past_off_sums(past, f, &sums);
	fill_tally(&row, f, &sums, seconds);
	if (past)
		healths_trouble_since(h, f, &row.trouble);
	else
		row.trouble = *healths_trouble(h, f);
	fill_common(to, &row);
	to->times = *healths_times(h, f);
	to->verdict = verdict_first(&to->times);
	to->key = f->serial;
	to->flow = f;
	to->proc = f->owner;
	to->cgroup = f->owner->cgroup;
	memcpy(to->addr, f->tuple.raddr, sizeof(to->addr));
	to->netns = f->tuple.netns;
	to->exited = f->closed || f->frozen;
	to->uid = UINT32_MAX;
	row_name_flow(to->name, sizeof(to->name), f);
}

void fill_group(struct view_row *to, const struct tally *row)
{
	fill_common(to, row);
	to->verdict = tally_verdict(row);
	to->uid = row->key.kind == GROUP_USER && row->key.ifindex ? row->key.netns : UINT32_MAX;
	/* of the group, not of the query: the same row has the same key in each */
	to->key = group_key_hash(&row->key);
	to->busiest = row->busiest;
	to->program = row->key.kind == GROUP_PROGRAM ? row->key.text : NULL;
	to->rest = row->rest;
	to->what = BESIDE_WHAT(row->key.kind);
	if (row->rest) {
		(void)strcpy(to->name, row_name_rest(row->key.kind));
		to->exited = row->key.kind == GROUP_PROCESS;
		return;
	}
	to->proc = row->key.proc;
	to->cgroup = row->key.proc ? row->key.proc->cgroup : row->key.cgroup;
	memcpy(to->addr, row->key.addr, sizeof(to->addr));
	to->netns = row->key.kind < GROUP_MAX || to->what ? row->key.netns : 0;
	to->exited = row->key.proc && row->key.proc->exited;
	row_name_group(to->name, sizeof(to->name), &row->key);
	to->text = derive_text(&row->key, &to->text_len);
}
