/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain packets have a short way through guard's program (src/bpf/lib/plain.h). Two copies of the program, one
 * without it, in namespaces with the same list, are given the same frames (BPF_PROG_TEST_RUN): random ones, each bit
 * of the headers turned, cut at each length. Verdict, all counters of the interface, what is known of each
 * source and destination, flows and hits of the list must be the same. NETPROBE_ALL=1: thirty times as many.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../bpf/packet.h"
#include "guard.skel.h"
#include "guard_make.h"
#include "guard_run.h"
#include "tap.h"
#include "wire/guard.h"

#define SLOT 9
#define CASES 800
#define FRAGS (1U << 5) /* BPF_F_XDP_HAS_FRAGS */
#define SET_BYTES (NP_GUARD_SOURCE_SETS * sizeof(struct np_guard_source_set))

/* What the programs are loaded for. */
struct config {
	const char *name;
	uint8_t mode, native, flows, cookies, frags;
	uint8_t limits; /* bit NP_PER_*, as limit_on */
	uint8_t detect;
};

static const struct config configs[] = {
	{ "filter", NP_GUARD_FILTER, 1, 0, 1, 0, 0, 0 },
	{ "generic filter, detection", NP_GUARD_FILTER, 0, 0, 0, 1, 0, NP_DETECT_BAN },
	{ "limits and detection", NP_GUARD_FILTER, 1, 0, 1, 1, 1, NP_DETECT_BAN },
	{ "all limits and flows", NP_GUARD_FILTER, 1, 1, 1, 1, 7, NP_DETECT_ALERT },
	{ "balance, limits", NP_GUARD_BALANCE, 1, 0, 1, 0, 1, 0 },
	{ "monitor", NP_GUARD_MONITOR, 1, 1, 0, 1, 0, 0 },
};

/* One of the two programs. */
struct half {
	struct netns ns;
	struct netprobe_guard *skel;
	int fd;
	struct np_guard_conf *conf;
	struct np_guard_source_set *sources;
	struct np_guard_dev *per_cpu, was, now;
};

static struct half half[2]; /* with the short way, and without */
static int cpus;
static uint64_t frames, passed, dropped;
static uint64_t moved, unlike; /* the clock did between both, and they then said other things */

static void *mapped(struct bpf_map *map, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	REQUIRE(p != MAP_FAILED, "%s: %s", bpf_map__name(map), strerror(errno));
	return p;
}

/* Maps of its own for what is counted and remembered; the list is the one of its namespace, with hits. */
static bool is_own(const char *map)
{
	static const char *const own[] = { "np_next", "np_guard_devs", "np_sources", "np_dests",
					   "np_guard_flows" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strcmp(map, own[i]))
			return true;
	return false;
}

static void reuse(struct half *h)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, h->skel->obj) {
		char path[160];
		int fd;

		snprintf(path, sizeof(path), "/sys/fs/bpf/netprobe/guard-%llu/%s",
			 (unsigned long long)h->ns.inode, bpf_map__name(map));
		fd = is_own(bpf_map__name(map)) ? -1 : bpf_obj_get(path);
		if (fd < 0)
			continue;
		REQUIRE(!bpf_map__reuse_fd(map, fd), "%s: %s", path, strerror(errno));
		close(fd);
	}
}

/* In the place of a program that would be called next, one that only says that it was. */
static void next_is(struct half *h, uint32_t slot, int verdict, bool frags)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, o, .prog_flags = frags ? FRAGS : 0,
		    .expected_attach_type = BPF_XDP);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "next", "GPL", code, 2, &o);

	REQUIRE(fd >= 0, "a program of two instructions: %s", strerror(errno));
	REQUIRE(!bpf_map_update_elem(bpf_map__fd(h->skel->maps.np_next), &slot, &fd, BPF_ANY),
		"np_next: %s", strerror(errno));
	close(fd);
}

static void load(struct half *h, const struct config *c, bool plain)
{
	bool frags = c->frags && libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP,
							 BPF_FUNC_xdp_get_buff_len, NULL) == 1;
	struct bpf_program *prog;

	h->skel = netprobe_guard__open();
	REQUIRE(h->skel, "open: %s", strerror(errno));
	h->skel->rodata->cfg_mode = c->mode;
	h->skel->rodata->cfg_frags = frags;
	h->skel->rodata->cfg_coarse =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_coarse_ns, NULL) == 1;
	h->skel->rodata->cfg_rx_at_xdp = c->native;
	h->skel->rodata->cfg_flows = c->flows;
	h->skel->rodata->cfg_cookies = c->cookies;
	h->skel->rodata->cfg_plain = plain;
	h->skel->rodata->cfg_slot = SLOT;
	h->skel->data_here->st_ifindex = 77;
	bpf_object__for_each_program (prog, h->skel->obj)
		(void)bpf_program__set_autoload(prog, prog == h->skel->progs.np_guard_xdp);
	if (frags)
		(void)bpf_program__set_flags(h->skel->progs.np_guard_xdp, FRAGS);
	reuse(h);
	REQUIRE(!netprobe_guard__load(h->skel), "load: %s", strerror(errno));
	next_is(h, SLOT, 3, frags);
	next_is(h, NP_GUARD_NEXT_COOKIE + SLOT, 4, frags);
	h->fd = bpf_program__fd(h->skel->progs.np_guard_xdp);
	h->conf = mapped(h->skel->maps.np_guard_conf, sizeof(*h->conf));
	h->sources = mapped(h->skel->maps.np_sources, SET_BYTES);
	memset(&h->was, 0, sizeof(h->was));
}

static void unload(struct half *h)
{
	munmap(h->conf, sizeof(*h->conf));
	munmap(h->sources, SET_BYTES);
	netprobe_guard__destroy(h->skel);
}

#define TOKENS(n) ((uint64_t)(n) << 16)
#define A_SECOND(n) ((n) * (1ULL << 32) / 1000000000)

/* Straight into the settings: buckets that run dry now and then, and findings of all kinds. */
static void settle(struct half *h, const struct config *c)
{
	struct np_guard_policy *p = &h->conf->policy[h->conf->state & 1];

	h->conf->seed = 4711;
	h->conf->cookie_ports = c->cookies ? NP_GUARD_PORT_BIT(80) | NP_GUARD_PORT_BIT(443) : 0;
	p->limit_on = c->limits;
	p->detect = c->detect;
	for (int per = 0; per < NP_PER_MAX; per++) {
		p->limit[per][NP_LIMIT_PPS] = (struct np_guard_limit){ A_SECOND(1000), TOKENS(40) };
		p->limit[per][NP_LIMIT_BYTES] =
			(struct np_guard_limit){ A_SECOND(100000), TOKENS(4000) };
		p->limit[per][NP_LIMIT_SYN] = (struct np_guard_limit){ A_SECOND(100), TOKENS(10) };
		p->limit[per][NP_LIMIT_FLOWS] =
			(struct np_guard_limit){ A_SECOND(100), TOKENS(10) };
	}
	p->limit_ports = c->limits & NP_LIMIT_ON_PORTS ? NP_GUARD_PORT_BIT(53) : 0;
	p->port[0].port = 53;
	p->port[0].per = NP_PER_PORT;
	p->port[0].limit[NP_LIMIT_PPS] = (struct np_guard_limit){ A_SECOND(100), TOKENS(5) };
	for (int i = 0; i < NP_ATTACK_MAX; i++)
		p->attack_rate[i] = 20;
	p->ban_mask = (1U << NP_ATTACK_MAX) - 1;
	p->ban_ticks = 1;
}

static void counters(struct half *h)
{
	uint32_t slot = SLOT;

	REQUIRE(!bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.np_guard_devs), &slot, h->per_cpu),
		"counters: %s", strerror(errno));
	memset(&h->now, 0, sizeof(h->now));
	for (int c = 0; c < cpus; c++)
		for (size_t i = 0; i < sizeof(h->now) / sizeof(uint64_t); i++)
			((uint64_t *)&h->now)[i] += ((uint64_t *)&h->per_cpu[c])[i];
}

/* Nothing is known of any source or destination any more. */
static void forget(struct half *h)
{
	static struct np_guard_dest none[NP_GUARD_DESTS];
	static uint32_t slots[NP_GUARD_DESTS];
	uint32_t n = NP_GUARD_DESTS;

	for (uint32_t i = 0; i < n; i++)
		slots[i] = i;
	memset(h->sources, 0, SET_BYTES);
	REQUIRE(!bpf_map_update_batch(bpf_map__fd(h->skel->maps.np_dests), slots, none, &n, NULL),
		"np_dests: %s", strerror(errno));
}

static void check_known(const char *where)
{
	struct np_guard_dest d[2];

	CHECK(!memcmp(half[0].sources, half[1].sources, SET_BYTES),
	      "%s: other things are known of a source", where);
	for (uint32_t i = 0; i < NP_GUARD_DESTS; i++) {
		for (int k = 0; k < 2; k++)
			(void)bpf_map_lookup_elem(bpf_map__fd(half[k].skel->maps.np_dests), &i,
						  &d[k]);
		CHECK(!memcmp(&d[0], &d[1], sizeof(d[0])),
		      "%s: other things are known of a destination", where);
	}
}

/* As coarse as the programs' clock. */
static uint64_t coarse_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Whether both had one and the same time while they looked. */
static bool same_clock(uint64_t before)
{
	return before == coarse_ns() &&
	       half[0].skel->bss->st_jiffies == half[1].skel->bss->st_jiffies &&
	       half[0].skel->bss->st_now_ns == half[1].skel->bss->st_now_ns;
}

static void say(const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len && i < 160; i++)
		printf("%s%02x%s", i % 16 ? " " : "#   ", b[i],
		       i % 16 == 15 || i + 1 == len ? "\n" : "");
}

/* One frame, both ways. */
static void both(const struct config *c, const uint8_t *b, size_t len)
{
	uint64_t before = coarse_ns();
	unsigned int verdict[2];
	bool same, one_time;

	for (int i = 0; i < 2; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = b, .data_size_in = (__u32)len,
			    .repeat = 1);

		REQUIRE(!bpf_prog_test_run_opts(half[i].fd, &o), "test run of %zu bytes: %s", len,
			strerror(errno));
		verdict[i] = o.retval;
	}
	one_time = same_clock(before);
	for (int i = 0; i < 2; i++)
		counters(&half[i]);
	frames++;
	passed += verdict[0] != 1;
	dropped += verdict[0] == 1;
	same = verdict[0] == verdict[1];
	for (size_t i = 0; i < sizeof(half[0].now) / sizeof(uint64_t); i++)
		same &= ((uint64_t *)&half[0].now)[i] - ((uint64_t *)&half[0].was)[i] ==
			((uint64_t *)&half[1].now)[i] - ((uint64_t *)&half[1].was)[i];
	for (int i = 0; i < 2; i++)
		half[i].was = half[i].now;
	if (!one_time) {
		moved++;
		unlike += !same;
		forget(&half[0]);
		forget(&half[1]);
		return;
	}
	if (!same)
		say(b, len);
	CHECK(same, "%s, frame %llu, %zu bytes: verdicts %u and %u, or other counters", c->name,
	      (unsigned long long)frames, len, verdict[0], verdict[1]);
}

/* Most sources have no rule near. */
static void move_away(uint8_t *b)
{
	if (b[12] == 0x08 && !b[13])
		b[14 + 14] = (uint8_t)(100 + rnd(3));
	else if (b[12] == 0x86 && b[13] == 0xdd)
		b[14 + 10] = (uint8_t)(0xe0 + rnd(3));
}

static void random_frames(const struct config *c, unsigned int n)
{
	static uint8_t b[2048];
	struct datagram d;
	size_t len;

	for (unsigned int seed = 1; seed <= n; seed++) {
		rnd_seed(seed);
		datagram_make(&d);
		if (rnd(3)) { /* plain as it can be */
			d.tags = d.options = d.hop_options = 0;
			d.pppoe = false;
		}
		len = datagram_frame(&d, 0, d.len, true, b);
		if (rnd(4))
			move_away(b);
		for (unsigned int i = rnd(8); i; i--)
			both(c, b, len);
		frame_change(b, &len);
		both(c, b, len);
		/* What detection has banned comes again. */
		if (seed % 400 == 0) {
			check_known(c->name);
			forget(&half[0]);
			forget(&half[1]);
		}
	}
}

static void make_plain(struct pkt *p, bool v6, bool udp, bool near)
{
	pkt_eth(p, v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (v6)
		pkt_ip6(p, near ? "2001:db8::2" : "2001:db9::2", "fd00::1",
			udp ? IPPROTO_UDP : IPPROTO_TCP);
	else
		pkt_ip4(p, near ? "192.0.2.2" : "198.51.100.2", "10.0.0.1",
			udp ? IPPROTO_UDP : IPPROTO_TCP, 0, 0);
	if (udp)
		pkt_udp(p, 5000, 6000);
	else
		pkt_tcp(p, 5000, 22, 0x10);
	memset(p->b + p->len, 0x5a, 6);
	p->len += 6;
	pkt_done(p);
}

/* Cut at each length, and longer than IP says; with each bit of the headers turned, and each word empty or full. */
static void near_plain(const struct config *c)
{
	for (unsigned int kind = 0; kind < 8; kind++) {
		struct pkt p;
		unsigned int whole;

		make_plain(&p, kind & 1, kind & 2, kind & 4);
		whole = p.len;
		/* An emulated processor has not the time for all of them. */
		if (test_slow() > 2 && kind % 3)
			continue;
		for (unsigned int len = 14; len <= whole + 8; len++)
			both(c, p.b, len);
		for (unsigned int bit = 12 * 8; bit < whole * 8; bit++) {
			p.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
			both(c, p.b, whole);
			p.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (unsigned int at = 12; at + 2 <= whole; at += 2) {
			struct pkt q = p;

			pkt_put16(&q, at, 0);
			both(c, q.b, whole);
			pkt_put16(&q, at, 0xffff);
			both(c, q.b, whole);
		}
		/* TCP's flags, and what UDP and IP say of the length. */
		for (unsigned int v = 0; v < 64; v++) {
			struct pkt q = p;

			q.b[q.l4 + (kind & 2 ? 5 : 13)] = (uint8_t)v;
			both(c, q.b, whole);
			q = p;
			q.b[q.l3 + (kind & 1 ? 5 : 3)] = (uint8_t)v;
			both(c, q.b, whole);
		}
	}
}

/* Flows of the other program, the same but for the time. */
static unsigned int check_flows(const char *where)
{
	int fd[2] = { bpf_map__fd(half[0].skel->maps.np_guard_flows),
		      bpf_map__fd(half[1].skel->maps.np_guard_flows) };
	struct np_guard_flow_key k, *from = NULL;
	unsigned int n[2] = { 0 };

	for (int i = 0; i < 2; i++, from = NULL)
		for (; !bpf_map_get_next_key(fd[i], from, &k); from = &k) {
			struct np_guard_flow a, b;

			n[i]++;
			if (bpf_map_lookup_elem(fd[0], &k, &a) ||
			    bpf_map_lookup_elem(fd[1], &k, &b)) {
				CHECK(unlike, "%s: a flow that only one has", where);
				continue;
			}
			a.first = a.last = b.first = b.last = 0;
			CHECK(unlike || !memcmp(&a, &b, sizeof(a)), "%s: a flow has other counts",
			      where);
		}
	return n[0];
}

/* Each rule's hits, as text. */
static void hits_of(const struct netns *ns, char *to, size_t size)
{
	size_t n = 0;

	guard_must(ns, "list --format json");
	to[0] = '\0';
	for (const char *at = guard_out(), *end; (end = strchr(at, '\n')); at = end + 1) {
		json_t *r = json_loadb(at, (size_t)(end - at), 0, NULL);
		const char *source = json_string_value(json_object_get(r, "source"));

		if (source && n < size)
			n += (size_t)snprintf(to + n, size - n, "%s: %llu\n", source,
					      (unsigned long long)json_at(r, "hits"));
		json_decref(r);
	}
}

TEST(plain_packets_are_judged_and_counted_as_the_whole_way_does)
{
	const char *all = getenv("NETPROBE_ALL");
	unsigned int n = CASES * (all && *all == '1' ? 30 : 1) / (test_slow() > 2 ? 4 : 1),
		     flows = 0;
	char list[2][8192], down[64];

	cpus = libbpf_num_possible_cpus();
	for (int i = 0; i < 2; i++) {
		struct netns_pair p = netns_pair_new();

		half[i].ns = p.a;
		half[i].per_cpu = calloc((size_t)cpus, sizeof(*half[i].per_cpu));
		REQUIRE(half[i].per_cpu, "out of memory");
		guard_must(&p.a, "attach %s --mode filter", p.if_a);
		rules_import(&p.a, false);
		rules_import(&p.a, true);
		guard_must(&p.a, "ban 192.0.2.10 --dry-run");
		/* What the kernel sends by itself (router solicitations) would be known to one of them. */
		snprintf(down, sizeof(down), "ip link set %s down", p.if_b);
		netns_must(&p.b, down);
	}
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		const struct config *c = &configs[i];

		unlike = 0;
		for (int k = 0; k < 2; k++) {
			load(&half[k], c, !k);
			settle(&half[k], c);
		}
		near_plain(c);
		random_frames(c, n);
		check_known(c->name);
		flows += check_flows(c->name);
		for (int k = 0; k < 2; k++)
			unload(&half[k]);
	}
	for (int i = 0; i < 2; i++)
		hits_of(&half[i].ns, list[i], sizeof(list[i]));
	CHECK(*list[0] && !strcmp(list[0], list[1]), "other hits:\n%s%s", list[0], list[1]);
	test_note("%llu frames, %llu passed, %llu dropped, %u flows; %llu times the clock moved",
		  (unsigned long long)frames, (unsigned long long)passed,
		  (unsigned long long)dropped, flows, (unsigned long long)moved);
	CHECK(dropped > frames / 50 && passed > frames / 5 && moved < frames / 5 && flows > 100,
	      "the frames were of one kind");
}
