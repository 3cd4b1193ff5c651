/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bans on frames made by hand, given to the attached program itself (BPF_PROG_TEST_RUN): what no
 * socket sends here, tagged, fragmented, malformed.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../bpf/packet.h"
#include "guard_run.h"
#include "tap.h"

/* 1 dropped, 2 passed. */
static unsigned int verdict(int fd, struct pkt *p)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = p->b, .data_size_in = p->len, .repeat = 1);

	pkt_done(p);
	REQUIRE(!bpf_prog_test_run_opts(fd, &o), "test run: %s", strerror(errno));
	return o.retval;
}

#define DROP 1
#define PASS 2

static void udp4(struct pkt *p, const char *src, unsigned int tags, unsigned int dport,
		 unsigned int frag)
{
	pkt_eth(p, ETH_P_IP);
	for (unsigned int i = 0; i < tags; i++)
		pkt_tag(p, i ? ETH_P_8021Q : ETH_P_8021AD, 10 + i);
	pkt_ip4(p, src, "10.77.0.1", IPPROTO_UDP, 0, frag);
	pkt_udp(p, 4000, dport);
}

TEST(bans_hold_behind_tags_extension_headers_and_in_fragments)
{
	struct netns_pair p = netns_pair_new();
	struct pkt f;
	int fd;

	guard_must(&p.a, "attach %s --mode filter --xdp generic", p.if_a);
	guard_must(&p.a, "ban 192.0.2.7 2001:db8:7::/48");
	guard_must(&p.a, "ban 198.51.100.0/24 --proto udp --port 53");
	fd = guard_program(&p.a);
	for (unsigned int tags = 0; tags <= 2; tags++) {
		udp4(&f, "192.0.2.7", tags, 9, 0);
		CHECK_EQ(verdict(fd, &f), DROP, "banned, with so many tags");
		udp4(&f, "192.0.2.8", tags, 9, 0);
		CHECK_EQ(verdict(fd, &f), PASS, "its neighbour");
		udp4(&f, "198.51.100.9", tags, 53, 0);
		CHECK_EQ(verdict(fd, &f), DROP, "banned port");
		udp4(&f, "198.51.100.9", tags, 54, 0);
		CHECK_EQ(verdict(fd, &f), PASS, "another port");
	}
	udp4(&f, "192.0.2.7", 0, 9, 0x2000);
	CHECK_EQ(verdict(fd, &f), DROP, "first fragment");
	udp4(&f, "192.0.2.7", 0, 9, 100);
	CHECK_EQ(verdict(fd, &f), DROP, "later fragment");
	udp4(&f, "198.51.100.9", 0, 53, 0x2000);
	CHECK_EQ(verdict(fd, &f), DROP, "first fragment to a banned port");
	udp4(&f, "198.51.100.9", 0, 53, 100);
	CHECK_EQ(verdict(fd, &f), PASS, "later fragment, which has no ports");

	pkt_eth(&f, ETH_P_IPV6);
	pkt_ip6(&f, "2001:db8:7::1", "fd77::1", IPPROTO_UDP);
	pkt_ext(&f, IPPROTO_HOPOPTS, 8, 0);
	pkt_ext(&f, IPPROTO_DSTOPTS, 16, 0);
	pkt_udp(&f, 1, 2);
	CHECK_EQ(verdict(fd, &f), DROP, "behind extension headers");
	pkt_eth(&f, ETH_P_IPV6);
	pkt_ip6(&f, "2001:db8:8::1", "fd77::1", IPPROTO_UDP);
	pkt_udp(&f, 1, 2);
	CHECK_EQ(verdict(fd, &f), PASS, "the network beside it");
}

/* The first n bytes of a SYN, of which Linux puts the rest behind it. */
static void piece(struct pkt *p, const char *src, unsigned int dport, unsigned int n)
{
	pkt_eth(p, ETH_P_IP);
	pkt_ip4(p, src, "10.77.0.1", IPPROTO_TCP, 0, 0x2000);
	pkt_tcp(p, 4000, dport, 0x02);
	p->len = p->l4 + n;
}

TEST(small_first_pieces_of_tcp_have_their_ports_and_count_as_syns)
{
	struct netns_pair p = netns_pair_new();
	unsigned int drops = 0;
	struct pkt f;
	int fd;

	guard_must(&p.a, "attach %s --mode filter --xdp generic", p.if_a);
	guard_must(&p.a, "ban 192.0.2.7 --proto tcp --port 8022");
	fd = guard_program(&p.a);
	for (unsigned int n = 8; n <= 24; n += 8) {
		piece(&f, "192.0.2.7", 8022, n > 20 ? 20 : n);
		f.len = f.l4 + n;
		CHECK_EQ(verdict(fd, &f), DROP, "a piece to the banned port");
		piece(&f, "192.0.2.7", 8023, n > 20 ? 20 : n);
		f.len = f.l4 + n;
		CHECK_EQ(verdict(fd, &f), PASS, "a piece to another port");
	}
	guard_must(&p.a, "limit --syn-rate 5");
	for (unsigned int i = 0; i < 40; i++) {
		piece(&f, "192.0.2.9", 80, 8);
		drops += verdict(fd, &f) == DROP;
	}
	/* The burst of a second, and what a slow machine takes for these. */
	CHECK(drops >= 20, "%u of 40 pieces of SYNs were beyond 5 a second", drops);
}

/* A SYN behind so many extension headers. */
static void behind(struct pkt *p, const char *src, unsigned int n, unsigned int dport)
{
	pkt_eth(p, ETH_P_IPV6);
	pkt_ip6(p, src, "fd77::1", IPPROTO_TCP);
	while (n--)
		pkt_ext(p, IPPROTO_DSTOPTS, 8, 0);
	pkt_tcp(p, 4000, dport, 0x02);
}

TEST(what_the_parser_does_not_finish_is_dropped_where_a_ban_could_hold)
{
	struct netns_pair p = netns_pair_new();
	static const char *const sources[] = { "2001:db8:7::1", "2001:db8:8::1", "2001:db8:9::1" };
	static const unsigned int want[] = { DROP, PASS, PASS };
	json_t *stats;
	struct pkt f;
	int fd;

	guard_must(&p.a, "attach %s --mode filter --xdp generic", p.if_a);
	guard_must(&p.a, "ban 2001:db8:7::/48 --proto tcp --port 22");
	guard_must(&p.a, "ban 2001:db8:8::/48 --proto tcp --port 22");
	guard_must(&p.a, "allow 2001:db8:8::1");
	fd = guard_program(&p.a);
	for (unsigned int i = 0; i < 3; i++) {
		behind(&f, sources[i], 183, 80);
		CHECK_EQ(verdict(fd, &f), want[i], sources[i]);
	}
	/* As many as 1,500 bytes hold are all looked through. */
	for (unsigned int n = 0; n <= 182; n += 7) {
		behind(&f, sources[0], n, 80);
		CHECK_EQ(verdict(fd, &f), PASS, "to another port, behind so many");
	}
	stats = guard_stats(&p.a, p.if_a);
	CHECK_EQ(json_at(stats, "unfinished"), 1, "unfinished");
	CHECK_EQ(json_at(stats, "dropped.ban"), 1, "drops by ban");
	json_decref(stats);
	behind(&f, sources[0], 182, 22);
	CHECK_EQ(verdict(fd, &f), DROP, "to the banned port, behind all of them");
	stats = guard_stats(&p.a, p.if_a);
	CHECK_EQ(json_at(stats, "unfinished"), 1, "it was finished");
	json_decref(stats);
}

/* What was looked up a moment ago holds for what it was looked up for, and each packet is a hit. */
TEST(verdicts_that_are_remembered_are_those_of_each_packet)
{
	struct netns_pair p = netns_pair_new();
	struct pkt f;
	int fd;

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban 192.0.2.7 2001:db8::7");
	guard_must(&p.a, "ban 192.0.2.8 --proto udp --port 53");
	fd = guard_program(&p.a);
	for (unsigned int i = 0; i < 1000; i++) {
		udp4(&f, "192.0.2.7", 0, i, 0);
		CHECK_EQ(verdict(fd, &f), DROP, "banned");
		udp4(&f, "192.0.2.8", 0, 53, 0);
		CHECK_EQ(verdict(fd, &f), DROP, "banned port");
		udp4(&f, "192.0.2.8", 0, 54, 0);
		CHECK_EQ(verdict(fd, &f), PASS, "another port of it");
		udp4(&f, "192.0.2.9", 0, 53, 0);
		CHECK_EQ(verdict(fd, &f), PASS, "its neighbour");
		pkt_eth(&f, ETH_P_IPV6);
		pkt_ip6(&f, "2001:db8::7", "fd77::1", IPPROTO_UDP);
		pkt_udp(&f, 1, i);
		CHECK_EQ(verdict(fd, &f), DROP, "banned, IPv6");
	}
	guard_must(&p.a, "list --format json");
	for (const char *at = guard_out(), *end; (end = strchr(at, '\n')); at = end + 1) {
		json_t *r = json_loadb(at, (size_t)(end - at), 0, NULL);

		CHECK_EQ(json_at(r, "hits"), 1000, "hits");
		json_decref(r);
	}
	guard_must(&p.a, "allow 192.0.2.7 --proto udp --port 53");
	pause_ms(20);
	for (unsigned int i = 0; i < 200; i++) {
		udp4(&f, "192.0.2.7", 0, 53 + (i & 1), 0);
		CHECK_EQ(verdict(fd, &f), i & 1 ? DROP : PASS, "a port of it is allowed");
	}
	guard_must(&p.a, "unban 192.0.2.7");
	pause_ms(20);
	udp4(&f, "192.0.2.7", 0, 54, 0);
	CHECK_EQ(verdict(fd, &f), PASS, "no more banned");
}

static uint64_t hits_of(const struct netns *ns, const char *source)
{
	guard_must(ns, "list --format json");
	for (const char *at = guard_out(), *end; (end = strchr(at, '\n')); at = end + 1) {
		json_t *r = json_loadb(at, (size_t)(end - at), 0, NULL);
		const char *name = json_string_value(json_object_get(r, "source"));
		bool found = name && !strcmp(name, source);
		uint64_t hits = found ? json_at(r, "hits") : 0;

		json_decref(r);
		if (found)
			return hits;
	}
	REQUIRE(false, "%s is not in the list: %s", source, guard_out());
	return 0;
}

/* Of networks too; and no hit is lost or another's when the list around it changes. */
TEST(remembered_networks_have_the_hits_of_each_packet)
{
	struct netns_pair p = netns_pair_new();
	struct pkt f;
	int fd;

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "allow 2001:db8:ffff::/48");
	guard_must(&p.a, "ban 192.0.2.7 198.51.100.0/22 203.0.113.0/24 2001:db8:1::/48");
	guard_must(&p.a, "ban 203.0.113.0/28 --proto udp --port 53");
	guard_must(&p.a, "ban 203.0.113.130 --dry-run");
	fd = guard_program(&p.a);
	for (unsigned int i = 0; i < 1000; i++) {
		udp4(&f, "192.0.2.7", 0, i, 0);
		CHECK_EQ(verdict(fd, &f), DROP, "banned by itself");
		udp4(&f, i & 1 ? "198.51.100.7" : "198.51.103.9", 0, i, 0);
		CHECK_EQ(verdict(fd, &f), DROP, "banned");
		udp4(&f, "203.0.113.1", 0, 53 + (i & 1), 0);
		CHECK_EQ(verdict(fd, &f), DROP, "in two networks");
		udp4(&f, "203.0.113.130", 0, i, 0);
		CHECK_EQ(verdict(fd, &f), DROP, "in one, beside a dry run");
		pkt_eth(&f, ETH_P_IPV6);
		pkt_ip6(&f, "2001:db8:1:2::7", "fd77::1", IPPROTO_UDP);
		pkt_udp(&f, 1, i);
		CHECK_EQ(verdict(fd, &f), DROP, "banned, IPv6");
	}
	CHECK_EQ(hits_of(&p.a, "198.51.100.0/22"), 1000, "hits");
	CHECK_EQ(hits_of(&p.a, "203.0.113.0/28"), 500, "hits of the port");
	CHECK_EQ(hits_of(&p.a, "203.0.113.0/24"), 1500, "hits of the network around");
	CHECK_EQ(hits_of(&p.a, "203.0.113.130"), 1000, "hits of the dry run");
	CHECK_EQ(hits_of(&p.a, "2001:db8:1::/48"), 1000, "hits, IPv6");
	/* More than one at once: a new list in the place of this one, twice. */
	guard_must(&p.a, "ban 192.0.2.20 192.0.2.21");
	CHECK_EQ(hits_of(&p.a, "192.0.2.7"), 1000, "hits in the new list");
	CHECK_EQ(hits_of(&p.a, "198.51.100.0/22"), 1000, "hits in the new list");
	guard_must(&p.a, "ban 192.0.2.22 192.0.2.23");
	udp4(&f, "192.0.2.7", 0, 1, 0);
	CHECK_EQ(verdict(fd, &f), DROP, "in the new list");
	udp4(&f, "198.51.100.7", 0, 1, 0);
	CHECK_EQ(verdict(fd, &f), DROP, "in the new list");
	CHECK_EQ(hits_of(&p.a, "192.0.2.7"), 1001, "hits in the one after");
	CHECK_EQ(hits_of(&p.a, "198.51.100.0/22"), 1001, "hits in the one after");
	guard_must(&p.a, "unban 192.0.2.7 198.51.100.0/22");
	pause_ms(20);
	udp4(&f, "198.51.100.7", 0, 1, 0);
	CHECK_EQ(verdict(fd, &f), PASS, "no more banned");
	guard_must(&p.a, "ban 198.51.100.0/22");
	guard_must(&p.a, "ban 192.0.2.7");
	CHECK_EQ(hits_of(&p.a, "198.51.100.0/22"), 0, "hits of the ban before");
	CHECK_EQ(hits_of(&p.a, "192.0.2.7"), 0, "hits of the ban before");
}

TEST(malformed_packets_are_counted_by_kind_and_passed)
{
	struct netns_pair p = netns_pair_new();
	struct pkt f;
	json_t *r;
	int fd;

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	fd = guard_program(&p.a);
	for (unsigned int i = 0; i < 3; i++) {
		pkt_eth(&f, ETH_P_IP);
		pkt_ip4(&f, "192.0.2.7", "10.77.0.1", IPPROTO_TCP, 0, 0);
		pkt_tcp(&f, 1, 2, 0x03);
		CHECK_EQ(verdict(fd, &f), PASS, "SYN and FIN");
	}
	udp4(&f, "192.0.2.7", 0, 9, 0x1fff);
	f.len += 64;
	CHECK_EQ(verdict(fd, &f), PASS, "a fragment beyond 65,535 bytes");
	r = guard_stats(&p.a, p.if_a);
	CHECK_EQ(json_at(r, "malformed.tcp_flags"), 3, "SYN and FIN");
	CHECK_EQ(json_at(r, "malformed.fragment_end"), 1, "fragment's end");
	json_decref(r);
}

/* More networks within each other than are followed would be told; fewer are all looked at. */
TEST(nested_networks_are_asked_from_the_longest_on)
{
	struct netns_pair p = netns_pair_new();
	struct pkt f;
	int fd;

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	for (unsigned int len = 20; len < 30; len++)
		guard_must(&p.a, "ban 192.0.0.0/%u --proto udp --port %u", len, 100 + len);
	fd = guard_program(&p.a);
	for (unsigned int port = 120; port < 130; port++) {
		udp4(&f, "192.0.0.1", 0, port, 0);
		CHECK_EQ(verdict(fd, &f), DROP, "a port that one of ten networks names");
	}
	udp4(&f, "192.0.0.1", 0, 130, 0);
	CHECK_EQ(verdict(fd, &f), PASS, "a port that none names");
	udp4(&f, "192.0.1.1", 0, 124, 0);
	CHECK_EQ(verdict(fd, &f), PASS, "a port that only longer networks name");
	udp4(&f, "192.0.1.1", 0, 123, 0);
	CHECK_EQ(verdict(fd, &f), DROP, "a port that a shorter network names");
}
