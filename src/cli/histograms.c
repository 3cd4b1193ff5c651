/* SPDX-License-Identifier: BSD-2-Clause */
/* See histograms.h. */
#include "cli/histograms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "out/table.h"
#include "engine/session.h"

#define BAR 40 /* columns of the longest bar */

/* Columns of CSV and TSV: a line a slot that is not empty. */
static const struct table_column columns[] = {
	{ "pid", "PID", UNIT_NONE, true, 0 },	    { "comm", "COMM", UNIT_NONE, false, 0 },
	{ "container", NULL, UNIT_NONE, false, 0 }, { "figure", "FIGURE", UNIT_NONE, false, 0 },
	{ "from_us", "FROM", UNIT_NONE, true, 0 },  { "to_us", "TO", UNIT_NONE, true, 0 },
	{ "count", "COUNT", UNIT_NONE, true, 0 },
};

struct list {
	const struct latency **all;
	size_t n, cap;
};

static int collect(const struct latency *e, void *arg)
{
	struct list *l = arg;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		void *p = reallocarray(l->all, cap, sizeof(*l->all));

		if (!p)
			return -ENOMEM;
		l->all = p;
		l->cap = cap;
	}
	l->all[l->n++] = e;
	return 0;
}

static uint64_t figures(const struct latency *e)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < LATENCY_MAX; i++)
		sum += histogram_count(&e->h[i]);
	return sum;
}

/* Most figures first. */
static int by_figures(const void *a, const void *b)
{
	const struct latency *x = *(const struct latency *const *)a;
	const struct latency *y = *(const struct latency *const *)b;
	uint64_t nx = figures(x), ny = figures(y);

	if (nx != ny)
		return nx < ny ? 1 : -1;
	return x->proc->tgid < y->proc->tgid ? -1 : x->proc->tgid > y->proc->tgid;
}

static const char *container_of(const struct process *p)
{
	return p->cgroup ? p->cgroup->container_id : NULL;
}

static void put_slots(struct buf *b, const struct histogram *h)
{
	bool some = false;

	json_key(b, "slots");
	buf_putc(b, '[');
	for (unsigned int i = 0; i < NP_HIST_SLOTS; i++) {
		if (!h->n[i])
			continue;
		buf_puts(b, some ? ",{" : "{");
		some = true;
		json_kv_u64(b, "from_us", histogram_from(i));
		if (histogram_to(i) == UINT64_MAX)
			json_kv_null(b, "to_us");
		else
			json_kv_u64(b, "to_us", histogram_to(i));
		json_kv_u64(b, "count", h->n[i]);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
}

/* One object a process; a figure that was never timed is null. */
static void put_json(struct buf *b, const struct latency *e, const struct common_opts *o)
{
	bool known = e->proc->tgid != 0;

	buf_putc(b, '{');
	json_kv_u64_or_null(b, "pid", e->proc->tgid);
	json_kv_str(b, "comm", known ? e->proc->comm : NULL);
	json_kv_str(b, "container", known ? container_of(e->proc) : NULL);
	json_kv_u64_or_null(b, "sample_rate", o->sample_rate > 1 ? o->sample_rate : 0);
	for (unsigned int i = 0; i < LATENCY_MAX; i++) {
		const struct histogram *h = &e->h[i];
		uint64_t n = histogram_count(h);

		json_key(b, latency_name(i));
		if (!n) {
			buf_puts(b, "null");
			continue;
		}
		buf_putc(b, '{');
		json_kv_u64(b, "count", n);
		json_kv_u64(b, "p50_us", histogram_quantile(h, 0.5));
		json_kv_u64(b, "p90_us", histogram_quantile(h, 0.9));
		json_kv_u64(b, "p99_us", histogram_quantile(h, 0.99));
		put_slots(b, h);
		buf_putc(b, '}');
	}
	buf_puts(b, "}\n");
}

static void text_slots(struct buf *b, const struct histogram *h)
{
	unsigned int first = NP_HIST_SLOTS, last = 0;
	uint64_t most = 0;

	for (unsigned int i = 0; i < NP_HIST_SLOTS; i++) {
		if (!h->n[i])
			continue;
		if (first == NP_HIST_SLOTS)
			first = i;
		last = i;
		most = h->n[i] > most ? h->n[i] : most;
	}
	for (unsigned int i = first; i <= last && i < NP_HIST_SLOTS; i++) {
		int bar = (int)((h->n[i] * BAR + most - 1) / most);
		char from[16], to[16] = "...";

		unit_format(UNIT_USEC, (double)histogram_from(i), from, sizeof(from));
		if (histogram_to(i) != UINT64_MAX)
			unit_format(UNIT_USEC, (double)histogram_to(i), to, sizeof(to));
		buf_printf(b, "    %8s - %-8s %10llu ", from, to, (unsigned long long)h->n[i]);
		for (int j = 0; j < bar; j++)
			buf_putc(b, '#');
		buf_putc(b, '\n');
	}
}

static void put_text(struct buf *b, const struct latency *e)
{
	const char *container = container_of(e->proc);

	buf_printf(b, "%s%.16s[%u]%s%.12s\n", b->len ? "\n" : "",
		   e->proc->tgid ? e->proc->comm : "?", e->proc->tgid, container ? "  " : "",
		   container ?: "");
	for (unsigned int i = 0; i < LATENCY_MAX; i++) {
		const struct histogram *h = &e->h[i];
		char p50[16], p99[16];

		if (!histogram_count(h))
			continue;
		unit_format(UNIT_USEC, (double)histogram_quantile(h, 0.5), p50, sizeof(p50));
		unit_format(UNIT_USEC, (double)histogram_quantile(h, 0.99), p99, sizeof(p99));
		buf_printf(b, "  %s: %llu, half below %s, 99%% below %s\n", latency_name(i),
			   (unsigned long long)histogram_count(h), p50, p99);
		text_slots(b, h);
	}
}

static int put_rows(struct table *t, const struct latency *e)
{
	const struct process *p = e->proc;
	int r = 0;

	for (unsigned int i = 0; i < LATENCY_MAX * NP_HIST_SLOTS && !r; i++) {
		unsigned int what = i / NP_HIST_SLOTS, slot = i % NP_HIST_SLOTS;
		const struct cell none = { .type = CELL_NULL };
		struct cell c[] = {
			p->tgid ? (struct cell){ .type = CELL_U64, .u64 = p->tgid } : none,
			p->tgid ? (struct cell){ .type = CELL_STR, .str = p->comm } : none,
			container_of(p) ? (struct cell){ .type = CELL_STR, .str = container_of(p) }
					: none,
			{ .type = CELL_STR, .str = latency_name(what) },
			{ .type = CELL_U64, .u64 = histogram_from(slot) },
			histogram_to(slot) == UINT64_MAX
				? none
				: (struct cell){ .type = CELL_U64, .u64 = histogram_to(slot) },
			{ .type = CELL_U64, .u64 = e->h[what].n[slot] },
		};

		if (e->h[what].n[slot])
			r = table_add(t, c);
	}
	return r;
}

static int put_table(struct buf *b, const struct list *l, int format)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	int r = t ? 0 : -ENOMEM;

	for (size_t i = 0; i < l->n && !r; i++)
		r = put_rows(t, l->all[i]);
	if (!r)
		r = table_write(t, b, format, false);
	(void)table_free(t);
	return r;
}

int histograms_write(struct session *s, struct sink *sink, const struct common_opts *o)
{
	int format = o->format < 0 ? FORMAT_TEXT : o->format;
	struct list l = {};
	struct buf b = {};
	int r = latencies_each(session_latencies(s), collect, &l);

	if (!r && l.n)
		qsort(l.all, l.n, sizeof(*l.all), by_figures);
	if (o->count && l.n > o->count)
		l.n = o->count;
	if (!r && (format == FORMAT_CSV || format == FORMAT_TSV))
		r = put_table(&b, &l, format);
	for (size_t i = 0; i < l.n && !r && format <= FORMAT_JSON; i++) {
		if (format == FORMAT_JSON)
			put_json(&b, l.all[i], o);
		else
			put_text(&b, l.all[i]);
	}
	if (!r && !l.n && format == FORMAT_TEXT)
		buf_puts(&b, "no process did anything that can be timed\n");
	if (!r)
		r = sink_write(sink, &b);
	buf_done(&b);
	free(l.all);
	return r;
}
