/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of frames (src/bpf/lib/frame.h) on frames made by hand, run in the kernel by
 * BPF_PROG_TEST_RUN, at XDP and at tc: both must say the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "frame_said.h"
#include "frame.skel.h"
#include "packet.h"
#include "tap.h"
#include "wire/frame.h"

#define ETH_MIN 60 /* tc takes nothing shorter than an Ethernet header; XDP pads nothing */

static struct frame_test *skel;

static void load(void)
{
	if (skel)
		return;
	skel = frame_test__open();
	REQUIRE(skel, "open: %s", strerror(errno));
	skel->rodata->cfg_frags =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, NULL) == 1;
	REQUIRE(!frame_test__load(skel), "load: %s", strerror(errno));
}

static struct frame_said run(int fd, const struct pkt *p)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = p->b, .data_size_in = p->len, .repeat = 1);
	int r;

	skel->bss->said = (struct frame_said){ .bad = 99 };
	r = bpf_prog_test_run_opts(fd, &o);
	REQUIRE(!r, "test run of %u bytes: %s", p->len, strerror(-r));
	return skel->bss->said;
}

/* What XDP says; tc is compared with it. */
static struct frame_said parse(struct pkt *p)
{
	struct frame_said xdp, tc;

	load();
	pkt_done(p);
	xdp = run(bpf_program__fd(skel->progs.frame_xdp), p);
	tc = run(bpf_program__fd(skel->progs.frame_tc), p);
	/* For its test run tc takes outer tags out, as a device does. */
	tc.l3 = xdp.l3;
	tc.l4 = xdp.l4;
	if (!xdp.tags)
		CHECK(!memcmp(&xdp, &tc, sizeof(tc)), "tc says other than XDP: bad %u and %u",
		      tc.bad, xdp.bad);
	return xdp;
}

static struct frame_said parse_tcp4(unsigned int flags)
{
	struct pkt p;

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 0, 0);
	pkt_tcp(&p, 1234, 80, flags);
	return parse(&p);
}

TEST(plain_tcp_udp_and_icmp_are_read)
{
	struct frame_said s = parse_tcp4(0x02);
	struct pkt p;

	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
	CHECK_EQ(s.family, AF_INET, "family");
	CHECK_EQ(s.proto, IPPROTO_TCP, "protocol");
	CHECK_EQ(s.sport, 1234, "source port");
	CHECK_EQ(s.dport, 80, "destination port");
	CHECK_EQ(s.tcp_flags, 2, "flags");
	CHECK_EQ(s.l3, 14, "place of IP");
	CHECK_EQ(s.l4, 34, "place of TCP");
	CHECK_EQ(s.ip_len, 40, "length");

	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_UDP);
	pkt_udp(&p, 53, 4444);
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
	CHECK_EQ(s.family, AF_INET6, "family");
	CHECK_EQ(s.proto, IPPROTO_UDP, "protocol");
	CHECK_EQ(s.sport, 53, "source port");
	CHECK_EQ(s.l4, 54, "place of UDP");

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP, 0, 0);
	pkt_icmp(&p, 8);
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
	CHECK_EQ(s.icmp_type, 8, "type");

	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_ICMPV6);
	pkt_icmp(&p, 128);
	s = parse(&p);
	CHECK_EQ(s.proto, IPPROTO_ICMPV6, "protocol");
	CHECK_EQ(s.icmp_type, 128, "type");

	pkt_eth(&p, ETH_P_ARP);
	p.len = ETH_MIN;
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
	CHECK_EQ(s.family, 0, "family");
	CHECK_EQ(s.eth_type, ETH_P_ARP, "type");
}

TEST(vlan_and_qinq_are_looked_behind_and_a_third_tag_is_told)
{
	struct frame_said s;
	struct pkt p;

	pkt_eth(&p, ETH_P_IP);
	pkt_tag(&p, ETH_P_8021AD, 100);
	pkt_tag(&p, ETH_P_8021Q, 0x2007);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 0, 0);
	pkt_udp(&p, 1, 2);
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
	CHECK_EQ(s.tags, 2, "tags");
	CHECK_EQ(s.tag[0], 100, "outer tag");
	CHECK_EQ(s.tag[1], 0x2007, "inner tag");
	CHECK_EQ(s.l3, 22, "place of IP");
	CHECK_EQ(s.dport, 2, "port");

	pkt_eth(&p, ETH_P_IP);
	for (unsigned int i = 0; i < 3; i++)
		pkt_tag(&p, ETH_P_8021Q, i);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 0, 0);
	pkt_udp(&p, 1, 2);
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_MANY_TAGS, "fault");
	CHECK_EQ(s.l3, 0, "place of IP");
}

TEST(sessions_of_pppoe_are_looked_into)
{
	struct frame_said s;
	struct pkt p;

	pkt_eth(&p, ETH_P_PPP_SES);
	pkt_tag(&p, ETH_P_8021Q, 7);
	pkt_put(&p, "\x11\0\0\1\0\x1e\0\x21", 8);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 0, 0);
	pkt_udp(&p, 1, 53);
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
	CHECK_EQ(s.family, AF_INET, "family");
	CHECK_EQ(s.l3, 26, "place of IP");
	CHECK_EQ(s.dport, 53, "port");

	/* IPv6; a negotiation of the link; a frame that says its end to the session. */
	pkt_eth(&p, ETH_P_PPP_SES);
	pkt_put(&p, "\x11\0\0\1\0\x32\0\x57", 8);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_TCP);
	pkt_tcp(&p, 1234, 80, 0x02);
	s = parse(&p);
	CHECK_EQ(s.family, AF_INET6, "family");
	CHECK_EQ(s.l4, 62, "place of TCP");
	CHECK_EQ(s.dport, 80, "port");
	pkt_eth(&p, ETH_P_PPP_SES);
	pkt_put(&p, "\x11\0\0\1\0\x0a\xc0\x21", 8);
	p.len = ETH_MIN;
	CHECK_EQ(parse(&p).family, 0, "family of LCP");
	pkt_eth(&p, ETH_P_PPP_SES);
	pkt_put(&p, "\x11\xa7\0\1\0\x1e\0\x21", 8);
	p.len = ETH_MIN;
	CHECK_EQ(parse(&p).family, 0, "family of a code that is no data");
}

TEST(ipv4_options_move_the_transport_header)
{
	struct frame_said s;
	struct pkt p;

	for (unsigned int options = 4; options <= 40; options += 36) {
		pkt_eth(&p, ETH_P_IP);
		pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, options, 0);
		pkt_tcp(&p, 7, 8, 0x10);
		s = parse(&p);
		CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
		CHECK_EQ(s.l4, 34 + options, "place of TCP");
		CHECK_EQ(s.dport, 8, "port");
	}
}

#define MANY 182 /* as docs/guard.md has it */

TEST(ipv6_extension_headers_are_walked)
{
	struct frame_said s;
	struct pkt p;

	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_TCP);
	pkt_ext(&p, IPPROTO_HOPOPTS, 8, 0);
	pkt_ext(&p, IPPROTO_ROUTING, 24, 0);
	pkt_ext(&p, IPPROTO_AH, 24, 0);
	pkt_ext(&p, IPPROTO_DSTOPTS, 64, 0);
	pkt_tcp(&p, 7, 8, 0x10);
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
	CHECK_EQ(s.proto, IPPROTO_TCP, "protocol");
	CHECK_EQ(s.l4, 54 + 120, "place of TCP");
	CHECK_EQ(s.dport, 8, "port");

	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_TCP);
	for (unsigned int i = 0; i < MANY; i++)
		pkt_ext(&p, i % 3 ? IPPROTO_DSTOPTS : IPPROTO_ROUTING, 8, 0);
	pkt_tcp(&p, 7, 8, 0x10);
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault of as many as a packet of 1,500 bytes holds");
	CHECK_EQ(s.l4, 54 + 8 * MANY, "place of TCP");
	CHECK_EQ(s.dport, 8, "port");

	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_TCP);
	for (unsigned int i = 0; i <= MANY; i++)
		pkt_ext(&p, IPPROTO_DSTOPTS, 8, 0);
	pkt_tcp(&p, 7, 8, 0x10);
	CHECK_EQ(parse(&p).bad, NP_FRAME_EXT_MANY, "fault");

	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_TCP);
	pkt_ext(&p, IPPROTO_DSTOPTS, 8, 0);
	p.b[p.len - 7] = 200; /* longer than the packet */
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_EXT_SHORT, "fault");
	CHECK_EQ(s.l4, 0, "place of TCP");
}

TEST(fragments_are_told_apart)
{
	struct frame_said s;
	struct pkt p;

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 0, 0x2000);
	pkt_udp(&p, 5, 6);
	p.len += 8;
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
	CHECK_EQ(s.frag, 1, "first");
	CHECK_EQ(s.dport, 6, "port");

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 0, 2);
	pkt_udp(&p, 5, 6);
	s = parse(&p);
	CHECK_EQ(s.frag, 2, "later");
	CHECK_EQ(s.dport, 0, "port of a later fragment");
	CHECK_EQ(s.l4, 0, "transport header of a later fragment");

	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_UDP);
	pkt_ext(&p, IPPROTO_FRAGMENT, 8, 1);
	pkt_udp(&p, 5, 6);
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
	CHECK_EQ(s.frag, 1, "first");
	CHECK_EQ(s.dport, 6, "port");

	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_UDP);
	pkt_ext(&p, IPPROTO_FRAGMENT, 8, 0x10);
	pkt_udp(&p, 5, 6);
	s = parse(&p);
	CHECK_EQ(s.frag, 2, "later");
	CHECK_EQ(s.proto, IPPROTO_UDP, "protocol");
	CHECK_EQ(s.l4, 0, "transport header of a later fragment");

	/* alone in its fragment header: a whole packet */
	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_UDP);
	pkt_ext(&p, IPPROTO_FRAGMENT, 8, 0);
	pkt_udp(&p, 5, 6);
	CHECK_EQ(parse(&p).frag, 0, "atomic fragment");
}

TEST(bad_fragments_are_told_by_kind)
{
	struct pkt p;

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 0, 0x1fff);
	p.len += 64;
	CHECK_EQ(parse(&p).bad, NP_FRAME_FRAG_END, "beyond 65,535");

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 0, 0x2000);
	pkt_udp(&p, 5, 6);
	p.len += 3;
	CHECK_EQ(parse(&p).bad, NP_FRAME_FRAG_SIZE, "no multiple of 8");

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 0, 0x2000);
	p.len += 8;
	pkt_put16(&p, p.len - 8, 4000);
	pkt_put16(&p, p.len - 6, 22);
	CHECK_EQ(parse(&p).bad, NP_FRAME_FRAG_TINY, "ports without flags");
	CHECK_EQ(parse(&p).dport, 22, "port of a first piece of 8 bytes");
	CHECK_EQ(parse(&p).l4, 0, "transport header that is cut short");
}

TEST(bad_ip_headers_are_told_by_kind)
{
	struct pkt p;

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 0, 0);
	p.len -= 4;
	/* tc's test run takes no such frame */
	load();
	CHECK_EQ(run(bpf_program__fd(skel->progs.frame_xdp), &p).bad, NP_FRAME_SHORT_IP, "cut");

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 0, 0);
	pkt_tcp(&p, 1, 2, 0x10);
	pkt_done(&p);
	p.b[14] = 0x65;
	CHECK_EQ(parse(&p).bad, NP_FRAME_IP_VERSION, "version");
	p.b[14] = 0x44;
	CHECK_EQ(parse(&p).bad, NP_FRAME_IP_HEADER, "header of 16 bytes");
	p.b[14] = 0x4f;
	CHECK_EQ(parse(&p).bad, NP_FRAME_IP_LENGTH, "header beyond the packet");
	p.b[14] = 0x45;
	pkt_put16(&p, 16, 400);
	CHECK_EQ(parse(&p).bad, NP_FRAME_IP_LENGTH, "longer than the frame");

	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_TCP);
	pkt_tcp(&p, 1, 2, 0x10);
	pkt_put16(&p, 18, 21);
	CHECK_EQ(parse(&p).bad, NP_FRAME_IP_LENGTH, "longer than the frame");
}

TEST(padding_behind_ip_is_no_fault)
{
	struct frame_said s;
	struct pkt p;

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 0, 0);
	pkt_udp(&p, 1, 2);
	pkt_done(&p);
	p.len = ETH_MIN;
	s = parse(&p);
	CHECK_EQ(s.bad, NP_FRAME_GOOD, "fault");
	CHECK_EQ(s.ip_len, 28, "length");
}

TEST(bad_transport_headers_are_told_by_kind)
{
	struct pkt p;

	CHECK_EQ(parse_tcp4(0).bad, NP_FRAME_TCP_FLAGS, "no flags");
	CHECK_EQ(parse_tcp4(0x29).bad, NP_FRAME_TCP_FLAGS, "FIN, PSH and URG alone");
	CHECK_EQ(parse_tcp4(0x03).bad, NP_FRAME_TCP_FLAGS, "SYN and FIN");
	CHECK_EQ(parse_tcp4(0x06).bad, NP_FRAME_TCP_FLAGS, "SYN and RST");
	CHECK_EQ(parse_tcp4(0x10).bad, NP_FRAME_GOOD, "a bare ACK");
	CHECK_EQ(parse_tcp4(0x11).bad, NP_FRAME_GOOD, "FIN and ACK");
	CHECK_EQ(parse_tcp4(0x04).bad, NP_FRAME_GOOD, "RST");
	CHECK_EQ(parse_tcp4(0xc2).bad, NP_FRAME_GOOD, "SYN with ECN");

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 0, 0);
	pkt_tcp(&p, 1, 2, 0x10);
	p.b[p.l4 + 12] = 4 << 4;
	CHECK_EQ(parse(&p).bad, NP_FRAME_TCP_HEADER, "header of 16 bytes");
	p.b[p.l4 + 12] = 6 << 4;
	CHECK_EQ(parse(&p).bad, NP_FRAME_TCP_HEADER, "header beyond the packet");

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 0, 0);
	p.len += 12;
	CHECK_EQ(parse(&p).bad, NP_FRAME_SHORT_L4, "12 bytes of TCP");

	pkt_eth(&p, ETH_P_IPV6);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_UDP);
	pkt_udp(&p, 1, 2);
	pkt_put16(&p, p.l4 + 4, 7);
	CHECK_EQ(parse(&p).bad, NP_FRAME_UDP_LENGTH, "UDP of 7 bytes");
	pkt_put16(&p, p.l4 + 4, 900);
	CHECK_EQ(parse(&p).bad, NP_FRAME_UDP_LENGTH, "UDP beyond the packet");

	pkt_eth(&p, ETH_P_IP);
	pkt_ip4(&p, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 0, 0);
	pkt_udp(&p, 1, 0);
	CHECK_EQ(parse(&p).bad, NP_FRAME_PORT_ZERO, "port 0");
}

/* No length of any frame may be read beyond: whatever is cut off, the answer is a fault or none. */
TEST(every_cut_of_a_frame_is_survived)
{
	struct pkt p;
	unsigned int whole;

	pkt_eth(&p, ETH_P_IPV6);
	pkt_tag(&p, ETH_P_8021Q, 5);
	pkt_ip6(&p, "fd00::1", "fd00::2", IPPROTO_TCP);
	pkt_ext(&p, IPPROTO_HOPOPTS, 16, 0);
	pkt_ext(&p, IPPROTO_DSTOPTS, 8, 0);
	pkt_tcp(&p, 1, 2, 0x10);
	pkt_done(&p);
	load();
	whole = p.len;
	for (p.len = 14; p.len < whole; p.len++)
		CHECK(run(bpf_program__fd(skel->progs.frame_xdp), &p).bad,
		      "%u of %u bytes: expected a fault, got none", p.len, whole);
	CHECK_EQ(run(bpf_program__fd(skel->progs.frame_xdp), &p).bad, NP_FRAME_GOOD, "whole");
}
