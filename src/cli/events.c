/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe events`: the event stream. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/stream.h"
#include "cli/trace.h"
#include "engine/session.h"
#include "out/table.h"

struct events {
	struct common_opts o; /* first: rows of options count from here */
	bool trace;
	struct trace_watch *tracer; /* NULL without --trace */
	struct stream s;
	struct session *session;
};

static const char *const format_names[] = { "text", "json", "xctl", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct common_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Events"),
	OPTION("trace", 0, OPTION_BOOL, struct events, trace, NULL,
	       "also every step of packets through the stack; needs a filter of hosts or ports"),
	ROW("format", 0, OPTION_ENUM, format, NULL, "json when piped, text on a terminal",
	    .names = format_names),
	ROW("output", 'o', OPTION_STRING, output, "FILE", "write there instead of stdout"),
	ROW("interval", 0, OPTION_SECONDS, interval, "SEC",
	    "between two transport.bw records (default 1)", .flags = OPTION_LIVE, .min = 10,
	    .max = 3600000),
	ROW("duration", 0, OPTION_SECONDS, duration, "SEC", "end after this time", .min = 1),
	ROW(NULL, 'n', OPTION_U32, count, "COUNT", "end after so many events", .min = 1),
	ROW("no-color", 0, OPTION_BOOL, no_color, NULL,
	    "no colours on a terminal (or set NO_COLOR)"),
	OPTIONS_END,
};

static void on_event(const struct event *ev, void *arg)
{
	struct events *e = arg;

	if ((e->o.count && e->s.written >= e->o.count) ||
	    (e->s.format == FORMAT_TEXT && event_is_idle(ev)))
		return;
	stream_event(&e->s, ev, e->session ? session_host(e->session) : NULL);
}

/* After each batch: readers see events within the drain time of the loop. */
static int after(void *arg)
{
	struct events *e = arg;
	int r = e->tracer ? trace_watch_poll(e->tracer) : 0;

	if (r >= 0)
		r = stream_flush(&e->s);
	if (r)
		return r;
	return e->o.count && e->s.written >= e->o.count;
}

static int finish(struct events *e, int r)
{
	if (!r && !(e->o.count && e->s.written >= e->o.count)) {
		r = e->tracer ? trace_watch_poll(e->tracer) : 0;
		if (r >= 0)
			r = session_finish(e->session);
		if (!r)
			r = stream_flush(&e->s);
	}
	if (r == -EPIPE)
		return EXIT_OK; /* the reader has seen enough */
	cli_tell_losses(e->session);
	if (e->tracer)
		trace_tell_losses(e->tracer);
	if (!r)
		return EXIT_OK;
	return stream_failed("events", e->o.output, r);
}

static void on_change(void *arg)
{
	struct events *e = arg;

	if (e->tracer)
		trace_watch_set_filter(e->tracer, session_filter(e->session));
}

static int run(struct events *e)
{
	struct session_opts so = { .event_fn = on_event, .event_arg = e, .guard = true };
	struct netprobe_error err = {};
	struct loop loop;
	int r;

	if (filter_build(&e->o, &so.filter, &err) || names_build(&e->o, &so.names, &err) ||
	    (e->trace && trace_check(&so.filter, &err)) || sink_open(&e->s.sink, &e->o, &err))
		return cli_usage_failed(&err);
	e->s.format = e->o.format == 2	 ? FORMAT_XCTL
		      : e->o.format >= 0 ? e->o.format
		      : e->s.sink.tty	 ? FORMAT_TEXT
					 : FORMAT_JSON;
	cli_session_opts(&e->o, &so);
	if (e->trace && so.mode > MODE_EBPF) {
		log_err("--capture-mode: --trace needs ebpf; the other modes do not see the way of packets");
		return EXIT_CAPTURE;
	}
	if (e->trace)
		so.mode = MODE_EBPF;
	r = session_open(&so, &e->session, &err);
	if (!r && e->trace)
		r = trace_watch_open(e->session, &so.filter, 0, on_event, e, &e->tracer, &err);
	if (r)
		return cli_session_failed(&err);
	if (e->tracer && trace_watch_note(e->tracer)[0])
		log_notice("%s", trace_watch_note(e->tracer));
	if (session_probe(e->session))
		log_info("hooks: %s", family_label(probe_family(session_probe(e->session))));
	loop = (struct loop){
		.session = e->session,
		.interval = e->o.interval,
		.duration = e->o.duration,
		.on_tick = after,
		.on_poll = after,
		.input_fd = -1,
		.opts = &e->o,
		.on_change = on_change,
		.arg = e,
	};
	return finish(e, loop_run(&loop));
}

int cmd_events(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, filter_rows, names_rows,
							   common_rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe events",
		.summary =
			"The event stream: connections, bandwidth, retransmits, resets, losses, each with its owner.",
		.tables = tables,
	};
	struct events e = {};
	int r;

	common_defaults(&e.o);
	r = common_parse(&spec, argc, argv, &e.o);
	if (r < 0)
		r = run(&e);
	(void)trace_watch_close(e.tracer);
	(void)session_close(e.session);
	stream_done(&e.s);
	common_done(&e.o);
	return r;
}
