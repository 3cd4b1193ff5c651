/* SPDX-License-Identifier: BSD-2-Clause */
/* The balancer's program, packet by packet. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb_packet.h"
#include "tap.h"

#define VIP4 "192.0.2.1:80/tcp"
#define VIP6 "[2001:db8::1]:80/tcp"
#define FLOWS 2000

static const struct flow tcp4 = { "198.51.100.7", "192.0.2.1", 40000, 80, IPPROTO_TCP, true, 10 };
static const struct flow tcp6 = {
	"2001:db8:5::7", "2001:db8::1", 40000, 80, IPPROTO_TCP, true, 10
};

/* n-th of many flows of the same kind. */
static struct flow nth(const struct flow *like, unsigned int n)
{
	struct flow f = *like;

	f.client_port = (uint16_t)(10000 + n);
	return f;
}

static struct outcome run_flow(struct balance *b, const struct flow *f)
{
	struct frame in = frame_of(f);

	return lb_run(b, &in);
}

/* Backend of a packet of an established connection. */
static unsigned int later(struct balance *b, const struct flow *like)
{
	struct flow f = *like;
	struct outcome o;

	f.syn = false;
	o = run_flow(b, &f);
	CHECK_EQ(o.action, XDP_TX, "action");
	return backend_of(&o);
}

static struct balance *one_vip(const char *vip, struct lb_vip_key *ret_key, unsigned int backends)
{
	struct balance *b;

	lb_namespace(1500);
	b = lb_begin();
	*ret_key = lb_vip(b, vip, 0);
	for (unsigned int i = 0; i < backends; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "10.99.0.%u", 10 + i);
		lb_backend(b, ret_key, addr, LB_FORWARD_ENCAP);
	}
	return b;
}

TEST(balancer_wraps_ipv4_into_ipip)
{
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 1);
	struct frame in = frame_of(&tcp4);
	struct outcome o = lb_run(b, &in);
	const struct ethhdr *eth = (const struct ethhdr *)o.frame.data;
	const struct iphdr *ip = (const struct iphdr *)(eth + 1);
	char src[16], dst[16];

	CHECK_EQ(o.action, XDP_TX, "action");
	CHECK_EQ(o.frame.bytes, in.bytes + sizeof(*ip), "bytes");
	CHECK_EQ(backend_of(&o), 10, "hardware address of backend");
	CHECK_EQ(ntohs(eth->h_proto), ETH_P_IP, "ethertype");
	CHECK_EQ(ip->protocol, IPPROTO_IPIP, "outer protocol");
	CHECK_EQ(ntohs(ip->tot_len), in.bytes - sizeof(*eth) + sizeof(*ip), "outer length");
	CHECK_EQ(ip->tos, 0x12, "type of service");
	CHECK_EQ(sum16(ip, sizeof(*ip), 0), 0, "outer checksum");
	inet_ntop(AF_INET, &ip->saddr, src, sizeof(src));
	inet_ntop(AF_INET, &ip->daddr, dst, sizeof(dst));
	CHECK(!strcmp(src, "10.99.0.1") && !strcmp(dst, "10.99.0.10"), "outer: %s to %s", src, dst);
	CHECK(!memcmp(ip + 1, in.data + sizeof(*eth), in.bytes - sizeof(*eth)),
	      "the packet inside was changed");
	lb_end(b);
}

TEST(balancer_wraps_ipv6_into_ipv6)
{
	struct balance *b;
	struct lb_vip_key key;
	struct frame in = frame_of(&tcp6);
	const struct ipv6hdr *ip;
	struct outcome o;

	lb_namespace(1500);
	b = lb_begin();
	key = lb_vip(b, VIP6, 0);
	lb_backend(b, &key, "fd99::b", LB_FORWARD_ENCAP);
	o = lb_run(b, &in);
	ip = (const struct ipv6hdr *)(o.frame.data + sizeof(struct ethhdr));
	CHECK_EQ(o.action, XDP_TX, "action");
	CHECK_EQ(backend_of(&o), 11, "hardware address of backend");
	CHECK_EQ(o.frame.bytes, in.bytes + sizeof(*ip), "bytes");
	CHECK_EQ(ip->version, 6, "version");
	CHECK_EQ(ip->nexthdr, IPPROTO_IPV6, "next header");
	CHECK_EQ(ntohs(ip->payload_len), in.bytes - sizeof(struct ethhdr), "payload length");
	CHECK(!memcmp(ip + 1, in.data + sizeof(struct ethhdr), in.bytes - sizeof(struct ethhdr)),
	      "the packet inside was changed");
	lb_end(b);
}

TEST(balancer_wraps_either_family_into_the_other)
{
	struct balance *b;
	struct lb_vip_key key;
	const struct ipv6hdr *ip6;
	const struct iphdr *ip4;
	struct outcome o;

	lb_namespace(1500);
	b = lb_begin();
	key = lb_vip(b, VIP4, 0);
	lb_backend(b, &key, "fd99::b", LB_FORWARD_ENCAP);
	key = lb_vip(b, VIP6, 0);
	lb_backend(b, &key, "10.99.0.12", LB_FORWARD_ENCAP);
	o = run_flow(b, &tcp4);
	ip6 = (const struct ipv6hdr *)(o.frame.data + sizeof(struct ethhdr));
	CHECK_EQ(o.action, XDP_TX, "action");
	CHECK_EQ(ip6->nexthdr, IPPROTO_IPIP, "next header");
	CHECK_EQ(backend_of(&o), 11, "backend");
	o = run_flow(b, &tcp6);
	ip4 = (const struct iphdr *)(o.frame.data + sizeof(struct ethhdr));
	CHECK_EQ(ip4->protocol, IPPROTO_IPV6, "protocol");
	CHECK_EQ(sum16(ip4, sizeof(*ip4), 0), 0, "outer checksum");
	CHECK_EQ(backend_of(&o), 12, "backend");
	lb_end(b);
}

TEST(balancer_by_mac_changes_hardware_addresses_only)
{
	struct balance *b;
	struct lb_vip_key key;
	struct frame in = frame_of(&tcp4);
	struct outcome o;

	lb_namespace(1500);
	b = lb_begin();
	key = lb_vip(b, VIP4, 0);
	lb_backend(b, &key, "10.99.0.13", LB_FORWARD_MAC);
	o = lb_run(b, &in);
	CHECK_EQ(o.action, XDP_TX, "action");
	CHECK_EQ(o.frame.bytes, in.bytes, "bytes");
	CHECK_EQ(backend_of(&o), 13, "backend");
	CHECK(!memcmp(o.frame.data + 12, in.data + 12, in.bytes - 12),
	      "more than addresses changed");
	lb_end(b);
}

TEST(balancer_passes_what_is_no_vips)
{
	struct flow other = tcp4, udp = tcp4;
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 1);
	struct frame in = frame_of(&tcp4), odd;
	struct outcome o;

	other.service_port = 81;
	o = run_flow(b, &other);
	CHECK_EQ(o.action, XDP_PASS, "other port");
	udp.proto = IPPROTO_UDP;
	o = run_flow(b, &udp);
	CHECK_EQ(o.action, XDP_PASS, "other protocol");
	CHECK_EQ(lb_total(b, LB_NO_VIP), 2, "counted as no VIP");
	odd = in;
	odd.data[14 + 7] = 0x20; /* some way into a packet */
	o = lb_run(b, &odd);
	CHECK_EQ(o.action, XDP_PASS, "fragment without a first one");
	CHECK_EQ(lb_total(b, LB_FRAGMENT), 1, "counted as fragment");
	lb_end(b);
}

TEST(balancer_counts_headers_that_do_not_fit)
{
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 1);
	struct frame in = frame_of(&tcp4), odd = in;
	struct outcome o;

	odd.data[14] = 0x44; /* a header of 16 bytes */
	o = lb_run(b, &odd);
	CHECK_EQ(o.action, XDP_PASS, "short header");
	odd = in;
	odd.data[14 + 2] = 0xff; /* longer than the frame */
	o = lb_run(b, &odd);
	CHECK_EQ(o.action, XDP_PASS, "long packet");
	odd = in;
	odd.bytes = 14 + 20 + 12; /* half a TCP header */
	odd.data[14 + 2] = 0;
	odd.data[14 + 3] = 32;
	o = lb_run(b, &odd);
	CHECK_EQ(o.action, XDP_PASS, "cut packet");
	CHECK_EQ(lb_total(b, LB_MALFORMED), 3, "counted");
	CHECK_EQ(lb_total(b, LB_FORWARDED), 0, "forwarded");
	lb_end(b);
}

TEST(balancer_spreads_flows_over_backends_and_counts_them)
{
	unsigned int got[20] = { 0 };
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 4);
	struct lb_count c;
	uint64_t flows = 0;

	for (unsigned int i = 0; i < FLOWS; i++) {
		struct flow f = nth(&tcp4, i);
		struct outcome o = run_flow(b, &f);

		REQUIRE(o.action == XDP_TX, "flow %u: action %u", i, o.action);
		got[backend_of(&o) % 20]++;
	}
	for (unsigned int i = 10; i < 14; i++) {
		uint8_t addr[16];
		char text[32];
		int slot;

		snprintf(text, sizeof(text), "10.99.0.%u", i);
		lb_address(text, addr);
		slot = model_backend(b->model, (unsigned int)model_vip(b->model, &key, NULL), addr,
				     NULL);
		REQUIRE(slot > 0, "no backend %s", text);
		CHECK(got[i] > FLOWS / 4 * 8 / 10 && got[i] < FLOWS / 4 * 12 / 10,
		      "backend %u has %u of %d flows", i, got[i], FLOWS);
		REQUIRE(balance_backend_count(b, (unsigned int)slot, &c) == 0, "no counters");
		CHECK_EQ(c.packets, got[i], "packets of backend");
		CHECK_EQ(c.new_flows, got[i], "new flows of backend");
		flows += c.new_flows;
	}
	CHECK_EQ(flows, FLOWS, "flows of all backends");
	(void)later(b, &tcp4);
	REQUIRE(balance_vip_count(b, (unsigned int)model_vip(b->model, &key, NULL), &c) == 0,
		"no counters");
	CHECK_EQ(c.packets, FLOWS + 1, "packets of VIP");
	CHECK_EQ(c.bytes, (FLOWS + 1) * (14 + 20 + 20 + 10), "bytes of VIP");
	lb_end(b);
}

TEST(known_flows_keep_their_backend_over_changes)
{
	unsigned int before[FLOWS], moved = 0;
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 4);
	uint8_t addr[16];

	for (unsigned int i = 0; i < FLOWS; i++) {
		struct flow f = nth(&tcp4, i);
		struct outcome o = run_flow(b, &f);

		before[i] = backend_of(&o);
	}
	for (unsigned int i = 14; i < 18; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.99.0.%u", i);
		lb_backend(b, &key, text, LB_FORWARD_ENCAP);
	}
	lb_address("10.99.0.10", addr);
	REQUIRE(balance_backend_drain(b, &key, addr, true, &err) == 0, "%s", err.msg);
	for (unsigned int i = 0; i < FLOWS; i++) {
		struct flow f = nth(&tcp4, i);

		CHECK(later(b, &f) == before[i], "flow %u left its backend", i);
	}
	/* what is new goes elsewhere */
	for (unsigned int i = 0; i < FLOWS; i++) {
		struct flow f = nth(&tcp4, FLOWS + i);
		struct outcome o = run_flow(b, &f);

		CHECK(backend_of(&o) != 10, "a draining backend got a new flow");
		moved += backend_of(&o) >= 14;
	}
	CHECK(moved > FLOWS / 3, "only %u of %d new flows at new backends", moved, FLOWS);
	CHECK_EQ(lb_total(b, LB_FLOW_MOVED), 0, "flows moved");
	lb_end(b);
}

TEST(removed_backends_flows_go_on_elsewhere_the_others_stay)
{
	unsigned int before[FLOWS];
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 4);
	uint64_t gone = 0;
	uint8_t addr[16];

	for (unsigned int i = 0; i < FLOWS; i++) {
		struct flow f = nth(&tcp4, i);
		struct outcome o = run_flow(b, &f);

		before[i] = backend_of(&o);
		gone += before[i] == 11;
	}
	lb_address("10.99.0.11", addr);
	REQUIRE(balance_backend_remove(b, &key, addr, &err) == 0, "%s", err.msg);
	for (unsigned int i = 0; i < FLOWS; i++) {
		struct flow f = nth(&tcp4, i);
		unsigned int now = later(b, &f);

		CHECK(before[i] == 11 ? now != 11 : now == before[i], "flow %u: %u, then %u", i,
		      before[i], now);
	}
	CHECK_EQ(lb_total(b, LB_FLOW_MOVED), gone, "flows moved");
	lb_end(b);
}

TEST(vip_for_all_ports_takes_what_no_other_vip_does)
{
	struct flow f = tcp4;
	struct lb_vip_key key;
	struct balance *b = one_vip("192.0.2.1:*/tcp", &key, 1);
	struct lb_vip_key exact = lb_vip(b, VIP4, 0);
	struct outcome o;

	lb_backend(b, &exact, "10.99.0.15", LB_FORWARD_ENCAP);
	o = run_flow(b, &f);
	CHECK_EQ(backend_of(&o), 15, "backend of the exact VIP");
	f.service_port = 8443;
	o = run_flow(b, &f);
	CHECK_EQ(backend_of(&o), 10, "backend of the VIP for all ports");
	lb_end(b);
}

TEST(vip_by_source_keeps_a_client_together)
{
	struct flow udp = { "198.51.100.7", "192.0.2.1", 1, 53, IPPROTO_UDP, false, 20 };
	unsigned int first = 0, others = 0;
	struct balance *b;
	struct lb_vip_key key;

	lb_namespace(1500);
	b = lb_begin();
	key = lb_vip(b, "192.0.2.1:53/udp", LB_VIP_SOURCE);
	for (unsigned int i = 10; i < 18; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.99.0.%u", i);
		lb_backend(b, &key, text, LB_FORWARD_ENCAP);
	}
	for (unsigned int i = 0; i < 200; i++) {
		struct flow f = nth(&udp, i);
		struct outcome o = run_flow(b, &f);

		first = first ? first : backend_of(&o);
		CHECK_EQ(backend_of(&o), first, "backend of the same client");
	}
	for (unsigned int i = 1; i < 100; i++) {
		char client[32];
		struct flow f = udp;
		struct outcome o;

		snprintf(client, sizeof(client), "198.51.100.%u", i);
		f.client = client;
		o = run_flow(b, &f);
		others += backend_of(&o) != first;
	}
	CHECK(others > 50, "%u of 99 clients elsewhere", others);
	lb_end(b);
}

/* One client of a VIP by source: what was under way stays where its backend drains, and only that. */
static void check_drain_by_source(const char *vip, const struct flow *like)
{
	struct netprobe_error err = { 0 };
	unsigned int first, second;
	struct lb_vip_key key;
	struct balance *b;
	struct outcome o;
	char text[32];
	uint8_t addr[16];

	lb_namespace(1500);
	b = lb_begin();
	key = lb_vip(b, vip, LB_VIP_SOURCE);
	for (unsigned int i = 10; i < 14; i++) {
		snprintf(text, sizeof(text), "10.99.0.%u", i);
		lb_backend(b, &key, text, LB_FORWARD_ENCAP);
	}
	for (unsigned int i = 0; i < 20; i++) {
		struct flow f = nth(like, i);

		o = run_flow(b, &f);
	}
	first = backend_of(&o);
	snprintf(text, sizeof(text), "10.99.0.%u", first);
	lb_address(text, addr);
	REQUIRE(balance_backend_drain(b, &key, addr, true, &err) == 0, "%s", err.msg);
	for (unsigned int round = 0; round < 2; round++) {
		struct flow f = nth(like, 100 + round);

		o = run_flow(b, &f);
		second = backend_of(&o);
		CHECK(second != first, "a draining backend got a new flow");
		CHECK_EQ(later(b, &f), second, "the new flow's backend");
		for (unsigned int i = 0; i < 20; i++) {
			f = nth(like, i);
			CHECK_EQ(later(b, &f), first, "backend of a flow under way");
		}
	}
	/* New ones stay together where they are when it takes flows again. */
	REQUIRE(balance_backend_drain(b, &key, addr, false, &err) == 0, "%s", err.msg);
	for (unsigned int i = 0; i < 5; i++) {
		struct flow f = nth(like, 200 + i);

		o = run_flow(b, &f);
		CHECK_EQ(backend_of(&o), second, "the client's backend");
	}
	CHECK_EQ(lb_total(b, LB_FLOW_MOVED), 0, "flows moved");
	REQUIRE(balance_backend_remove(b, &key, addr, &err) == 0, "%s", err.msg);
	for (unsigned int i = 0; i < 20; i++) {
		struct flow f = nth(like, i);

		CHECK_EQ(later(b, &f), second, "backend of a flow whose own is gone");
	}
	lb_end(b);
}

TEST(draining_keeps_what_is_under_way_of_a_client_by_source)
{
	struct flow udp = { "198.51.100.7", "192.0.2.1", 1, 53, IPPROTO_UDP, false, 20 };

	check_drain_by_source(VIP4, &tcp4);
	check_drain_by_source("192.0.2.1:53/udp", &udp);
}

TEST(udp_flows_are_told_by_addresses_and_ports)
{
	struct flow udp = { "198.51.100.7", "192.0.2.1", 1, 53, IPPROTO_UDP, false, 20 };
	unsigned int got[20] = { 0 };
	struct lb_vip_key key;
	struct balance *b = one_vip("192.0.2.1:53/udp", &key, 8);

	for (unsigned int i = 0; i < FLOWS; i++) {
		struct flow f = nth(&udp, i);
		struct outcome o = run_flow(b, &f), next = run_flow(b, &f);

		REQUIRE(o.action == XDP_TX, "flow %u: action %u", i, o.action);
		CHECK_EQ(backend_of(&next), backend_of(&o), "backend of its next datagram");
		got[backend_of(&o) % 20]++;
	}
	for (unsigned int i = 10; i < 18; i++)
		CHECK(got[i] > FLOWS / 8 / 2 && got[i] < FLOWS / 8 * 2,
		      "backend %u has %u of %d flows of one client", i, got[i], FLOWS);
	lb_end(b);
}

TEST(icmp_errors_follow_the_flow_they_are_about)
{
	struct lb_vip_key key, key6;
	struct balance *b = one_vip(VIP4, &key, 8);
	struct lb_count c;

	key6 = lb_vip(b, VIP6, 0);
	for (unsigned int i = 10; i < 18; i++) {
		char text[32];

		snprintf(text, sizeof(text), "fd99::%x", i);
		lb_backend(b, &key6, text, LB_FORWARD_ENCAP);
	}
	for (unsigned int i = 0; i < 50; i++) {
		struct flow f = nth(&tcp4, i), f6 = nth(&tcp6, i);
		struct frame unreachable = icmp_about(&f, 3, 4), big = icmp_about(&f6, 2, 0);
		struct outcome o = run_flow(b, &f), e;

		e = lb_run(b, &unreachable);
		CHECK_EQ(e.action, XDP_TX, "action of ICMP");
		CHECK_EQ(backend_of(&e), backend_of(&o), "backend of ICMP");
		CHECK_EQ(e.frame.bytes, unreachable.bytes + 20, "bytes of ICMP");
		o = run_flow(b, &f6);
		e = lb_run(b, &big);
		CHECK_EQ(e.action, XDP_TX, "action of ICMPv6");
		CHECK_EQ(backend_of(&e), backend_of(&o), "backend of ICMPv6");
	}
	REQUIRE(balance_vip_count(b, 0, &c) == 0, "no counters");
	CHECK_EQ(c.icmp, 50, "ICMP counted");
	CHECK_EQ(c.new_flows, 50, "ICMP is no new flow");
	lb_end(b);
}

TEST(echo_requests_are_passed_to_the_stack)
{
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 1);
	struct frame echo = icmp_about(&tcp4, 8, 0);
	struct outcome o = lb_run(b, &echo);

	CHECK_EQ(o.action, XDP_PASS, "action");
	lb_end(b);
}

TEST(packets_too_big_for_the_tunnel_are_told_the_size_that_fits)
{
	struct flow big4 = tcp4, big6 = tcp6;
	const struct ipv6hdr *ip6, *quoted6;
	const struct iphdr *ip, *quoted;
	const uint8_t *icmp;
	struct lb_vip_key key;
	struct frame in;
	struct outcome o;
	struct balance *b = one_vip(VIP4, &key, 1);
	uint32_t pseudo;

	key = lb_vip(b, VIP6, 0);
	lb_backend(b, &key, "fd99::b", LB_FORWARD_ENCAP);
	big4.payload = 1441; /* one more than fits */
	in = frame_of(&big4);
	o = lb_run(b, &in);
	CHECK_EQ(o.action, XDP_TX, "action");
	ip = (const struct iphdr *)(o.frame.data + 14);
	icmp = (const uint8_t *)(ip + 1);
	quoted = (const struct iphdr *)(icmp + 8);
	CHECK(!memcmp(o.frame.data, in.data + 6, 6), "not sent back to where it came from");
	CHECK_EQ(o.frame.bytes, 14 + 20 + 8 + 28, "bytes");
	CHECK_EQ(sum16(ip, 20, 0), 0, "IP checksum");
	CHECK_EQ(sum16(icmp, 8 + 28, 0), 0, "ICMP checksum");
	CHECK(ip->saddr == quoted->daddr && ip->daddr == quoted->saddr, "wrong addresses");
	CHECK(icmp[0] == 3 && icmp[1] == 4, "type %u, code %u", icmp[0], icmp[1]);
	CHECK_EQ(icmp[6] << 8 | icmp[7], 1480, "MTU told");
	CHECK(!memcmp(quoted, in.data + 14, 28), "wrong quotation");
	big4.payload = 1440;
	in = frame_of(&big4);
	o = lb_run(b, &in);
	CHECK_EQ(o.frame.bytes, 14 + 1500, "what fits is forwarded");
	big6.payload = 1401;
	in = frame_of(&big6);
	o = lb_run(b, &in);
	CHECK_EQ(o.action, XDP_TX, "action of IPv6");
	ip6 = (const struct ipv6hdr *)(o.frame.data + 14);
	icmp = (const uint8_t *)(ip6 + 1);
	quoted6 = (const struct ipv6hdr *)(icmp + 8);
	CHECK_EQ(o.frame.bytes, 14 + 40 + 8 + 60, "bytes of IPv6");
	CHECK(icmp[0] == 2 && icmp[1] == 0, "type %u, code %u", icmp[0], icmp[1]);
	CHECK_EQ(icmp[6] << 8 | icmp[7], 1460, "MTU told to IPv6");
	pseudo = IPPROTO_ICMPV6 + 68 + (uint16_t)~sum16(&ip6->saddr, 32, 0);
	CHECK_EQ(sum16(icmp, 68, pseudo), 0, "ICMPv6 checksum");
	CHECK(!memcmp(quoted6, in.data + 14, 60), "wrong quotation of IPv6");
	CHECK_EQ(lb_total(b, LB_TOO_BIG_TOLD), 2, "told");
	lb_end(b);
}

TEST(packets_that_may_be_cut_are_dropped_and_counted_when_too_big)
{
	struct flow big = tcp4;
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 1);
	struct frame in;
	struct outcome o;

	big.payload = 1441;
	in = frame_of(&big);
	in.data[14 + 6] = 0; /* the flag */
	o = lb_run(b, &in);
	CHECK_EQ(o.action, XDP_DROP, "action");
	CHECK_EQ(lb_total(b, LB_TOO_BIG), 1, "counted");
	lb_end(b);
}

TEST(frames_in_several_buffers_are_forwarded_whole)
{
	struct flow jumbo = tcp4;
	struct balance *b;
	struct lb_vip_key key;
	struct lb_count c;
	struct frame in;
	struct outcome o;

	lb_namespace(7000);
	b = lb_begin();
	key = lb_vip(b, VIP4, 0);
	lb_backend(b, &key, "10.99.0.10", LB_FORWARD_ENCAP);
	jumbo.payload = 6900;
	in = frame_of(&jumbo);
	o = lb_run(b, &in);
	CHECK_EQ(o.action, XDP_TX, "action");
	CHECK_EQ(o.frame.bytes, in.bytes + 20, "bytes");
	CHECK(!memcmp(o.frame.data + 34, in.data + 14, in.bytes - 14), "the packet was changed");
	REQUIRE(balance_vip_count(b, 0, &c) == 0, "no counters");
	CHECK_EQ(c.bytes, in.bytes, "bytes counted");
	jumbo.payload = 6950;
	in = frame_of(&jumbo);
	o = lb_run(b, &in);
	CHECK_EQ(o.action, XDP_TX, "action of what is too big");
	CHECK_EQ(o.frame.bytes, 14 + 20 + 8 + 28, "bytes of the answer");
	CHECK_EQ(lb_total(b, LB_TOO_BIG_TOLD), 1, "told");
	lb_end(b);
}

TEST(without_backends_packets_are_dropped_and_counted)
{
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 0);
	struct lb_count c;
	struct outcome o = run_flow(b, &tcp4);

	CHECK_EQ(o.action, XDP_DROP, "action");
	CHECK_EQ(lb_total(b, LB_NO_BACKEND), 1, "counted");
	REQUIRE(balance_vip_count(b, 0, &c) == 0, "no counters");
	CHECK_EQ(c.errors, 1, "errors of VIP");
	lb_end(b);
}

TEST(unresolved_neighbours_and_forwarding_off_are_told_apart)
{
	struct flow f = tcp4;
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 0);
	struct outcome o;

	lb_backend(b, &key, "10.99.0.77", LB_FORWARD_ENCAP);
	o = run_flow(b, &f);
	CHECK_EQ(o.action, XDP_DROP, "action");
	CHECK_EQ(lb_total(b, LB_NO_NEIGHBOUR), 1, "counted as no neighbour");
	REQUIRE(system("echo 0 >/proc/sys/net/ipv4/conf/lb0/forwarding") == 0, "sysctl");
	o = run_flow(b, &f);
	CHECK_EQ(lb_total(b, LB_NO_FORWARDING), 1, "counted as no forwarding");
	lb_end(b);
}

TEST(flows_of_a_removed_vip_mean_nothing_to_its_successor)
{
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 1);
	struct lb_count c;
	struct outcome o = run_flow(b, &tcp4);

	REQUIRE(balance_vip_remove(b, &key, &err) == 0, "%s", err.msg);
	o = run_flow(b, &tcp4);
	CHECK_EQ(o.action, XDP_PASS, "removed VIP");
	key = lb_vip(b, VIP4, 0);
	lb_backend(b, &key, "10.99.0.16", LB_FORWARD_ENCAP);
	o = run_flow(b, &tcp4);
	CHECK_EQ(backend_of(&o), 16, "backend");
	REQUIRE(balance_vip_count(b, (unsigned int)model_vip(b->model, &key, NULL), &c) == 0,
		"no counters");
	CHECK_EQ(c.new_flows, 1, "new flows");
	CHECK_EQ(c.table_hits, 0, "table hits");
	lb_end(b);
}

TEST(flood_of_new_flows_does_not_push_known_ones_out)
{
	struct lb_config config;
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 4);
	uint32_t zero = 0;
	struct outcome o;

	REQUIRE(bpf_map_lookup_elem(b->pins.fds[PIN_CONFIG], &zero, &config) == 0, "no config");
	config.new_flows_cpu = 1;
	REQUIRE(bpf_map_update_elem(b->pins.fds[PIN_CONFIG], &zero, &config, 0) == 0, "no config");
	for (unsigned int i = 0; i < 500; i++) {
		struct flow f = nth(&tcp4, i);

		o = run_flow(b, &f);
		CHECK_EQ(o.action, XDP_TX, "action");
		/* not remembered, and still the same */
		CHECK_EQ(later(b, &f), backend_of(&o), "backend");
	}
	CHECK(lb_total(b, LB_TABLE_SKIPPED) > 400, "%" PRIu64 " not remembered",
	      lb_total(b, LB_TABLE_SKIPPED));
	lb_end(b);
}

TEST(second_command_finds_what_the_first_left)
{
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;
	struct balance *b = one_vip(VIP4, &key, 2), again;
	struct outcome o = run_flow(b, &tcp4);
	unsigned int was = backend_of(&o);

	balance_close(b);
	REQUIRE(balance_open(false, NULL, &again, &err) == 0, "%s", err.msg);
	CHECK_EQ(model_vips(again.model), 1, "VIPs");
	CHECK_EQ(later(&again, &tcp4), was, "backend");
	lb_end(&again);
	CHECK(balance_open(false, NULL, &again, &err) == -ENOENT, "something was left");
}
