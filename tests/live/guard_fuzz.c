/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random frames, whole, in pieces, cut short and changed at random, given to the attached program (BPF_PROG_TEST_RUN)
 * and to a parser of this file, which reads them as Linux does and knows no limits. What Linux would hand on although
 * a ban is for it must be dropped; what no ban of its source can be for must pass; counters must say what was done.
 * A failure tells its seed: NETPROBE_SEED=N runs that one alone. NETPROBE_ALL=1 takes a minute.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../bpf/packet.h"
#include "guard_make.h"
#include "guard_run.h"
#include "tap.h"
#include "wire/guard.h"

#define DROP 1
#define PASS 2

#define CASES 4000 /* a second, where the machine is idle */
#define LONG_S 60
#define EXTS 182 /* extension headers that guard looks through (docs/guard.md) */

/* What is known of a frame, as Linux reads it. */
struct known {
	bool ip; /* it has an IP header that can be read; else nothing is banned */
	bool v6;
	bool dead; /* the stack drops it, whatever guard does */
	bool proto_known, ports_known, later;
	unsigned int source; /* last byte; 0 none of the list */
	unsigned int proto, dport;
	unsigned int exts; /* extension headers of IPv6 */
};

static unsigned int get16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static bool has_ports(unsigned int proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
	       proto == IPPROTO_SCTP || proto == IPPROTO_DCCP;
}

/* The transport header at p, of which left bytes are in this packet. more: others come in later pieces. */
static void read_l4(struct known *k, const uint8_t *p, size_t left, bool more)
{
	if (left < l4_least(k->proto) && !more)
		k->dead = true;
	if (!has_ports(k->proto) || left < 4)
		return;
	k->dport = get16(p + 2);
	k->ports_known = true;
	/* A short whole one is dropped by the stack; in pieces all but the last have 8 bytes. */
	if (more && left < 8)
		k->dead = true;
}

static void read_v4(struct known *k, const uint8_t *p, size_t room)
{
	size_t size, total;
	unsigned int frag;

	if (room < 20 || p[0] >> 4 != 4)
		return;
	k->ip = true;
	k->source = p[12] == 192 && p[13] == 0 && p[14] == 2 ? p[15] : 0;
	k->proto = p[9];
	k->proto_known = true;
	size = (p[0] & 15u) * 4;
	total = get16(p + 2);
	if (size < 20 || total < size || total > room) {
		k->dead = true;
		return;
	}
	frag = get16(p + 6);
	k->later = frag & 0x1fff;
	if (!k->later)
		read_l4(k, p + size, total - size, frag & 0x2000);
}

static bool is_ext(unsigned int next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_AH;
}

static void read_v6(struct known *k, const uint8_t *p, size_t room)
{
	static const uint8_t ours[15] = { 0x20, 0x01, 0x0d, 0xb8 };
	size_t total, at = 40, size;
	bool more = false;
	unsigned int next;

	if (room < 40 || p[0] >> 4 != 6)
		return;
	k->ip = true;
	k->v6 = true;
	k->source = memcmp(p + 8, ours, sizeof(ours)) == 0 ? p[23] : 0;
	total = 40 + get16(p + 4);
	if (total > room) {
		k->dead = true;
		k->proto = p[6];
		k->proto_known = !is_ext(p[6]);
		return;
	}
	for (next = p[6]; is_ext(next); at += size) {
		if (at + 8 > total) {
			k->dead = true;
			return;
		}
		k->exts++;
		/* Options for each hop stand first, or the packet is refused. */
		if (next == IPPROTO_HOPOPTS && at != 40)
			k->dead = true;
		size = next == IPPROTO_FRAGMENT ? 8
		       : next == IPPROTO_AH	? (p[at + 1] + 2u) * 4
						: (p[at + 1] + 1u) * 8;
		if (next == IPPROTO_FRAGMENT) {
			unsigned int frag = get16(p + at + 2);

			more = more || (frag & 1);
			if (frag & ~7u) {
				k->later = true;
				k->proto = p[at];
				k->proto_known = !is_ext(p[at]);
				return;
			}
		}
		/* Without a key for it, what is authenticated goes nowhere. */
		if (next == IPPROTO_AH)
			k->dead = true;
		next = p[at];
	}
	if (at > total) {
		k->dead = true;
		return;
	}
	k->proto = next;
	k->proto_known = true;
	/* The whole chain is in the first piece, or Linux takes none of it (since 5.10). */
	if (more && total - at < l4_least(next))
		k->dead = true;
	read_l4(k, p + at, total - at, false);
}

static struct known read_frame(const uint8_t *b, size_t len)
{
	struct known k = { 0 };
	unsigned int type;
	size_t at = 14;

	if (len < at)
		return k;
	type = get16(b + 12);
	for (int i = 0; i < 2 && (type == ETH_P_8021Q || type == ETH_P_8021AD); i++) {
		if (at + 4 > len)
			return k;
		type = get16(b + at + 2);
		at += 4;
	}
	/* PPPoE: version, code, session, length; then what PPP carries. */
	if (type == ETH_P_PPP_SES && at + 8 <= len && b[at] == 0x11 && !b[at + 1]) {
		type = get16(b + at + 6) == 0x0021   ? ETH_P_IP
		       : get16(b + at + 6) == 0x0057 ? ETH_P_IPV6
						     : 0;
		at += 8;
	}
	if (type == ETH_P_IP)
		read_v4(&k, b + at, len - at);
	else if (type == ETH_P_IPV6)
		read_v6(&k, b + at, len - at);
	return k;
}

#define NO 0
#define YES 1
#define PERHAPS 2

static int rule_is_for(const struct guard_rule *r, const struct known *k)
{
	unsigned int proto = r->proto == IPPROTO_ICMP && k->v6 ? IPPROTO_ICMPV6 : r->proto;

	if (r->source != k->source)
		return NO;
	if (k->proto_known && proto && proto != k->proto)
		return NO;
	if (r->from == 0 && r->to == 65535)
		return !proto || k->proto_known ? YES : PERHAPS;
	/* Only the first piece has ports; the others are nothing without it. */
	if (k->later)
		return k->proto_known ? NO : PERHAPS;
	if (k->ports_known && k->proto_known)
		return k->dport >= r->from && k->dport <= r->to ? YES : NO;
	/* Without ports in the protocol there are none to be banned. */
	return k->proto_known && !has_ports(k->proto) ? NO : PERHAPS;
}

/* YES: must be dropped, NO: must pass. */
static int is_banned(const struct known *k, bool *ret_allowed)
{
	int banned = NO, allowed = NO;

	*ret_allowed = false;
	if (!k->ip || !k->source)
		return NO;
	for (size_t i = 0; i < GUARD_RULES; i++) {
		int one = rule_is_for(&guard_rules[i], k);
		int *to = guard_rules[i].allow ? &allowed : &banned;

		if (one == YES || (one == PERHAPS && *to == NO))
			*to = one;
	}
	*ret_allowed = allowed == YES;
	if (allowed == YES)
		return NO;
	return banned == YES && allowed == PERHAPS ? PERHAPS : banned;
}

struct program {
	int fd, devs, cpus;
	struct np_guard_dev *per_cpu, now;
};

static struct np_guard_dev counters(struct program *g)
{
	struct np_guard_dev sum = { 0 };
	uint32_t slot = 0;

	REQUIRE(!bpf_map_lookup_elem(g->devs, &slot, g->per_cpu), "counters: %s", strerror(errno));
	for (int c = 0; c < g->cpus; c++)
		for (size_t i = 0; i < sizeof(sum) / sizeof(uint64_t); i++)
			((uint64_t *)&sum)[i] += ((uint64_t *)&g->per_cpu[c])[i];
	return sum;
}

static void say(const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len && i < 160; i += 16) {
		printf("#  ");
		for (size_t k = i; k < i + 16 && k < len; k++)
			printf(" %02x", b[k]);
		printf("\n");
	}
}

static uint64_t all_drops(const struct np_guard_dev *d)
{
	return d->drops[0] + d->drops[1] + d->drops[2] + d->drops[3];
}

/* One frame: DROP or PASS, compared with what the other parser says. */
static unsigned int try_frame(struct program *g, const uint8_t *b, size_t len, uint64_t seed)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = b, .data_size_in = (__u32)len, .repeat = 1);
	struct np_guard_dev was = g->now;
	struct known k = read_frame(b, len);
	unsigned int want, bad = 0;
	bool allowed, wrong;
	int banned;

	REQUIRE(!bpf_prog_test_run_opts(g->fd, &o), "test run of %zu bytes: %s", len,
		strerror(errno));
	g->now = counters(g);
	banned = is_banned(&k, &allowed);
	/* What the stack drops may be dropped before; what is allowed has to be read for that. */
	if (k.dead && allowed)
		banned = PERHAPS;
	/* Behind more headers than are looked through all may be, and what may be banned is dropped. */
	if (k.exts > EXTS && banned == NO) {
		struct known open = k;

		open.proto_known = open.ports_known = allowed = false;
		if (is_banned(&open, &allowed) != NO)
			banned = PERHAPS;
		allowed = false;
	}
	want = banned == YES ? DROP : PASS;
	wrong = o.retval != DROP && o.retval != PASS;
	wrong |= banned != PERHAPS && o.retval != want && !(k.dead && banned == YES);
	/* The counters: one verdict, one reason. */
	wrong |= g->now.drops[NP_DROP_BAN] - was.drops[NP_DROP_BAN] != (o.retval == DROP);
	wrong |= all_drops(&g->now) - all_drops(&was) != (o.retval == DROP);
	wrong |= g->now.drop_bytes - was.drop_bytes != (o.retval == DROP ? len : 0);
	wrong |= allowed && g->now.allowed - was.allowed != 1 && !k.dead;
	wrong |= g->now.unfinished - was.unfinished > (o.retval == DROP);
	wrong |= banned == YES && !k.dead && !k.v6 && g->now.unfinished != was.unfinished;
	for (unsigned int i = 0; i < NP_FRAME_BAD_SLOTS; i++)
		bad += g->now.bad[i] != was.bad[i];
	wrong |= bad > 1;
	if (wrong)
		say(b, len);
	CHECK(!wrong,
	      "seed %llu, %zu bytes: verdict %u, %s; source %u protocol %u%s port %u%s%s%s; "
	      "kinds of faults %u",
	      (unsigned long long)seed, len, o.retval,
	      banned == YES  ? "is banned"
	      : banned == NO ? allowed ? "is allowed" : "is not banned"
			     : "may be banned",
	      k.source, k.proto, k.proto_known ? "" : "?", k.dport, k.ports_known ? "" : "?",
	      k.later ? ", later piece" : "", k.dead ? ", dropped by the stack" : "", bad);
	return o.retval;
}

/* All pieces of it: what they are together must not get through where it is banned as a whole. */
static void try_pieces(struct program *g, const struct datagram *d, uint64_t seed)
{
	unsigned int dropped = 0, n = 0, step = 8 * (1 + rnd(rnd(2) ? 2 : 8));
	uint8_t b[2048];
	bool allowed, dead = false;
	struct known k;
	size_t len = datagram_frame(d, 0, d->len, true, b);

	k = read_frame(b, len);
	if (d->len <= step)
		return;
	for (size_t at = 0; at < d->len; at += step, n++) {
		struct known one;

		len = datagram_frame(d, at, at + step < d->len ? at + step : d->len, false, b);
		one = read_frame(b, len);
		dead |= one.dead;
		dropped += try_frame(g, b, len, seed) == DROP;
	}
	CHECK(dropped || dead || k.dead || is_banned(&k, &allowed) != YES,
	      "seed %llu: %u pieces of %u bytes pass, together they are banned: source %u "
	      "protocol %u port %u",
	      (unsigned long long)seed, n, step, k.source, k.proto, k.dport);
}

static void try_seed(struct program *g, uint64_t seed)
{
	struct datagram d;
	uint8_t b[2048];
	size_t len;

	rnd_seed(seed);
	datagram_make(&d);
	len = datagram_frame(&d, 0, d.len, true, b);
	(void)try_frame(g, b, len, seed);
	frame_change(b, &len);
	(void)try_frame(g, b, len, seed);
	try_pieces(g, &d, seed);
}

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

TEST(random_frames_and_their_pieces_are_judged_as_linux_reads_them)
{
	const char *seed = getenv("NETPROBE_SEED");
	struct netns_pair p = netns_pair_new();
	double end = now_s() + LONG_S;
	struct program g;
	char path[128];

	guard_must(&p.a, "attach %s --mode filter --xdp generic", p.if_a);
	rules_import(&p.a, false);
	rules_import(&p.a, true);
	g.fd = guard_program(&p.a);
	g.cpus = libbpf_num_possible_cpus();
	g.per_cpu = calloc((size_t)g.cpus, sizeof(*g.per_cpu));
	snprintf(path, sizeof(path), "/sys/fs/bpf/netprobe/guard-%llu/np_guard_devs",
		 (unsigned long long)p.a.inode);
	g.devs = bpf_obj_get(path);
	REQUIRE(g.devs >= 0 && g.per_cpu, "%s: %s", path, strerror(errno));
	netns_must(&p.a, "true");
	g.now = counters(&g);
	if (seed) {
		try_seed(&g, strtoull(seed, NULL, 0));
	} else {
		/* The same ones each time: a run that fails, fails again. */
		for (uint64_t i = 1; i <= CASES || (test_whole() && now_s() < end); i++)
			try_seed(&g, i);
	}
	free(g.per_cpu);
	close(g.devs);
	close(g.fd);
}
