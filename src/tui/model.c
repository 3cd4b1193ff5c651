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

void model_init(struct tui_model *m, const struct tui_opts *opts, struct viewer *viewer)
{
	memset(m, 0, sizeof(*m));
	m->viewer = viewer;
	m->interval_s = opts->interval_s > 0 ? opts->interval_s : 1;
	m->sort = opts->sort < SORT_MAX ? opts->sort : SORT_RATE;
	m->level[0].kind = opts->kind < VIEW_MAX ? opts->kind : VIEW_PROCESS;
	copy_text(m->level[0].filter, sizeof(m->level[0].filter), opts->match);
	copy_text(m->host, sizeof(m->host), opts->host);
	copy_text(m->mode, sizeof(m->mode), opts->mode);
	m->page = 1;
	m->health = opts->health;
	if (m->health)
		model_watch(m);
}

void model_watch(struct tui_model *m)
{
	viewer_watch_health(m->viewer, m->health || m->detail.open);
}

void model_done(struct tui_model *m)
{
	free(m->rows);
	free(m->shown);
	m->rows = NULL;
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
	struct tui_row *rows;
	uint32_t *shown;

	if (n <= m->cap_rows)
		return 0;
	n = n + n / 4 + 16;
	rows = reallocarray(m->rows, n, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	m->rows = rows;
	shown = reallocarray(m->shown, n, sizeof(*shown));
	if (!shown)
		return -ENOMEM;
	m->shown = shown;
	m->cap_rows = n;
	return 0;
}

/*
 * The process a level was entered through, as it is now. Its pointer is not kept: it may have been
 * freed since, and its address given to another process.
 */
static int find_process(struct tui_model *m, uint64_t key, const struct process **ret_proc)
{
	struct view_query q = { .kind = VIEW_PROCESS, .sort = SORT_NAME, .idle = true };
	struct view v = { 0 };
	size_t i;
	int r;

	r = viewer_query(m->viewer, &q, &v);
	if (r < 0)
		return r;
	*ret_proc = NULL;
	for (i = 0; i < v.n_rows && !*ret_proc; i++) {
		if (v.rows[i].key == key)
			*ret_proc = v.rows[i].proc;
	}
	view_done(&v);
	return *ret_proc ? 0 : -ESRCH;
}

/* All levels count: a process within a container is both. -ESRCH: one of them is gone. */
static int constrain(struct tui_model *m, struct view_query *q)
{
	unsigned int i;
	int r;

	for (i = 1; i <= m->depth; i++) {
		struct tui_level *l = &m->level[i];

		if (l->by == DRILL_PROCESS) {
			r = find_process(m, l->proc_key, &q->proc);
			if (r < 0)
				return r;
		} else if (l->by == DRILL_CONTAINER) {
			q->cgroup = l->cgroup;
		} else if (l->by == DRILL_REMOTE) {
			q->remote = l->remote;
		} else if (l->by == DRILL_INTERFACE) {
			q->iface = l->iface;
			q->netns = l->netns;
		}
	}
	return 0;
}

static int take(struct tui_model *m, const struct view *v, uint8_t kind)
{
	time_t now = time(NULL);
	size_t i;
	int r;

	r = reserve(m, v->n_rows);
	if (r < 0)
		return r;
	for (i = 0; i < v->n_rows; i++)
		row_copy(&m->rows[i], &v->rows[i], kind);
	m->n_rows = v->n_rows;
	m->n_total = v->n_total > v->n_rows ? v->n_total : v->n_rows;
	m->totals = (struct tui_totals){
		.tx_rate = v->tx_rate,
		.rx_rate = v->rx_rate,
		.tx_bytes = v->tx_bytes,
		.rx_bytes = v->rx_bytes,
		.retrans = v->retrans,
		.conns = v->conns,
		.processes = v->processes,
	};
	samples_copy(&m->totals.samples, v->history);
	(void)localtime_r(&now, &m->taken);
	return 0;
}

static uint64_t monotonic_ns(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void take_detail(struct tui_model *m)
{
	struct detail *d = &m->detail;
	struct view_row row;
	bool gone = viewer_connection(m->viewer, d->key, &row) < 0;

	/* just opened, or another one: what there is by now, then a sample an interval */
	if (!gone && m->trace.key != d->key)
		trace_add(&m->trace, &row);
	detail_take(d, gone ? NULL : &row, &m->trace, monotonic_ns());
}

void model_sample(struct tui_model *m)
{
	const struct tui_row *row = model_row(m);
	uint64_t key = m->detail.key;
	struct view_row now;

	/* The row under the cursor as well: opened, its page then has something to show at once. */
	if (!m->detail.open)
		key = row && model_level(m)->kind == VIEW_CONNECTION ? row->key : 0;
	if (key && viewer_connection(m->viewer, key, &now) == 0)
		trace_add(&m->trace, &now);
}

int model_snapshot(struct tui_model *m)
{
	struct tui_level *l = model_level(m);
	struct view_query q = {
		.kind = l->kind,
		.sort = m->sort,
		.reverse = m->reverse,
		.idle = m->idle,
		.limit = TUI_ROWS_MAX,
	};
	struct view v = { 0 };
	int r;

	/* Paused, the filter works on the copied rows, so all of them are wanted. */
	q.match = !m->paused && l->filter[0] ? l->filter : NULL;
	r = constrain(m, &q);
	m->gone = r == -ESRCH;
	if (m->gone) {
		if (m->detail.open)
			take_detail(m);
		m->n_rows = m->n_total = 0;
		model_arrange(m);
		return 0;
	}
	if (r < 0)
		return r;
	r = viewer_query(m->viewer, &q, &v);
	if (r < 0)
		return r;
	r = take(m, &v, l->kind);
	view_done(&v);
	model_arrange(m);
	if (m->detail.open)
		take_detail(m);
	return r;
}

static int compare_shown(const void *a, const void *b, void *arg)
{
	const struct tui_model *m = arg;

	return row_compare(&m->rows[*(const uint32_t *)a], &m->rows[*(const uint32_t *)b], m->sort,
			   m->reverse);
}

void model_arrange(struct tui_model *m)
{
	const char *filter = m->paused ? model_level(m)->filter : NULL;
	size_t i;

	m->n_shown = 0;
	for (i = 0; i < m->n_rows; i++) {
		if (row_matches(&m->rows[i], filter))
			m->shown[m->n_shown++] = (uint32_t)i;
	}
	/* A live view comes sorted; doing it again would undo the order of equals. */
	if (m->paused && m->n_shown > 1)
		qsort_r(m->shown, m->n_shown, sizeof(*m->shown), compare_shown, m);
	nav_settle(m);
}

const struct tui_row *model_row(struct tui_model *m)
{
	struct tui_level *l = model_level(m);

	return l->cursor < m->n_shown ? &m->rows[m->shown[l->cursor]] : NULL;
}
