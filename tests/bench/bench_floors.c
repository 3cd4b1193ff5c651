/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What single things cost that programs at packets do (floors.bpf.c), and programs of others beside ours: a plain TCP
 * packet of 64 bytes, by BPF_PROG_TEST_RUN, in both ways of calling: many runs in one call, and a call for each
 * run. All in turn in each round, less an empty program's time of the same round.
 *
 * --rounds N --repeat N
 * --peer OBJECT:PROGRAM, or the path of a pinned program; up to 8. Its maps are as the object has them: what it needs
 * in them is for whoever pins it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "guard/guard.h"

#define ROUNDS_MAX 101
#define PEERS_MAX 8
#define SUBJECTS_MAX (PEERS_MAX + 12)
#define ENTRIES 10000
#define CALLS 100 /* of each program in turn, a run each, in each round */
#define WAYS 2

static struct subject {
	const char *what;
	int prog;
	bool peer;
	uint32_t retval;
	double ns[WAYS][ROUNDS_MAX];
} subjects[SUBJECTS_MAX];
static unsigned int n_subjects;

static void add(const char *what, int prog, bool is_peer)
{
	if (prog < 0)
		bench_die("%s: %s", what, strerror(errno));
	subjects[n_subjects++] = (struct subject){ .what = what, .prog = prog, .peer = is_peer };
}

/* Why somebody's object does not load is libbpf's to say. */
static int print(enum libbpf_print_level level, const char *format, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, ap) : 0;
}

/* OBJECT:PROGRAM, of which the section may say nothing that libbpf knows, or a pinned program. */
static int peer_open(const char *spec)
{
	const char *colon = strrchr(spec, ':');
	struct bpf_program *p, *wanted = NULL;
	struct bpf_object *obj;
	struct bpf_map *map;
	char path[4096];

	if (!colon)
		return bpf_obj_get(spec);
	snprintf(path, sizeof(path), "%.*s", (int)(colon - spec), spec);
	obj = bpf_object__open_file(path, NULL);
	if (!obj)
		return -1;
	bpf_object__for_each_map (map, obj)
		(void)bpf_map__set_pin_path(map, NULL);
	bpf_object__for_each_program (p, obj) {
		(void)bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), colon + 1));
		if (!strcmp(bpf_program__name(p), colon + 1))
			wanted = p;
	}
	if (!wanted)
		bench_die("%s: no program '%s' in it", path, colon + 1);
	/* sections of other loaders */
	if (bpf_program__type(wanted) == BPF_PROG_TYPE_UNSPEC)
		(void)bpf_program__set_type(
			wanted, !strncmp(bpf_program__section_name(wanted), "classifier", 10) ||
						!strncmp(bpf_program__section_name(wanted), "tc", 2)
					? BPF_PROG_TYPE_SCHED_CLS
					: BPF_PROG_TYPE_XDP);
	if (bpf_object__load(obj))
		return -1;
	return bpf_program__fd(wanted);
}

/* Guard's program in a namespace of its own, as attach puts it there; the descriptor outlives both. */
static int guard_of(uint8_t mode)
{
	struct guard_attach_opts how = { .mode = mode, .flows = mode == NP_GUARD_MONITOR };
	struct netprobe_error err = { 0 };
	char note_text[256];
	struct guard_if *ifs;
	struct guard *g;
	int fd;

	ns_enter_new();
	must("ip link add npa type veth peer name npb && ip link set npa up && ip link set npb up");
	if (guard_open(GUARD_CREATE, &g, &err) ||
	    guard_attach(g, "npa", &how, note_text, sizeof(note_text), &err))
		bench_die("%s", err.msg);
	if (guard_ifs(g, &ifs) != 1)
		bench_die("guard is not attached");
	fd = bpf_prog_get_fd_by_id(ifs[0].at.xdp_id);
	free(ifs);
	if (guard_detach(g, "npa", &err))
		bench_die("%s", err.msg);
	guard_close(g);
	return fd;
}

static void fill(struct bpf_object *obj)
{
	int hash = bpf_object__find_map_fd_by_name(obj, "floor_hash");
	int lpm = bpf_object__find_map_fd_by_name(obj, "floor_lpm");

	for (uint32_t i = 1; i <= ENTRIES; i++) {
		uint32_t key = i * 2654435761U, prefix[2] = { 24, key };

		if (bpf_map_update_elem(hash, &key, &i, BPF_ANY) ||
		    bpf_map_update_elem(lpm, prefix, &i, BPF_ANY))
			bench_die("entries: %s", strerror(errno));
	}
}

static double run(struct subject *s, unsigned int repeat)
{
	struct {
		struct ethhdr eth;
		struct iphdr ip;
		struct tcphdr tcp;
		char pad[10];
	} __attribute__((packed)) frame = {
		.eth.h_proto = htons(ETH_P_IP),
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_TCP,
			.tot_len = htons(50),
			.saddr = htonl(0xc6336407),
			.daddr = htonl(0x0a4d0001) },
		.tcp = { .source = htons(40000), .dest = htons(80), .doff = 5, .ack = 1 },
	};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = &frame, .data_size_in = sizeof(frame),
		    .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(s->prog, &o))
		bench_die("%s: BPF_PROG_TEST_RUN: %s", s->what, strerror(errno));
	s->retval = o.retval;
	return (double)o.duration;
}

/* Mean of the calls without the outer 1 in 20. */
static double middle(double *values, unsigned int n)
{
	unsigned int out = n / 20;
	double sum = 0;

	(void)median(values, n); /* sorts */
	for (unsigned int i = out; i < n - out; i++)
		sum += values[i];
	return sum / (n - 2 * out);
}

static void measure(unsigned int round, unsigned int repeat)
{
	static double call[SUBJECTS_MAX][CALLS];

	for (unsigned int i = 0; i < n_subjects; i++) {
		struct subject *s = &subjects[(round + i) % n_subjects];

		(void)run(s, repeat / 10 + 1);
		s->ns[0][round] = run(s, repeat);
	}
	for (unsigned int c = 0; c < CALLS; c++)
		for (unsigned int i = 0; i < n_subjects; i++)
			call[i][c] = run(&subjects[i], 1);
	for (unsigned int i = 0; i < n_subjects; i++)
		subjects[i].ns[1][round] = middle(call[i], CALLS);
	for (unsigned int i = 1; i < n_subjects; i++)
		for (unsigned int w = 0; w < WAYS; w++)
			subjects[i].ns[w][round] -= subjects[0].ns[w][round];
}

static void report(unsigned int rounds)
{
	for (unsigned int i = 0; i < n_subjects; i++) {
		struct subject *s = &subjects[i];
		double many = median(s->ns[0], rounds), one = median(s->ns[1], rounds);
		char what[160], id[32];

		snprintf(what, sizeof(what), "%s%s", s->peer ? "peer: " : "", s->what);
		snprintf(id, sizeof(id), "floor_%u", i);
		figure(id, what, many, "ns", NULL, 0,
		       "%.0f to %.0f; a call for each run %.0f (%.0f to %.0f) ns; verdict %u%s",
		       s->ns[0][0], s->ns[0][rounds - 1], one, s->ns[1][0], s->ns[1][rounds - 1],
		       s->retval, i ? "; net of an empty program" : "");
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *program, *what;
	} floors[] = {
		{ "np_floor_empty", "an empty program" },
		{ "np_floor_counter", "headers, one counter per processor" },
		{ "np_floor_hash", "headers, one hash look-up among 10,000" },
		{ "np_floor_lpm", "headers, one LPM look-up among 10,000" },
		{ "np_floor_clock", "one clock read" },
		{ "np_floor_ring", "one ring record of 64 bytes, discarded" },
		{ "np_floor_push", "room for a header of 20 bytes made, and taken back" },
	};
	unsigned int rounds, repeat;
	struct bpf_object *obj;

	tm_init(argc, argv);
	rounds = (unsigned int)tm_num("rounds", 21);
	repeat = (unsigned int)tm_num("repeat", 100000);
	if (!rounds || rounds > ROUNDS_MAX || !repeat)
		bench_die("takes --rounds 1 to %d, --repeat from 1 on", ROUNDS_MAX);
	bench_init();
	obj = bpf_object__open_file(bin_path("floors.bpf.o"), NULL);
	if (!obj || bpf_object__load(obj))
		bench_die("floors.bpf.o: %s", strerror(errno));
	fill(obj);
	for (size_t i = 0; i < sizeof(floors) / sizeof(floors[0]); i++)
		add(floors[i].what,
		    bpf_program__fd(bpf_object__find_program_by_name(obj, floors[i].program)),
		    false);
	add("guard, filter, no bans", guard_of(NP_GUARD_FILTER), false);
	add("guard, flow monitor, known flow", guard_of(NP_GUARD_MONITOR), false);
	libbpf_set_print(print);
	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--peer") != 0)
			continue;
		if (n_subjects == SUBJECTS_MAX)
			bench_die("--peer: no more than %d", PEERS_MAX);
		add(argv[i + 1], peer_open(argv[i + 1]), true);
	}
	pin_cpu(0);
	for (unsigned int r = 0; r < rounds; r++)
		measure(r, repeat);
	report(rounds);
	return 0;
}
