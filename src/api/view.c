/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of views for the caller, and what they take to be healthy. */
#include <errno.h>
#include <string.h>

#include "api/fields.h"
#include "api/fill.h"
#include "api/internal.h"
#include "base/error.h"
#include "base/log.h"
#include "flow/inside.h"
#include "flow/reason.h"

#define QUERY_LEAST (offsetof(struct netprobe_view_query, limit) + sizeof(size_t))

/* A row of another view by its key: what is drilled into. -ESRCH: it is not there any more. */
static int find_row(struct viewer *v, uint8_t kind, uint64_t key, struct view_row *ret)
{
	struct view_query q = { .kind = kind, .sort = NETPROBE_SORT_NAME, .idle = true };
	struct view view = {};
	int r = viewer_query(v, &q, &view);

	if (r)
		return r;
	r = -ESRCH;
	for (size_t i = 0; i < view.n_rows && r; i++) {
		if (view.rows[i].key != key)
			continue;
		*ret = view.rows[i];
		r = 0;
	}
	view_done(&view);
	return r;
}

static int drill(struct viewer *v, const struct netprobe_view_query *from, struct view_query *q)
{
	struct view_row row;
	int r = 0;

	if (from->process) {
		r = find_row(v, NETPROBE_VIEW_PROCESS, from->process, &row);
		q->proc = r ? NULL : row.proc;
		r = r || row.proc ? r : -ESRCH;
	}
	if (!r && from->container) {
		r = find_row(v, NETPROBE_VIEW_CONTAINER, from->container, &row);
		q->cgroup = r ? NULL : row.cgroup;
		r = r || row.cgroup ? r : -ESRCH;
	}
	return r;
}

static void fill_view(struct netprobe_view *to, const struct view *v)
{
	*to = (struct netprobe_view){ .n_total = v->n_total,
				      .tx_bytes_per_s = (double)v->tx_rate,
				      .rx_bytes_per_s = (double)v->rx_rate,
				      .tx_bytes = v->tx_bytes,
				      .rx_bytes = v->rx_bytes,
				      .retransmits = v->retrans,
				      .connections = v->conns,
				      .processes = v->processes,
				      .n_live = v->n_live,
				      .n_ended = v->n_ended,
				      .n_idle = v->n_idle,
				      .retransmit_rate = (double)v->retrans_rate,
				      .segment_rate = (double)v->segs_rate,
				      .up_rate = (double)v->inside->up_rate,
				      .down_rate = (double)v->inside->down_rate,
				      .inside_rate = (double)v->inside->inside_rate };
	to->n_rates = api_rates_fill(to->rates, v->history);
	to->n_directions = api_rates_fill(to->up_rates, &v->inside->up);
	(void)api_rates_fill(to->down_rates, &v->inside->down);
	(void)api_rates_fill(to->inside_rates, &v->inside->inside);
}

static void make_row(struct netprobe_manager *m, const struct view_row *row, struct api_row *ret)
{
	float seconds = flow_table_seconds(session_flows(m->session));
	bool counted = !row->flow || session_counts(m->session, row->flow->tuple.proto);

	api_row_fill(ret, row, counted, seconds, clock_monotonic_ns());
}

/* What fn returned. */
static int tell(struct netprobe_manager *m, const struct view_row *row, netprobe_row_fn fn,
		void *arg)
{
	struct api_row x;
	int r;

	if (!fn)
		return 0;
	make_row(m, row, &x);
	api_listing++;
	r = fn(&x.row, arg);
	api_listing--;
	return r;
}

struct matching {
	struct netprobe_manager *m;
	struct expr *expr;
};

static bool on_match(const struct view_row *row, void *arg)
{
	struct matching *match = arg;
	struct api_row x;

	make_row(match->m, row, &x);
	return expr_match(match->expr,
			  &(struct fields_record){ .row = &x.row, .flow = x.row.flow });
}

static int query(struct netprobe_manager *m, const struct netprobe_view_query *from,
		 netprobe_row_fn fn, void *arg, struct netprobe_view *ret,
		 struct netprobe_error *err)
{
	struct viewer *v = session_viewer(m->session);
	struct view_query q = { .kind = (uint8_t)from->kind,
				.sort = (uint8_t)from->sort,
				.reverse = from->reverse,
				.idle = from->idle,
				.live = from->live,
				.remote = from->remote,
				.iface = from->iface,
				.netns = from->netns,
				.limit = from->limit };
	struct matching match = { .m = m };
	struct netprobe_view sums;
	struct view view = {};
	int n = 0, r = 0;

	if (from->match && *from->match) {
		r = expr_new(from->match, fields_about(from->kind), &match.expr, err);
		if (r)
			return error_prefix(err, "match"), r;
		q.match = on_match;
		q.match_arg = &match;
	}
	for (unsigned int i = 0; i < NETPROBE_OF_MAX && from->of[i].key; i++) {
		q.of[i].group = (uint32_t)view_group((uint8_t)from->of[i].kind);
		q.of[i].key = from->of[i].key;
	}
	r = drill(v, from, &q);
	if (!r)
		r = viewer_query(v, &q, &view);
	if (r) {
		(void)expr_free(match.expr);
		return error_set(err, r, "no rows: %s", strerror(-r));
	}
	fill_view(&sums, &view);
	sums.undecided = match.expr ? expr_gave_up(match.expr) : 0;
	(void)expr_free(match.expr);
	if (ret)
		(void)GIVE(ret, sums);
	for (size_t i = 0; i < view.n_rows; i++) {
		n++;
		if (tell(m, &view.rows[i], fn, arg))
			break;
	}
	view_done(&view);
	return n;
}

API_PUBLIC int netprobe_manager_view(struct netprobe_manager *m,
				     const struct netprobe_view_query *asked, netprobe_row_fn fn,
				     void *arg, struct netprobe_view *ret,
				     struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_view_query q;
	int r = api_check_listing(err);

	if (!r && !asked)
		r = error_set(err, -EINVAL, "no query");
	if (!r)
		r = api_take(asked, asked->size, QUERY_LEAST, &q, sizeof(q), err);
	if (!r && ret && (ret->size < sizeof(size_t) || ret->size > API_SIZE_MAX))
		r = error_set(err, -EINVAL, "size: %zu is none", ret->size);
	if (!r && (q.kind >= NETPROBE_VIEW_MAX || q.sort >= NETPROBE_SORT_MAX))
		r = error_set(err, -EINVAL,
			      "kind, sort: takes NETPROBE_VIEW_* and NETPROBE_SORT_*");
	for (unsigned int i = 0; !r && i < NETPROBE_OF_MAX && q.of[i].key; i++)
		if (q.of[i].kind >= NETPROBE_VIEW_MAX || view_group((uint8_t)q.of[i].kind) < 0)
			r = error_set(err, -EINVAL, "of: takes NETPROBE_VIEW_* of groups");
	if (r)
		return r;
	api_lock(m);
	r = m->session ? query(m, &q, fn, arg, ret, err) : api_not_loaded(err);
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_connection(struct netprobe_manager *m, uint64_t key,
					   netprobe_row_fn fn, void *arg,
					   struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct view_row row;
	int r = api_check_listing(err);

	if (r)
		return r;
	api_lock(m);
	if (!m->session)
		r = api_not_loaded(err);
	else if (viewer_connection(session_viewer(m->session), key, &row))
		r = error_set(err, -ENOENT, "that connection is not kept any more");
	else
		r = tell(m, &row, fn, arg);
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_restart_sums(struct netprobe_manager *m, struct netprobe_error *err)
{
	API_ENTER(m, err);
	int r = api_check_listing(err);

	if (r)
		return r;
	api_lock(m);
	if (!m->session)
		r = api_not_loaded(err);
	else if (m->config.keep_closed)
		r = error_set(err, -EOPNOTSUPP,
			      "keep_closed: sums of flows that are over are kept, and do not "
			      "begin anew; takes a manager without it");
	else if (viewer_restart(session_viewer(m->session)))
		r = error_set(err, -ENOMEM, "out of memory");
	api_unlock(m);
	return r;
}

static void on_drop(const struct drop_total *t, void *arg)
{
	if (t->kind == NETPROBE_DROP_LOSS && !t->counter)
		(void)dropped_add(arg, t->owner, t->netns, t->iface, t->packets);
}

void view_take_drops(struct netprobe_manager *m)
{
	if (!m->drops || !m->dropped)
		return;
	dropped_clear(m->dropped);
	(void)drop_watch_totals(m->drops, on_drop, m->dropped);
}

/* Once; where drops cannot be seen rows have none. */
static void watch_drops(struct netprobe_manager *m)
{
	struct drop_watch_opts o = { .filter = *session_filter(m->session) };
	struct netprobe_error err = {};

	if (m->dropped || m->drops_tried || !session_probe(m->session))
		return;
	m->drops_tried = true;
	if (!m->drops && drop_watch_open(m->session, &o, &m->drops, &err)) {
		log_info("no drops: %s", err.msg);
		return;
	}
	m->dropped = dropped_new();
	if (m->dropped)
		viewer_set_dropped(session_viewer(m->session), m->dropped);
}

API_PUBLIC int netprobe_manager_watch_health(struct netprobe_manager *m, bool on,
					     struct netprobe_error *err)
{
	API_ENTER(m, err);
	int r = api_check_listing(err);

	if (r)
		return r;
	api_lock(m);
	if (m->session) {
		m->health = on;
		session_set_full_sweeps(m->session, on || m->config.read_idle);
		viewer_watch_health(session_viewer(m->session), on);
		if (on)
			watch_drops(m);
	} else {
		r = api_not_loaded(err);
	}
	api_unlock(m);
	return r;
}
