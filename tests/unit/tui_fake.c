/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake viewer: keeps rows, answers the library's queries from them. Aggregates nothing. */
#include "tui_fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/fill.h"

struct viewer *fake_new(void)
{
	return calloc(1, sizeof(struct viewer));
}

void fake_free(struct viewer *v)
{
	free(v);
}

void fake_shape(struct history *h, uint32_t n, float peak)
{
	/* A slow wave with a spike: 0.1 to 1. */
	static const int tenth[] = { 1, 2, 3, 5, 7, 8, 7, 5, 3, 2, 10, 2, 1 };
	uint32_t i;

	for (i = 0; i < n; i++) {
		h->rate[h->next] = peak * (float)tenth[i % 13] / 10;
		h->next = (h->next + 1) % FLOW_HISTORY;
		h->count += h->count < FLOW_HISTORY;
	}
}

struct history *fake_history(struct viewer *v, uint32_t n, float peak)
{
	struct history *h = &v->history[v->n_history++];

	fake_shape(h, n, peak);
	return h;
}

struct view_row *fake_row(struct viewer *v, uint8_t kind, const char *name, float tx, float rx)
{
	struct view_row *row = &v->rows[kind][v->n[kind]++];

	(void)snprintf(row->name, sizeof(row->name), "%s", name);
	row->key = 1000u * (kind + 1u) + v->n[kind];
	row->tx_rate = tx;
	row->rx_rate = rx;
	row->tx_bytes = (uint64_t)tx * 60;
	row->rx_bytes = (uint64_t)rx * 60;
	row->conns = 1;
	row->verdict = -1;
	row->uid = UINT32_MAX;
	row->history = tx + rx > 0 ? fake_history(v, 60, tx + rx) : NULL;
	v->tx_rate += kind == NETPROBE_VIEW_PROCESS ? tx : 0;
	v->rx_rate += kind == NETPROBE_VIEW_PROCESS ? rx : 0;
	v->processes += kind == NETPROBE_VIEW_PROCESS;
	v->conns += kind == NETPROBE_VIEW_CONNECTION;
	return row;
}

struct view_row *fake_process(struct viewer *v, const char *comm, uint32_t tgid, float tx, float rx)
{
	struct view_row *row = fake_row(v, NETPROBE_VIEW_PROCESS, comm, tx, rx);
	struct process *p = &v->proc[v->n_proc++];

	p->tgid = tgid;
	(void)snprintf(p->comm, sizeof(p->comm), "%.15s", comm);
	row->proc = p;
	return row;
}

struct view_row *fake_container(struct viewer *v, const char *path, const char *id, float tx,
				float rx)
{
	struct view_row *row = fake_row(v, NETPROBE_VIEW_CONTAINER, "", tx, rx);
	struct cgroup *cg = &v->cgroup[v->n_cgroup++];
	size_t len = strlen(path), room = sizeof(row->name) - 1;

	(void)snprintf(row->name, sizeof(row->name), "%s", len > room ? path + len - room : path);
	cg->path = (char *)path;
	cg->container_id = (char *)id;
	cg->runtime = id ? "containerd" : NULL;
	row->cgroup = cg;
	return row;
}

static void parse(uint8_t to[16], const char *s)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET, s, to + 12) == 1)
		memcpy(to, mapped, sizeof(mapped));
	else
		(void)inet_pton(AF_INET6, s, to);
}

static struct process nobody;

struct view_row *fake_connection(struct viewer *v, const struct view_row *proc, const char *laddr,
				 uint16_t lport, const char *raddr, uint16_t rport, float tx,
				 float rx)
{
	struct view_row *row = fake_row(v, NETPROBE_VIEW_CONNECTION, "", tx, rx);
	struct flow *f = &v->flow[v->n_flow++];

	parse(f->tuple.laddr, laddr);
	parse(f->tuple.raddr, raddr);
	f->tuple.lport = lport;
	f->tuple.rport = rport;
	f->tuple.proto = 6;
	f->tuple.state = 1;
	(void)snprintf(f->tuple.ifname, sizeof(f->tuple.ifname), "eth0");
	(void)snprintf(row->name, sizeof(row->name), "%s:%u > %s:%u", laddr, lport, raddr, rport);
	f->owner = f->last = proc ? (struct process *)proc->proc : &nobody;
	row->flow = f;
	row->proc = proc ? proc->proc : NULL;
	row->rtt_us = 1500;
	return row;
}

struct flow_tcp *fake_tcp(struct viewer *v, struct view_row *row)
{
	struct flow *f = (struct flow *)row->flow;

	f->tcp = &v->tcp[f - v->flow];
	return f->tcp;
}

struct view_row *fake_remote(struct viewer *v, const char *addr, float tx, float rx)
{
	struct view_row *row = fake_row(v, NETPROBE_VIEW_REMOTE, addr, tx, rx);

	parse(row->addr, addr);
	return row;
}

static bool wanted(const struct view_query *q, const struct view_row *row)
{
	if (q->match && !q->match(row, q->match_arg))
		return false;
	if (q->proc && row->proc != q->proc)
		return false;
	if (q->remote && row->flow && memcmp(row->flow->tuple.raddr, q->remote, 16) != 0)
		return false;
	if (q->iface && row->flow && strcmp(row->flow->tuple.ifname, q->iface) != 0)
		return false;
	if (q->cgroup && (!row->proc || row->proc->cgroup != q->cgroup))
		return false;
	return true;
}

static double weight(const struct view_row *row, uint8_t sort)
{
	switch (sort) {
	case NETPROBE_SORT_TX:
		return row->tx_rate;
	case NETPROBE_SORT_RX:
		return row->rx_rate;
	case NETPROBE_SORT_TOTAL:
		return (double)row->tx_bytes + (double)row->rx_bytes;
	case NETPROBE_SORT_CONNECTIONS:
		return row->conns;
	case NETPROBE_SORT_RTT:
		return row->rtt_us;
	case NETPROBE_SORT_STALL:
		return (double)row->trouble.stall_ns;
	case NETPROBE_SORT_RETRANS:
		return (double)row->retrans;
	default:
		return (double)row->tx_rate + (double)row->rx_rate;
	}
}

static int compare(const void *va, const void *vb, void *arg)
{
	const struct view_query *q = arg;
	const struct view_row *a = va, *b = vb;
	double wa = weight(a, q->sort), wb = weight(b, q->sort);
	int d = q->sort == NETPROBE_SORT_NAME ? strcasecmp(a->name, b->name)
					      : (wa < wb) - (wa > wb);

	if (d == 0)
		return (a->key > b->key) - (a->key < b->key);
	return q->reverse ? -d : d;
}

/* What the view takes for a manager is the fake. */
static struct viewer *viewer_of(struct netprobe_manager *m)
{
	return (struct viewer *)m;
}

int netprobe_manager_watch_health(struct netprobe_manager *m, bool on, struct netprobe_error *err)
{
	(void)err;
	viewer_of(m)->watched = on;
	return 0;
}

int netprobe_manager_restart_sums(struct netprobe_manager *m, struct netprobe_error *err)
{
	struct viewer *v = viewer_of(m);

	(void)err;
	for (unsigned int kind = 0; kind < NETPROBE_VIEW_MAX; kind++)
		for (size_t i = 0; i < v->n[kind]; i++)
			v->rows[kind][i].tx_bytes = v->rows[kind][i].rx_bytes =
				v->rows[kind][i].retrans = 0;
	v->tx_bytes = v->rx_bytes = v->retrans = 0;
	return 0;
}

static int tell(const struct view_row *row, netprobe_row_fn fn, void *arg)
{
	struct api_row x;

	api_row_fill(&x, row, true, 1, 0);
	return fn(&x.row, arg);
}

static const struct view_row *row_of(const struct viewer *v, uint8_t kind, uint64_t key)
{
	for (size_t i = 0; i < v->n[kind]; i++)
		if (v->rows[kind][i].key == key)
			return &v->rows[kind][i];
	return NULL;
}

int netprobe_manager_connection(struct netprobe_manager *m, uint64_t key, netprobe_row_fn fn,
				void *arg, struct netprobe_error *err)
{
	const struct view_row *row = row_of(viewer_of(m), NETPROBE_VIEW_CONNECTION, key);

	(void)err;
	return row ? tell(row, fn, arg) : -ENOENT;
}

static int query(struct viewer *v, const struct view_query *q, struct view *ret_view)
{
	struct view view = { 0 };
	size_t i;

	view.rows = calloc(v->n[q->kind] + 1, sizeof(*view.rows));
	if (!view.rows)
		return -ENOMEM;
	for (i = 0; i < v->n[q->kind]; i++) {
		const struct view_row *row = &v->rows[q->kind][i];

		if (!wanted(q, row))
			continue;
		if (!q->idle && row->tx_bytes + row->rx_bytes == 0) {
			view.n_idle++;
			continue;
		}
		view.n_ended += row->exited;
		view.n_live += !row->exited && !row->rest &&
			       (q->kind != NETPROBE_VIEW_PROCESS || (row->proc && row->proc->tgid));
		if (!row->exited || !q->live)
			view.rows[view.n_rows++] = *row;
	}
	qsort_r(view.rows, view.n_rows, sizeof(*view.rows), compare, (void *)q);
	view.n_total = v->n_total ? v->n_total : view.n_rows;
	if (q->limit && view.n_rows > q->limit)
		view.n_rows = q->limit;
	view.tx_rate = v->tx_rate;
	view.rx_rate = v->rx_rate;
	view.tx_bytes = v->tx_bytes;
	view.rx_bytes = v->rx_bytes;
	view.retrans = v->retrans;
	view.conns = v->conns;
	view.processes = 0;
	for (i = 0; i < v->n[NETPROBE_VIEW_PROCESS]; i++)
		view.processes += !v->rows[NETPROBE_VIEW_PROCESS][i].exited &&
				  v->rows[NETPROBE_VIEW_PROCESS][i].proc &&
				  v->rows[NETPROBE_VIEW_PROCESS][i].proc->tgid;
	if (v->processes == UINT32_MAX)
		view.processes = v->processes;
	view.history = &v->total;
	*ret_view = view;
	return 0;
}

static int drill(const struct viewer *v, const struct netprobe_view_query *from,
		 struct view_query *q)
{
	const struct view_row *row;

	if (from->process) {
		row = row_of(v, NETPROBE_VIEW_PROCESS, from->process);
		if (!row)
			return -ESRCH;
		q->proc = row->proc;
	}
	if (from->container) {
		row = row_of(v, NETPROBE_VIEW_CONTAINER, from->container);
		if (!row)
			return -ESRCH;
		q->cgroup = row->cgroup;
	}
	return 0;
}

static bool matches(const struct view_row *row, void *arg)
{
	struct api_row x;

	api_row_fill(&x, row, true, 1, 0);
	return netprobe_expr_row(arg, &x.row) > 0;
}

int netprobe_manager_view(struct netprobe_manager *m, const struct netprobe_view_query *from,
			  netprobe_row_fn fn, void *arg, struct netprobe_view *ret,
			  struct netprobe_error *err)
{
	struct viewer *v = viewer_of(m);
	struct view_query q = { .kind = (uint8_t)from->kind,
				.sort = (uint8_t)from->sort,
				.reverse = from->reverse,
				.remote = from->remote,
				.iface = from->iface,
				.netns = from->netns,
				.limit = from->limit,
				.idle = from->idle,
				.live = from->live };
	struct netprobe_expr *expr = NULL;
	struct netprobe_view unwanted;
	struct view view;
	int r = 0;

	ret = ret ?: &unwanted;
	v->queries++;
	if (from->match)
		r = netprobe_expr_new(&expr, from->match, from->kind, err);
	if (expr) {
		q.match = matches;
		q.match_arg = expr;
	}
	if (!r)
		r = v->fail ? v->fail : drill(v, from, &q);
	if (!r)
		r = query(v, &q, &view);
	(void)netprobe_expr_free(expr);
	if (r)
		return r;
	*ret = (struct netprobe_view){ .size = sizeof(*ret),
				       .n_total = view.n_total,
				       .tx_bytes_per_s = (double)view.tx_rate,
				       .rx_bytes_per_s = (double)view.rx_rate,
				       .tx_bytes = view.tx_bytes,
				       .rx_bytes = view.rx_bytes,
				       .retransmits = view.retrans,
				       .connections = view.conns,
				       .processes = view.processes,
				       .n_live = view.n_live,
				       .n_ended = view.n_ended,
				       .n_idle = view.n_idle };
	ret->n_rates = api_rates_fill(ret->rates, view.history);
	ret->n_directions = ret->n_rates;
	ret->inside_rate = (double)v->inside_rate;
	for (uint32_t i = 0; i < ret->n_rates; i++) {
		float in = v->inside_rate > 0 ? 0.2f : 0;

		ret->up_rates[i] = ret->rates[i] * (0.7f - in);
		ret->down_rates[i] = ret->rates[i] * 0.3f;
		ret->inside_rates[i] = ret->rates[i] * in;
	}
	for (size_t i = 0; i < view.n_rows; i++)
		if (tell(&view.rows[i], fn, arg))
			break;
	r = (int)view.n_rows;
	free(view.rows);
	return r;
}

void fake_figures(struct flow_tcp *t)
{
	*t = (struct flow_tcp){
		.srtt_us = 23400,
		.rttvar_us = 1200,
		.min_rtt_us = 20100,
		.snd_cwnd = 42,
		.snd_ssthresh = 21,
		.in_flight = 40,
		.mss = 1448,
		.snd_wnd = 65160,
		.rcv_wnd = 131072,
		.unsent_bytes = 1800000,
		.sndbuf_bytes = 2626560,
		.delivery_rate = 2500000,
		.pacing_rate = 3100000,
		.ca_state = 3,
	};
}
