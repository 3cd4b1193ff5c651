/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a small send or receive costs in the kernel: all programs of netprobe's default set together,
 * beside the cheapest useful program at the same hook (baseline.bpf.c). Rounds of both alternate, so
 * that what else the machine does meets both; the ratio is of medians. A third kind of round has both
 * attached, so that they see the same calls: a check on the first that other work cannot bend. A fourth
 * has programs that do nothing at the hooks of unconnected datagrams (floor.bpf.c), a fifth the cheapest
 * useful ones at all of those (peers.bpf.c), a sixth programs that do nothing at the hooks of TCP (empty.bpf.c), and
 * where very many sockets are used in turn there is the cheapest that knows the socket (socket.bpf.c).
 *
 * --rounds N --seconds S (of each kind of traffic in each round)
 * --instructions: in a guest whose clock counts them (tests/kernels/run --icount) what is measured is
 * instructions, less those of an empty program and of measuring it.
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
#define N_CASES 7

enum { ALONE_NETPROBE, ALONE_BASELINE, TOGETHER, FLOOR, PEERS, EMPTY, SOCKET, N_KINDS };

#define MANY (N_CASES - 3)
#define UDP_ANY (N_CASES - 1)

static const struct traffic {
	const char *id;
	struct rr_how how;
	const char *what;
	double most; /* of the baseline; 0: for information */
	double most_insns;
} cases[N_CASES] = {
	{ "a.tcp", { .proto = "tcp" }, "In-kernel cost of a 1-byte TCP call : baseline", 0.9, 0 },
	{ "a.tcp-one-cpu",
	  { .proto = "tcp", .one_cpu = true },
	  "the same, both ends on one CPU",
	  0,
	  160 },
	{ "a.tcp-2-threads",
	  { .proto = "tcp", .one_cpu = true, .threads = 2 },
	  "the same, 2 threads of each end on its socket",
	  0.9,
	  160 },
	{ "a.tcp-8-threads",
	  { .proto = "tcp", .one_cpu = true, .threads = 8 },
	  "the same, 8 threads",
	  0.9,
	  160 },
	{ "a.tcp-10000",
	  { .proto = "tcp", .one_cpu = true, .sockets = 5000 },
	  "the same, 10,000 sockets in turn",
	  0,
	  0 },
	{ "a.udp", { .proto = "udp", .one_cpu = true }, "the same, UDP connected", 0, 160 },
	{ "a.udp-any",
	  { .proto = "udp-any", .one_cpu = true },
	  "the same, UDP unconnected",
	  0,
	  675 },
};
static const char *const np_args[] = { "top", "--format", "json", "-o", "/dev/null", NULL };

static double np_alone[N_CASES][ROUNDS_MAX], base_alone[N_CASES][ROUNDS_MAX];
static double np_same[N_CASES][ROUNDS_MAX], base_same[N_CASES][ROUNDS_MAX];
static double floor_ns[ROUNDS_MAX], peers_ns[ROUNDS_MAX], empty_ns[ROUNDS_MAX],
	socket_ns[ROUNDS_MAX];
static char breakdown[N_CASES][900];
static const char *seconds;
static bool instructions;

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
 * for what else the machine sends meanwhile, which is in the time as well. Of very many sockets the others' ends
 * come into it, which are not what is asked for: alone leaves all other programs out.
 */
static double cost(const struct progs *d, const char *send, const char *recv,
		   const struct rr_result *r, bool alone)
{
	uint64_t calls = progs_runs(d, send) + progs_runs(d, recv);

	if (calls < r->round_trips * 4)
		bench_die("%s and %s ran %lu times in %lu calls", send, recv, (unsigned long)calls,
			  (unsigned long)r->round_trips * 4);
	return (double)(alone ? progs_ns_of(d, send) + progs_ns_of(d, recv) : progs_ns(d)) /
	       (double)calls;
}

/* Programs of netprobe and of this process, before and after the round trips that count. */
struct seen {
	pid_t pid; /* 0: netprobe does not run */
	struct progs np[2], base[2];
};

static void look(struct seen *s, unsigned int when)
{
	if (s->pid)
		progs_of(s->pid, &s->np[when]);
	progs_of(getpid(), &s->base[when]);
}

static void look_before(void *seen)
{
	look(seen, 0);
}

/* Where instructions are counted there is one processor. */
static struct rr_result run_case(const struct traffic *t, struct seen *s)
{
	struct rr_how how = t->how;
	struct rr_result r;

	how.seconds = seconds;
	how.one_cpu |= instructions;
	how.warm = look_before;
	how.arg = s;
	r = rr_run(&how);
	look(s, 1);
	return r;
}

/* pid 0: netprobe does not run; base_on: the baseline does. */
static void measure(pid_t pid, bool base_on, unsigned int round)
{
	struct seen s = { .pid = pid };

	for (unsigned int i = 0; i < N_CASES; i++) {
		bool alone = cases[i].how.sockets > 1;
		double np_ns = 0, base_ns = 0;
		struct rr_result r;
		struct progs d;

		if (instructions && !cases[i].most_insns)
			continue;
		r = run_case(&cases[i], &s);
		if (pid) {
			d = progs_delta(&s.np[0], &s.np[1]);
			np_ns = cost(&d, "np_send_", "np_recv_", &r, alone);
			(base_on ? np_same : np_alone)[i][round] = np_ns;
			note("%-13s netprobe %6.1f ns a call: %s", cases[i].id, np_ns,
			     progs_list(&d, r.round_trips * 4));
			if (!base_on)
				snprintf(breakdown[i], sizeof(breakdown[i]), "%s",
					 progs_list(&d, r.round_trips * 4));
		}
		if (base_on) {
			d = progs_delta(&s.base[0], &s.base[1]);
			base_ns = cost(&d, "base_send", "base_recv", &r, alone);
			(pid ? base_same : base_alone)[i][round] = base_ns;
			note("%-13s baseline %6.1f ns a call: %s", cases[i].id, base_ns,
			     progs_list(&d, r.round_trips * 4));
		}
	}
}

/* That traffic with the programs of that object alone, of which these two see the calls. */
static double object_ns(const struct traffic *t, const char *object, const char *send,
			const char *recv)
{
	struct base b = base_start(object);
	struct seen s = { .pid = 0 };
	struct rr_result r = run_case(t, &s);
	struct progs d = progs_delta(&s.base[0], &s.base[1]);

	base_stop(&b);
	return cost(&d, send, recv, &r, t->how.sockets > 1);
}

/* Programs at one hook run in the order they were attached in: each is first in every other round. */
static void round_of(int kind, unsigned int round)
{
	struct base b = { .obj = NULL };
	struct child c = { .pid = 0 };

	switch (kind) {
	case FLOOR:
		floor_ns[round] =
			object_ns(&cases[UDP_ANY], "floor.bpf.o", "floor_send", "floor_recv");
		return;
	case PEERS:
		peers_ns[round] =
			object_ns(&cases[UDP_ANY], "peers.bpf.o", "peers_send", "peers_recv");
		return;
	case EMPTY:
		empty_ns[round] = object_ns(&cases[1], "empty.bpf.o", "empty_send", "empty_recv");
		return;
	case SOCKET:
		if (!instructions)
			socket_ns[round] = object_ns(&cases[MANY], "socket.bpf.o", "socket_send",
						     "socket_recv");
		return;
	default:
		break;
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
	double nothing = median(empty_ns, rounds),
	       any = median(np_alone[UDP_ANY], rounds) / median(peers_ns, rounds);
	double least = median(floor_ns, rounds) / median(base_alone[UDP_ANY], rounds);

	for (unsigned int i = 0; i < N_CASES; i++) {
		double ratio = median(np_alone[i], rounds) / median(base_alone[i], rounds);
		double same[ROUNDS_MAX];

		for (unsigned int r = 0; r < rounds; r++)
			same[r] = np_same[i][r] / base_same[i][r];
		figure(cases[i].id, cases[i].what, ratio, "x", cases[i].most > 0 ? AT_MOST : NULL,
		       cases[i].most,
		       "netprobe %.1f ns (%.1f to %.1f), baseline %.1f ns (%.1f to %.1f), both at the same "
		       "calls %.2f x; %s",
		       median(np_alone[i], rounds), np_alone[i][0], np_alone[i][rounds - 1],
		       median(base_alone[i], rounds), base_alone[i][0], base_alone[i][rounds - 1],
		       median(same, rounds), breakdown[i]);
	}
	figure("a.empty", "A program that does nothing, at each TCP call", nothing, "ns", NULL, 0,
	       "%.1f to %.1f: what the kernel takes to measure a program", empty_ns[0],
	       empty_ns[rounds - 1]);
	figure("a.tcp-10000-same",
	       "10,000 sockets in turn : the cheapest program that knows the socket",
	       median(np_alone[MANY], rounds) / median(socket_ns, rounds), "x", AT_MOST, 1.2,
	       "%.1f ns (%.1f to %.1f)", median(socket_ns, rounds), socket_ns[0],
	       socket_ns[rounds - 1]);
	figure("a.udp-any-floor", "two programs that do nothing at the hooks of UDP unconnected",
	       least, "x", NULL, 0, "%.1f ns (%.1f to %.1f)", median(floor_ns, rounds), floor_ns[0],
	       floor_ns[rounds - 1]);
	figure("a.udp-any-same",
	       "UDP unconnected : the cheapest useful program at each of its hooks", any, "x",
	       AT_MOST, 1.2, "%.1f ns (%.1f to %.1f)", median(peers_ns, rounds), peers_ns[0],
	       peers_ns[rounds - 1]);
}

static void report_instructions(unsigned int rounds)
{
	double empty = median(empty_ns, rounds), two = median(floor_ns, rounds);

	for (unsigned int i = 0; i < N_CASES; i++) {
		const double none = i == UDP_ANY ? two : empty;
		char id[40], what[80];

		if (!cases[i].most_insns)
			continue;
		snprintf(id, sizeof(id), "%s-insns", cases[i].id);
		snprintf(what, sizeof(what), "instructions of a call, %s", cases[i].id + 2);
		figure(id, what, median(np_alone[i], rounds) - none, "instructions", AT_MOST,
		       cases[i].most_insns,
		       "the baseline %.0f; less %.0f of empty programs and of measuring; %s",
		       median(base_alone[i], rounds) - empty, none, breakdown[i]);
	}
	figure("a.udp-any-same-insns",
	       "the cheapest useful programs at the hooks of UDP unconnected",
	       median(peers_ns, rounds) - two, "instructions", NULL, 0, "in %u rounds", rounds);
}

int main(int argc, char **argv)
{
	unsigned int rounds;

	tm_init(argc, argv);
	rounds = (unsigned int)tm_num("rounds", 9);
	seconds = tm_str("seconds", "0.4");
	instructions = tm_flag("instructions");
	if (!rounds || rounds > ROUNDS_MAX)
		bench_die("--rounds: 1 to %d", ROUNDS_MAX);
	libbpf_set_print(print);
	progs_stats_on();
	bench_init();
	ns_enter_new();
	for (unsigned int r = 0; r < rounds; r++)
		for (unsigned int k = 0; k < N_KINDS; k++)
			if (!instructions || (k + r) % N_KINDS != TOGETHER)
				round_of((int)((k + r) % N_KINDS),
					 r); /* none is always the first */
	if (instructions)
		report_instructions(rounds);
	else
		report(rounds);
	return 0;
}
