/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a small send or receive costs in the kernel: all programs of netprobe's default set together,
 * beside the cheapest useful program at the same hook (baseline.bpf.c). Rounds of both alternate, so
 * that what else the machine does meets both; the ratio is of medians. A third kind of round has both
 * attached, so that they see the same calls: a check on the first that other work cannot bend. A fourth
 * has programs that do nothing at the hooks of unconnected datagrams (floor.bpf.c), a fifth the cheapest
 * useful ones at all of those (peers.bpf.c).
 *
 * --rounds N --seconds S (of each kind of traffic in each round)
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "progs.h"
#include "rounds.h"

#define ROUNDS_MAX 64
#define N_CASES 4

enum { ALONE_NETPROBE, ALONE_BASELINE, TOGETHER, FLOOR, PEERS, N_KINDS };

static const struct traffic {
	const char *id, *proto;
	bool one_cpu;
	const char *what;
} cases[N_CASES] = {
	{ "a.tcp", "tcp", false, "In-kernel cost of a 1-byte TCP call : baseline" },
	{ "a.tcp-one-cpu", "tcp", true, "the same, both ends on one CPU" },
	{ "a.udp", "udp", false, "the same, UDP connected" },
	{ "a.udp-any", "udp-any", false, "the same, UDP unconnected" },
};
static const char *const np_args[] = { "top", "--format", "json", "-o", "/dev/null", NULL };

static double np_alone[N_CASES][ROUNDS_MAX], base_alone[N_CASES][ROUNDS_MAX];
static double np_same[N_CASES][ROUNDS_MAX], base_same[N_CASES][ROUNDS_MAX];
static double floor_ns[ROUNDS_MAX], peers_ns[ROUNDS_MAX];
static char breakdown[N_CASES][900];
static const char *seconds;

struct base {
	struct bpf_object *obj;
	struct bpf_link *link[4];
};

static int print(enum libbpf_print_level level, const char *format, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, ap) : 0;
}

/* Root of the v2 tree, wherever it is mounted. */
static int cgroup_open(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[1024], path[512];
	int fd = -1;

	while (f && fd < 0 && fgets(line, sizeof(line), f))
		if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %511s", path) == 1)
			fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die("opening cgroup v2");
	(void)fclose(f);
	return fd;
}

static struct base base_start(const char *object)
{
	struct base b = { .obj = bpf_object__open_file(bin_path(object), NULL) };
	struct bpf_program *p;
	int cgroup = cgroup_open();
	unsigned int n = 0;

	if (!b.obj || bpf_object__load(b.obj))
		die("loading the baseline");
	bpf_object__for_each_program (p, b.obj) {
		b.link[n] = bpf_program__type(p) == BPF_PROG_TYPE_TRACING
				    ? bpf_program__attach(p)
				    : bpf_program__attach_cgroup(p, cgroup);
		if (!b.link[n++])
			die("attaching the baseline");
	}
	(void)close(cgroup);
	return b;
}

static void base_stop(struct base *b)
{
	for (unsigned int i = 0; i < 4; i++)
		bpf_link__destroy(b->link[i]);
	bpf_object__close(b->obj);
}

/*
 * ns a call. A call is one run of the send or of the receive program. That equals rr's own count but
 * for what else the machine sends meanwhile, which is in the time as well.
 */
static double cost(const struct progs *d, const char *send, const char *recv,
		   const struct rr_result *r)
{
	uint64_t calls = progs_runs(d, send) + progs_runs(d, recv);

	if (calls < r->round_trips * 4)
		bench_die("%s and %s ran %lu times in %lu calls", send, recv, (unsigned long)calls,
			  (unsigned long)r->round_trips * 4);
	return (double)progs_ns(d) / (double)calls;
}

/* pid 0: netprobe does not run; base_on: the baseline does. */
static void measure(pid_t pid, bool base_on, unsigned int round)
{
	struct progs np[2], base[2], np_d, base_d;
	struct rr_result r;

	for (unsigned int i = 0; i < N_CASES; i++) {
		double np_ns = 0, base_ns = 0;

		if (pid)
			progs_of(pid, &np[0]);
		progs_of(getpid(), &base[0]);
		r = rr_run(cases[i].proto, cases[i].one_cpu, seconds, 0);
		progs_of(getpid(), &base[1]);
		if (pid)
			progs_of(pid, &np[1]);
		if (pid) {
			np_d = progs_delta(&np[0], &np[1]);
			np_ns = cost(&np_d, "np_send_", "np_recv_", &r);
			(base_on ? np_same : np_alone)[i][round] = np_ns;
			note("%-13s netprobe %6.1f ns a call: %s", cases[i].id, np_ns,
			     progs_list(&np_d, r.round_trips * 4));
		}
		if (base_on) {
			base_d = progs_delta(&base[0], &base[1]);
			base_ns = cost(&base_d, "base_send", "base_recv", &r);
			(pid ? base_same : base_alone)[i][round] = base_ns;
			note("%-13s baseline %6.1f ns a call: %s", cases[i].id, base_ns,
			     progs_list(&base_d, r.round_trips * 4));
		}
		if (pid && !base_on)
			snprintf(breakdown[i], sizeof(breakdown[i]), "%s",
				 progs_list(&np_d, r.round_trips * 4));
	}
}

/* Unconnected datagrams with the programs of that object alone, of which these two see the calls. */
static double any_ns(const char *object, const char *send, const char *recv)
{
	struct base b = base_start(object);
	struct progs before, after, d;
	struct rr_result r;

	progs_of(getpid(), &before);
	r = rr_run("udp-any", false, seconds, 0);
	progs_of(getpid(), &after);
	d = progs_delta(&before, &after);
	base_stop(&b);
	return cost(&d, send, recv, &r);
}

/* Programs at one hook run in the order they were attached in: each is first in every other round. */
static void round_of(int kind, unsigned int round)
{
	struct base b = { .obj = NULL };
	struct child c = { .pid = 0 };

	if (kind == FLOOR) {
		floor_ns[round] = any_ns("floor.bpf.o", "floor_send", "floor_recv");
		return;
	}
	if (kind == PEERS) {
		peers_ns[round] = any_ns("peers.bpf.o", "peers_send", "peers_recv");
		return;
	}
	if (kind == ALONE_BASELINE || (kind == TOGETHER && round % 2))
		b = base_start("baseline.bpf.o");
	if (kind != ALONE_BASELINE)
		c = netprobe_start("/dev/null", -1, np_args);
	if (kind == TOGETHER && !b.obj)
		b = base_start("baseline.bpf.o");
	measure(c.pid, b.obj != NULL, round);
	if (c.pid)
		child_stop(&c, SIGTERM);
	if (b.obj)
		base_stop(&b);
}

static void report(unsigned int rounds)
{
	double any = median(np_alone[N_CASES - 1], rounds) / median(peers_ns, rounds);
	double least = median(floor_ns, rounds) / median(base_alone[N_CASES - 1], rounds);

	for (unsigned int i = 0; i < N_CASES; i++) {
		double ratio = median(np_alone[i], rounds) / median(base_alone[i], rounds);
		double same[ROUNDS_MAX];

		for (unsigned int r = 0; r < rounds; r++)
			same[r] = np_same[i][r] / base_same[i][r];
		figure(cases[i].id, cases[i].what, ratio, "x", i ? NULL : AT_MOST, 1,
		       "netprobe %.1f ns (%.1f to %.1f), baseline %.1f ns (%.1f to %.1f), both at the same "
		       "calls %.2f x; %s",
		       median(np_alone[i], rounds), np_alone[i][0], np_alone[i][rounds - 1],
		       median(base_alone[i], rounds), base_alone[i][0], base_alone[i][rounds - 1],
		       median(same, rounds), breakdown[i]);
	}
	figure("a.udp-any-floor", "two programs that do nothing at the hooks of UDP unconnected",
	       least, "x", NULL, 0, "%.1f ns (%.1f to %.1f)", median(floor_ns, rounds), floor_ns[0],
	       floor_ns[rounds - 1]);
	figure("a.udp-any-same",
	       "UDP unconnected : the cheapest useful program at each of its hooks", any, "x",
	       AT_MOST, 1, "%.1f ns (%.1f to %.1f)", median(peers_ns, rounds), peers_ns[0],
	       peers_ns[rounds - 1]);
}

int main(int argc, char **argv)
{
	unsigned int rounds;

	tm_init(argc, argv);
	rounds = (unsigned int)tm_num("rounds", 9);
	seconds = tm_str("seconds", "0.4");
	if (!rounds || rounds > ROUNDS_MAX)
		bench_die("--rounds: 1 to %d", ROUNDS_MAX);
	libbpf_set_print(print);
	progs_stats_on();
	bench_init();
	ns_enter_new();
	for (unsigned int r = 0; r < rounds; r++)
		for (unsigned int k = 0; k < N_KINDS; k++)
			round_of((int)((k + r) % N_KINDS), r); /* none is always the first */
	report(rounds);
	return 0;
}
