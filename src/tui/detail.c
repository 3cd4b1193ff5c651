/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures of one connection (see detail.h). */
#include "tui/detail.h"

#include <stdio.h>
#include <string.h>

#include "tui/fmt.h"
#include "tui/model.h"

static float rate_of(double rate)
{
	return rate > 0 ? (float)rate : 0;
}

void trace_add(struct trace *t, const struct netprobe_row *row)
{
	const struct netprobe_flow *f = row->flow;
	bool first = t->key != row->key;

	if (first) {
		memset(t, 0, sizeof(*t));
		t->key = row->key;
		/* rates of what moves are remembered, the latest among them */
		samples_copy(&t->rate, row->rates, row->n_rates);
	}
	if (f->closed)
		return;
	if (!first || !t->rate.count)
		samples_push(&t->rate, rate_of(row->tx_bytes_per_s) + rate_of(row->rx_bytes_per_s));
	if (!f->has_tcp)
		return;
	samples_push(&t->rtt, (float)f->srtt_us);
	samples_push(&t->cwnd, (float)f->cwnd);
}

static void copy_people(struct detail *d, const struct netprobe_row *row)
{
	const struct netprobe_flow *f = row->flow;

	d->owner[0] = d->user[0] = d->exe[0] = d->place[0] = '\0';
	if (f->pid) {
		(void)snprintf(d->owner, sizeof(d->owner), "%.16s[%u]", f->comm, f->pid);
		(void)snprintf(d->exe, sizeof(d->exe), "%s", f->exe);
		row_place(d->place, sizeof(d->place), row);
		if (strcmp(d->place, "/") == 0)
			d->place[0] = '\0'; /* the host itself: says nothing */
	}
	if (f->last_pid != f->pid && f->last_pid)
		(void)snprintf(d->user, sizeof(d->user), "%.16s[%u]", f->last_comm, f->last_pid);
}

static uint64_t known(uint64_t n)
{
	return n == NETPROBE_UNKNOWN ? 0 : n;
}

static void copy_flow(struct detail *d, const struct netprobe_flow *f, uint64_t now_ns)
{
	uint64_t until = f->closed && f->closed_ns ? f->closed_ns : now_ns;

	fmt_endpoint(f->laddr, f->lport, d->local, sizeof(d->local));
	fmt_endpoint(f->raddr, f->rport, d->remote, sizeof(d->remote));
	(void)snprintf(d->iface, sizeof(d->iface), "%.15s", f->iface);
	d->state = fmt_tcp_state(f->tcp_state);
	d->proto = fmt_proto(f->proto);
	d->netns = f->netns;
	d->connect_us = f->connect_us;
	d->closed = f->closed;
	d->age_s = f->opened_ns && until > f->opened_ns ? (double)(until - f->opened_ns) / 1e9 : 0;
	d->tx_pkts = known(f->tx_pkts);
	d->rx_pkts = known(f->rx_pkts);
	d->tcp = f->has_tcp;
	if (d->tcp)
		d->figures = *f;
}

static void copy_waits(struct detail *d, const struct netprobe_latency *l)
{
	static const double shares[2] = { 0.5, 0.99 };

	for (unsigned int i = 0; i < 2; i++) {
		d->rx_wait[i] = !l ? 0
				   : netprobe_latency_quantile(l->counts[NETPROBE_LATENCY_RX_WAIT],
							       shares[i]);
		d->tx_wait[i] = !l ? 0
				   : netprobe_latency_quantile(l->counts[NETPROBE_LATENCY_TX_WAIT],
							       shares[i]);
	}
}

void detail_take(struct detail *d, const struct netprobe_row *row, const struct trace *t,
		 uint64_t now_ns)
{
	d->gone = !row;
	if (!row) {
		d->tx_rate = d->rx_rate = 0;
		return;
	}
	d->tx_rate = rate_of(row->tx_bytes_per_s);
	d->rx_rate = rate_of(row->rx_bytes_per_s);
	d->tx_bytes = known(row->tx_bytes);
	d->rx_bytes = known(row->rx_bytes);
	d->retrans = row->retransmits;
	row_trouble(&d->trouble, row);
	/* what it met with last stays to be read when it is closed */
	if (row->verdict < NETPROBE_VERDICT_MAX) {
		memcpy(d->times, row->verdict_us, sizeof(d->times));
		d->verdict = (int)row->verdict;
	}
	copy_flow(d, row->flow, now_ns);
	copy_people(d, row);
	copy_waits(d, row->latency);
	d->trace = *t;
}

double detail_share(const struct detail *d, unsigned int verdict)
{
	uint64_t all = 0;

	for (unsigned int i = 0; i < NETPROBE_VERDICT_MAX; i++)
		all += d->times[i];
	return all ? (double)d->times[verdict] / (double)all : 0;
}

int detail_first(const struct detail *d)
{
	int first = -1;

	for (int i = 0; i < NETPROBE_VERDICT_MAX; i++)
		if (d->times[i] && (first < 0 || d->times[i] > d->times[first]))
			first = i;
	return first;
}
