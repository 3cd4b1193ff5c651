/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guard's program costs for one packet that passes, by BPF_PROG_TEST_RUN, beside xdp-filter's
 * programs with as many entries: all in each round, less an empty program's time of the same round.
 * The packets come from 16 sources that nobody bans. And a million entries: time and memory.
 *
 * --rounds N --repeat N
 * --instructions: in a guest whose clock counts them (tests/kernels/run --icount) what is measured is instructions,
 * the kernel's own of helpers among them; without the million.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "guard/guard.h"

#define ROUNDS_MAX 101
#define SOURCES 16
#define FEW 10000
#define MANY 1000000
#define XDP_FILTER "/usr/lib/x86_64-linux-gnu/bpf/xdpfilt_alw_"

/* What is measured. */
#define EMPTY 0
#define PEER_IP 1
#define PEER_ALL 2
#define OURS 3
#define OURS_LIMITS 4
#define OURS_MANY 5
#define OURS_FLOWS 6
#define PEER_FLOWS 7
#define SUBJECTS 8

static int progs[SUBJECTS];
static double net[SUBJECTS][ROUNDS_MAX];
static double ratio_of[SUBJECTS][2][ROUNDS_MAX];

static uint64_t seed = 88172645463325252ULL;

static uint32_t random32(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

static double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Addresses and every fifth a /24, for a day. */
static struct guard_item *make_bans(size_t n)
{
	struct guard_item *items = calloc(n, sizeof(*items));

	if (!items)
		bench_die("out of memory");
	for (size_t i = 0; i < n; i++) {
		uint32_t addr = random32();

		memcpy(items[i].addr, &addr, 4);
		items[i].len = i % 5 ? 32 : 24;
		if (items[i].len == 24)
			items[i].addr[3] = 0;
		items[i].port_to = 0xffff;
		items[i].ttl_s = 86400;
	}
	return items;
}

/* A guard in a namespace of its own; the program's descriptor outlives both names. */
static int guard_with(size_t bans, uint8_t mode, bool limits)
{
	struct guard_attach_opts how = { .mode = mode, .flows = mode == NP_GUARD_MONITOR };
	uint64_t rate[NP_LIMIT_MAX] = { 4000000000ULL, 90000000000ULL, 100000000, 100000000,
					100000000 };
	struct guard_detect detect = { .mode = NP_DETECT_BAN };
	struct netprobe_error err = { 0 };
	struct guard_item *items = make_bans(bans);
	struct guard_if *ifs;
	struct guard_state state;
	struct guard *g;
	char note_text[256];
	double began;
	int fd;

	ns_enter_new();
	must("ip link add npa type veth peer name npb && ip link set npa up && ip link set npb up");
	if (guard_open(GUARD_CREATE, &g, &err) ||
	    guard_attach(g, "npa", &how, note_text, sizeof(note_text), &err))
		bench_die("%s", err.msg);
	began = seconds_now();
	if (bans && guard_add(g, items, bans, 0, 0, &err))
		bench_die("%s", err.msg);
	if (bans == MANY) {
		guard_state(g, &state);
		figure("guard_import", "a million bans put in use", seconds_now() - began, "s",
		       AT_MOST, 5, "from a parsed list");
		figure("guard_memory", "kernel memory with a million bans",
		       (double)state.memory_kib / 1024, "MiB", AT_MOST, 200,
		       "all of guard's maps, one in five bans a /24");
	}
	for (unsigned int i = 0; i < NP_ATTACK_MAX; i++)
		detect.rate[i] = GUARD_KEEP;
	if (limits && (guard_set_limits(g, NP_PER_SOURCE, rate, false, 0, &err) ||
		       guard_set_detect(g, &detect, 0, &err)))
		bench_die("%s", err.msg);
	if (guard_ifs(g, &ifs) != 1 || ifs[0].at.xdp != NP_GUARD_XDP_NATIVE)
		bench_die("guard is not attached natively");
	fd = bpf_prog_get_fd_by_id(ifs[0].at.xdp_id);
	if (fd < 0)
		bench_die("no program %u", ifs[0].at.xdp_id);
	free(ifs);
	free(items);
	if (guard_detach(g, "npa", &err))
		bench_die("%s", err.msg);
	guard_close(g);
	return fd;
}

/* xdp-filter's program with as many addresses as it would have itself. */
static int peer(const char *features)
{
	char path[128];
	struct bpf_object *obj;
	struct bpf_program *prog;
	struct bpf_map *map;
	int fd, cpus = libbpf_num_possible_cpus();
	uint64_t *value = calloc((size_t)cpus, sizeof(*value));

	snprintf(path, sizeof(path), "%s%s.o", XDP_FILTER, features);
	obj = bpf_object__open_file(path, NULL);
	if (!obj || !value)
		return -1;
	bpf_object__for_each_map (map, obj)
		(void)bpf_map__set_pin_path(map, NULL);
	map = bpf_object__find_map_by_name(obj, "filter_ipv4");
	prog = bpf_object__next_program(obj, NULL);
	if (!map || !prog)
		return -1;
	(void)bpf_program__set_type(prog, BPF_PROG_TYPE_XDP);
	if (bpf_map__max_entries(map) < FEW)
		(void)bpf_map__set_max_entries(map, FEW);
	if (bpf_object__load(obj))
		return -1;
	for (int c = 0; c < cpus; c++)
		value[c] = 1; /* matched as a source */
	fd = bpf_map__fd(map);
	for (unsigned int i = 0; i < FEW; i++) {
		uint32_t addr = random32();

		if (bpf_map_update_elem(fd, &addr, value, BPF_ANY))
			return -1;
	}
	free(value);
	return bpf_program__fd(prog);
}

static uint32_t sources[SOURCES];

static double run(int prog, unsigned int source, unsigned int repeat)
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
			.saddr = sources[source],
			.daddr = htonl(0x0a4d0001) },
		.tcp = { .source = htons(40000), .dest = htons(80), .doff = 5, .ack = 1 },
	};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = &frame, .data_size_in = sizeof(frame),
		    .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(prog, &o))
		bench_die("BPF_PROG_TEST_RUN: %s", strerror(errno));
	if (o.retval != XDP_PASS)
		bench_die("a packet did not pass: %u", o.retval);
	return (double)o.duration;
}

static void measure(unsigned int rounds, unsigned int repeat)
{
	for (unsigned int r = 0; r < rounds; r++) {
		double ns[SUBJECTS];

		for (unsigned int i = 0; i < SUBJECTS; i++) {
			unsigned int s =
				(r + i) % SUBJECTS; /* nobody is always behind the same one */

			(void)run(progs[s], r % SOURCES, repeat / 10);
			ns[s] = run(progs[s], r % SOURCES, repeat);
		}
		for (unsigned int s = 0; s < SUBJECTS; s++)
			net[s][r] = ns[s] > ns[EMPTY] ? ns[s] - ns[EMPTY] : 0;
		for (unsigned int s = 0; s < SUBJECTS; s++) {
			ratio_of[s][0][r] = net[s][r] / (net[PEER_IP][r] > 1 ? net[PEER_IP][r] : 1);
			ratio_of[s][1][r] =
				net[s][r] / (net[PEER_ALL][r] > 1 ? net[PEER_ALL][r] : 1);
		}
		net[EMPTY][r] = ns[EMPTY];
	}
}

static void tell(unsigned int rounds)
{
	double m[SUBJECTS], many[ROUNDS_MAX], flows[ROUNDS_MAX];

	for (unsigned int r = 0; r < rounds; r++) {
		many[r] = net[OURS_MANY][r] / (net[OURS][r] > 1 ? net[OURS][r] : 1);
		flows[r] = net[OURS_FLOWS][r] / (net[PEER_FLOWS][r] > 1 ? net[PEER_FLOWS][r] : 1);
	}
	for (unsigned int s = 0; s < SUBJECTS; s++)
		m[s] = median(net[s], rounds);
	figure("guard_pass_ip", "10,000 bans, of xdp-filter's allow_ip",
	       median(ratio_of[OURS][0], rounds), "x", AT_MOST, 0.5, "%.0f ns beside %.0f ns net",
	       m[OURS], m[PEER_IP]);
	figure("guard_pass_all", "10,000 bans, of xdp-filter's allow_all",
	       median(ratio_of[OURS][1], rounds), "x", AT_MOST, 0.25, "%.0f ns beside %.0f ns net",
	       m[OURS], m[PEER_ALL]);
	figure("guard_limits_ip", "with limits and detection, of allow_ip",
	       median(ratio_of[OURS_LIMITS][0], rounds), "x", AT_MOST, 1.0,
	       "%.0f ns beside %.0f ns net", m[OURS_LIMITS], m[PEER_IP]);
	figure("guard_limits_all", "with limits and detection, of allow_all",
	       median(ratio_of[OURS_LIMITS][1], rounds), "x", AT_MOST, 0.5,
	       "%.0f ns beside %.0f ns net", m[OURS_LIMITS], m[PEER_ALL]);
	figure("guard_many", "a million bans, of our own 10,000", median(many, rounds), "x",
	       AT_MOST, 1.3, "%.0f ns beside %.0f ns net", m[OURS_MANY], m[OURS]);
	figure("guard_flows", "flow monitor, of a program that does pktstat-bpf's work",
	       median(flows, rounds), "x", AT_MOST, 0.8,
	       "%.0f ns beside %.0f ns net; an empty program took %.0f ns", m[OURS_FLOWS],
	       m[PEER_FLOWS], m[EMPTY]);
}

/* They do not depend on the processor: one that grows is seen on any. */
static void tell_instructions(unsigned int rounds)
{
	static const struct {
		const char *id, *what;
		unsigned int subject;
		double most;
	} rows[] = {
		{ "guard_pass_insns", "instructions of a packet that passes, 10,000 bans", OURS,
		  200 },
		{ "guard_limits_insns", "the same with limits and detection", OURS_LIMITS, 400 },
		{ "guard_flows_insns", "instructions of the flow monitor, known flow", OURS_FLOWS,
		  530 },
	};
	double ip = median(net[PEER_IP], rounds), all = median(net[PEER_ALL], rounds);
	double flows = median(net[PEER_FLOWS], rounds);

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		figure(rows[i].id, rows[i].what, median(net[rows[i].subject], rounds),
		       "instructions", AT_MOST, rows[i].most,
		       "allow_ip %.0f, allow_all %.0f, a monitor like pktstat-bpf %.0f", ip, all,
		       flows);
}

static bool asked(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return false;
}

static unsigned int number(int argc, char **argv, const char *name, unsigned int def)
{
	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], name))
			return (unsigned int)strtoul(argv[i + 1], NULL, 10);
	return def;
}

/* pktstat-bpf's own XDP program, compiled, where there is one. */
static int pktstat(void)
{
	const char *path = getenv("PKTSTAT_XDP");
	struct bpf_object *obj = path && *path ? bpf_object__open_file(path, NULL) : NULL;

	if (!path || !*path)
		return -1;
	if (!obj || bpf_object__load(obj))
		bench_die("%s: %s", path, strerror(errno));
	return bpf_program__fd(bpf_object__next_program(obj, NULL));
}

int main(int argc, char **argv)
{
	unsigned int rounds = number(argc, argv, "--rounds", 31);
	unsigned int repeat = number(argc, argv, "--repeat", 200000);
	bool instructions = asked(argc, argv, "--instructions");
	struct bpf_object *empty;

	if (rounds > ROUNDS_MAX)
		rounds = ROUNDS_MAX;
	bench_init();
	empty = bpf_object__open_file(bin_path("guard.bpf.o"), NULL);
	if (!empty || bpf_object__load(empty))
		bench_die("guard.bpf.o: %s", strerror(errno));
	progs[EMPTY] = bpf_program__fd(bpf_object__find_program_by_name(empty, "np_bench_pass"));
	progs[PEER_FLOWS] = pktstat();
	if (progs[PEER_FLOWS] < 0)
		progs[PEER_FLOWS] =
			bpf_program__fd(bpf_object__find_program_by_name(empty, "np_bench_flows"));
	for (unsigned int i = 0; i < SOURCES; i++)
		sources[i] = random32();
	progs[PEER_IP] = peer("ip");
	progs[PEER_ALL] = peer("all");
	if (progs[PEER_IP] < 0 || progs[PEER_ALL] < 0)
		bench_die("xdp-filter's programs do not load (package xdp-tools)");
	progs[OURS] = guard_with(FEW, NP_GUARD_FILTER, false);
	progs[OURS_LIMITS] = guard_with(FEW, NP_GUARD_FILTER, true);
	progs[OURS_MANY] = instructions ? progs[OURS] : guard_with(MANY, NP_GUARD_FILTER, false);
	progs[OURS_FLOWS] = guard_with(0, NP_GUARD_MONITOR, false);
	pin_cpu(0);
	measure(rounds, repeat);
	if (instructions)
		tell_instructions(rounds);
	else
		tell(rounds);
	return 0;
}
