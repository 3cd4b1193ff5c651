/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe drops`: packets that were dropped, why, where, and whose they were. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/drops.h"
#include "cli/settings.h"
#include "cli/stream.h"
#include "cli/trace.h"

struct drops {
	struct common_opts o; /* first: the tables of common rows write there */
	bool summary, stack, kernel_addresses, all, trace;
	int by;
	struct stream s;
	struct netprobe_expr *match; /* NULL: all */
	struct netprobe_manager *manager;
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
	ROW("match", 0, OPTION_STRING, o.match, "EXPR",
	    "only drops that match: 'port=53 kind=loss', nginx; see netprobe-expressions(5)"),
	ROW("format", 0, OPTION_ENUM, o.format, NULL,
	    "json when piped, text on a terminal and of a summary", .names = format_names),
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

/* Losses of what this command shows: of what sees drops and steps, and of records on their way out. */
static bool is_ours(const char *place)
{
	return !strncmp(place, "drop", 4) || !strcmp(place, "trace") || !strcmp(place, "queue") ||
	       !strncmp(place, "output", 6);
}

static void on_event(const struct netprobe_event *ev, size_t n, void *arg)
{
	struct drops *x = arg;

	for (; n && !is_full(x); n--, ev++) {
		uint64_t written = x->s.written;
		bool loss = !strcmp(ev->type, "probe.loss");

		if (ev->family == NETPROBE_EVENT_DROP && !loss) {
			if (expr_wants(x->match, ev))
				stream_event(&x->s, ev);
		} else if (!x->summary && loss && is_ours(ev->entity_id)) {
			stream_event(&x->s, ev);
			x->s.written = written; /* -n is of drops */
		}
	}
}

static int after(void *arg)
{
	struct drops *x = arg;
	int r = stream_flush(&x->s);

	return r ? r : !x->summary && is_full(x);
}

static int finish(struct drops *x, int r)
{
	if (!r)
		r = netprobe_manager_finish(x->manager);
	r = r > 0 ? 0 : r;
	if (!r && x->summary)
		r = drop_summary_write(x->manager, x->by, x->all, x->o.count, x->s.format,
				       x->s.sink.color, sink_columns(x->s.sink.fd), &x->s.out);
	if (!r)
		r = stream_finish(&x->s, x->manager);
	if (r == -EPIPE)
		return EXIT_OK; /* the reader has seen enough */
	cli_tell_losses(x->manager);
	expr_tell(netprobe_expr_undecided(x->match), "records");
	sink_rests(&x->s.sink);
	x->manager =
		netprobe_manager_free(x->manager); /* nothing runs while a reader is waited for */
	r = sink_finish(&x->s.sink) ?: r;
	if (r == -EPIPE)
		return EXIT_OK;
	if (!r)
		return EXIT_OK;
	return stream_failed("drops", x->o.output, r);
}

static int check_trace(const struct drops *x, struct netprobe_error *err)
{
	int r = trace_check(&x->o, err);

	if (!r && (x->summary || x->by || x->stack || x->kernel_addresses))
		return error_set(
			err, -EINVAL,
			"--trace: --summary, --by, --stack and --kernel-addresses are for drops; "
			"takes none of them");
	return r;
}

/* next is of the rows of this command. */
static int on_settings(struct settings *s, const struct common_opts *next, void *arg)
{
	const struct drops *to = (const struct drops *)next;

	s->c.drop_stacks = to->stack || to->kernel_addresses;
	return to->trace ? 0 : settings_match(s, next, ((struct drops *)arg)->match);
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

/* The kernel keeps the sums of a table by itself: nobody sees what each is made of. */
static int check_match(struct drops *x, struct netprobe_error *err)
{
	if (x->o.match && x->summary)
		return error_set(err, -EINVAL,
				 "--match: is of single drops, and --summary adds them up in the "
				 "kernel; takes filters like --comm or --port there");
	return expr_take(x->o.match, NETPROBE_ABOUT_EVENT, &x->match, err);
}

static int pick_format(struct drops *x)
{
	x->s.format = x->o.format >= 0		    ? (x->o.format == 2 ? FORMAT_XCTL : x->o.format)
		      : x->s.sink.tty || x->summary ? FORMAT_TEXT
						    : FORMAT_JSON;
	if (x->summary && x->s.format == FORMAT_XCTL)
		return cli_option_failed(
			EXIT_USAGE,
			"--format: 'xctl' is a stream of events; with --summary it takes text or json");
	return EXIT_OK;
}

/* What is asked of the library. Exit code. */
static int make(struct drops *x, struct settings *s)
{
	struct netprobe_error err = {};
	int r;

	x->summary = x->summary || x->by;
	if (check(&x->o, x, &err) || check_match(x, &err) || settings_fill(s, &x->o, &err) ||
	    (x->trace && check_trace(x, &err)))
		return cli_usage_failed(&err);
	if (s->c.capture > NETPROBE_CAPTURE_EBPF)
		return cli_option_failed(
			EXIT_CAPTURE,
			"--capture-mode: drops needs ebpf; the other modes do not see what the kernel drops");
	s->c.no_flow_events = true;
	s->c.keep_closed = x->summary;
	s->c.trace_packets = x->trace;
	s->c.count_drops = x->summary;
	s->c.enable_drop_events = !x->summary && !x->trace;
	s->c.drop_benign = x->all;
	s->c.drop_addresses = x->kernel_addresses;
	if (on_settings(s, &x->o, x))
		return EXIT_INTERNAL;
	x->s.sink.once = x->summary;
	if (sink_open(&x->s.sink, &x->o, &err))
		return cli_usage_failed(&err);
	r = pick_format(x);
	s->c.formats = x->summary ? NETPROBE_FORMAT_NO_JSON
				  : expr_formats(x->match, stream_formats(&x->s));
	s->c.text_columns = x->s.format == FORMAT_TEXT ? sink_columns(x->s.sink.fd) : 0;
	if (!r)
		r = cli_manager(&x->o, s, &x->manager);
	if (!r)
		(void)netprobe_manager_set_event_handler(
			x->manager, NETPROBE_EVENT_DROP | NETPROBE_EVENT_STATISTICS, on_event, x);
	return r;
}

static int on_resize(void *arg)
{
	struct drops *x = arg;

	return stream_resize(&x->s, x->manager);
}

static int run(void *command, struct settings *s)
{
	struct drops *x = command;
	struct netprobe_capture now = { .size = sizeof(now) };
	struct loop loop;
	int r = make(x, s) ?: cli_load(x->manager);

	if (r)
		return r;
	if (!netprobe_manager_get_capture(x->manager, &now, NULL) &&
	    (x->trace ? now.trace_note : now.drops_note)[0])
		log_notice("%s", x->trace ? now.trace_note : now.drops_note);
	loop = (struct loop){ .manager = x->manager,
			      .interval = x->o.interval,
			      .duration = x->o.duration,
			      .on_tick = after,
			      .on_poll = after,
			      .input_fd = -1,
			      .on_resize = on_resize,
			      .opts = &x->o,
			      .sink = &x->s.sink,
			      .on_check = check,
			      .on_settings = on_settings,
			      .arg = x };
	return finish(x, loop_run(&loop));
}

static const struct option_row *const tables[] = { rows, filter_rows, common_rows, NULL };
static const char *const most_used[] = { "summary",  "by",   "all",  "stack",	  "trace", "format",
					 "duration", "comm", "host", "interface", NULL };
static const struct args_spec spec = {
	.prog = "netprobe drops",
	.summary = "Packets the kernel drops: the reason, the place, and whose they were.",
	.most_used = most_used,
	.examples =
		"  netprobe drops --summary --duration 10   who loses packets, where and why\n"
		"  netprobe drops --stack --comm statsd     with the kernel's stack\n"
		"  netprobe drops --trace --host 192.0.2.1  every step of the packets of a host\n",
	.tables = tables,
};

static void done(void *command)
{
	struct drops *x = command;

	(void)netprobe_manager_free(x->manager);
	(void)netprobe_expr_free(x->match);
	stream_done(&x->s);
}

const struct command_row drops_command = {
	.spec = &spec,
	.size = sizeof(struct drops),
	.run = run,
	.done = done,
};
