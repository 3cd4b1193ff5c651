/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe dns`: DNS transactions as they end, or what they come to. */
#include "cli/dns.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "out/table.h"

#define FLUSH_BYTES 65536

struct dns {
	struct common_opts o; /* first: the tables of common rows write there */
	bool summary;
	struct sink sink;
	struct buf out;
	struct session *session;
	struct dns_summary *sums; /* NULL unless --summary */
	struct table *table;	  /* csv, tsv: one row at a time */
	bool headed;		  /* their heading was written */
	int format;
	uint64_t written; /* transactions */
	int failed;	  /* negative errno of the first that could not be written */
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

static int flush(struct dns *x)
{
	int r;

	if (!x->out.len || x->failed)
		return x->failed;
	r = sink_write(&x->sink, &x->out);
	if (r)
		x->failed = r;
	return r;
}

static bool is_full(const struct dns *x)
{
	return !x->summary && x->o.count && x->written >= x->o.count;
}

static struct cell str(const char *s)
{
	return s && *s ? (struct cell){ .type = CELL_STR, .str = s }
		       : (struct cell){ .type = CELL_NULL };
}

static struct cell num_or_null(uint64_t v)
{
	return v ? (struct cell){ .type = CELL_U64, .u64 = v } : (struct cell){ .type = CELL_NULL };
}

static struct cell ms_or_null(double v)
{
	return v >= 0 ? (struct cell){ .type = CELL_DOUBLE, .dbl = v }
		      : (struct cell){ .type = CELL_NULL };
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
		num_or_null(p ? p->tgid : 0),
		str(p ? p->comm : NULL),
		str(p && p->cgroup ? p->cgroup->container_id : NULL),
		str(ev->entity_id),
		num_or_null(ev->tuple->rport),
		str(transport_name(ev->tuple->proto)),
		str(d->qname),
		str(d->qtype),
		str(d->rcode),
		ms_or_null(d->latency_ms),
		{ .type = CELL_U64, .u64 = d->retries },
		{ .type = CELL_BOOL, .b = d->timed_out },
		str(join(d, &answers)),
		num_or_null(asker ? asker->tgid : 0),
		str(asker ? asker->comm : NULL),
		ms_or_null(asker ? d->waited_ms : -1),
	};
	size_t from = 0;
	int r = x->table ? 0 : -ENOMEM;

	if (!r)
		r = table_add(x->table, c);
	if (!r)
		r = table_write(x->table, &line, x->format, false);
	if (!r && x->headed)
		while (from < line.len && line.data[from++] != '\n')
			;
	if (!r)
		buf_put(&x->out, line.data + from, line.len - from);
	x->headed = true;
	if (x->table)
		table_clear(x->table);
	buf_done(&line);
	buf_done(&answers);
	return r ? r : x->out.err;
}

static int write_event(struct dns *x, const struct event *ev)
{
	const char *host = session_host(x->session);

	switch (x->format) {
	case FORMAT_TEXT:
		return event_write_text(&x->out, ev, x->sink.color);
	case FORMAT_JSON:
		return event_write_json(&x->out, ev, host);
	case FORMAT_XCTL:
		return event_write_xctl(&x->out, ev, host);
	default:
		return ev->kind == EVENT_DNS ? write_row(x, ev) : 0;
	}
}

static void on_event(const struct event *ev, void *arg)
{
	struct dns *x = arg;
	int r;

	if (x->failed || is_full(x))
		return;
	if (x->summary)
		r = ev->kind == EVENT_DNS ? dns_summary_add(x->sums, ev) : 0;
	else
		r = write_event(x, ev);
	if (r) {
		x->failed = r;
		return;
	}
	x->written += ev->kind == EVENT_DNS;
	if (x->out.len >= FLUSH_BYTES)
		(void)flush(x);
}

static int after(void *arg)
{
	struct dns *x = arg;
	int r = flush(x);

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
		r = dns_summary_write(x->sums, x->o.count ? x->o.count : DNS_TOP, x->format,
				      x->sink.color, &x->out);
	if (!r)
		r = flush(x);
	if (r == -EPIPE)
		return EXIT_OK; /* the reader has seen enough */
	tell_losses(x);
	if (!r)
		return EXIT_OK;
	log_err("cannot write DNS transactions%s%s: %s", x->o.output ? " to " : "",
		x->o.output ? x->o.output : "", strerror(-r));
	return EXIT_INTERNAL;
}

static int pick_format(struct dns *x)
{
	x->format = x->o.format >= 0 ? x->o.format : x->sink.tty ? FORMAT_TEXT : FORMAT_JSON;
	if (x->summary && x->format == FORMAT_XCTL) {
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
	    sink_open(&x->sink, &x->o, &err))
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
	sink_close(&x.sink);
	buf_done(&x.out);
	common_done(&x.o);
	return r;
}
