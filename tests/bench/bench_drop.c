/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What dropping a flood costs, live: 64-byte frames of one banned source over veth to guard with
 * 10,000 bans, beside those to a program that drops everything. XDP itself sends them
 * (BPF_PROG_TEST_RUN with live frames), so they are frames when they come in, not socket buffers;
 * a kernel thread on a processor of its own receives them, and its time for each is what is compared.
 *
 * --rounds N --ms N
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "guard/guard.h"

#define ROUNDS_MAX 101
#define BANS 10000
#define LIVE_FRAMES (1U << 1) /* BPF_F_TEST_XDP_LIVE_FRAMES, since 5.18 */
#define BATCH 20000

#define BARE 0
#define GUARD 1
#define SUBJECTS 2

/* What is measured: the bare program, and guard with a source that is banned by itself, and by its network. */
#define BY_ADDRESS 1
#define BY_NETWORK 2
#define WAYS 3
static const uint32_t source_of[WAYS] = { 0xcb007107U, 0xcb007107U, 0xcb007209U };

struct subject {
	struct ns_pair pair;
	int sender;  /* program that sends to it */
	pid_t taker; /* kernel thread that receives */
};

static struct subject subjects[SUBJECTS];

/* Pins outlive their namespace. */
static void take_off(void)
{
	struct netprobe_error err = { 0 };
	struct guard *g;

	if (!subjects[GUARD].pair.a[0])
		return;
	ns_enter(subjects[GUARD].pair.a);
	if (guard_open(0, &g, &err))
		return;
	(void)guard_detach(g, "npa", &err);
	guard_close(g);
}

static struct bpf_object *open_progs(void)
{
	struct bpf_object *o = bpf_object__open_file(bin_path("drop.bpf.o"), NULL);

	if (!o)
		bench_die("drop.bpf.o: %s", strerror(errno));
	return o;
}

static int prog_fd(struct bpf_object *o, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(o, name));
}

/* The thread of npa's queue; its name ends with the queue's number. */
static pid_t taker_of(void)
{
	char command[256], line[32] = "";
	const char *path = scratch_path("taker");
	FILE *f;

	snprintf(command, sizeof(command), "pgrep -n '^napi/npa-' > %s", path);
	must("%s", command);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		bench_die("no thread receives");
	fclose(f);
	/* Whoever else is busy here must not decide how many frames find the queue full. */
	must("taskset -p -c 0 %d > /dev/null && chrt -f -p 1 %d", atoi(line), atoi(line));
	return atoi(line);
}

/* npa is here, npb, which is sent to, in the other namespace. */
static void prepare(struct subject *s, unsigned int what)
{
	struct bpf_object *o;

	s->pair = ns_pair_new();
	if (what == GUARD)
		(void)atexit(take_off);
	if (what == BARE) {
		LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);

		o = open_progs();
		if (bpf_object__load(o) ||
		    bpf_link_create(prog_fd(o, "np_bench_bare"), (int)if_nametoindex("npa"),
				    BPF_XDP, &opts) < 0)
			bench_die("the bare program: %s", strerror(errno));
	} else {
		struct guard_attach_opts how = { .mode = NP_GUARD_FILTER };
		struct guard_item *items = calloc(BANS, sizeof(*items));
		struct netprobe_error err = { 0 };
		char text[256];
		struct guard *g;

		for (unsigned int i = 0; i < BANS && items; i++) {
			uint32_t addr = htonl(i > 1 ? 0xc6120000U + i * 13
						    : source_of[i ? BY_NETWORK : BY_ADDRESS]);

			memcpy(items[i].addr, &addr, 4);
			items[i].len = i % 5 == 1 ? 24 : 32;
			if (i % 5 == 1)
				items[i].addr[3] = 0;
			items[i].port_to = 0xffff;
			items[i].ttl_s = 86400;
		}
		if (!items || guard_open(GUARD_CREATE, &g, &err) ||
		    guard_attach(g, "npa", &how, text, sizeof(text), &err) ||
		    guard_add(g, items, BANS, 0, 0, &err))
			bench_die("%s", err.msg);
		free(items);
		guard_close(g);
	}
	/* By its own sysfs: the one that is mounted is of another namespace. */
	must("unshare -m sh -c 'mount -t sysfs none /sys && echo 1 > /sys/class/net/npa/threaded'");
	s->taker = taker_of();
	ns_enter(s->pair.b);
	o = open_progs();
	*(__u32 *)bpf_map__initial_value(bpf_object__find_map_by_name(o, ".rodata"),
					 &(size_t){ 0 }) = if_nametoindex("npb");
	if (bpf_object__load(o))
		bench_die("the sender: %s", strerror(errno));
	s->sender = prog_fd(o, "np_bench_send");
}

static uint64_t run_ns(pid_t pid)
{
	char path[64];
	uint64_t ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%" SCNu64, &ns) != 1)
		bench_die("%s: %s", path, strerror(errno));
	fclose(f);
	return ns;
}

/* Frames that came in at npa, as the driver counts them. */
static uint64_t came(const struct subject *s)
{
	char line[512];
	uint64_t bytes, packets = 0;
	FILE *f;

	ns_enter(s->pair.a);
	f = fopen("/proc/thread-self/net/dev", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " npa: %" SCNu64 " %" SCNu64, &bytes, &packets) == 2)
			break;
	if (f)
		fclose(f);
	return packets;
}

/* ns a frame takes the thread. */
static double flood(unsigned int way, unsigned int ms)
{
	struct subject *s = &subjects[way == BARE ? BARE : GUARD];
	struct {
		struct ethhdr eth;
		struct iphdr ip;
		struct udphdr udp;
		char pad[22];
	} __attribute__((packed)) frame = {
		.eth.h_proto = htons(ETH_P_IP),
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.tot_len = htons(50),
			.saddr = htonl(source_of[way]),
			.daddr = htonl(0x0a4d0001) },
		.udp = { .source = htons(40000), .dest = htons(9), .len = htons(30) },
	};
	uint64_t packets = came(s), ns = run_ns(s->taker), begun = tm_now_ns();

	ns_enter(s->pair.b);
	while (tm_now_ns() - begun < ms * 1000000ULL) {
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = &frame, .data_size_in = sizeof(frame),
			    .repeat = BATCH, .flags = LIVE_FRAMES, .batch_size = 64);

		if (bpf_prog_test_run_opts(s->sender, &o))
			bench_die("live frames: %s", strerror(errno));
	}
	tm_sleep_ms(5);
	ns = run_ns(s->taker) - ns;
	packets = came(s) - packets;
	if (packets < 10000)
		bench_die("only %" PRIu64 " frames came in, thread %d, %" PRIu64 " ns", packets,
			  s->taker, ns);
	return (double)ns / (double)packets;
}

static bool is_dropped(int prog, uint32_t source)
{
	struct {
		struct ethhdr eth;
		struct iphdr ip;
		struct udphdr udp;
	} __attribute__((packed)) frame = {
		.eth.h_proto = htons(ETH_P_IP),
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_UDP,
			.tot_len = htons(28),
			.saddr = source,
			.daddr = htonl(0x0a4d0001) },
		.udp = { .source = htons(40000), .dest = htons(9), .len = htons(8) },
	};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = &frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	if (bpf_prog_test_run_opts(prog, &o))
		bench_die("BPF_PROG_TEST_RUN: %s", strerror(errno));
	return o.retval == XDP_DROP;
}

/* From the moment a shell would start the command until the attached program drops. */
static void ban_effect(unsigned int rounds)
{
	struct netprobe_error err = { 0 };
	double ms[ROUNDS_MAX];
	struct guard_if *ifs;
	struct guard *g;
	int prog;

	ns_enter(subjects[GUARD].pair.a);
	if (guard_open(GUARD_SHARED, &g, &err) || guard_ifs(g, &ifs) != 1)
		bench_die("%s", err.msg);
	prog = bpf_prog_get_fd_by_id(ifs[0].at.xdp_id);
	guard_close(g);
	for (unsigned int r = 0; r < rounds; r++) {
		uint32_t source = htonl(0xc0000201U + r);
		char addr[16];
		const char *const argv[] = { getenv("NETPROBE"), "guard", "ban", addr, NULL };
		struct child c;
		uint64_t begun;

		inet_ntop(AF_INET, &source, addr, sizeof(addr));
		if (is_dropped(prog, source))
			bench_die("%s is dropped before it is banned", addr);
		begun = tm_now_ns();
		c = child_start(0, argv);
		while (!is_dropped(prog, source))
			if (tm_now_ns() - begun > 5000000000ULL)
				bench_die("%s is not dropped", addr);
		ms[r] = (double)(tm_now_ns() - begun) / 1e6;
		(void)child_wait(&c);
	}
	figure("ban_effect", "from `guard ban` being started to the first packet dropped",
	       median(ms, rounds), "ms", AT_MOST, 10, "10,000 bans beside it");
}

static void tell(const char *id, const char *what, double ns[WAYS][ROUNDS_MAX], unsigned int way,
		 unsigned int rounds)
{
	double ratio[ROUNDS_MAX], ours[ROUNDS_MAX], bare[ROUNDS_MAX];

	for (unsigned int r = 0; r < rounds; r++) {
		ours[r] = ns[way][r];
		bare[r] = ns[BARE][r];
		ratio[r] = ours[r] / bare[r];
	}
	figure(id, what, median(ratio, rounds), "x", AT_MOST, 1.3,
	       "live on veth, %.0f ns beside %.0f ns of the receiving thread", median(ours, rounds),
	       median(bare, rounds));
}

int main(int argc, char **argv)
{
	double ns[WAYS][ROUNDS_MAX];
	unsigned int rounds, ms;

	tm_init(argc, argv);
	rounds = (unsigned int)tm_num("rounds", 15);
	ms = (unsigned int)tm_num("ms", 200);
	if (rounds > ROUNDS_MAX)
		rounds = ROUNDS_MAX;
	bench_init();
	for (unsigned int i = 0; i < SUBJECTS; i++)
		prepare(&subjects[i], i);
	ban_effect(rounds);
	pin_cpu(0);
	(void)setpriority(PRIO_PROCESS, 0, -20);
	for (unsigned int i = 0; i < WAYS; i++)
		(void)flood(i, ms);
	for (unsigned int r = 0; r < rounds; r++)
		for (unsigned int i = 0; i < WAYS; i++)
			ns[(r + i) % WAYS][r] = flood((r + i) % WAYS, ms);
	tell("drop_flood", "a flood of 64-byte frames of one banned source, of a bare XDP_DROP", ns,
	     BY_ADDRESS, rounds);
	tell("drop_flood_net", "the same of a source whose network is banned", ns, BY_NETWORK,
	     rounds);
	return 0;
}
