/* SPDX-License-Identifier: BSD-2-Clause */
/* Which flows and groups a query lists, and how many it does not (see list.h). */
#include "flow/list.h"

#include <netinet/in.h>
#include <string.h>

#include "flow/fill.h"
#include "flow/row.h"

const char *viewer_name(const struct viewer *v, const uint8_t addr[16], uint64_t at_ns)
{
	return v->name_fn ? v->name_fn(v->name_arg, addr, at_ns) : NULL;
}

static bool is_wanted(const struct pass *p, const struct flow *f)
{
	const struct view_query *q = p->q;
	const char *name = f->tuple.ifname[0] ? f->tuple.ifname : "?";

	for (unsigned int i = 0; i < NETPROBE_OF_MAX && q->of[i].key; i++) {
		struct group_key key;

		group_key_of(&key, q->of[i].group, f, f->owner);
		if (group_key_hash(&key) != q->of[i].key)
			return false;
	}
	return (!q->proc || f->owner == q->proc) && (!q->cgroup || f->owner->cgroup == q->cgroup) &&
	       (!q->remote || memcmp(f->tuple.raddr, q->remote, sizeof(f->tuple.raddr)) == 0) &&
	       (!q->iface || strncmp(name, q->iface, sizeof(f->tuple.ifname)) == 0) &&
	       (!q->netns || f->tuple.netns == q->netns);
}

/* Waits for whoever comes: a TCP listener, a datagram socket with a port and without a peer. */
static bool is_waiting(const struct flow *f)
{
	static const uint8_t nobody[16];

	if (!flow_is_open_socket(f))
		return false;
	if (f->tuple.flags & NP_F_LISTEN || f->tuple.state == TCP_LISTEN)
		return true;
	return (f->tuple.proto == IPPROTO_UDP || f->tuple.proto == IPPROTO_UDPLITE) &&
	       f->tuple.lport && !f->tuple.rport && !memcmp(f->tuple.raddr, nobody, sizeof(nobody));
}

static uint32_t flow_rtt(const struct flow *f)
{
	return f->tcp && flow_is_open_socket(f) ? f->tcp->srtt_us : 0;
}

double pass_rank(uint8_t sort, const struct tally *row)
{
	switch (sort) {
	case NETPROBE_SORT_TX:
		return (double)row->tx_rate;
	case NETPROBE_SORT_RX:
		return (double)row->rx_rate;
	case NETPROBE_SORT_TOTAL:
		return (double)row->tx_bytes + (double)row->rx_bytes;
	case NETPROBE_SORT_CONNECTIONS:
		return row->conns;
	case NETPROBE_SORT_RTT:
		return row->rtt_us;
	case NETPROBE_SORT_RETRANS:
		return (double)row->retrans;
	case NETPROBE_SORT_STALL:
		return (double)row->trouble.stall_ns;
	case NETPROBE_SORT_NAME:
		return 0;
	default:
		return (double)row->tx_rate + (double)row->rx_rate;
	}
}

/* Each process once a query. */
static void count_process(struct pass *p, struct process *proc)
{
	if (!proc->tgid || proc->exited || proc->counted == p->viewer->queries)
		return;
	proc->counted = p->viewer->queries;
	p->processes++;
}

static void set_name(const struct viewer *v, struct view_row *row, uint8_t kind)
{
	if (row->flow)
		row->rname = viewer_name(v, row->flow->tuple.raddr, row->flow->opened_ns);
	else if (kind == NETPROBE_VIEW_REMOTE && !row->rest)
		row->rname = viewer_name(v, row->addr, 0);
}

/* Of whole groups: what was dropped is not known by flow. */
static void fill_drops(const struct viewer *v, const struct pass *p, const struct tally *row,
		       struct view_row *to)
{
	uint64_t before;

	if (v->dropped && !p->drilled && !row->rest && row->key.kind == p->kind)
		to->has_drops = dropped_find(v->dropped, &row->key, &to->drops);
	if (to->has_drops && v->dropped_before &&
	    dropped_find(v->dropped_before, &row->key, &before))
		to->drops = to->drops > before ? to->drops - before : 0;
}

void pass_row(const struct pass *p, const void *item, struct view_row *row)
{
	if (lists_flows(p->q->kind)) {
		fill_flow(row, p->healths, &p->viewer->pasts, item, p->seconds);
	} else {
		fill_group(row, item);
		fill_drops(p->viewer, p, item, row);
		row->nic = nics_find(&p->viewer->nics, &((const struct tally *)item)->key);
	}
	set_name(p->viewer, row, p->q->kind);
	row->latency = latencies_find(p->viewer->latencies, row->proc);
}

static bool matches(const struct pass *p, const void *item)
{
	struct view_row row = {};

	if (!p->q->match)
		return true;
	pass_row(p, item, &row);
	return p->q->match(&row, p->q->match_arg);
}

/* Whether a row that is wanted is shown; counts it either way. live: what is there now, and not only a sum. */
static bool is_listed(struct pass *p, bool idle, bool live, bool ended)
{
	if (idle && !p->q->idle) {
		p->n_idle += live;
		return false;
	}
	p->n_live += live;
	p->n_ended += ended;
	return !(ended && p->q->live);
}

int pass_connection(struct flow *f, void *arg)
{
	struct pass *p = arg;
	struct tally row;
	struct flow_delta sums;

	count_process(p, f->owner);
	p->conns += flow_is_connection(f);
	fill_sums(f, &sums);
	past_off_sums(&p->viewer->pasts, f, &sums);
	p->tx_bytes += sums.tx_bytes;
	p->rx_bytes += sums.rx_bytes;
	if (p->q->kind == NETPROBE_VIEW_LISTEN && !is_waiting(f))
		return 0;
	if ((p->drilled && !is_wanted(p, f)) || !matches(p, f))
		return 0;
	if (p->q->kind == NETPROBE_VIEW_LISTEN) {
		p->n_live++;
	} else if (flow_table_is_double(p->viewer->flows, f)) {
		p->n_live += flow_is_connection(f);
		return 0;
	} else if (!is_listed(p, !(sums.tx_bytes | sums.rx_bytes | sums.retrans),
			      flow_is_connection(f), f->closed || f->frozen)) {
		return 0;
	}
	fill_tally(&row, f, &sums, p->seconds);
	if (p->q->sort == NETPROBE_SORT_STALL)
		healths_trouble_since(p->healths, f, &row.trouble);
	p->ranked[p->n++] = (struct ranked){ pass_rank(p->q->sort, &row), f };
	return 0;
}

/* Closed connections count for the verdict of the interval they ended in, not while they age. */
static bool has_moved(const struct flow *f)
{
	const struct flow_delta *d = flow_delta(f);

	return d->tx_bytes | d->rx_bytes | d->tx_pkts | d->rx_pkts;
}

static void note_busiest(struct tally *row, const struct flow *f)
{
	const struct flow_delta *d = flow_delta(f);
	double bytes = (double)(d->tx_bytes + d->rx_bytes) * 1e18 + (double)f->counts.tx_bytes +
		       (double)flow_rx_bytes(f);

	if (!f->tuple.rport || bytes <= row->busy_bytes)
		return;
	row->busiest = f;
	row->busy_bytes = bytes;
}

int pass_group(struct flow *f, void *arg)
{
	struct pass *p = arg;
	struct group_key key;
	struct flow_delta sums;
	struct trouble trouble;
	struct tally *row, own = { 0 };
	int r;

	count_process(p, f->owner);
	p->conns += flow_is_connection(f);
	if (p->drilled && !is_wanted(p, f))
		return 0;
	group_key_of(&key, p->kind, f, f->owner);
	row = tallies_find(&p->tallies, &key);
	if (!row) {
		r = tallies_add(&p->tallies, &key, &row);
		if (r < 0)
			return r;
	}
	note_busiest(row, f);
	if (p->drilled) {
		fill_sums(f, &sums);
		past_off_sums(&p->viewer->pasts, f, &sums);
		row->tx_bytes += sums.tx_bytes;
		row->rx_bytes += sums.rx_bytes;
		row->retrans += sums.retrans;
		row->tx_rate += flow_tx_rate(f, p->seconds);
		row->rx_rate += flow_rx_rate(f, p->seconds);
		fill_tally(&own, f, &sums, p->seconds);
		row->segs += own.segs;
		row->retrans_rate += own.retrans_rate;
		row->segs_rate += own.segs_rate;
		healths_trouble_since(p->healths, f, &trouble);
		trouble_add(&row->trouble, &trouble);
	}
	if (!f->closed || has_moved(f))
		tallies_times(row, healths_times(p->healths, f));
	row->conns += flow_is_connection(f) || (p->kind == GROUP_REMOTE && f->part && !f->closed);
	if (flow_rtt(f))
		tallies_rtt(&p->tallies, row, flow_rtt(f));
	return 0;
}

/* An interface that moved packets has a row, whoever's they were. */
static bool has_packets(const struct pass *p, const struct tally *row)
{
	const struct nic *n = nics_find(&p->viewer->nics, &row->key);

	return n && (nic_counts(n, NETPROBE_RX).packets | nic_counts(n, NETPROBE_TX).packets);
}

bool pass_shows(struct pass *p, const struct tally *row)
{
	const struct process *proc = row->key.proc;
	bool ended = p->kind == GROUP_PROCESS && (row->rest || proc->exited);
	bool live = !ended && !row->rest && (p->kind != GROUP_PROCESS || proc->tgid);

	return matches(p, row) &&
	       is_listed(p, !(row->tx_bytes | row->rx_bytes | row->retrans) && !has_packets(p, row),
			 live, ended);
}

/* Those whose flows are not kept any more. */
void pass_count_groups(struct pass *p)
{
	for (const struct group *g = p->viewer->groups.sets[GROUP_PROCESS].newest; g; g = g->older)
		count_process(p, g->key.proc);
}
