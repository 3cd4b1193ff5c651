/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard watch`: asks backends whether they serve, and prints stats.lb as it goes. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "balance/check.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/guard.h"
#include "cli/guard_lb.h"
#include "out/table.h"

struct watch {
	bool help;
	int format;
	double interval, duration;
	uint32_t count;
	struct balance b;
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
}

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void on_health(const char *vip, const char *backend, bool up, const char *why, void *arg)
{
	(void)arg;
	if (up)
		log_notice("%s: backend %s is up", vip, backend);
	else
		log_notice("%s: backend %s is down: %s", vip, backend, why);
}

/* What others changed is read again with it. */
static int print(struct watch *w, struct netprobe_error *err)
{
	int r = balance_take(&w->b, err);

	if (r)
		return r;
	r = guard_lb_events(&w->b, &w->out, formats[w->format], w->sink.color);
	balance_share(&w->b);
	if (r)
		return error_set(err, r, "the balancer's counters cannot be read: %s",
				 strerror(-r));
	return sink_write(&w->sink, &w->out);
}

static int run(struct watch *w, struct checker *c, struct netprobe_error *err)
{
	double began = now_s(), next = began + w->interval, left;
	uint32_t n = 0;
	int r = 0;

	while (!r && !ended && (!w->count || n < w->count) &&
	       (w->duration <= 0 || now_s() < began + w->duration)) {
		left = next - now_s();
		/* Others may change things at any time: look at least that often. */
		r = checker_run(c, left > 0.2 ? 200 : left > 0 ? (int)(left * 1000) + 1 : 0, err);
		if (r || now_s() < next)
			continue;
		next += w->interval;
		n++;
		r = print(w, err);
	}
	return r;
}

static int watch(struct watch *w)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct netprobe_error err = {};
	struct checker *c = NULL;
	int r = balance_open(false, NULL, &w->b, &err);

	if (r == -ENOENT && !err.msg[0]) {
		error_set(&err, r, "there is no VIP in this network namespace");
		error_hint(&err, "netprobe guard vip add ADDR:PORT/PROTO makes one");
	}
	if (!r) {
		balance_share(&w->b);
		c = checker_new(&w->b, on_health, NULL);
		r = c ? 0 : error_set(&err, -ENOMEM, "no memory");
	}
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	if (!r)
		r = run(w, c, &err);
	checker_free(c);
	balance_close(&w->b);
	if (r == -EPIPE)
		return EXIT_OK;
	if (r && !err.msg[0])
		error_set(&err, r, "cannot write: %s", strerror(-r));
	return r ? guard_failed(&err) : EXIT_OK;
}

int guard_cmd_watch(int argc, char **argv)
{
	static const struct args_spec spec = {
		.prog = "netprobe guard watch",
		.summary =
			"Run the health checks of all backends, and print what the balancer counts, until "
			"interrupted. Without it backends stay as they were last seen.",
		.tables = tables,
	};
	struct watch w = { .interval = 1, .format = -1, .sink = { .fd = STDOUT_FILENO } };
	struct args_list operands = {};
	int r = guard_parse(&spec, argc, argv, &w, &w.help, &operands);

	if (r < 0) {
		w.sink.tty = isatty(STDOUT_FILENO);
		w.sink.color = w.sink.tty && !getenv("NO_COLOR");
		if (w.format < 0)
			w.format = w.sink.tty ? 0 : 1;
		r = watch(&w);
	}
	args_list_done(&operands);
	buf_done(&w.out);
	return r;
}
