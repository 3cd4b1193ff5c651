/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe dns`: DNS transactions as they end, or what they come to. */
#include "cli/dns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/names.h"
#include "cli/row.h"
#include "cli/settings.h"
#include "cli/stream.h"
#include "out/table.h"
#include "out/words.h"

struct dns {
	struct common_opts o; /* first: the tables of common rows write there */
	bool summary;
	struct stream s;	     /* written: transactions */
	struct netprobe_expr *match; /* NULL: all */
	struct netprobe_manager *manager;
	struct dns_summary *sums; /* NULL unless --summary */
	struct table *table;	  /* csv, tsv: one row at a time */
	struct row_stamp stamp;	  /* its host and mode */
};

static const char *const format_names[] = { "text", "json", "csv", "tsv", "xctl", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct dns, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("DNS"),
	ROW("summary", 0, OPTION_BOOL, summary, NULL,
	    "at the end: most asked, slowest, failing, and by process"),
	ROW("match", 0, OPTION_STRING, o.match, "EXPR",
	    "only transactions that match: 'rcode!=NOERROR latency>50ms'; see netprobe-expressions(5)"),
	ROW("format", 0, OPTION_ENUM, o.format, NULL,
	    "json when piped, text on a terminal and of a summary", .names = format_names),
	ROW("output", 'o', OPTION_STRING, o.output, "FILE", "write there instead of stdout"),
	ROW("duration", 0, OPTION_SECONDS, o.duration, "SEC", "end after this time", .min = 1),
	ROW("interval", 0, OPTION_SECONDS, o.interval, "SEC",
	    "between two looks at losses (default 1)", .flags = OPTION_LIVE, .min = 10,
	    .max = 3600000),
	ROW(NULL, 'n', OPTION_U32, o.count, "COUNT",
	    "end after so many transactions; of a summary: rows of each list (default 10)",
	    .min = 1),
	ROW("no-color", 0, OPTION_BOOL, o.no_color, NULL,
	    "no colours on a terminal (or set NO_COLOR)"),
	OPTIONS_END,
};

static const struct table_column columns[] = {
	ROW_COLUMNS,
	{ "ktime_ns", NULL, UNIT_NONE, true, 0 },
	{ "pid", NULL, UNIT_NONE, true, 0 },
	{ "comm", NULL, UNIT_NONE, false, 0 },
	CONTAINER_COLUMNS,
	{ "entity_id", NULL, UNIT_NONE, false, 0 },
	{ "rport", NULL, UNIT_NONE, true, 0 },
	{ "transport", NULL, UNIT_NONE, false, 0 },
	{ "qname", NULL, UNIT_NONE, false, 0 },
	{ "qtype", NULL, UNIT_NONE, false, 0 },
	{ "rcode", NULL, UNIT_NONE, false, 0 },
	{ "latency_ms", NULL, UNIT_NONE, true, 0 },
	{ "retries", NULL, UNIT_NONE, true, 0 },
	{ "timeout", NULL, UNIT_NONE, false, 0 },
	{ "answers", NULL, UNIT_NONE, false, 0 },
	{ "asked_by.pid", NULL, UNIT_NONE, true, 0 },
	{ "asked_by.comm", NULL, UNIT_NONE, false, 0 },
	{ "asked_by.waited_ms", NULL, UNIT_NONE, true, 0 },
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static bool is_full(const struct dns *x)
{
	return !x->summary && x->o.count && x->s.written >= x->o.count;
}

/* Several values in one cell, a blank between them. */
static const char *join(const struct netprobe_dns_query *d, struct buf *b)
{
	for (size_t i = 0; i < d->n_answers; i++)
		buf_printf(b, "%s%s", i ? " " : "", d->answers[i]);
	return buf_str(b);
}

/* A row; the heading is written once. */
static int write_row(struct dns *x, const struct netprobe_event *ev)
{
	const struct netprobe_dns_query *d = ev->dns;
	struct buf line = {}, answers = {};
	struct row_stamp stamp = x->stamp;
	struct cell c[N_COLUMNS];
	unsigned int i;
	int r = x->table ? 0 : -ENOMEM;

	buf_time_ns(&line, ev->wall_ns);
	(void)snprintf(stamp.ts, sizeof(stamp.ts), "%s", buf_str(&line) ?: "");
	buf_reset(&line);
	i = row_cells(c, &stamp);
	c[i++] = cell_u64(ev->ktime_ns);
	c[i++] = cell_u64_or_null(ev->pid);
	c[i++] = cell_str(ev->comm);
	i += row_container_cells(c + i, &ev->container);
	c[i++] = cell_str(ev->entity_id);
	c[i++] = cell_u64_or_null(d->rport);
	c[i++] = cell_str(transport_name(d->proto));
	c[i++] = cell_str(d->qname);
	c[i++] = cell_str(d->qtype);
	c[i++] = cell_str(d->rcode);
	c[i++] = cell_double(d->latency_ms);
	c[i++] = cell_u64(d->retries);
	c[i++] = cell_bool(d->timed_out);
	c[i++] = cell_str(join(d, &answers));
	c[i++] = cell_u64_or_null(d->asked_by_pid);
	c[i++] = cell_str(d->asked_by_comm);
	c[i++] = cell_double(d->waited_ms);
	if (!r)
		r = table_add(x->table, c);
	if (!r)
		r = (sink_heading(&x->s.sink) ? table_write : table_write_on)(x->table, &line,
									      x->s.format, false);
	if (!r)
		buf_put(&x->s.out, line.data, line.len);
	if (x->table)
		table_clear(x->table);
	buf_done(&line);
	buf_done(&answers);
	return r ? r : x->s.out.err;
}

/* Of the stream's events only transactions count. */
static void write_event(struct dns *x, const struct netprobe_event *ev)
{
	uint64_t written = x->s.written + !!ev->dns;

	if (x->s.format == FORMAT_CSV || x->s.format == FORMAT_TSV)
		x->s.failed = ev->dns ? write_row(x, ev) : 0;
	else
		stream_event(&x->s, ev);
	x->s.written = written;
}

/* Losses of messages and of records on their way out; of the rest, what owners come from, those that lost something. */
static bool is_ours(const struct netprobe_event *ev)
{
	return !strcmp(ev->entity_id, "dns") || !strcmp(ev->entity_id, "asked") ||
	       !strcmp(ev->entity_id, "queue") || !strncmp(ev->entity_id, "output", 6) ||
	       ev->num > 0;
}

static void on_event(const struct netprobe_event *ev, size_t n, void *arg)
{
	struct dns *x = arg;

	for (; n && !x->s.failed && !is_full(x); n--, ev++) {
		if (!expr_wants(x->match, ev))
			continue;
		if (!x->summary && (ev->dns || is_ours(ev)))
			write_event(x, ev);
		else if (ev->dns)
			x->s.failed = dns_summary_add(x->sums, ev);
	}
}

static int after(void *arg)
{
	struct dns *x = arg;
	int r = stream_flush(&x->s);

	return r ? r : is_full(x);
}

/* Of no row as well. */
static int write_heading(struct dns *x)
{
	bool has_columns = x->s.format == FORMAT_CSV || x->s.format == FORMAT_TSV;
	int r = 0;

	if (has_columns && !x->table)
		x->table = table_new(columns, N_COLUMNS);
	if (has_columns && sink_heading(&x->s.sink))
		r = x->table ? table_write(x->table, &x->s.out, x->s.format, false) : -ENOMEM;
	return r;
}

static int finish(struct dns *x, int r)
{
	if (!r && !is_full(x))
		r = netprobe_manager_finish(x->manager);
	r = r > 0 ? 0 : r;
	if (!r && !x->summary)
		r = write_heading(x);
	if (!r && x->summary)
		r = dns_summary_write(x->sums, x->manager, x->o.count ? x->o.count : DNS_TOP,
				      x->s.format, x->s.sink.color, sink_columns(x->s.sink.fd),
				      &x->s.out);
	if (!r)
		r = stream_finish(&x->s, x->manager);
	if (r == -EPIPE)
		return EXIT_OK; /* the reader has seen enough */
	cli_tell_losses(x->manager);
	expr_tell(netprobe_expr_undecided(x->match), "transactions");
	sink_rests(&x->s.sink);
	x->manager =
		netprobe_manager_free(x->manager); /* nothing runs while a reader is waited for */
	r = sink_finish(&x->s.sink) ?: r;
	if (r == -EPIPE)
		return EXIT_OK;
	if (!r)
		return EXIT_OK;
	return stream_failed("DNS transactions", x->o.output, r);
}

static int pick_format(struct dns *x)
{
	x->s.format = x->o.format >= 0		    ? x->o.format
		      : x->s.sink.tty || x->summary ? FORMAT_TEXT
						    : FORMAT_JSON;
	if (x->summary && x->s.format == FORMAT_XCTL)
		return cli_option_failed(
			EXIT_USAGE,
			"--format: 'xctl' is a stream of events; with --summary it takes text, json, csv or tsv");
	return EXIT_OK;
}

/* What is asked of the library. Exit code. */
static int make(struct dns *x, struct settings *s)
{
	struct netprobe_error err = {};
	int r;

	x->s.sink.once = x->summary;
	if (expr_take(x->o.match, NETPROBE_ABOUT_EVENT, &x->match, &err) ||
	    settings_fill(s, &x->o, &err) || names_fill(&x->o, &s->c, &err) ||
	    sink_open(&x->s.sink, &x->o, &err))
		return cli_usage_failed(&err);
	r = pick_format(x);
	if (r)
		return r;
	s->c.names |= x->o.names ? NETPROBE_NAMES_DNS : NETPROBE_NAMES_DNS | NETPROBE_NAMES_ASKED;
	s->c.enable_dns_events = true;
	s->c.no_flow_events = true;
	s->c.formats = expr_formats(x->match,
				    x->summary ? NETPROBE_FORMAT_NO_JSON : stream_formats(&x->s));
	s->c.text_columns = x->s.format == FORMAT_TEXT ? sink_columns(x->s.sink.fd) : 0;
	r = cli_manager(&x->o, s, &x->manager);
	if (!r)
		(void)netprobe_manager_set_event_handler(
			x->manager, NETPROBE_EVENT_DNS | NETPROBE_EVENT_STATISTICS, on_event, x);
	return r;
}

static int on_resize(void *arg)
{
	struct dns *x = arg;

	return stream_resize(&x->s, x->manager);
}

static int run(void *command, struct settings *s)
{
	struct dns *x = command;
	struct netprobe_capture now = { .size = sizeof(now) };
	struct loop loop;
	int r = make(x, s);

	if (r)
		return r;
	x->sums = x->summary ? dns_summary_new() : NULL;
	x->table = table_new(columns, N_COLUMNS);
	if (x->summary && !x->sums)
		return EXIT_INTERNAL;
	r = cli_load(x->manager);
	if (r)
		return r;
	row_stamp_take(&x->stamp, x->manager);
	if (!netprobe_manager_get_capture(x->manager, &now, NULL) && now.names_note[0])
		log_notice("%s", now.names_note);
	loop = (struct loop){ .manager = x->manager,
			      .interval = x->o.interval,
			      .duration = x->o.duration,
			      .on_tick = after,
			      .on_poll = after,
			      .input_fd = -1,
			      .on_resize = on_resize,
			      .opts = &x->o,
			      .sink = &x->s.sink,
			      .arg = x };
	return finish(x, loop_run(&loop));
}

static const struct option_row *const tables[] = { rows, filter_rows, names_rows, common_rows,
						   NULL };
static const char *const most_used[] = { "summary",	"format",   "output", "duration",
					 "dns-timeout", "dns-port", "pid",    "comm",
					 "container",	"host",	    NULL };
static const struct args_spec spec = {
	.prog = "netprobe dns",
	.summary = "DNS transactions: who asked which server what, what came back, and when.",
	.most_used = most_used,
	.examples = "  netprobe dns                             who asks what, and the answers\n"
		    "  netprobe dns --summary --duration 60     slowest, failing, most asked\n",
	.tables = tables,
};

static void done(void *command)
{
	struct dns *x = command;

	(void)netprobe_manager_free(x->manager);
	(void)netprobe_expr_free(x->match);
	(void)dns_summary_free(x->sums);
	(void)table_free(x->table);
	stream_done(&x->s);
}

const struct command_row dns_command = {
	.spec = &spec,
	.size = sizeof(struct dns),
	.run = run,
	.done = done,
};
