/* SPDX-License-Identifier: BSD-2-Clause */
/* See histograms.h. */
#include "cli/histograms.h"
#include "cli/row.h"

#include <errno.h>
#include <netprobe/netprobe.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "out/table.h"

#define BAR 40 /* columns of the longest bar */

/* Columns of CSV and TSV: a line a slot that is not empty. */
static const struct table_column columns[] = {
	ROW_COLUMNS,
	{ .name = "pid", .title = "PID", .right = true },
	{ .name = "comm", .title = "COMM" },
	CONTAINER_COLUMNS,
	{ .name = "figure", .title = "FIGURE" },
	{ .name = "from_us", .title = "FROM", .right = true },
	{ .name = "to_us", .title = "TO", .right = true },
	{ .name = "count", .title = "COUNT", .right = true },
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define SLOTS NETPROBE_LATENCY_SLOTS
#define FIGURES NETPROBE_LATENCY_MAX

struct figures {
	struct netprobe_latency l;
	char comm[17];
};

struct list {
	struct figures *all;
	size_t n, cap;
	int err;
	struct strings strings;
	struct row_stamp stamp; /* when they were taken, and where and how */
};

static int collect(const struct netprobe_latency *e, void *arg)
{
	struct list *l = arg;
	struct figures *to;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		void *p = reallocarray(l->all, cap, sizeof(*l->all));

		if (!p)
			return l->err = -ENOMEM;
		l->all = p;
		l->cap = cap;
	}
	to = &l->all[l->n++];
	to->l = *e;
	(void)snprintf(to->comm, sizeof(to->comm), "%s", e->comm);
	l->err = row_container_keep(&l->strings, &to->l.container);
	return l->err;
}

static uint64_t sum_of(const uint64_t *slots)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < SLOTS; i++)
		sum += slots[i];
	return sum;
}

static uint64_t from_us(unsigned int slot)
{
	return slot ? 1ULL << (slot - 1) : 0;
}

/* UINT64_MAX: it has no end. */
static uint64_t to_us(unsigned int slot)
{
	return slot < SLOTS - 1 ? 1ULL << slot : UINT64_MAX;
}

static uint64_t figures(const struct figures *e)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < FIGURES; i++)
		sum += sum_of(e->l.counts[i]);
	return sum;
}

/* Most figures first. */
static int by_figures(const void *a, const void *b)
{
	const struct figures *x = a, *y = b;
	uint64_t nx = figures(x), ny = figures(y);

	if (nx != ny)
		return nx < ny ? 1 : -1;
	return x->l.pid < y->l.pid ? -1 : x->l.pid > y->l.pid;
}

static const char *known(const char *s)
{
	return *s ? s : NULL;
}

static void put_slots(struct buf *b, const uint64_t *h)
{
	bool some = false;

	json_key(b, "slots");
	buf_putc(b, '[');
	for (unsigned int i = 0; i < SLOTS; i++) {
		if (!h[i])
			continue;
		buf_puts(b, some ? ",{" : "{");
		some = true;
		json_kv_u64(b, "from_us", from_us(i));
		if (to_us(i) == UINT64_MAX)
			json_kv_null(b, "to_us");
		else
			json_kv_u64(b, "to_us", to_us(i));
		json_kv_u64(b, "count", h[i]);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
}

/* null: the slot has no end. */
static void put_quantile(struct buf *b, const char *key, uint64_t us)
{
	if (us == UINT64_MAX)
		json_kv_null(b, key);
	else
		json_kv_u64(b, key, us);
}

/* "-": the slot has no end. */
static void text_quantile(uint64_t us, char *s, size_t size)
{
	if (us == UINT64_MAX)
		(void)snprintf(s, size, "-");
	else
		unit_format(UNIT_USEC, (double)us, s, (unsigned int)size);
}

/* One object a process; a figure that was never timed is null. */
static void put_json(struct buf *b, struct list *list, const struct figures *e,
		     const struct common_opts *o)
{
	row_begin_json(b, &list->stamp);
	json_kv_u64_or_null(b, "pid", e->l.pid);
	json_kv_str(b, "comm", known(e->comm));
	row_container_json(b, &e->l.container);
	json_kv_u64(b, "sample_rate", o->sample_rate > 1 ? o->sample_rate : 1);
	for (unsigned int i = 0; i < FIGURES; i++) {
		const uint64_t *h = e->l.counts[i];
		uint64_t n = sum_of(h);

		json_key(b, netprobe_latency_name(i));
		if (!n) {
			buf_puts(b, "null");
			continue;
		}
		buf_putc(b, '{');
		json_kv_u64(b, "count", n);
		put_quantile(b, "p50_us", netprobe_latency_quantile(h, 0.5));
		put_quantile(b, "p90_us", netprobe_latency_quantile(h, 0.9));
		put_quantile(b, "p99_us", netprobe_latency_quantile(h, 0.99));
		put_slots(b, h);
		buf_putc(b, '}');
	}
	buf_puts(b, "}\n");
}

static void text_slots(struct buf *b, const uint64_t *h)
{
	unsigned int first = SLOTS, last = 0;
	uint64_t most = 0;

	for (unsigned int i = 0; i < SLOTS; i++) {
		if (!h[i])
			continue;
		if (first == SLOTS)
			first = i;
		last = i;
		most = h[i] > most ? h[i] : most;
	}
	for (unsigned int i = first; i <= last && i < SLOTS; i++) {
		int bar = (int)((h[i] * BAR + most - 1) / most);
		char from[16], to[16] = "...";

		unit_format(UNIT_USEC, (double)from_us(i), from, sizeof(from));
		if (to_us(i) != UINT64_MAX)
			unit_format(UNIT_USEC, (double)to_us(i), to, sizeof(to));
		buf_printf(b, "    %8s - %-8s %10llu ", from, to, (unsigned long long)h[i]);
		for (int j = 0; j < bar; j++)
			buf_putc(b, '#');
		buf_putc(b, '\n');
	}
}

static void put_text(struct buf *b, const struct figures *e)
{
	if (b->len)
		buf_putc(b, '\n');
	if (e->l.pid) {
		(void)utf8_put_field(b, e->comm, strlen(e->comm));
		buf_printf(b, "[%u]", e->l.pid);
	} else {
		buf_puts(b, "process not known");
	}
	if (*e->l.container.id) {
		buf_puts(b, "  ");
		(void)utf8_put_field(b, e->l.container.id, strnlen(e->l.container.id, 12));
	}
	buf_putc(b, '\n');
	for (unsigned int i = 0; i < FIGURES; i++) {
		const uint64_t *h = e->l.counts[i];
		char p50[16], p99[16];

		if (!sum_of(h))
			continue;
		text_quantile(netprobe_latency_quantile(h, 0.5), p50, sizeof(p50));
		text_quantile(netprobe_latency_quantile(h, 0.99), p99, sizeof(p99));
		buf_printf(b, "  %s: %llu, half below %s, 99%% below %s\n",
			   netprobe_latency_name(i), (unsigned long long)sum_of(h), p50, p99);
		text_slots(b, h);
	}
}

static int put_rows(struct table *t, struct list *list, const struct figures *e)
{
	int r = 0;

	for (unsigned int i = 0; i < FIGURES * SLOTS && !r; i++) {
		unsigned int what = i / SLOTS, slot = i % SLOTS;
		const struct cell none = { .type = CELL_NULL };
		struct cell c[N_COLUMNS];
		unsigned int n = row_cells(c, &list->stamp);

		c[n++] = cell_u64_or_null(e->l.pid);
		c[n++] = cell_str(e->comm);
		n += row_container_cells(c + n, &e->l.container);
		c[n++] = cell_str(netprobe_latency_name(what));
		c[n++] = cell_u64(from_us(slot));
		c[n++] = to_us(slot) == UINT64_MAX ? none : cell_u64(to_us(slot));
		c[n++] = cell_u64(e->l.counts[what][slot]);
		if (e->l.counts[what][slot])
			r = table_add(t, c);
	}
	return r;
}

static int put_table(struct buf *b, struct list *l, int format)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	int r = t ? 0 : -ENOMEM;

	for (size_t i = 0; i < l->n && !r; i++)
		r = put_rows(t, l, &l->all[i]);
	if (!r)
		r = table_write(t, b, format, false);
	(void)table_free(t);
	return r;
}

int histograms_write(struct netprobe_manager *m, struct sink *sink, const struct common_opts *o)
{
	int format = o->format < 0 ? FORMAT_TEXT : o->format;
	struct list l = {};
	struct buf b = {};
	int r = netprobe_manager_latencies(m, collect, &l, NULL);

	r = l.err ? l.err : r < 0 ? r : 0;
	row_stamp_take(&l.stamp, m);
	if (!r && l.n)
		qsort(l.all, l.n, sizeof(*l.all), by_figures);
	if (o->count && l.n > o->count)
		l.n = o->count;
	if (!r && (format == FORMAT_CSV || format == FORMAT_TSV))
		r = put_table(&b, &l, format);
	for (size_t i = 0; i < l.n && !r && format <= FORMAT_JSON; i++) {
		if (format == FORMAT_JSON)
			put_json(&b, &l, &l.all[i], o);
		else
			put_text(&b, &l.all[i]);
	}
	if (!r && !l.n && format == FORMAT_TEXT)
		buf_puts(&b, "no process did anything that can be timed\n");
	if (!r)
		r = sink_put(sink, &b, NULL);
	buf_done(&b);
	strings_done(&l.strings);
	free(l.all);
	return r;
}
