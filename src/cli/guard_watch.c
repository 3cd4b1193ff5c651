/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard watch`: asks backends whether they serve, follows interfaces, and prints stats.lb. */
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

struct watch {
	bool help;
	int format;
	double interval, duration;
	uint32_t count;
	struct sink sink;
	struct buf out;
};

static const char *const format_names[] = { "text", "json", "xctl", NULL };
static const int formats[] = { FORMAT_TEXT, FORMAT_JSON, FORMAT_XCTL };

#define ROW(name, letter, type, field, arg, help, ...) \
	OPTION(name, letter, type, struct watch, field, arg, help, ##__VA_ARGS__)

static const struct option_row rows[] = {
	OPTIONS_HEADING("Options"),
	ROW("interval", 0, OPTION_SECONDS, interval, "SEC", "between two records (default 1)",
	    .min = 10, .max = 3600000),
	ROW("duration", 0, OPTION_SECONDS, duration, "SEC", "end after this time", .min = 1),
	ROW(NULL, 'n', OPTION_U32, count, "COUNT", "end after so many intervals", .min = 1),
	ROW("format", 0, OPTION_ENUM, format, NULL, "json when piped, text on a terminal",
	    .names = format_names),
	ROW("help", 'h', OPTION_HELP, help, NULL, "this text"),
	OPTIONS_END,
};

static const struct option_row *const tables[] = { rows, NULL };

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	(void)sig;
	ended = 1;
	sink_hurry();
}

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* One look at them: a record each; what became of a backend goes to the log. */
static void on_events(const struct netprobe_event *events, size_t n, void *arg)
{
	struct watch *w = arg;

	for (size_t i = 0; i < n; i++) {
		const struct netprobe_event *ev = &events[i];
		const char *line = formats[w->format] == FORMAT_JSON   ? ev->json
				   : formats[w->format] == FORMAT_XCTL ? ev->xctl
								       : ev->text;

		if (!strcmp(ev->type, "balance.health") || !strcmp(ev->type, "guard.again")) {
			const char *words = strstr(ev->text, ev->entity_id);

			log_notice("%s", words ? words : ev->text);
			continue;
		}
		buf_puts(&w->out, line);
		buf_putc(&w->out, '\n');
	}
}

static int run(struct watch *w, struct netprobe_manager *m, struct netprobe_error *err)
{
	double began = now_s(), next = began + w->interval, left;
	uint32_t n = 0;
	int r = 0;

	while (r >= 0 && !ended && (!w->count || n < w->count) &&
	       (w->duration <= 0 || now_s() < began + w->duration)) {
		left = next - now_s();
		/* Others may change things at any time: look at least that often. */
		r = netprobe_manager_poll(m, left > 0.2 ? 200
					     : left > 0 ? (int)(left * 1000) + 1
							: 0);
		if (r < 0 || now_s() < next)
			continue;
		next += w->interval;
		n++;
		r = netprobe_manager_report(m, NETPROBE_EVENT_BALANCING, err);
		if (r >= 0)
			r = sink_put(&w->sink, &w->out, NULL);
	}
	return r < 0 ? r : 0;
}

static int nothing(const struct netprobe_backend_stats *s, void *arg)
{
	(void)s;
	(void)arg;
	return 0;
}

static int no_interface(const struct netprobe_interface *i, void *arg)
{
	(void)i;
	(void)arg;
	return 0;
}

static int start(struct guard_call *call, struct watch *w)
{
	struct netprobe_config c;
	int r = netprobe_manager_backends(call->m, nothing, NULL, &call->err);

	if (r == 0 && netprobe_manager_interfaces(call->m, no_interface, NULL, NULL) <= 0) {
		r = error_set(
			&call->err, -ENOENT,
			"there is no VIP in this network namespace, and no interface that guard "
			"is on");
		error_hint(&call->err,
			   "netprobe guard vip add ADDR:PORT/PROTO, or guard attach IF");
	}
	if (r < 0)
		return r;
	guard_config(&c);
	c.enable_health_checks = c.follow_interfaces = true;
	c.batch_timeout = 0;
	c.stats_report_interval = 3600000; /* asked for */
	c.formats = NETPROBE_FORMAT_TEXT | NETPROBE_FORMAT_XCTL;
	if (w->sink.color)
		c.formats |= NETPROBE_FORMAT_COLOR;
	r = guard_configure(call, &c);
	if (!r)
		r = netprobe_manager_set_event_handler(
			call->m, NETPROBE_EVENT_BALANCING | NETPROBE_EVENT_STATISTICS, on_events,
			w);
	return r ? r : netprobe_manager_load(call->m, &call->err);
}

static int watch(struct guard_call *call)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct watch *w = call->opts;
	int r;

	w->sink.tty = isatty(STDOUT_FILENO);
	w->sink.color = w->sink.tty && !getenv("NO_COLOR");
	if (w->format < 0)
		w->format = w->sink.tty ? 0 : 1;
	r = start(call, w);
	signal_heed(SIGINT, &sa);
	signal_heed(SIGTERM, &sa);
	if (!r)
		r = run(w, call->m, &call->err) ?: sink_finish(&w->sink);
	sink_close(&w->sink);
	(void)netprobe_manager_set_event_handler(call->m, NETPROBE_EVENT_ALL, NULL, NULL);
	if (r == -EPIPE)
		return EXIT_OK;
	if (r && !call->err.msg[0])
		error_set(&call->err, r, "cannot write: %s", strerror(-r));
	return r;
}

static const struct args_spec watch_spec = {
	.prog = "netprobe guard watch",
	.summary = "Run the health checks of all backends, put guard on interfaces that come back, "
		   "and print what the balancer counts, until "
		   "interrupted. Without it backends stay as they were last seen.",
	.tables = tables,
};

static void watch_defaults(void *opts)
{
	*(struct watch *)opts = (struct watch){ .interval = 1,
						.format = -1,
						.sink = { .fd = STDOUT_FILENO, .opener = -1 } };
}

static void watch_done(void *opts)
{
	struct watch *w = opts;

	buf_done(&w->out);
}

const struct guard_row guard_verb_watch = {
	.spec = &watch_spec,
	.size = sizeof(struct watch),
	.defaults = watch_defaults,
	.work = watch,
	.done = watch_done,
};
