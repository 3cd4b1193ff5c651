/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers queries: picks the rows and puts them in order. Sums come from group.c, or, drilled down,
 * from the flows. Names and filters are row.c's, what is in a row fill.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow/derive.h"
#include "flow/fill.h"
#include "flow/list.h"
#include "flow/row.h"

static const uint8_t group_of_view[NETPROBE_VIEW_MAX] = {
	[NETPROBE_VIEW_PROCESS] = GROUP_PROCESS,     [NETPROBE_VIEW_CONTAINER] = GROUP_CONTAINER,
	[NETPROBE_VIEW_REMOTE] = GROUP_REMOTE,	     [NETPROBE_VIEW_INTERFACE] = GROUP_INTERFACE,
	[NETPROBE_VIEW_PROGRAM] = GROUP_PROGRAM,     [NETPROBE_VIEW_USER] = GROUP_USER,
	[NETPROBE_VIEW_UNIT] = GROUP_UNIT,	     [NETPROBE_VIEW_POD] = GROUP_POD,
	[NETPROBE_VIEW_NAMESPACE] = GROUP_NAMESPACE, [NETPROBE_VIEW_IMAGE] = GROUP_IMAGE,
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
	pasts_done(&v->pasts);
	nics_done(&v->nics);
	v->dropped_before = dropped_free(v->dropped_before);
	free(v->derived);
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

void viewer_nics_begin(struct viewer *v)
{
	nics_begin(&v->nics);
}

struct nic *viewer_nic(struct viewer *v, uint32_t netns, uint32_t ifindex, const char *name)
{
	return nics_get(&v->nics, netns, ifindex, name);
}

void viewer_nics_end(struct viewer *v)
{
	nics_end(&v->nics);
}

void viewer_nic_unowned(struct viewer *v, uint32_t ifindex, double tx, double rx)
{
	for (uint32_t i = 0; i < v->nics.n; i++)
		if (v->nics.all[i].ifindex == ifindex) {
			v->nics.all[i].side[NETPROBE_TX].unowned = (float)tx;
			v->nics.all[i].side[NETPROBE_RX].unowned = (float)rx;
		}
}

void viewer_tick(struct viewer *v, uint64_t now_ns)
{
	groups_tick(&v->groups, now_ns, flow_table_seconds(v->flows), flow_table_grace(v->flows));
	inside_tick(&v->inside, v->flows, &v->groups);
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

void viewer_set_dropped(struct viewer *v, const struct dropped *d)
{
	v->dropped = d;
}

int viewer_restart(struct viewer *v)
{
	struct dropped *before = v->dropped ? dropped_copy(v->dropped) : NULL;
	int r = v->dropped && !before ? -ENOMEM : pasts_take(&v->pasts, v->flows);

	if (r) {
		(void)dropped_free(before);
		return r;
	}
	(void)dropped_free(v->dropped_before);
	v->dropped_before = before;
	groups_restart(&v->groups);
	healths_restart(&v->healths);
	beside_restart(&v->beside);
	nics_restart(&v->nics);
	return 0;
}

void viewer_watch_health(struct viewer *v, bool on)
{
	healths_watch(&v->healths, on);
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

static int make_rows(struct pass *p, struct view *view)
{
	bool flows = lists_flows(p->q->kind);
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
		pass_row(p, p->ranked[i].item, &view->rows[i]);
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
	return make_rows(p, view);
}

static int query_groups(struct viewer *v, struct pass *p, struct view *view)
{
	uint32_t i;
	int r;

	free(v->derived);
	v->derived = NULL;
	p->kind = group_of_view[p->q->kind];
	r = tallies_init(&p->tallies, flow_table_count(v->flows));
	if (r == 0 && !p->drilled && p->kind < GROUP_MAX)
		r = tallies_seed(&p->tallies, &v->groups.sets[p->kind], p->kind);
	else if (r == 0 && !p->drilled)
		r = derive_seed(&p->tallies, &v->groups, p->kind, &v->derived);
	if (r == 0 && !p->drilled && p->kind == GROUP_INTERFACE)
		r = beside_seed(&v->beside, &p->tallies);
	if (r == 0)
		r = flow_table_each(v->flows, pass_group, p);
	if (r == 0 && !p->drilled && p->kind == GROUP_INTERFACE)
		r = nics_seed(&v->nics, &p->tallies);
	if (r == 0)
		r = tallies_finish(&p->tallies);
	if (r < 0)
		return r;
	p->ranked = malloc(((size_t)p->tallies.n + 1) * sizeof(*p->ranked));
	if (!p->ranked)
		return -ENOMEM;
	for (i = 0; i < p->tallies.n; i++) {
		const struct tally *row = p->tallies.all[i];

		if (pass_shows(p, row))
			p->ranked[p->n++] = (struct ranked){ pass_rank(p->q->sort, row), row };
	}
	return make_rows(p, view);
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
	fill_flow(ret_row, &v->healths, NULL, w.found, flow_table_seconds(v->flows));
	ret_row->rname = viewer_name(v, w.found->tuple.raddr, w.found->opened_ns);
	ret_row->latency = latencies_find(v->latencies, ret_row->proc);
	return 0;
}

int viewer_query(struct viewer *v, const struct view_query *q, struct view *ret_view)
{
	const struct sums *total = &v->groups.total;
	struct pass p = {
		.q = q,
		.viewer = v,
		.healths = &v->healths,
		.drilled = q->proc || q->cgroup || q->remote || q->iface || q->of[0].key,
		.seconds = flow_table_seconds(v->flows),
	};
	struct view view = {
		.tx_rate = total->tx_rate,
		.rx_rate = total->rx_rate,
		.tx_bytes = total->tx_bytes - total->now_tx,
		.rx_bytes = total->rx_bytes - total->now_rx,
		.retrans = total->retrans,
		.history = total->history,
		.inside = &v->inside,
		.retrans_rate = total->retrans_rate,
		.segs_rate = total->segs_rate,
	};
	int r;

	if (q->kind >= NETPROBE_VIEW_MAX || q->sort >= NETPROBE_SORT_MAX)
		return -EINVAL;
	v->queries++;
	inside_wanted(&v->inside);
	pass_count_groups(&p);
	if (lists_flows(q->kind))
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

int view_group(uint8_t kind)
{
	return lists_flows(kind) ? -1 : group_of_view[kind];
}

void view_done(struct view *view)
{
	free(view->rows);
	*view = (struct view){ 0 };
}
