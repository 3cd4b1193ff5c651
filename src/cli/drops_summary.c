/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of `netprobe drops --summary`: totals of every kind, put together as asked for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/drops.h"
#include "cli/row.h"
#include "out/words.h"

struct kind {
	/* as long as the kernel's: KSYM_NAME_LEN is 512 since 6.1 */
	char reason[80], location[544], iface[17], comm[17];
	struct netprobe_container container; /* strings of the summary: the same ones are one */
	uint32_t pid, netns;
	uint8_t proto, match, kind;
	uint16_t lport;
	bool counter, rest;
	uint64_t packets, bytes;
};

struct summary {
	struct kind *kinds;
	size_t n, cap;
	uint64_t quiet; /* packets left out */
	struct strings strings;
	struct kind sums[NETPROBE_DROP_OTHERS + 1], total; /* of packets, not of counters */
	bool all;
	int by;
	int err;
};

static const struct table_column columns[] = {
	ROW_COLUMNS,
	{ "packets", "PACKETS", UNIT_NONE, true, 0 },
	{ "bytes", "BYTES", UNIT_BYTES, true, 6 },
	{ "reason", "REASON", UNIT_NONE, false, 0, 14, true },
	{ "kind", "KIND", UNIT_NONE, false, 3 },
	{ "benign", NULL, UNIT_NONE, false, 0 },
	{ "seen_as", "SEEN", UNIT_NONE, false, 1 },
	{ "location", "FUNCTION", UNIT_NONE, false, 5 },
	{ "iface", "IF", UNIT_NONE, false, 7 },
	{ "netns", "NETNS", UNIT_NONE, true, 8 },
	{ "pid", "PID", UNIT_NONE, true, 3 },
	{ "comm", "COMM", UNIT_NONE, false, 2, 8 },
	{ "owner_match", "OWNER", UNIT_NONE, false, 10 },
	CONTAINER_COLUMNS,
	{ "transport", "PROTO", UNIT_NONE, false, 7 },
	{ "lport", "LPORT", UNIT_NONE, true, 2 },
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* Keep of a total only what the table tells apart. */
static void kind_of(struct kind *k, const struct netprobe_drop *t, int by)
{
	bool reason = by == DROPS_BY_ALL || by == DROPS_BY_REASON;
	bool owner = by == DROPS_BY_ALL || by == DROPS_BY_OWNER;
	bool place = by == DROPS_BY_ALL || by == DROPS_BY_PLACE;

	memset(k, 0, sizeof(*k)); /* kinds are compared as bytes */
	k->packets = t->packets;
	k->bytes = t->bytes;
	k->kind = (uint8_t)t->kind;
	k->counter = t->counter;
	k->rest = t->rest;
	if (reason)
		(void)snprintf(k->reason, sizeof(k->reason), "%s", t->reason ? t->reason : "");
	if (place) {
		(void)snprintf(k->location, sizeof(k->location), "%s",
			       t->location ? t->location : "");
		(void)snprintf(k->iface, sizeof(k->iface), "%s", t->iface ? t->iface : "");
		k->netns = t->netns;
	}
	if (owner && t->pid) {
		k->pid = t->pid;
		k->match = (uint8_t)t->owner_match;
		(void)snprintf(k->comm, sizeof(k->comm), "%.15s", t->comm ? t->comm : "");
		k->container = t->container;
	}
	if (by == DROPS_BY_ALL) {
		k->proto = t->proto;
		k->lport = t->lport;
	}
}

static int on_total(const struct netprobe_drop *t, void *arg)
{
	struct summary *s = arg;

	if (t->counter && s->by == DROPS_BY_OWNER)
		return 0; /* they have none, and are partly the others */
	if (t->benign && !s->all) {
		s->quiet += t->packets;
		return 0;
	}
	if (!t->counter && t->kind <= NETPROBE_DROP_OTHERS) {
		s->sums[t->kind].packets += t->packets;
		s->sums[t->kind].bytes += t->bytes;
		s->total.packets += t->packets;
		s->total.bytes += t->bytes;
	}
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		void *p = reallocarray(s->kinds, cap, sizeof(*s->kinds));

		if (!p)
			return s->err = -ENOMEM;
		s->kinds = p;
		s->cap = cap;
	}
	kind_of(&s->kinds[s->n], t, s->by);
	s->err = row_container_keep(&s->strings, &s->kinds[s->n].container);
	s->n += !s->err;
	return s->err;
}

/* Kinds that are the same to the reader compare equal: all but what is counted. */
static int by_kind(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct kind, packets));
}

static int by_packets(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets < y->packets ? 1 : -1;
	return by_kind(a, b);
}

static void merge(struct summary *s)
{
	size_t to = 0;

	if (!s->n)
		return;
	qsort(s->kinds, s->n, sizeof(*s->kinds), by_kind);
	for (size_t i = 1; i < s->n; i++) {
		if (by_kind(&s->kinds[to], &s->kinds[i])) {
			s->kinds[++to] = s->kinds[i];
			continue;
		}
		s->kinds[to].packets += s->kinds[i].packets;
		s->kinds[to].bytes += s->kinds[i].bytes;
	}
	s->n = to + 1;
	qsort(s->kinds, s->n, sizeof(*s->kinds), by_packets);
}

/* source: "packet", "rest", "counter", or "sum" and "total" of the rows of packets. */
static int add_row(struct table *t, const struct row_stamp *stamp, const struct kind *k,
		   const char *source, int by)
{
	bool owner = by == DROPS_BY_ALL || by == DROPS_BY_OWNER;
	bool total = !strcmp(source, "total"), is_sum = total || !strcmp(source, "sum");
	struct cell c[N_COLUMNS];
	unsigned int i = 0;

	i += row_cells(c, stamp);
	c[i++] = (struct cell){ .type = CELL_U64, .u64 = k->packets };
	c[i++] = (struct cell){ .type = CELL_U64, .u64 = k->bytes };
	c[i++] = cell_str(k->reason);
	if (total) {
		c[i++] = (struct cell){ .type = CELL_NULL };
		c[i++] = (struct cell){ .type = CELL_NULL };
	} else {
		c[i++] = cell_str(netprobe_drop_kind_name(k->kind));
		c[i++] = (struct cell){ .type = CELL_BOOL,
					.b = k->kind == NETPROBE_DROP_BENIGN ||
					     k->kind == NETPROBE_DROP_OTHERS };
	}
	c[i++] = cell_str(source);
	c[i++] = cell_str(k->location);
	c[i++] = cell_str(k->iface);
	c[i++] = cell_u64_or_null(k->netns);
	c[i++] = cell_u64_or_null(k->pid);
	c[i++] = cell_str(k->comm);
	c[i++] = cell_str(owner && !is_sum ? owner_match_name(k->match) : NULL);
	i += row_container_cells(c + i, &k->container);
	c[i++] = cell_str(transport_name(k->proto));
	c[i++] = cell_u64_or_null(k->lport);
	return table_add(t, c);
}

static const char *source_of(const struct kind *k)
{
	return k->counter ? "counter" : k->rest ? "rest" : "packet";
}

int drop_summary_write(struct netprobe_manager *m, int by, bool benign, uint32_t limit, int format,
		       bool color, unsigned int fit, struct buf *out)
{
	struct summary s = { .by = by, .all = benign };
	struct table *t = table_new(columns, N_COLUMNS);
	struct row_stamp stamp;
	int r = t ? netprobe_manager_drops(m, on_total, &s, NULL) : -ENOMEM;

	row_stamp_take(&stamp, m);
	r = r > 0 ? 0 : r;
	if (!r)
		r = s.err;
	if (!r) {
		merge(&s);
		if (limit && s.n > limit)
			s.n = limit;
	}
	if (t)
		table_nothing(t, s.quiet ? "no loss" : "no packet was dropped");
	for (size_t i = 0; i < s.n && !r; i++)
		r = add_row(t, &stamp, &s.kinds[i], source_of(&s.kinds[i]), by);
	for (uint8_t i = 0; i <= NETPROBE_DROP_OTHERS && !r; i++) {
		s.sums[i].kind = i;
		if (s.sums[i].packets)
			r = add_row(t, &stamp, &s.sums[i], "sum", by);
	}
	if (!r && s.total.packets)
		r = add_row(t, &stamp, &s.total, "total", by);
	if (!r) {
		table_fit(t, fit);
		r = table_write(t, out, format, color);
	}
	if (!r && s.quiet)
		log_notice("left out: %llu packets that are no loss (--all shows them)",
			   (unsigned long long)s.quiet);
	(void)table_free(t);
	strings_done(&s.strings);
	free(s.kinds);
	return r;
}
