/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard events`: security.* as it happens. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/guard.h"
#include "cli/inherit.h"
#include "out/table.h"

#define LOOK_MS 200 /* for signals */

struct events_opts {
	bool help;
	int format;
	double duration;
	uint32_t count;
	uint32_t ready_fd;
};

struct watcher {
	struct events_opts o; /* first: the rows write there */
	struct buf out;
	struct sink sink;
	uint32_t written;
	bool gone; /* guard is nowhere, as was said */
};

static const char *const format_names[] = { "text", "json", NULL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct events_opts, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("format", 0, OPTION_ENUM, format, NULL, "json when piped, text on a terminal",
	    .names = format_names),
	ROW("duration", 0, OPTION_SECONDS, duration, "SEC", "end after this time", .min = 1),
	ROW(NULL, 'n', OPTION_U32, count, "COUNT", "end after so many events", .min = 1),
	ROW("ready-fd", 0, OPTION_U32, ready_fd, "FD", "write R to this descriptor once it watches",
	    .flags = OPTION_HIDDEN, .min = 3, .max = 65535),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	(void)sig;
	ended = 1;
	sink_hurry();
}

/* What detection found, and what anybody did to the lists. */
static void on_events(const struct netprobe_event *events, size_t n, void *arg)
{
	struct watcher *w = arg;

	for (size_t i = 0; i < n && (!w->o.count || w->written < w->o.count); i++) {
		const char *line = w->o.format == FORMAT_JSON ? events[i].json : events[i].text;

		if (!line)
			continue;
		buf_puts(&w->out, line);
		buf_putc(&w->out, '\n');
		w->written++;
	}
}

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int nothing(const struct netprobe_interface *i, void *arg)
{
	(void)i;
	(void)arg;
	return 0;
}

/* Detached, or its file system unmounted, under us: silence would look like peace. */
static void look_for_guard(struct watcher *w, struct netprobe_manager *m)
{
	struct netprobe_error err = {};
	int n = netprobe_manager_interfaces(m, nothing, NULL, &err);

	if ((n <= 0) == w->gone)
		return;
	w->gone = n <= 0;
	if (w->gone)
		log_warn(
			"guard is on no interface here any more (%s); nothing is found until it is attached again",
			err.msg[0] ? err.msg : "detached");
	else
		log_notice("guard is attached again");
}

static int loop(struct watcher *w, struct netprobe_manager *m)
{
	double end = now_s() + w->o.duration, look = now_s() + 1;
	int r = 0;

	while (r >= 0 && !ended && (!w->o.count || w->written < w->o.count) &&
	       (w->o.duration <= 0 || now_s() < end)) {
		double left = w->o.duration > 0 ? end - now_s() : LOOK_MS / 1e3;

		r = netprobe_manager_poll(m,
					  left * 1e3 < LOOK_MS ? (int)(left * 1e3) + 1 : LOOK_MS);
		if (r >= 0)
			r = sink_put(&w->sink, &w->out, NULL);
		if (now_s() >= look) {
			look_for_guard(w, m);
			look = now_s() + 1;
		}
	}
	return r < 0 ? r : 0;
}

static int start(struct guard_call *call, struct watcher *w)
{
	struct netprobe_config c;
	int r;

	guard_config(&c);
	c.batch_timeout = 0;
	c.formats = w->o.format == FORMAT_JSON ? 0
		    : w->sink.color	       ? NETPROBE_FORMAT_TEXT | NETPROBE_FORMAT_COLOR
					       : NETPROBE_FORMAT_TEXT;
	c.text_columns = sink_columns(STDOUT_FILENO);
	r = guard_configure(call, &c);
	if (!r)
		r = netprobe_manager_set_event_handler(call->m, NETPROBE_EVENT_SECURITY, on_events,
						       w);
	/* Nowhere is an error here: nothing would ever be told. */
	if (!r)
		r = netprobe_manager_interfaces(call->m, nothing, NULL, &call->err);
	return r < 0 ? r : netprobe_manager_load(call->m, &call->err);
}

static int watch(struct guard_call *call)
{
	struct netprobe_global_stats s = { .size = sizeof(s) };
	struct sigaction sa = { .sa_handler = on_signal };
	struct watcher *w = call->opts;
	int r;

	w->sink = (struct sink){ .fd = STDOUT_FILENO, .opener = -1 };
	w->sink.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	if (w->o.format < 0)
		w->o.format = isatty(STDOUT_FILENO) ? FORMAT_TEXT : FORMAT_JSON;
	signal_heed(SIGINT, &sa);
	signal_heed(SIGTERM, &sa);
	signal_heed(SIGHUP, &sa);
	r = start(call, w);
	if (r)
		return r;
	if (w->o.ready_fd) {
		(void)!write((int)w->o.ready_fd, "R", 1);
		(void)close((int)w->o.ready_fd);
	}
	r = loop(w, call->m) ?: sink_finish(&w->sink);
	sink_close(&w->sink);
	(void)netprobe_manager_set_event_handler(call->m, NETPROBE_EVENT_ALL, NULL, NULL);
	if (!netprobe_manager_get_global_stats(call->m, &s, NULL) && s.events_lost)
		log_notice("%llu events came faster than they were written",
			   (unsigned long long)s.events_lost);
	if (!r || r == -EPIPE)
		return EXIT_OK;
	log_err("cannot write events: %s", strerror(-r));
	return EXIT_INTERNAL;
}

static const struct option_row *const events_tables[] = { rows, NULL };
static const struct args_spec events_spec = {
	.prog = "netprobe guard events",
	.summary = "What detection finds and what is banned and allowed, as it happens: security.* "
		   "events.",
	.tables = events_tables,
};

static void events_defaults(void *opts)
{
	*(struct watcher *)opts = (struct watcher){ .o.format = -1 };
}

static void events_done(void *opts)
{
	struct watcher *w = opts;

	buf_done(&w->out);
}

const struct guard_row guard_verb_events = {
	.spec = &events_spec,
	.size = sizeof(struct watcher),
	.defaults = events_defaults,
	.work = watch,
	.done = events_done,
};
