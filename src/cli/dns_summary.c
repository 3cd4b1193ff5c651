/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of `netprobe dns --summary`: what was asked most, slowest, failing, and by whom. */
#include "cli/dns.h"
#include "cli/row.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/log.h"
#include "out/table.h"

#define KINDS_MAX 65536 /* different (process, server, name, type) kept apart */

/* Transactions of one process about one name; in a list, what several such come to. */
struct kind {
	char *qname;
	char qtype[12], rcode[12], comm[17], server[INET6_ADDRSTRLEN];
	struct netprobe_container container; /* strings of the summary */
	uint32_t pid;
	uint64_t queries, answered, failed, timeouts, retries;
	double sum_ms, max_ms;
};

struct dns_summary {
	struct kind *kinds;
	uint32_t *slots; /* of the hash: index + 1 */
	size_t n, cap, n_slots;
	struct kind rest; /* transactions there was no room for, together: of the total alone */
	struct strings strings;
	struct row_stamp stamp;
};

struct dns_summary *dns_summary_new(void)
{
	struct dns_summary *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->n_slots = KINDS_MAX * 2;
	s->slots = calloc(s->n_slots, sizeof(*s->slots));
	return s->slots ? s : dns_summary_free(s);
}

struct dns_summary *dns_summary_free(struct dns_summary *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		free(s->kinds[i].qname);
	strings_done(&s->strings);
	free(s->kinds);
	free(s->slots);
	free(s);
	return NULL;
}

static bool is_kind(const struct kind *k, const struct netprobe_event *ev)
{
	return k->pid == ev->pid && !strcmp(k->qname, ev->dns->qname) &&
	       !strcmp(k->qtype, ev->dns->qtype) && !strcmp(k->server, ev->entity_id);
}

static int kind_new(struct dns_summary *s, const struct netprobe_event *ev)
{
	struct kind *k;

	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		void *mem = reallocarray(s->kinds, cap, sizeof(*s->kinds));

		if (!mem)
			return -ENOMEM;
		s->kinds = mem;
		s->cap = cap;
	}
	k = &s->kinds[s->n];
	*k = (struct kind){ .pid = ev->pid, .qname = strdup(ev->dns->qname) };
	if (!k->qname)
		return -ENOMEM;
	(void)snprintf(k->qtype, sizeof(k->qtype), "%s", ev->dns->qtype);
	(void)snprintf(k->server, sizeof(k->server), "%s", ev->entity_id);
	(void)snprintf(k->comm, sizeof(k->comm), "%s", ev->comm);
	k->container = ev->container;
	if (row_container_keep(&s->strings, &k->container)) {
		free(k->qname);
		return -ENOMEM;
	}
	s->n++;
	return 0;
}

/* The rest, where there is no room. NULL: no memory (*ret_err). */
static struct kind *kind_of(struct dns_summary *s, const struct netprobe_event *ev, int *ret_err)
{
	const char *qname = ev->dns->qname;
	size_t i = XXH3_64bits_withSeed(qname, strlen(qname), ev->pid) % s->n_slots;

	for (; s->slots[i]; i = (i + 1) % s->n_slots)
		if (is_kind(&s->kinds[s->slots[i] - 1], ev))
			return &s->kinds[s->slots[i] - 1];
	if (s->n == KINDS_MAX)
		return &s->rest;
	*ret_err = kind_new(s, ev);
	if (*ret_err)
		return NULL;
	s->slots[i] = (uint32_t)s->n;
	return &s->kinds[s->n - 1];
}

int dns_summary_add(struct dns_summary *s, const struct netprobe_event *ev)
{
	const struct netprobe_dns_query *d = ev->dns;
	int r = 0;
	struct kind *k = kind_of(s, ev, &r);

	if (!k)
		return r;
	k->queries++;
	k->retries += d->retries;
	k->timeouts += d->timed_out;
	if (d->rcode) {
		k->answered++;
		k->sum_ms += d->latency_ms;
		k->max_ms = d->latency_ms > k->max_ms ? d->latency_ms : k->max_ms;
		k->failed += strcmp(d->rcode, "NOERROR") != 0;
		(void)snprintf(k->rcode, sizeof(k->rcode), "%s", d->rcode);
	}
	return 0;
}

static const struct table_column columns[] = {
	ROW_COLUMNS,
	{ "list", NULL, UNIT_NONE, false, 0 },
	{ "queries", "QUERIES", UNIT_NONE, true, 1 },
	{ "answered", "ANSWERED", UNIT_NONE, true, 9 },
	{ "failed", "FAILED", UNIT_NONE, true, 3 },
	{ "timeouts", "TIMEOUTS", UNIT_NONE, true, 4 },
	{ "retries", "RETRIES", UNIT_NONE, true, 10 },
	{ "mean_ms", "MEAN", UNIT_MSEC, true, 5 },
	{ "max_ms", "MAX", UNIT_MSEC, true, 2 },
	{ "qname", "NAME", UNIT_NONE, false, 0, 14, true },
	{ "qtype", "TYPE", UNIT_NONE, false, 8 },
	{ "rcode", "RCODE", UNIT_NONE, false, 7 },
	{ "entity_id", "SERVER", UNIT_NONE, false, 6, 15, true },
	{ "pid", "PID", UNIT_NONE, true, 4 },
	{ "comm", "COMM", UNIT_NONE, false, 1, 8 },
	CONTAINER_COLUMNS,
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static struct cell ms(const struct kind *k, double v)
{
	return k->answered ? (struct cell){ .type = CELL_DOUBLE, .dbl = v }
			   : (struct cell){ .type = CELL_NULL };
}

static int add_row(struct table *t, const struct row_stamp *stamp, const char *list,
		   const struct kind *k)
{
	struct cell c[N_COLUMNS];
	unsigned int i = row_cells(c, stamp);

	c[i++] = cell_str(list);
	c[i++] = cell_u64(k->queries);
	c[i++] = cell_u64(k->answered);
	c[i++] = cell_u64(k->failed);
	c[i++] = cell_u64(k->timeouts);
	c[i++] = cell_u64(k->retries);
	c[i++] = ms(k, k->answered ? k->sum_ms / (double)k->answered : 0);
	c[i++] = ms(k, k->max_ms);
	c[i++] = cell_str(k->qname);
	c[i++] = cell_str(k->qtype);
	c[i++] = cell_str(k->rcode);
	c[i++] = cell_str(k->server);
	c[i++] = k->pid ? cell_u64(k->pid) : (struct cell){ .type = CELL_NULL };
	c[i++] = cell_str(k->comm);
	i += row_container_cells(c + i, &k->container);
	return table_add(t, c);
}

/* Ties keep an order of their own, so that two runs over the same show the same. */
static int by_name(const struct kind *x, const struct kind *y)
{
	int r = strcmp(x->qname ? x->qname : "", y->qname ? y->qname : "");

	return r ? r : x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int by_queries(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	return x->queries != y->queries ? (x->queries < y->queries ? 1 : -1) : by_name(x, y);
}

static int by_latency(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	return x->max_ms != y->max_ms ? (x->max_ms < y->max_ms ? 1 : -1) : by_name(x, y);
}

static int by_failures(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;
	uint64_t n = x->failed + x->timeouts, m = y->failed + y->timeouts;

	return n != m ? (n < m ? 1 : -1) : by_name(x, y);
}

static int by_pid(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	return x->pid != y->pid ? (x->pid < y->pid ? -1 : 1) : strcmp(x->comm, y->comm);
}

static int by_question(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;
	int r = strcmp(x->qname, y->qname);

	return r ? r : strcmp(x->qtype, y->qtype);
}

/* A word that holds for both, else none. */
static void agree(char *word, const char *other)
{
	if (strcmp(word, other) != 0)
		word[0] = '\0';
}

static void add_up(struct kind *sum, const struct kind *one)
{
	sum->queries += one->queries;
	sum->answered += one->answered;
	sum->failed += one->failed;
	sum->timeouts += one->timeouts;
	sum->retries += one->retries;
	sum->sum_ms += one->sum_ms;
	sum->max_ms = one->max_ms > sum->max_ms ? one->max_ms : sum->max_ms;
	/* nothing was answered: no word against the other's */
	if (one->rcode[0] && sum->answered > one->answered)
		agree(sum->rcode, one->rcode);
	else if (one->rcode[0])
		(void)snprintf(sum->rcode, sizeof(sum->rcode), "%s", one->rcode);
	agree(sum->server, one->server);
	agree(sum->comm, one->comm);
	if (!row_container_same(&sum->container, &one->container))
		sum->container = (struct netprobe_container){};
	if (sum->pid != one->pid)
		sum->pid = 0;
	if (sum->qname && (!one->qname || by_question(sum, one)))
		sum->qname = NULL;
}

/*
 * All that are the same to order in one; of the rest what all of them have in common. Who is asked for by a hundred
 * processes is asked for a hundred times. Returns how many there are.
 */
static size_t merge(struct kind *k, size_t n, int (*order)(const void *a, const void *b))
{
	size_t to = 0;

	qsort(k, n, sizeof(*k), order);
	for (size_t i = 0; i < n; i++) {
		if (to && !order(&k[to - 1], &k[i]))
			add_up(&k[to - 1], &k[i]);
		else
			k[to++] = k[i];
	}
	return to;
}

#define LIST_ASKED 0
#define LIST_SLOWEST 1
#define LIST_FAILING 2
#define LIST_PROCESS 3
#define LIST_MAX 4

static bool belongs(const struct kind *k, int list)
{
	if (list == LIST_SLOWEST)
		return k->answered;
	return list != LIST_FAILING || k->failed || k->timeouts;
}

static int fill(const struct dns_summary *s, int list, uint32_t rows, struct table *t)
{
	static const struct {
		const char *name;
		int (*order)(const void *a, const void *b);
	} lists[LIST_MAX] = {
		[LIST_ASKED] = { "asked", by_queries },
		[LIST_SLOWEST] = { "slowest", by_latency },
		[LIST_FAILING] = { "failing", by_failures },
		[LIST_PROCESS] = { "process", by_queries },
	};
	struct kind *k = calloc(s->n + 1, sizeof(*k));
	size_t n = s->n;
	int r = 0;

	if (!k)
		return -ENOMEM;
	if (n)
		memcpy(k, s->kinds, n * sizeof(*k));
	n = merge(k, n, list == LIST_PROCESS ? by_pid : by_question);
	for (size_t i = 0; list == LIST_PROCESS && i < n; i++) {
		k[i].qname = NULL;
		k[i].qtype[0] = k[i].rcode[0] = k[i].server[0] = '\0';
	}
	qsort(k, n, sizeof(*k), lists[list].order);
	for (size_t i = 0; i < n && rows && !r; i++) {
		if (!belongs(&k[i], list))
			continue;
		r = add_row(t, &s->stamp, lists[list].name, &k[i]);
		rows--;
	}
	free(k);
	return r;
}

/* All that was seen, whatever the lists show. */
static int add_total(const struct dns_summary *s, struct table *t)
{
	struct kind all = s->rest;

	for (size_t i = 0; i < s->n; i++)
		add_up(&all, &s->kinds[i]);
	all.qname = NULL;
	all.qtype[0] = all.rcode[0] = all.server[0] = all.comm[0] = '\0';
	all.container = (struct netprobe_container){};
	all.pid = 0;
	return add_row(t, &s->stamp, "total", &all);
}

int dns_summary_write(struct dns_summary *s, struct netprobe_manager *m, uint32_t rows, int format,
		      bool color, unsigned int fit, struct buf *out)
{
	static const char *const titles[LIST_MAX] = { "Most asked", "Slowest", "Failing",
						      "By process" };
	struct table *t = table_new(columns, N_COLUMNS);
	bool text = format == FORMAT_TEXT;
	int r = t ? 0 : -ENOMEM;

	row_stamp_take(&s->stamp, m);
	if (t)
		table_fit(t, fit);
	if (text && !s->n)
		buf_puts(out, "no DNS transaction was seen\n");
	for (int list = 0; list < LIST_MAX && !r && s->n; list++) {
		r = fill(s, list, rows, t);
		if (r || !text)
			continue;
		table_nothing(t, "none");
		buf_printf(out, "%s%s\n", list ? "\n" : "", titles[list]);
		r = table_write(t, out, format, color);
		table_clear(t);
	}
	if (!r && (!text || s->n))
		r = add_total(s, t);
	if (!r && text && s->n)
		buf_puts(out, "\nAll together\n");
	if (!r && (!text || s->n))
		r = table_write(t, out, format, color);
	if (!r && s->rest.queries)
		log_notice(
			"left out of the lists: %llu transactions of more than %d different kinds",
			(unsigned long long)s->rest.queries, KINDS_MAX);
	(void)table_free(t);
	return r;
}
