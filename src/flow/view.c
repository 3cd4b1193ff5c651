/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers queries: picks the rows and puts them in order. Sums come from group.c, or, drilled down,
 * from the flows. Names and filters are row.c's, what is in a row fill.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow/beside.h"
#include "flow/fill.h"
#include "flow/group.h"
#include "flow/rank.h"
#include "flow/row.h"
#include "flow/tally.h"
#include "flow/view.h"

struct viewer {
	struct flow_table *flows;
	struct groups groups;
	struct healths healths;
	struct beside beside;
	struct flow_watch watch;
	const struct latencies *latencies; /* NULL: none */
	viewer_name_fn name_fn;		   /* NULL: nobody knows names */
	const void *name_arg;
	const struct dropped *dropped; /* NULL: not watched */
	uint32_t queries;
};

/* One query under way. */
struct pass {
	const struct viewer *viewer;
	const struct view_query *q;
	const struct healths *healths;
	bool drilled;
	uint32_t kind; /* of groups */
	float seconds; /* of the last interval */
	struct ranked *ranked;
	size_t n;
	struct tallies tallies;
	uint64_t tx_bytes, rx_bytes; /* of all flows met */
	uint32_t conns, processes;   /* of all as well: see struct view */
	size_t n_live, n_ended, n_idle;
};

static const uint8_t group_of_view[VIEW_MAX] = {
	[VIEW_PROCESS] = GROUP_PROCESS,
	[VIEW_CONTAINER] = GROUP_CONTAINER,
	[VIEW_REMOTE] = GROUP_REMOTE,
	[VIEW_INTERFACE] = GROUP_INTERFACE,
};

static void on_delta(const struct flow *f, const struct flow_delta *d, void *arg)
{
	struct viewer *v = arg;
	struct trouble t;

	groups_add(&v->groups, f, d);
	if (healths_take(&v->healths, f, &t))
		groups_trouble(&v->groups, f, &t);
}

struct viewer *viewer_new(struct flow_table *flows)
{
	struct viewer *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	if (healths_init(&v->healths) < 0 ||
	    groups_init(&v->groups, flow_table_processes(flows)) < 0) {
		healths_done(&v->healths);
		free(v);
		return NULL;
	}
	v->flows = flows;
	v->watch = (struct flow_watch){ .fn = on_delta, .arg = v };
	flow_table_watch(flows, &v->watch);
	return v;
}

struct viewer *viewer_free(struct viewer *v)
{
	if (!v)
		return NULL;
	flow_table_unwatch(v->flows, &v->watch);
	groups_done(&v->groups);
	healths_done(&v->healths);
	beside_done(&v->beside);
	free(v);
	return NULL;
}

void viewer_unowned_begin(struct viewer *v, float seconds)
{
	beside_begin(&v->beside, seconds);
}

void viewer_unowned(struct viewer *v, const struct np_tuple *where, uint32_t what,
		    uint64_t tx_bytes, uint64_t rx_bytes)
{
	beside_add(&v->beside, where, what, tx_bytes, rx_bytes);
}

void viewer_tick(struct viewer *v, uint64_t now_ns)
{
	groups_tick(&v->groups, now_ns, flow_table_seconds(v->flows), flow_table_grace(v->flows));
	healths_tick(&v->healths, v->flows, now_ns);
}

void viewer_set_latencies(struct viewer *v, const struct latencies *l)
{
	v->latencies = l;
}

void viewer_set_names(struct viewer *v, viewer_name_fn fn, const void *arg)
{
	v->name_fn = fn;
	v->name_arg = arg;
}

static const char *name_of(const struct viewer *v, const uint8_t addr[16], uint64_t at_ns)
{
	return v->name_fn ? v->name_fn(v->name_arg, addr, at_ns) : NULL;
}

void viewer_set_dropped(struct viewer *v, const struct dropped *d)
{
	v->dropped = d;
}

void viewer_watch_health(struct viewer *v, bool on)
{
	healths_watch(&v->healths, on);
}

static bool is_wanted(const struct pass *p, const struct flow *f)
{
	const struct view_query *q = p->q;
	const char *name = f->tuple.ifname[0] ? f->tuple.ifname : "?";

	return (!q->proc || f->owner == q->proc) && (!q->cgroup || f->owner->cgroup == q->cgroup) &&
	       (!q->remote || memcmp(f->tuple.raddr, q->remote, sizeof(f->tuple.raddr)) == 0) &&
	       (!q->iface || strncmp(name, q->iface, sizeof(f->tuple.ifname)) == 0) &&
	       (!q->netns || f->tuple.netns == q->netns);
}

static uint32_t flow_rtt(const struct flow *f)
{
	return f->tcp && flow_is_open_socket(f) ? f->tcp->srtt_us : 0;
}

static double rank_of(uint8_t sort, const struct tally *row)
{
	switch (sort) {
	case SORT_TX:
		return (double)row->tx_rate;
	case SORT_RX:
		return (double)row->rx_rate;
	case SORT_TOTAL:
		return (double)row->tx_bytes + (double)row->rx_bytes;
	case SORT_CONNS:
		return row->conns;
	case SORT_RTT:
		return row->rtt_us;
	case SORT_RETRANS:
		return (double)row->retrans;
	case SORT_STALL:
		return (double)row->trouble.stall_ns;
	case SORT_NAME:
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

static void set_name(const struct viewer *v, struct view_row *row, uint8_t kind)
{
	if (row->flow)
		row->rname = name_of(v, row->flow->tuple.raddr, row->flow->opened_ns);
	else if (kind == VIEW_REMOTE && !row->rest)
		row->rname = name_of(v, row->addr, 0);
}

/* Of whole groups: what was dropped is not known by flow. */
static void fill_drops(const struct viewer *v, const struct pass *p, const struct tally *row,
		       struct view_row *to)
{
	if (v->dropped && !p->drilled && !row->rest && row->key.kind == p->kind)
		to->has_drops = dropped_find(v->dropped, &row->key, &to->drops);
}

/* item: a flow, or a tally. */
static void make_row(const struct viewer *v, const struct pass *p, const void *item,
		     struct view_row *row)
{
	if (p->q->kind == VIEW_CONNECTION) {
		fill_flow(row, p->healths, item, p->seconds);
	} else {
		fill_group(row, item);
		fill_drops(v, p, item, row);
	}
	set_name(v, row, p->q->kind);
	row->latency = latencies_find(v->latencies, row->proc);
}

static bool matches(const struct pass *p, const void *item)
{
	struct view_row row = {};

	if (!p->q->match)
		return true;
	make_row(p->viewer, p, item, &row);
	return p->q->match(&row, p->q->match_arg);
}

static int pass_connection(struct flow *f, void *arg)
{
	struct pass *p = arg;
	struct tally row;
	struct flow_delta sums;

	count_process(p, f->owner);
	p->conns += flow_is_connection(f);
	fill_sums(f, &sums);
	p->tx_bytes += sums.tx_bytes;
	p->rx_bytes += sums.rx_bytes;
	if ((p->drilled && !is_wanted(p, f)) || !matches(p, f))
		return 0;
	if (!is_listed(p, !(sums.tx_bytes | sums.rx_bytes | sums.retrans), flow_is_connection(f),
		       f->closed || f->frozen))
		return 0;
	fill_tally(&row, f, &sums, p->seconds);
	if (p->q->sort == SORT_STALL)
		row.trouble = *healths_trouble(p->healths, f);
	p->ranked[p->n++] = (struct ranked){ rank_of(p->q->sort, &row), f };
	return 0;
}

/* Closed connections count for the verdict of the interval they ended in, not while they age. */
static bool has_moved(const struct flow *f)
{
	const struct flow_delta *d = flow_delta(f);

	return d->tx_bytes | d->rx_bytes | d->tx_pkts | d->rx_pkts;
}

static int pass_group(struct flow *f, void *arg)
{
	struct pass *p = arg;
	struct group_key key;
	struct flow_delta sums;
	struct tally *row;
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
	if (p->drilled) {
		fill_sums(f, &sums);
		row->tx_bytes += sums.tx_bytes;
		row->rx_bytes += sums.rx_bytes;
		row->retrans += sums.retrans;
		row->tx_rate += flow_tx_rate(f, p->seconds);
		row->rx_rate += flow_rx_rate(f, p->seconds);
		trouble_add(&row->trouble, healths_trouble(p->healths, f));
	}
	if (!f->closed || has_moved(f))
		tallies_times(row, healths_times(p->healths, f));
	row->conns += flow_is_connection(f) || (p->kind == GROUP_REMOTE && f->part && !f->closed);
	if (flow_rtt(f))
		tallies_rtt(&p->tallies, row, flow_rtt(f));
	return 0;
}

static int tie_flows(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;
	int c = row_compare_flows(x, y);

	return c ? c : (x->serial > y->serial) - (x->serial < y->serial);
}

static int tie_groups(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	int c = x->rest - y->rest;

	if (!c)
		c = row_compare_groups(&x->key, &y->key);
	return c ? c : (x->row > y->row) - (x->row < y->row);
}

static bool is_shown(struct pass *p, const struct tally *row)
{
	const struct process *proc = row->key.proc;
	bool ended = p->kind == GROUP_PROCESS && (row->rest || proc->exited);
	bool live = !ended && !row->rest && (p->kind != GROUP_PROCESS || proc->tgid);

	return matches(p, row) &&
	       is_listed(p, !(row->tx_bytes | row->rx_bytes | row->retrans), live, ended);
}

static int make_rows(const struct viewer *v, struct pass *p, struct view *view)
{
	bool flows = p->q->kind == VIEW_CONNECTION;
	const struct rank_order order = {
		/* names run from A on unless reversed, figures from the most */
		.reverse = p->q->reverse,
		.tie = flows ? tie_flows : tie_groups,
	};
	size_t i, n;

	view->n_total = p->n;
	n = rank_select(p->ranked, p->n, p->q->limit, &order);
	view->rows = calloc(n ? n : 1, sizeof(*view->rows));
	if (!view->rows)
		return -ENOMEM;
	view->n_rows = n;
	for (i = 0; i < n; i++)
		make_row(v, p, p->ranked[i].item, &view->rows[i]);
	return 0;
}

static int query_connections(struct viewer *v, struct pass *p, struct view *view)
{
	p->ranked = malloc(((size_t)flow_table_count(v->flows) + 1) * sizeof(*p->ranked));
	if (!p->ranked)
		return -ENOMEM;
	(void)flow_table_each(v->flows, pass_connection, p);
	/* what went into a sum of this interval is in its row before it is in the total */
	view->gone_tx_bytes = view->tx_bytes > p->tx_bytes ? view->tx_bytes - p->tx_bytes : 0;
	view->gone_rx_bytes = view->rx_bytes > p->rx_bytes ? view->rx_bytes - p->rx_bytes : 0;
	return make_rows(v, p, view);
}

static int query_groups(struct viewer *v, struct pass *p, struct view *view)
{
	uint32_t i;
	int r;

	p->kind = group_of_view[p->q->kind];
	r = tallies_init(&p->tallies, flow_table_count(v->flows));
	if (r == 0 && !p->drilled)
		r = tallies_seed(&p->tallies, &v->groups.sets[p->kind], p->kind);
	if (r == 0 && !p->drilled && p->kind == GROUP_INTERFACE)
		r = beside_seed(&v->beside, &p->tallies);
	if (r == 0)
		r = flow_table_each(v->flows, pass_group, p);
	if (r == 0)
		r = tallies_finish(&p->tallies);
	if (r < 0)
		return r;
	p->ranked = malloc(((size_t)p->tallies.n + 1) * sizeof(*p->ranked));
	if (!p->ranked)
		return -ENOMEM;
	for (i = 0; i < p->tallies.n; i++) {
		const struct tally *row = p->tallies.all[i];

		if (is_shown(p, row))
			p->ranked[p->n++] = (struct ranked){ rank_of(p->q->sort, row), row };
	}
	return make_rows(v, p, view);
}

struct wanted {
	uint64_t serial;
	const struct flow *found;
};

static int is_serial(struct flow *f, void *arg)
{
	struct wanted *w = arg;

	if (f->serial == w->serial)
		w->found = f;
	return w->found != NULL;
}

int viewer_connection(struct viewer *v, uint64_t key, struct view_row *ret_row)
{
	struct wanted w = { .serial = key };

	(void)flow_table_each(v->flows, is_serial, &w);
	if (!w.found)
		return -ENOENT;
	memset(ret_row, 0, sizeof(*ret_row));
	fill_flow(ret_row, &v->healths, w.found, flow_table_seconds(v->flows));
	set_name(v, ret_row, VIEW_CONNECTION);
	ret_row->latency = latencies_find(v->latencies, ret_row->proc);
	return 0;
}

/* Those whose flows are not kept any more. */
static void count_groups(const struct viewer *v, struct pass *p)
{
	for (const struct group *g = v->groups.sets[GROUP_PROCESS].newest; g; g = g->older)
		count_process(p, g->key.proc);
}

int viewer_query(struct viewer *v, const struct view_query *q, struct view *ret_view)
{
	const struct sums *total = &v->groups.total;
	struct pass p = {
		.q = q,
		.viewer = v,
		.healths = &v->healths,
		.drilled = q->proc || q->cgroup || q->remote || q->iface,
		.seconds = flow_table_seconds(v->flows),
	};
	struct view view = {
		.tx_rate = total->tx_rate,
		.rx_rate = total->rx_rate,
		.tx_bytes = total->tx_bytes - total->now_tx,
		.rx_bytes = total->rx_bytes - total->now_rx,
		.retrans = total->retrans,
		.history = total->history,
	};
	int r;

	if (q->kind >= VIEW_MAX || q->sort >= SORT_MAX)
		return -EINVAL;
	v->queries++;
	count_groups(v, &p);
	if (q->kind == VIEW_CONNECTION)
		r = query_connections(v, &p, &view);
	else
		r = query_groups(v, &p, &view);
	view.conns = p.conns;
	view.processes = p.processes;
	view.n_live = p.n_live;
	view.n_ended = p.n_ended;
	view.n_idle = p.n_idle;
	free(p.ranked);
	tallies_done(&p.tallies);
	if (r == 0)
		*ret_view = view;
	return r;
}

void view_done(struct view *view)
{
	free(view->rows);
	*view = (struct view){ 0 };
}
