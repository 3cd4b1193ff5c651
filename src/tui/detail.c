/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures of one connection (see detail.h). */
#include "tui/detail.h"

#include <stdio.h>
#include <string.h>

#include "tui/fmt.h"
#include "tui/model.h"

void trace_add(struct trace *t, const struct view_row *row)
{
	const struct flow *f = row->flow;
	bool first = t->key != row->key;

	if (first) {
		memset(t, 0, sizeof(*t));
		t->key = row->key;
		/* the table remembers rates of what moves, the latest among them */
		samples_copy(&t->rate, row->history);
	}
	if (f->closed)
		return;
	if (!first || !t->rate.count)
		samples_push(&t->rate, row->tx_rate + row->rx_rate);
	if (!f->tcp)
		return;
	samples_push(&t->rtt, (float)f->tcp->srtt_us);
	samples_push(&t->cwnd, (float)f->tcp->snd_cwnd);
}

static void copy_people(struct detail *d, const struct flow *f)
{
	const struct process *p = f->owner, *last = f->last;

	d->owner[0] = d->user[0] = d->exe[0] = d->place[0] = '\0';
	if (p->tgid) {
		(void)snprintf(d->owner, sizeof(d->owner), "%.16s[%u]", p->comm, p->tgid);
		(void)snprintf(d->exe, sizeof(d->exe), "%s", p->exe ? p->exe : "");
		row_place(d->place, sizeof(d->place), p->cgroup);
		if (strcmp(d->place, "/") == 0)
			d->place[0] = '\0'; /* the host itself: says nothing */
	}
	if (last != p && last->tgid)
		(void)snprintf(d->user, sizeof(d->user), "%.16s[%u]", last->comm, last->tgid);
}

static void copy_flow(struct detail *d, const struct flow *f, uint64_t now_ns)
{
	uint64_t until = f->closed && f->closed_ns ? f->closed_ns : now_ns;

	fmt_endpoint(f->tuple.laddr, f->tuple.lport, d->local, sizeof(d->local));
	fmt_endpoint(f->tuple.raddr, f->tuple.rport, d->remote, sizeof(d->remote));
	(void)snprintf(d->iface, sizeof(d->iface), "%.15s", f->tuple.ifname);
	d->state = fmt_tcp_state(f->tuple.state);
	d->proto = fmt_proto(f->tuple.proto);
	d->netns = f->tuple.netns;
	d->connect_us = f->connect_us;
	d->closed = f->closed;
	d->age_s = f->opened_ns && until > f->opened_ns ? (double)(until - f->opened_ns) / 1e9 : 0;
	d->tx_pkts = f->tx_pkts;
	d->rx_pkts = f->rx_pkts;
	d->tcp = f->tcp != NULL;
	if (f->tcp)
		d->figures = *f->tcp;
}

static void copy_waits(struct detail *d, const struct latency *l)
{
	static const double shares[2] = { 0.5, 0.99 };

	for (unsigned int i = 0; i < 2; i++) {
		d->rx_wait[i] = l ? histogram_quantile(&l->h[LATENCY_RX_WAIT], shares[i]) : 0;
		d->tx_wait[i] = l ? histogram_quantile(&l->h[LATENCY_TX_WAIT], shares[i]) : 0;
	}
}

void detail_take(struct detail *d, const struct view_row *row, const struct trace *t,
		 uint64_t now_ns)
{
	d->gone = !row;
	if (!row) {
		d->tx_rate = d->rx_rate = 0;
		return;
	}
	d->tx_rate = row->tx_rate;
	d->rx_rate = row->rx_rate;
	d->tx_bytes = row->tx_bytes;
	d->rx_bytes = row->rx_bytes;
	d->retrans = row->retrans;
	d->trouble = row->trouble;
	/* what it met with last stays to be read when it is closed */
	if (row->verdict >= 0) {
		d->times = row->times;
		d->verdict = row->verdict;
	}
	copy_flow(d, row->flow, now_ns);
	copy_people(d, row->flow);
	copy_waits(d, row->latency);
	d->trace = *t;
}
