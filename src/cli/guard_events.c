/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard events`: security.* as detection finds it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "engine/attacks.h"
#include "engine/session.h"
#include "out/event.h"
#include "out/table.h"

#define SWEEP_MS 1000

struct events_opts {
	bool help;
	int format;
	double duration;
	uint32_t count;
	uint32_t ready_fd;
};

struct watcher {
	struct events_opts o;
	struct buf out;
	struct sink sink;
	char host[256];
	uint32_t written;
	int err;
	struct attacks *attacks;
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

static void write_event(const struct event *ev, void *arg)
{
	struct watcher *w = arg;

	if (w->err || (w->o.count && w->written >= w->o.count))
		return;
	w->err = w->o.format == FORMAT_JSON ? event_write_json(&w->out, ev, w->host)
					    : event_write_text(&w->out, ev, w->sink.color);
	w->written++;
}

static void on_event(const struct np_ev_guard *ev, void *arg)
{
	attacks_tell(arg, ev);
}

static int signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int loop(struct watcher *w, struct guard_watch *watch, int signal_fd)
{
	uint64_t end = w->o.duration > 0 ? clock_monotonic_ns() + (uint64_t)(w->o.duration * 1e9)
					 : UINT64_MAX;
	struct pollfd p[2] = { { .fd = guard_watch_fd(watch), .events = POLLIN },
			       { .fd = signal_fd, .events = POLLIN } };
	bool done = false;
	int r = 0;

	while (!r && !done) {
		uint64_t now = clock_monotonic_ns();
		int wait = end <= now			       ? 0
			   : end - now < SWEEP_MS * 1000000ULL ? (int)((end - now) / 1000000) + 1
							       : SWEEP_MS;

		if (poll(p, 2, wait) < 0 && errno != EINTR)
			r = -errno;
		done = (p[1].revents & POLLIN) || clock_monotonic_ns() >= end;
		if (!r)
			r = guard_watch_poll(watch, on_event, w->attacks);
		attacks_tick(w->attacks);
		done = done || (w->o.count && w->written >= w->o.count);
		if (r >= 0)
			r = w->err ? w->err : sink_write(&w->sink, &w->out);
	}
	return r;
}

static int watch(struct watcher *w)
{
	struct netprobe_error err = {};
	struct guard_watch *gw = NULL;
	struct guard *g = NULL;
	int r, fd = signals();

	r = guard_open(GUARD_SHARED, &g, &err);
	if (!r)
		r = guard_watch_open(g, false, &gw, &err);
	guard_close(g);
	if (r)
		return guard_failed(&err);
	if (w->o.ready_fd) {
		(void)!write((int)w->o.ready_fd, "R", 1);
		(void)close((int)w->o.ready_fd);
	}
	r = loop(w, gw, fd);
	if (guard_watch_lost(gw))
		log_notice("%llu events came faster than they were written",
			   (unsigned long long)guard_watch_lost(gw));
	guard_watch_close(gw);
	(void)close(fd);
	if (attacks_untold(w->attacks))
		log_notice("%llu ends of bans were not told",
			   (unsigned long long)attacks_untold(w->attacks));
	if (!r || r == -EPIPE)
		return EXIT_OK;
	log_err("cannot write events: %s", strerror(-r));
	return EXIT_INTERNAL;
}

int guard_cmd_events(int argc, char **argv)
{
	static const struct option_row *const tables[] = { rows, NULL };
	static const struct args_spec spec = {
		.prog = "netprobe guard events",
		.summary = "What detection finds, as it finds it: security.* events.",
		.tables = tables,
	};
	struct watcher *w = calloc(1, sizeof(*w));
	struct args_list operands = {};
	int r;

	if (!w)
		return EXIT_INTERNAL;
	w->sink.fd = STDOUT_FILENO;
	w->o.format = -1;
	r = guard_parse(&spec, argc, argv, &w->o, &w->o.help, &operands);
	if (r < 0) {
		if (w->o.format < 0)
			w->o.format = isatty(STDOUT_FILENO) ? FORMAT_TEXT : FORMAT_JSON;
		(void)gethostname(w->host, sizeof(w->host) - 1);
		w->sink.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
		w->attacks = attacks_new(write_event, w);
		r = w->attacks ? watch(w) : EXIT_INTERNAL;
		attacks_free(w->attacks);
	}
	buf_done(&w->out);
	free(w);
	args_list_done(&operands);
	return r;
}
