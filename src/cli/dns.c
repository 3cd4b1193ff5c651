/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe dns`: DNS transactions as they end, or what they come to. */
#include "cli/dns.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/stream.h"
#include "engine/session.h"
#include "out/table.h"

struct dns {
	struct common_opts o; /* first: the tables of common rows write there */
	bool summary;
	struct stream s; /* written: transactions */
	struct session *session;
	struct dns_summary *sums; /* NULL unless --summary */
	struct table *table;	  /* csv, tsv: one row at a time */
	bool headed;		  /* their heading was written */
};

static const char *const format_names[] = { "text", "json", "csv", "tsv", "xctl", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct dns, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("DNS"),
	ROW("summary", 0, OPTION_BOOL, summary, NULL,
	    "at the end: most asked, slowest, failing, and by process"),
	ROW("format", 0, OPTION_ENUM, o.format, NULL, "json when piped, text on a terminal",
	    .names = format_names),
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
	{ "ktime_ns", NULL, UNIT_NONE, true, 0 },
	{ "pid", NULL, UNIT_NONE, true, 0 },
	{ "comm", NULL, UNIT_NONE, false, 0 },
	{ "container", NULL, UNIT_NONE, false, 0 },
	{ "server", NULL, UNIT_NONE, false, 0 },
	{ "rport", NULL, UNIT_NONE, true, 0 },
	{ "transport", NULL, UNIT_NONE, false, 0 },
	{ "qname", NULL, UNIT_NONE, false, 0 },
	{ "qtype", NULL, UNIT_NONE, false, 0 },
	{ "rcode", NULL, UNIT_NONE, false, 0 },
	{ "latency_ms", NULL, UNIT_NONE, true, 0 },
	{ "retries", NULL, UNIT_NONE, true, 0 },
	{ "timeout", NULL, UNIT_NONE, false, 0 },
	{ "answers", NULL, UNIT_NONE, false, 0 },
	{ "asked_by_pid", NULL, UNIT_NONE, true, 0 },
	{ "asked_by_comm", NULL, UNIT_NONE, false, 0 },
	{ "waited_ms", NULL, UNIT_NONE, true, 0 },
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static bool is_full(const struct dns *x)
{
	return !x->summary && x->o.count && x->s.written >= x->o.count;
}

/* Several values in one cell, a blank between them. */
static const char *join(const struct event_dns *d, struct buf *b)
{
	for (unsigned int i = 0; i < d->n; i++)
		buf_printf(b, "%s%s", i ? " " : "", d->answers[i]);
	return buf_str(b);
}

/* A row without the heading, which is written once. */
static int write_row(struct dns *x, const struct event *ev)
{
	const struct process *p = event_owner(ev), *asker = ev->dns->asked_by;
	const struct event_dns *d = ev->dns;
	struct buf line = {}, answers = {};
	struct cell c[N_COLUMNS] = {
		{ .type = CELL_U64, .u64 = ev->ktime_ns },
		cell_u64_or_null(p ? p->tgid : 0),
		cell_str(p ? p->comm : NULL),
		cell_str(p && p->cgroup ? p->cgroup->container_id : NULL),
		cell_str(ev->entity_id),
		cell_u64_or_null(ev->tuple->rport),
		cell_str(transport_name(ev->tuple->proto)),
		cell_str(d->qname),
		cell_str(d->qtype),
		cell_str(d->rcode),
		cell_double(d->latency_ms),
		{ .type = CELL_U64, .u64 = d->retries },
		{ .type = CELL_BOOL, .b = d->timed_out },
		cell_str(join(d, &answers)),
		cell_u64_or_null(asker ? asker->tgid : 0),
		cell_str(asker ? asker->comm : NULL),
		cell_double(asker ? d->waited_ms : -1),
	};
	size_t from = 0;
	int r = x->table ? 0 : -ENOMEM;

	if (!r)
		r = table_add(x->table, c);
	if (!r)
		r = table_write(x->table, &line, x->s.format, false);
	if (!r && x->headed)
		while (from < line.len && line.data[from++] != '\n')
			;
	if (!r)
		buf_put(&x->s.out, line.data + from, line.len - from);
	x->headed = true;
	if (x->table)
		table_clear(x->table);
	buf_done(&line);
	buf_done(&answers);
	return r ? r : x->s.out.err;
}

/* Of the stream's events only transactions count. */
static void write_event(struct dns *x, const struct event *ev)
{
	uint64_t written = x->s.written + (ev->kind == EVENT_DNS);

	if (x->s.format == FORMAT_CSV || x->s.format == FORMAT_TSV)
		x->s.failed = ev->kind == EVENT_DNS ? write_row(x, ev) : 0;
	else
		stream_event(&x->s, ev, session_host(x->session));
	x->s.written = written;
}

static void on_event(const struct event *ev, void *arg)
{
	struct dns *x = arg;

	if (x->s.failed || is_full(x))
		return;
	if (!x->summary)
		write_event(x, ev);
	else if (ev->kind == EVENT_DNS)
		x->s.failed = dns_summary_add(x->sums, ev);
}

static int after(void *arg)
{
	struct dns *x = arg;
	int r = stream_flush(&x->s);

	return r ? r : is_full(x);
}

static void tell_losses(struct dns *x)
{
	struct names_losses l;

	cli_tell_losses(x->session);
	if (names_losses(session_names(x->session), &l) ||
	    !(l.kernel.ring_full | l.kernel.helper_err | l.missed | l.track.table_full |
	      l.streams_lost))
		return;
	log_notice(
		"losses of DNS: %llu messages found the ring full, %llu could not be read, %llu "
		"were not shown by the kernel, %llu transactions had no room, %llu messages over "
		"TCP have holes",
		(unsigned long long)l.kernel.ring_full, (unsigned long long)l.kernel.helper_err,
		(unsigned long long)l.missed, (unsigned long long)l.track.table_full,
		(unsigned long long)l.streams_lost);
}

static int finish(struct dns *x, int r)
{
	if (!r && !is_full(x))
		r = session_finish(x->session);
	if (!r && x->summary)
		r = dns_summary_write(x->sums, x->o.count ? x->o.count : DNS_TOP, x->s.format,
				      x->s.sink.color, &x->s.out);
	if (!r)
		r = stream_flush(&x->s);
	if (r == -EPIPE)
		return EXIT_OK; /* the reader has seen enough */
	tell_losses(x);
	if (!r)
		return EXIT_OK;
	return stream_failed("DNS transactions", x->o.output, r);
}

static int pick_format(struct dns *x)
{
	x->s.format = x->o.format >= 0 ? x->o.format : x->s.sink.tty ? FORMAT_TEXT : FORMAT_JSON;
	if (x->summary && x->s.format == FORMAT_XCTL) {
		log_err("--format: 'xctl' is a stream of events; with --summary it takes text, json, csv or tsv");
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static int run(struct dns *x)
{
	struct session_opts so = { .event_fn = on_event, .event_arg = x };
	struct netprobe_error err = {};
	struct loop loop;
	int r;

	if (filter_build(&x->o, &so.filter, &err) || names_build(&x->o, &so.names, &err) ||
	    sink_open(&x->s.sink, &x->o, &err))
		return cli_usage_failed(&err);
	r = pick_format(x);
	if (r)
		return r;
	so.names.from |= x->o.names ? NAMES_DNS : NAMES_DNS | NAMES_ASKED;
	so.names.only = so.names.required = true;
	x->sums = x->summary ? dns_summary_new() : NULL;
	x->table = table_new(columns, N_COLUMNS);
	if (x->summary && !x->sums)
		return EXIT_INTERNAL;
	cli_session_opts(&x->o, &so);
	r = session_open(&so, &x->session, &err);
	if (r)
		return cli_session_failed(&err);
	if (names_note(session_names(x->session))[0])
		log_notice("%s", names_note(session_names(x->session)));
	loop = (struct loop){ .session = x->session,
			      .interval = x->o.interval,
			      .duration = x->o.duration,
			      .on_tick = after,
			      .on_poll = after,
			      .input_fd = -1,
			      .opts = &x->o,
			      .arg = x };
	return finish(x, loop_run(&loop));
}

int cmd_dns(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, filter_rows, names_rows,
							   common_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe dns",
		.summary =
			"DNS transactions: who asked which server what, what came back, and when.",
		.tables = tables,
	};
	struct dns x = {};
	int r;

	common_defaults(&x.o);
	r = common_parse(&spec, argc, argv, &x.o);
	if (r < 0)
		r = run(&x);
	(void)session_close(x.session);
	(void)dns_summary_free(x.sums);
	(void)table_free(x.table);
	stream_done(&x.s);
	common_done(&x.o);
	return r;
}
