/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The snapshot behind a frame: one query a tick, copied, so that a paused view stays as it was
 * while the flow table moves on. Where the cursor goes is nav.c's affair.
 */
#include "tui/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy_text(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from ? from : "");
}

void model_init(struct tui_model *m, const struct tui_opts *opts, struct netprobe_manager *manager)
{
	memset(m, 0, sizeof(*m));
	m->manager = manager;
	m->interval_s = opts->interval_s > 0 ? opts->interval_s : 1;
	m->sort = opts->sort < NETPROBE_SORT_MAX ? opts->sort : NETPROBE_SORT_RATE;
	m->level[0].kind = opts->kind < NETPROBE_VIEW_MAX ? opts->kind : NETPROBE_VIEW_PROCESS;
	copy_text(m->level[0].filter, sizeof(m->level[0].filter), opts->match);
	copy_text(m->host, sizeof(m->host), opts->host);
	copy_text(m->mode, sizeof(m->mode), opts->mode);
	m->page = 1;
	m->health = opts->health;
	m->limit = opts->limit;
	if (m->health)
		model_watch(m);
}

void model_watch(struct tui_model *m)
{
	(void)netprobe_manager_watch_health(m->manager, m->health || m->detail.open, NULL);
}

static void drop_kept(struct tui_model *m)
{
	for (size_t i = 0; m->kept && i < m->n_kept; i++)
		free(m->kept[i]);
	m->n_kept = 0;
}

void model_done(struct tui_model *m)
{
	drop_kept(m);
	free(m->rows);
	free(m->kept);
	free(m->shown);
	m->filter.expr = netprobe_expr_free(m->filter.expr);
	m->rows = NULL;
	m->kept = NULL;
	m->shown = NULL;
	m->n_rows = m->n_shown = m->cap_rows = 0;
}

void model_status(struct tui_model *m, const struct tui_status *status)
{
	m->status = *status;
	copy_text(m->hook, sizeof(m->hook), status->hook);
	copy_text(m->note, sizeof(m->note), status->note);
	m->status.hook = m->hook;
	m->status.note = m->note;
	if (status->interval_s > 0)
		m->interval_s = status->interval_s;
}

static int reserve(struct tui_model *m, size_t n)
{
	struct kept_row **kept;
	struct tui_row *rows;
	uint32_t *shown;

	if (n <= m->cap_rows)
		return 0;
	n = n + n / 4 + 16;
	rows = reallocarray(m->rows, n, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	m->rows = rows;
	kept = reallocarray(m->kept, n, sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	m->kept = kept;
	shown = reallocarray(m->shown, n, sizeof(*shown));
	if (!shown)
		return -ENOMEM;
	m->shown = shown;
	m->cap_rows = n;
	return 0;
}

/* All levels count: a process within a container is both. */
static void constrain(const struct tui_model *m, struct netprobe_view_query *q)
{
	unsigned int n = 0;

	for (unsigned int i = 1; i <= m->depth; i++) {
		const struct tui_level *l = &m->level[i];

		if (l->by == DRILL_PROCESS) {
			q->process = l->row_key;
		} else if (l->by == DRILL_CONTAINER) {
			q->container = l->row_key;
		} else if (l->by == DRILL_REMOTE) {
			q->remote = l->remote;
		} else if (l->by == DRILL_INTERFACE) {
			q->iface = l->iface;
			q->netns = l->netns;
		} else if (l->by == DRILL_GROUP && n < NETPROBE_OF_MAX) {
			q->of[n].kind = l->of_kind;
			q->of[n++].key = l->row_key;
		}
	}
}

/* Rows on their way into the model. */
struct taking {
	struct tui_model *m;
	size_t n;
	uint8_t kind;
	int err;
};

static int take_row(const struct netprobe_row *row, void *arg)
{
	struct taking *t = arg;

	t->err = reserve(t->m, 2 * (t->n + 1));
	if (!t->err && t->m->paused) {
		t->m->kept[t->n] = kept_new(row);
		t->err = t->m->kept[t->n] ? 0 : -ENOMEM;
		t->m->n_kept += !t->err;
	}
	if (t->err < 0)
		return 1;
	row_copy(&t->m->rows[t->n++], row, t->kind);
	return 0;
}

static void take_totals(struct tui_model *m, const struct netprobe_view *v)
{
	time_t now = time(NULL);

	m->n_total = v->n_total > m->n_rows ? v->n_total : m->n_rows;
	m->n_live = v->n_live;
	m->n_ended = v->n_ended;
	m->n_idle = v->n_idle;
	m->totals = (struct tui_totals){
		.tx_rate = (float)v->tx_bytes_per_s,
		.rx_rate = (float)v->rx_bytes_per_s,
		.tx_bytes = v->tx_bytes,
		.rx_bytes = v->rx_bytes,
		.retrans = v->retransmits,
		.conns = v->connections,
		.processes = v->processes,
		.inside_rate = (float)v->inside_rate,
		.retrans_rate = (float)v->retransmit_rate,
		.segs_rate = (float)v->segment_rate,
	};
	samples_copy(&m->totals.up, v->up_rates, v->n_directions);
	samples_copy(&m->totals.down, v->down_rates, v->n_directions);
	samples_copy(&m->totals.inside, v->inside_rates, v->n_directions);
	(void)localtime_r(&now, &m->taken);
}

static uint64_t monotonic_ns(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int on_detail(const struct netprobe_row *row, void *arg)
{
	struct tui_model *m = arg;

	/* just opened, or another one: what there is by now, then a sample an interval */
	if (m->trace.key != m->detail.key)
		trace_add(&m->trace, row);
	detail_take(&m->detail, row, &m->trace, monotonic_ns());
	return 0;
}

static void take_detail(struct tui_model *m)
{
	if (netprobe_manager_connection(m->manager, m->detail.key, on_detail, m, NULL) < 0)
		detail_take(&m->detail, NULL, &m->trace, 0);
}

static int on_sample(const struct netprobe_row *row, void *arg)
{
	trace_add(arg, row);
	return 0;
}

void model_sample(struct tui_model *m)
{
	const struct tui_row *row = model_row(m);
	uint64_t key = m->detail.key;

	/* The row under the cursor as well: opened, its page then has something to show at once. */
	if (!m->detail.open)
		key = row && model_level(m)->kind == NETPROBE_VIEW_CONNECTION ? row->key : 0;
	if (key)
		(void)netprobe_manager_connection(m->manager, key, on_sample, &m->trace, NULL);
}

/* What is typed becomes the filter as soon as it is an expression; until then the one before holds. */
static void take_filter(struct tui_model *m)
{
	const struct tui_level *l = model_level(m);
	struct tui_filter *f = &m->filter;
	struct netprobe_error err = {};
	struct netprobe_expr *expr = NULL;
	bool same = f->depth == m->depth && f->kind == l->kind;

	if (same && f->expr && !f->wrong[0] && !strcmp(f->text, l->filter))
		return;
	f->wrong[0] = '\0';
	if (l->filter[0] && netprobe_expr_new(&expr, l->filter, l->kind, &err)) {
		copy_text(f->wrong, sizeof(f->wrong), err.msg);
		if (same)
			return;
	}
	(void)netprobe_expr_free(f->expr);
	f->expr = expr;
	f->depth = m->depth;
	f->kind = l->kind;
	copy_text(f->text, sizeof(f->text), expr ? l->filter : "");
}

int model_snapshot(struct tui_model *m)
{
	struct tui_level *l = model_level(m);
	struct netprobe_view_query q = {
		.size = sizeof(q),
		.kind = l->kind,
		.sort = m->sort < NETPROBE_SORT_MAX ? m->sort : NETPROBE_SORT_RATE,
		.reverse = m->reverse,
		.idle = m->idle,
		.live = m->live,
		.limit = TUI_ROWS_MAX,
	};
	struct netprobe_view v = { .size = sizeof(v) };
	struct taking t = { .m = m, .kind = l->kind };
	int r;

	take_filter(m);
	drop_kept(m);
	/* Paused, the filter works on the copied rows, so all of them are wanted. */
	q.match = !m->paused && m->filter.expr ? m->filter.text : NULL;
	constrain(m, &q);
	r = netprobe_manager_view(m->manager, &q, take_row, &t, &v, NULL);
	r = t.err < 0 ? t.err : r;
	m->gone = r == -ESRCH;
	if (r < 0 && !m->gone)
		return r;
	m->n_rows = t.n;
	m->filter.undecided = v.undecided;
	if (m->gone)
		m->n_total = m->n_live = m->n_ended = m->n_idle = 0;
	else
		take_totals(m, &v);
	r = model_arrange(m);
	if (m->detail.open)
		take_detail(m);
	return r;
}

int model_each(struct tui_model *m, netprobe_row_fn fn, void *arg)
{
	struct netprobe_view_query q = {
		.size = sizeof(q),
		.kind = model_level(m)->kind,
		.sort = NETPROBE_SORT_RATE,
		.idle = m->idle,
		.live = m->live,
	};

	constrain(m, &q);
	return netprobe_manager_view(m->manager, &q, fn, arg, NULL, NULL);
}

int model_arrange(struct tui_model *m)
{
	uint64_t before;
	int r;

	take_filter(m);
	before = netprobe_expr_undecided(m->filter.expr);
	r = arrange(m);
	if (m->paused)
		m->filter.undecided = netprobe_expr_undecided(m->filter.expr) - before;
	nav_settle(m);
	return r;
}

const struct tui_row *model_row(struct tui_model *m)
{
	struct tui_level *l = model_level(m);

	return l->cursor < m->n_shown ? &m->rows[m->shown[l->cursor]] : NULL;
}
