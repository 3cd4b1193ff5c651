/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe events`: the event stream. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/names.h"
#include "cli/settings.h"
#include "cli/stream.h"
#include "cli/trace.h"
#include "cli/types.h"
#include "out/table.h"

struct events {
	struct common_opts o; /* first: rows of options count from here */
	bool trace;
	struct stream s;
	struct args_list type;
	struct types types;
	struct netprobe_expr *match; /* NULL: all */
	struct netprobe_manager *manager;
};

static const char *const format_names[] = { "text", "json", "xctl", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct common_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Events"),
	OPTION("trace", 0, OPTION_BOOL, struct events, trace, NULL,
	       "also every step of packets through the stack; needs a filter of hosts or ports"),
	OPTION("type", 0, OPTION_STRINGS, struct events, type, "TYPE[,TYPE]",
	       "only events of this type: conn.close, or conn for all that begin so; list: shows them",
	       .flags = OPTION_REPEAT),
	ROW("match", 0, OPTION_STRING, match, "EXPR",
	    "only events that match: 'rport=443 srtt_us>50ms', nginx; see netprobe-expressions(5)"),
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

static bool is_full(const struct events *e)
{
	return e->o.count && e->s.written >= e->o.count;
}

static void on_event(const struct netprobe_event *ev, size_t n, void *arg)
{
	struct events *e = arg;

	for (; n && !is_full(e); n--, ev++)
		if (types_want(&e->types, ev->type) && expr_wants(e->match, ev))
			stream_event(&e->s, ev);
}

/* After each batch: readers see events within the drain time of the loop. */
static int after(void *arg)
{
	struct events *e = arg;
	int r = stream_flush(&e->s);

	return r ? r : is_full(e);
}

static int finish(struct events *e, int r)
{
	if (!r && !is_full(e)) {
		stream_ends(&e->s);
		r = netprobe_manager_finish(e->manager);
		if (r >= 0)
			r = stream_finish(&e->s, e->manager);
	}
	if (r == -EPIPE)
		return EXIT_OK; /* the reader has seen enough */
	cli_tell_losses(e->manager);
	expr_tell(netprobe_expr_undecided(e->match), "records");
	sink_rests(&e->s.sink);
	e->manager =
		netprobe_manager_free(e->manager); /* nothing runs while a reader is waited for */
	r = sink_finish(&e->s.sink) ?: r;
	if (r == -EPIPE)
		return EXIT_OK;
	if (!r)
		return EXIT_OK;
	return stream_failed("events", e->o.output, r);
}

static int choose_types(struct events *e, struct netprobe_error *err)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < e->type.n; i++)
		r = types_add(&e->types, e->type.items[i], err);
	return r ? error_prefix(err, "--type"), r : 0;
}

/*
 * Which process asked a resolver is seen on the way there, which has other ends than what is told of it; a
 * packet that is followed has its ends the other way round where it comes in.
 */
static int on_settings(struct settings *s, const struct common_opts *next, void *arg)
{
	struct events *e = arg;

	return e->trace || s->c.names & NETPROBE_NAMES_ASKED ? 0
							     : settings_match(s, next, e->match);
}

/* What is asked of the library. Exit code. */
static int make(struct events *e, struct settings *s)
{
	struct netprobe_error err = {};
	int r;

	if (choose_types(e, &err) || expr_take(e->o.match, NETPROBE_ABOUT_EVENT, &e->match, &err) ||
	    settings_fill(s, &e->o, &err) || names_fill(&e->o, &s->c, &err) ||
	    (e->trace && trace_check(&e->o, &err)))
		return cli_usage_failed(&err);
	if (e->trace && s->c.capture > NETPROBE_CAPTURE_EBPF)
		return cli_option_failed(
			EXIT_CAPTURE,
			"--capture-mode: --trace needs ebpf; the other modes do not see the way of packets");
	s->c.trace_packets = e->trace;
	s->c.only_moved = true;
	s->c.enable_dns_events = s->c.names & (NETPROBE_NAMES_DNS | NETPROBE_NAMES_ASKED);
	s->c.optional = NETPROBE_OPTIONAL_DNS;
	if (sink_open(&e->s.sink, &e->o, &err))
		return cli_usage_failed(&err);
	e->s.format = e->o.format == 2	 ? FORMAT_XCTL
		      : e->o.format >= 0 ? e->o.format
		      : e->s.sink.tty	 ? FORMAT_TEXT
					 : FORMAT_JSON;
	if (on_settings(s, &e->o, e))
		return EXIT_INTERNAL;
	s->c.formats = expr_formats(e->match, stream_formats(&e->s));
	s->c.text_columns = e->s.format == FORMAT_TEXT ? sink_columns(e->s.sink.fd) : 0;
	r = cli_manager(&e->o, s, &e->manager);
	if (r)
		return r;
	(void)netprobe_manager_set_event_handler(e->manager, NETPROBE_EVENT_ALL, on_event, e);
	(void)netprobe_manager_set_room(e->manager, stream_has_room, &e->s);
	return 0;
}

static int on_resize(void *arg)
{
	struct events *e = arg;

	return stream_resize(&e->s, e->manager);
}

static int list_types(void)
{
	struct sink out = { .fd = STDOUT_FILENO };
	struct buf b = {};
	int r = types_list(&b) ?: sink_write(&out, &b);

	buf_done(&b);
	return !r || r == -EPIPE ? EXIT_OK : stream_failed("types", NULL, r);
}

static int run(void *command, struct settings *s)
{
	struct events *e = command;
	struct netprobe_capture now = { .size = sizeof(now) };
	struct loop loop;
	int r;

	if (e->type.n == 1 && !strcmp(e->type.items[0], "list"))
		return list_types();
	r = make(e, s) ?: cli_load(e->manager);
	if (r)
		return r;
	(void)netprobe_manager_get_capture(e->manager, &now, NULL);
	if (now.trace_note[0])
		log_notice("%s", now.trace_note);
	if (now.family[0])
		log_info("hooks: %s", now.family);
	loop = (struct loop){
		.manager = e->manager,
		.interval = e->o.interval,
		.duration = e->o.duration,
		.on_tick = after,
		.on_poll = after,
		.input_fd = -1,
		.on_resize = on_resize,
		.opts = &e->o,
		.on_settings = on_settings,
		.sink = &e->s.sink,
		.arg = e,
	};
	return finish(e, loop_run(&loop));
}

static const struct option_row *const tables[] = { rows, filter_rows, names_rows, common_rows,
						   NULL };
static const char *const most_used[] = { "type",     "format", "output",    "duration",
					 "interval", "pid",    "comm",	    "container",
					 "host",     "port",   "interface", NULL };
static const struct args_spec spec = {
	.prog = "netprobe events",
	.summary =
		"The event stream: connections, bandwidth, retransmits, resets, losses, each with its owner.",
	.most_used = most_used,
	.examples = "  netprobe events --comm nginx          what happens to its connections\n"
		    "  netprobe events --type conn.fail      connections that fail\n"
		    "  netprobe events --type conn -o FILE   each connection, into a file\n",
	.tables = tables,
};

static void done(void *command)
{
	struct events *x = command;

	(void)netprobe_manager_free(x->manager);
	(void)netprobe_expr_free(x->match);
	stream_done(&x->s);
}

const struct command_row events_command = {
	.spec = &spec,
	.size = sizeof(struct events),
	.run = run,
	.done = done,
};
