/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Very many open sockets: how long the sweep takes that feeds `top`, how much memory `top` needs for
 * them, and what it costs to look at a thousand idle ones once a second.
 *
 * --sockets N --seconds S (of watching the idle ones)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define TICKS 7
#define IDLE_SOCKETS "1000"

struct tick {
	double sockets, records, passes, sweep_ms, tick_ms, cpu_ms;
};

struct talk {
	struct child c;
	FILE *out;
};

static const char *const top[] = { "top", "--format", "json", "-o", "/dev/null", NULL };

static void talk_line(struct talk *t, char *line, int size)
{
	if (!fgets(line, size, t->out))
		bench_die("a helper ended early");
}

static struct talk talk_start(const char *const *argv, char *line, int size)
{
	struct talk t = { .c = child_start(CHILD_IN | CHILD_OUT, argv) };

	t.out = fdopen(t.c.out, "re");
	if (!t.out)
		die("fdopen");
	talk_line(&t, line, size);
	return t;
}

static void talk_end(struct talk *t)
{
	fclose(t->out);
	t->c.out = -1;
	(void)child_wait(&t->c); /* its stdin is closed, which ends it */
}

static void ask(struct talk *t, const char *what, char *line, int size)
{
	if (write(t->c.in, what, strlen(what)) != (ssize_t)strlen(what))
		die("asking a helper");
	talk_line(t, line, size);
}

/* Move every n-th connection's byte (0: none), then tick; medians of several. */
static struct tick ticks(struct talk *crowd, struct talk *sweep, unsigned int every,
			 const char *what)
{
	double sweep_ms[TICKS], tick_ms[TICKS], cpu_ms[TICKS];
	struct tick t = { 0 };
	char line[200], order[16];

	snprintf(order, sizeof(order), "%u\n", every);
	for (unsigned int i = 0; i < TICKS; i++) {
		if (every)
			ask(crowd, order, line, sizeof(line));
		ask(sweep, what, line, sizeof(line));
		if (sscanf(line, "%lf %lf %lf %lf %lf %lf", &t.sockets, &t.records, &t.passes,
			   &t.sweep_ms, &t.tick_ms, &t.cpu_ms) != 6)
			bench_die("unexpected: %s", line);
		sweep_ms[i] = t.sweep_ms;
		tick_ms[i] = t.tick_ms;
		cpu_ms[i] = t.cpu_ms;
		note("%.0f sockets, %.0f records in %.0f passes: sweep %.1f ms, tick %.1f ms, %.1f ms of CPU",
		     t.sockets, t.records, t.passes, t.sweep_ms, t.tick_ms, t.cpu_ms);
		tm_sleep_ms(50);
	}
	t.sweep_ms = median(sweep_ms, TICKS);
	t.tick_ms = median(tick_ms, TICKS);
	t.cpu_ms = median(cpu_ms, TICKS);
	return t;
}

static void report(const char *id, const char *what, const char *op, const struct tick *t)
{
	figure(id, what, t->sweep_ms, "ms", op, 100,
	       "%.0f sockets, %.0f records in %.0f passes, median of %d; the whole tick %.1f ms, %.1f ms of processor time",
	       t->sockets, t->records, t->passes, TICKS, t->tick_ms, t->cpu_ms);
}

static void sweeps(struct talk *crowd)
{
	const char *argv[] = { bin_path("sweep"), NULL };
	char line[200];
	struct talk sweep = talk_start(argv, line, sizeof(line));
	struct tick t;

	note("session opened in %.1f ms", strtod(line, NULL));
	ask(&sweep, "t\n", line, sizeof(line));
	note("first tick: %s", line);
	t = ticks(crowd, &sweep, 0, "t\n");
	report("f.sweep.idle", "Sweep with 100,000 sockets, none moved", AT_MOST, &t);
	t = ticks(crowd, &sweep, 50, "t\n");
	report("f.sweep.some", "the same, 1 in 50 moved", AT_MOST, &t);
	t = ticks(crowd, &sweep, 1, "t\n");
	report("f.sweep.all", "the same, all moved", AT_MOST, &t);
	t = ticks(crowd, &sweep, 0, "f\n");
	report("f.sweep.full", "the same, full sweep (every 30 s)", NULL, &t);
	talk_end(&sweep);
}

static void memory(struct talk *crowd)
{
	struct child c = netprobe_start("/dev/null", -1, top);
	uint64_t idle, busy;
	char line[200];

	tm_sleep_ms(3500);
	idle = status_kib(c.pid, "VmHWM");
	ask(crowd, "1\n", line, sizeof(line));
	tm_sleep_ms(3500);
	busy = status_kib(c.pid, "VmHWM");
	child_stop(&c, SIGTERM);
	figure("f.rss", "Most memory of `top` with 100,000 sockets, all moved", (double)busy / 1024,
	       "MiB", AT_MOST, 64, "VmHWM; %.1f MiB before any moved", (double)idle / 1024);
}

static void idle_cpu(unsigned int seconds)
{
	const char *argv[] = { bin_path("crowd"), "--sockets", IDLE_SOCKETS, NULL };
	char line[200];
	struct talk crowd = talk_start(argv, line, sizeof(line));
	struct child c = netprobe_start("/dev/null", -1, top);
	uint64_t before, after;

	tm_sleep_ms(2500); /* the first intervals learn what is there */
	before = cpu_time_ns(c.pid);
	tm_sleep_ms(seconds * 1000);
	after = cpu_time_ns(c.pid);
	child_stop(&c, SIGTERM);
	talk_end(&crowd);
	figure("f.idle", "CPU of `top` at 1 s with 1,000 idle sockets",
	       (double)(after - before) / seconds / 1e7, "%", AT_MOST, 1, "utime + stime over %u s",
	       seconds);
}

int main(int argc, char **argv)
{
	struct talk crowd;
	char line[200];

	tm_init(argc, argv);
	bench_init();
	ns_enter_new();
	idle_cpu((unsigned int)tm_num("seconds", 10));
	crowd = talk_start((const char *[]){ bin_path("crowd"), "--sockets",
					     tm_str("sockets", "100000"), NULL },
			   line, sizeof(line));
	sweeps(&crowd);
	memory(&crowd);
	talk_end(&crowd);
	return 0;
}
