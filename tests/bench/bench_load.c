/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What netprobe takes from a machine that answers requests: the share of a processor its programs
 * need at a fixed rate of requests, and what is left of the highest rate, beside nethogs and tcpdump
 * in rounds of the same run. --rounds N --seconds S --rate N
 *
 * What is judged has client and server on one processor: then it is the processor that limits them,
 * and all that is taken from it shows. With a processor each, they mostly wait to be woken.
 */
#include <bpf/libbpf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "progs.h"
#include "rounds.h"

#define ROUNDS_MAX 64
#define SETTLE_MS 300 /* for a tool that does not say when it has begun */

static const char *const np_args[] = { "top", "--format", "json", "-o", "/dev/null", NULL };
/* Everything that may be asked for beside it: stalls, drops and verdicts of rows, waits in queues. */
static const char *const np_all_args[] = { "top",  "--health", "--latency", "--format",
					   "json", "-o",       "/dev/null", NULL };
static const char *const nethogs[] = { "nethogs", "-t", "-a", "lo", NULL };
static const char *const tcpdump[] = { "tcpdump", "-i", "lo", "-Z", "root", "-w", "-", NULL };

static struct tool {
	const char *name, *id;
	const char *const *argv; /* NULL: netprobe, with np; none: empty programs */
	const char *const *np;
	double target; /* 0: for information */
	bool one_cpu, skip;
	double kept[ROUNDS_MAX], per_cpu[ROUNDS_MAX];
} tools[] = {
	{ .name = "netprobe", .id = "b.kept", .np = np_args, .target = 0.97, .one_cpu = true },
	{ .name = "netprobe with all on",
	  .id = "b.kept.all",
	  .np = np_all_args,
	  .target = 0.95,
	  .one_cpu = true },
	{ .name = "empty programs at its two hooks", .id = "b.kept.empty", .one_cpu = true },
	{ .name = "nethogs", .id = "b.kept.nethogs", .argv = nethogs, .one_cpu = true },
	{ .name = "tcpdump -w", .id = "b.kept.tcpdump", .argv = tcpdump, .one_cpu = true },
	{ .name = "netprobe", .id = "b.kept2", .np = np_args },
	{ .name = "netprobe with all on", .id = "b.kept2.all", .np = np_all_args },
	{ .name = "empty programs at its two hooks", .id = "b.kept2.empty" },
	{ .name = "nethogs", .id = "b.kept2.nethogs", .argv = nethogs },
	{ .name = "tcpdump -w", .id = "b.kept2.tcpdump", .argv = tcpdump },
};

#define N_TOOLS (sizeof(tools) / sizeof(tools[0]))

struct running {
	struct child c; /* pid 0: none */
	struct bpf_object *obj;
	struct bpf_link *link[2];
};

static struct running empty_start(void)
{
	struct running r = { .obj = bpf_object__open_file(bin_path("empty.bpf.o"), NULL) };
	struct bpf_program *p;
	unsigned int n = 0;

	if (!r.obj || bpf_object__load(r.obj))
		die("loading empty.bpf.o");
	bpf_object__for_each_program (p, r.obj) {
		r.link[n] = bpf_program__attach(p);
		if (!r.link[n++])
			die("attaching empty programs");
	}
	return r;
}

static struct running tool_start(const struct tool *t)
{
	struct running r = { .obj = NULL };

	if (t->np) {
		r.c = netprobe_start("/dev/null", -1, t->np);
	} else if (t->argv) {
		r.c = child_start(CHILD_SILENT, t->argv);
		tm_sleep_ms(SETTLE_MS);
	} else {
		r = empty_start();
	}
	return r;
}

static void tool_stop(struct running *r, const char *name)
{
	int status = r->obj ? 0 : child_stop(&r->c, SIGTERM);

	if (status && status != 128 + SIGTERM)
		bench_die("%s ended with %d", name, status);
	bpf_link__destroy(r->link[0]);
	bpf_link__destroy(r->link[1]);
	bpf_object__close(r->obj);
}

/* Bare rounds before and after: what drifts meanwhile is halved. */
static void kept_round(struct tool *t, unsigned int round, const char *seconds)
{
	const struct rr_how how = { .proto = "tcp", .seconds = seconds, .one_cpu = t->one_cpu };
	struct rr_result before = rr_run(&how), with, after;
	struct running r = tool_start(t);

	with = rr_run(&how);
	tool_stop(&r, t->name);
	after = rr_run(&how);
	t->kept[round] = with.rate * 2 / (before.rate + after.rate);
	t->per_cpu[round] = with.per_cpu * 2 / (before.per_cpu + after.per_cpu);
	note("%-10s %s %.0f round trips/s between %.0f and %.0f: %.3f kept, %.3f by processor time",
	     t->name, t->one_cpu ? "one CPU " : "two CPUs", with.rate, before.rate, after.rate,
	     t->kept[round], t->per_cpu[round]);
}

static void kept(unsigned int rounds, const char *seconds)
{
	for (unsigned int i = 0; i < N_TOOLS; i++)
		tools[i].skip = tools[i].argv && !command_exists(tools[i].argv[0]);
	for (unsigned int r = 0; r < rounds; r++)
		for (unsigned int i = 0; i < N_TOOLS; i++)
			if (!tools[i].skip)
				kept_round(&tools[i], r, seconds);
	for (unsigned int i = 0; i < N_TOOLS; i++) {
		const struct tool *t = &tools[i];
		double wall, cpu;
		char what[80];

		if (t->skip)
			continue;
		wall = median(tools[i].kept, rounds);
		cpu = median(tools[i].per_cpu, rounds);
		snprintf(what, sizeof(what), "Highest rate kept with %s, %s", t->name,
			 t->one_cpu ? "both ends on one CPU" : "a CPU for each end");
		figure(t->id, what, wall, "of 1", t->target > 0 ? AT_LEAST : NULL, t->target,
		       "1-byte TCP round trips, median of %u rounds, %.3f to %.3f; %.3f by processor time",
		       rounds, t->kept[0], t->kept[rounds - 1], cpu);
	}
}

static void share(unsigned int rounds, const char *seconds, unsigned int rate)
{
	double per_end[ROUNDS_MAX], reached[ROUNDS_MAX], user[ROUNDS_MAX], m;
	const struct rr_how how = {
		.proto = "tcp", .seconds = seconds, .one_cpu = true, .rate = rate
	};
	struct child c = netprobe_start("/dev/null", -1, np_args);
	int stats = progs_stats_on();

	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t cpu = cpu_time_ns(c.pid);
		struct progs before, after, d;
		struct rr_result r;
		double trips;

		progs_of(c.pid, &before);
		r = rr_run(&how);
		progs_of(c.pid, &after);
		d = progs_delta(&before, &after);
		trips = (double)r.round_trips;
		/* time a round trip needs, at the rate asked for: the same where that was reached */
		per_end[i] = (double)progs_ns(&d) / trips * rate / 1e9 / 2 * 100;
		reached[i] = r.rate;
		user[i] = (double)(cpu_time_ns(c.pid) - cpu) / r.seconds / 1e9 * 100;
		note("paced %u/s: reached %.0f/s, %.2f%% of a processor per end: %s", rate, r.rate,
		     per_end[i], progs_list(&d, r.round_trips * 4));
	}
	close(stats);
	child_stop(&c, SIGTERM);
	m = median(per_end, rounds);
	figure("b.share", "Programs' share of one CPU, per end, at 38,000 round trips/s", m, "%",
	       AT_MOST, 1.5,
	       "median of %u rounds, %.2f to %.2f; rate reached %.0f/s; with the cost of measuring; netprobe's "
	       "own process took %.2f%%",
	       rounds, per_end[0], per_end[rounds - 1], median(reached, rounds),
	       median(user, rounds));
}

int main(int argc, char **argv)
{
	unsigned int rounds, rate;
	const char *seconds;

	tm_init(argc, argv);
	rounds = (unsigned int)tm_num("rounds", 9);
	rate = (unsigned int)tm_num("rate", 38000);
	seconds = tm_str("seconds", "0.5");
	if (!rounds || rounds > ROUNDS_MAX || !rate)
		bench_die("--rounds: 1 to %d", ROUNDS_MAX);
	bench_init();
	ns_enter_new();
	share(rounds, seconds, rate);
	kept(rounds, seconds);
	return 0;
}
