/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe drops`: packets that were dropped, why, where, and whose they were. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/drops.h"
#include "cli/stream.h"
#include "cli/trace.h"

struct drops {
	struct common_opts o; /* first: the tables of common rows write there */
	bool summary, stack, kernel_addresses, all, trace;
	int by;
	struct stream s;
	struct session *session;
	struct drop_watch *watch; /* NULL with --trace */
	struct trace_watch *tracer;
};

static const char *const format_names[] = { "text", "json", "xctl", NULL };
static const char *const by_names[] = { "all", "reason", "owner", "place", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct drops, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Drops"),
	ROW("trace", 0, OPTION_BOOL, trace, NULL,
	    "every step of packets through the stack; needs a filter of hosts or ports"),
	ROW("summary", 0, OPTION_BOOL, summary, NULL,
	    "at the end, one table of all drops instead of a stream"),
	ROW("by", 0, OPTION_ENUM, by, NULL,
	    "what the table tells apart (default all); means --summary", .names = by_names),
	ROW("all", 0, OPTION_BOOL, all, NULL,
	    "also packets that are no loss: used up, or not for this host"),
	ROW("stack", 0, OPTION_BOOL, stack, NULL,
	    "with the kernel's stack, innermost function first", .flags = OPTION_LIVE),
	ROW("kernel-addresses", 0, OPTION_BOOL, kernel_addresses, NULL, "and the addresses in it"),
	ROW("format", 0, OPTION_ENUM, o.format, NULL, "json when piped, text on a terminal",
	    .names = format_names),
	ROW("output", 'o', OPTION_STRING, o.output, "FILE", "write there instead of stdout"),
	ROW("interval", 0, OPTION_SECONDS, o.interval, "SEC",
	    "between two looks at the counters of interfaces (default 1)", .flags = OPTION_LIVE,
	    .min = 10, .max = 3600000),
	ROW("duration", 0, OPTION_SECONDS, o.duration, "SEC", "end after this time", .min = 1),
	ROW(NULL, 'n', OPTION_U32, o.count, "COUNT",
	    "end after so many events; of a table: the COUNT largest", .min = 1),
	ROW("no-color", 0, OPTION_BOOL, o.no_color, NULL,
	    "no colours on a terminal (or set NO_COLOR)"),
	OPTIONS_END,
};

static bool is_full(const struct drops *x)
{
	return x->o.count && x->s.written >= x->o.count;
}

static void on_event(const struct event *ev, void *arg)
{
	struct drops *x = arg;

	if (is_full(x) || (x->s.format == FORMAT_TEXT && event_is_idle(ev)))
		return;
	stream_event(&x->s, ev, session_host(x->session));
}

static int on_poll(void *arg)
{
	struct drops *x = arg;
	int r = x->trace ? trace_watch_poll(x->tracer) : drop_watch_poll(x->watch);

	if (r >= 0)
		r = stream_flush(&x->s);
	return r ? r : !x->summary && is_full(x);
}

static int on_tick(void *arg)
{
	struct drops *x = arg;

	if (!x->trace)
		drop_watch_tick(x->watch);
	return on_poll(x);
}

static void tell_losses(struct drops *x)
{
	struct np_drop_loss l;
	uint64_t missed;

	if (x->trace) {
		trace_tell_losses(x->tracer);
		return;
	}
	if (drop_watch_left_out(x->watch))
		log_notice(
			"losses: counters of the interfaces of %u network namespaces were not read",
			drop_watch_left_out(x->watch));
	if (drop_watch_losses(x->watch, &l, &missed) || !(l.map_full | missed))
		return;
	log_notice(
		"losses: %llu drops are in no sum (too many kinds), %llu were not shown by the kernel",
		(unsigned long long)l.map_full, (unsigned long long)missed);
}

static int finish(struct drops *x, int r)
{
	if (!r)
		r = session_tick(x->session);
	if (!r && x->trace)
		r = trace_watch_poll(x->tracer);
	else if (!x->trace && (!r || !x->s.failed))
		r = drop_watch_finish(x->watch) ?: r;
	r = r > 0 ? 0 : r;
	if (!r && x->summary)
		r = drop_summary_write(x->watch, x->by, x->all, x->o.count, x->s.format,
				       x->s.sink.color, &x->s.out);
	if (!r)
		r = stream_flush(&x->s);
	if (r == -EPIPE)
		return EXIT_OK; /* the reader has seen enough */
	tell_losses(x);
	if (!r)
		return EXIT_OK;
	return stream_failed("drops", x->o.output, r);
}

static int open_watch(struct drops *x, const struct np_filter *filter, struct netprobe_error *err)
{
	struct drop_watch_opts wo = {
		.filter = *filter,
		.stack = x->stack,
		.benign = x->all,
		.kernel_addresses = x->kernel_addresses,
		.interfaces = true,
		.event_fn = x->summary ? NULL : on_event,
		.event_arg = x,
	};

	if (x->trace)
		return trace_watch_open(x->session, filter, 0, on_event, x, &x->tracer, err);
	return drop_watch_open(x->session, &wo, &x->watch, err);
}

static int check_trace(const struct drops *x, const struct np_filter *f, struct netprobe_error *err)
{
	int r = trace_check(f, err);

	if (!r && (x->summary || x->by || x->stack || x->kernel_addresses))
		return error_set(
			err, -EINVAL,
			"--trace: --summary, --by, --stack and --kernel-addresses are for drops; "
			"takes none of them");
	return r;
}

static void on_change(void *arg)
{
	struct drops *x = arg;
	const struct np_filter *filter = session_filter(x->session);

	if (x->trace) {
		trace_watch_set_filter(x->tracer, filter);
		return;
	}
	drop_watch_set_filter(x->watch, filter);
	drop_watch_set_stack(x->watch, x->stack);
}

/* The kinds of drops are counted one by one: a sample of flows says nothing about them. */
static int check(const struct common_opts *next, void *arg, struct netprobe_error *err)
{
	(void)arg;
	if (next->sample_rate > 1)
		return error_set(
			err, -EINVAL,
			"--sample-rate: '%u' is not for drops, of which every one is counted; "
			"takes 1",
			next->sample_rate);
	return 0;
}

static int run(struct drops *x)
{
	struct session_opts so = { .flows = { .keep_closed = x->summary || x->by } };
	struct netprobe_error err = {};
	const char *note;
	struct loop loop;
	int r;

	if (check(&x->o, x, &err) || filter_build(&x->o, &so.filter, &err) ||
	    (x->trace && check_trace(x, &so.filter, &err)) || sink_open(&x->s.sink, &x->o, &err))
		return cli_usage_failed(&err);
	x->summary = x->summary || x->by;
	x->stack = x->stack || x->kernel_addresses;
	x->s.format = x->o.format >= 0 ? (x->o.format == 2 ? FORMAT_XCTL : x->o.format)
		      : x->s.sink.tty  ? FORMAT_TEXT
				       : FORMAT_JSON;
	if (x->summary && x->s.format == FORMAT_XCTL) {
		log_err("--format: 'xctl' is a stream of events; with --summary it takes text or json");
		return EXIT_USAGE;
	}
	cli_session_opts(&x->o, &so);
	if (so.mode > MODE_EBPF) {
		log_err("--capture-mode: drops needs ebpf; the other modes do not see what the kernel drops");
		return EXIT_CAPTURE;
	}
	so.mode = MODE_EBPF;
	r = session_open(&so, &x->session, &err);
	if (!r)
		r = open_watch(x, &so.filter, &err);
	if (r)
		return cli_session_failed(&err);
	note = x->trace ? trace_watch_note(x->tracer) : drop_watch_note(x->watch);
	if (note[0])
		log_notice("%s", note);
	loop = (struct loop){ .session = x->session,
			      .interval = x->o.interval,
			      .duration = x->o.duration,
			      .on_tick = on_tick,
			      .on_poll = on_poll,
			      .input_fd = -1,
			      .opts = &x->o,
			      .on_check = check,
			      .on_change = on_change,
			      .arg = x };
	return finish(x, loop_run(&loop));
}

int cmd_drops(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, filter_rows, common_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe drops",
		.summary = "Packets the kernel drops: the reason, the place, and whose they were.",
		.tables = tables,
	};
	struct drops x = {};
	int r;

	common_defaults(&x.o);
	r = common_parse(&spec, argc, argv, &x.o);
	if (r < 0)
		r = run(&x);
	(void)drop_watch_close(x.watch);
	(void)trace_watch_close(x.tracer);
	(void)session_close(x.session);
	stream_done(&x.s);
	common_done(&x.o);
	return r;
}
