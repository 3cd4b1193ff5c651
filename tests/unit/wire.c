/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets by hand: what the headers say, and what flows make of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "capture/netdev.h"
#include "wire_make.h"

static void vlan_tags_are_passed_over(void **state)
{
	uint8_t buf[80] = { 0, 7, 0x81, 0, 0, 9, 0x08, 0 };
	struct packet inner, p;

	tcp(&inner, buf + 8, false, 1, 0, PACKET_SYN, 0, 1);
	p = inner;
	p.data = buf;
	p.caplen += 8;
	p.len += 8;
	p.protocol = 0x88a8;
	assert_int_equal(packet_parse(&p), 0);
	assert_int_equal(p.sport, 4000);
	assert_int_equal(p.dport, 80);
	assert_int_equal(p.tcp_flags, PACKET_SYN);
	p.caplen = 7;
	assert_int_not_equal(packet_parse(&p), 0);
	(void)state;
}

/* The kernel's network header is behind the tag of what it sends, and before that of what came. */
static void tag_in_the_frame_is_found_from_the_link_header(void **state)
{
	uint8_t buf[80] = { [12] = 0x81, 0, 0, 7, 0x08, 0 };
	struct packet inner, p;

	tcp(&inner, buf + 18, false, 1, 0, PACKET_SYN, 0, 1);
	for (unsigned int net = 14; net <= 18; net += 4) {
		p = inner;
		p.data = buf;
		p.caplen += 18;
		p.len += 18;
		p.net_off = net;
		p.hatype = 1;
		p.protocol = 0x8100;
		assert_int_equal(packet_parse(&p), 0);
		assert_int_equal(p.sport, 4000);
		assert_int_equal(p.dport, 80);
	}
	p.caplen = 17;
	assert_int_not_equal(packet_parse(&p), 0);
	(void)state;
}

static void large_packet_stands_for_its_segments(void **state)
{
	uint8_t buf[64];
	struct packet p;

	tcp(&p, buf, false, 1, 1, PACKET_ACK, 10001, 1);
	p.gso_size = 1000;
	assert_int_equal(packet_parse(&p), 0);
	assert_int_equal(p.segments, 11);
	assert_int_equal(p.payload_len, 10001);
	(void)state;
}

static void padding_of_short_frames_is_no_payload(void **state)
{
	uint8_t buf[64];
	struct packet p;

	tcp(&p, buf, false, 1, 1, PACKET_ACK, 0, 1);
	p.len += 6;
	assert_int_equal(packet_parse(&p), 0);
	assert_int_equal(p.payload_len, 0);
	(void)state;
}

static void lengths_beyond_the_packet_are_refused(void **state)
{
	uint8_t buf[64];
	struct packet p;

	tcp(&p, buf, false, 1, 1, PACKET_ACK, 100, 1);
	p.len--;
	assert_int_not_equal(packet_parse(&p), 0);
	(void)state;
}

/* What comes in is summed; what goes out may be summed by the device. */
static void headers_with_a_wrong_checksum_are_refused(void **state)
{
	uint8_t buf[64];
	struct packet p;

	(void)state;
	tcp(&p, buf, false, 1, 1, PACKET_ACK, 100, 1);
	buf[10] ^= 1;
	assert_int_not_equal(packet_parse(&p), 0);
	p.pkttype = 4;
	assert_int_equal(packet_parse(&p), 0);
}

/* What the kernel throws away is nobody's: a length that no packet has is not believed. */
static void datagrams_are_as_long_as_their_packet(void **state)
{
	uint8_t buf[64] = { 0 };
	struct packet p;

	(void)state;
	put16(buf + 24, 8 + 10);
	ipv4(&p, buf, IPPROTO_UDP, 8, 10, false);
	assert_int_equal(packet_parse(&p), 0);
	assert_int_equal(p.payload_len, 10);
	for (unsigned int i = 0; i < 2; i++) {
		put16(buf + 24, i ? 65535 : 8 + 11);
		ipv4(&p, buf, IPPROTO_UDP, 8, 10, false);
		assert_int_not_equal(packet_parse(&p), 0);
		put16(buf + 6, 0x2000); /* the rest comes in other fragments */
		sum(buf);
		assert_int_equal(packet_parse(&p), 0);
		assert_int_equal(p.payload_len, 10);
	}
	put16(buf + 24, 7);
	ipv4(&p, buf, IPPROTO_UDP, 8, 10, false);
	assert_int_not_equal(packet_parse(&p), 0);
	put16(buf + 24, 0); /* only IPv6 has datagrams without one */
	assert_int_not_equal(packet_parse(&p), 0);
}

static uint64_t fragment_ns; /* when it comes */

/* A fragment of a datagram of UDP: n bytes at off, the header among them. What wire_packet made of it. */
static struct wire_flow *fragment(struct wire *w, unsigned int id, unsigned int off, unsigned int n,
				  bool more, unsigned int udp_len)
{
	static uint8_t buf[2048];
	struct packet p;
	bool fresh;

	memset(buf, 0, sizeof(buf));
	ipv4(&p, buf, IPPROTO_UDP, 8, n - 8, false);
	put16(buf + 4, id);
	put16(buf + 6, (more ? 0x2000 : 0) | off / 8);
	if (!off) {
		put16(buf + 20, 1000);
		put16(buf + 22, 2000);
		put16(buf + 24, udp_len);
	}
	sum(buf);
	p.ktime_ns = fragment_ns;
	assert_int_equal(packet_parse(&p), 0);
	return wire_packet(w, &p, &fresh);
}

static uint64_t bytes_of(const struct wire_flow *f)
{
	return f->dir[0].bytes + f->dir[1].bytes;
}

static void datagrams_in_fragments_count_when_they_are_whole(void **state)
{
	struct wire_flow *f;
	struct wire w;

	(void)state;
	assert_int_equal(wire_init(&w, 8), 0);
	/* one after the other, and mixed with another one, the last first */
	assert_null(fragment(&w, 1, 0, 800, true, 1708));
	assert_null(fragment(&w, 2, 800, 100, false, 0));
	assert_null(fragment(&w, 1, 800, 800, true, 0));
	f = fragment(&w, 1, 1600, 108, false, 0);
	assert_non_null(f);
	assert_int_equal(bytes_of(f), 1700);
	assert_ptr_equal(fragment(&w, 2, 0, 800, true, 900), f);
	assert_int_equal(bytes_of(f), 1700 + 892);
	/* nobody gets what is not whole, is longer than it is, or overlaps */
	for (unsigned int id = 10; id < 30; id++)
		assert_null(fragment(&w, id, 0, 8, true, 65535));
	assert_null(fragment(&w, 10, 8, 800, false, 0));
	assert_null(fragment(&w, 40, 0, 800, true, 808));
	assert_null(fragment(&w, 40, 792, 16, false, 0));
	assert_null(fragment(&w, 41, 0, 801, true, 808)); /* no multiple of 8 */
	assert_null(fragment(&w, 41, 800, 8, false, 0));
	assert_int_equal(bytes_of(f), 1700 + 892);
	wire_done(&w);
}

static void fragments_of_many_datagrams_at_a_time_all_count(void **state)
{
	struct wire_flow *f = NULL;
	struct wire w;

	(void)state;
	assert_int_equal(wire_init(&w, 8), 0);
	for (unsigned int id = 0; id < 1000; id++)
		assert_null(fragment(&w, id, 0, 800, true, 900));
	for (unsigned int id = 0; id < 1000; id++)
		f = fragment(&w, id, 800, 100, false, 0);
	assert_non_null(f);
	assert_int_equal(bytes_of(f), 1000 * 892);
	assert_int_equal(w.fragments.lost_packets, 0);
	wire_done(&w);
}

/* The kernel passes over a fragment that comes twice. */
static void a_fragment_that_comes_twice_counts_once(void **state)
{
	struct wire_flow *f;
	struct wire w;

	(void)state;
	assert_int_equal(wire_init(&w, 8), 0);
	assert_null(fragment(&w, 1, 0, 800, true, 900));
	assert_null(fragment(&w, 1, 0, 800, true, 900));
	f = fragment(&w, 1, 800, 100, false, 0);
	assert_non_null(f);
	assert_int_equal(bytes_of(f), 892);
	wire_done(&w);
}

/* As the kernel does after net.ipv4.ipfrag_time: a number that is used again is another datagram's. */
static void fragments_are_waited_for_half_a_minute(void **state)
{
	struct wire_flow *f;
	struct wire w;

	(void)state;
	assert_int_equal(wire_init(&w, 8), 0);
	fragment_ns = 1000 * MS;
	assert_null(fragment(&w, 1, 0, 800, true, 900));
	assert_null(fragment(&w, 2, 0, 800, true, 900));
	fragment_ns = 30000 * MS;
	f = fragment(&w, 1, 800, 100, false, 0);
	assert_non_null(f);
	fragment_ns = 31001 * MS;
	assert_null(fragment(&w, 2, 800, 200, false, 0));
	assert_int_equal(w.fragments.all.count, 1);
	assert_ptr_equal(fragment(&w, 2, 0, 800, true, 1000), f);
	assert_int_equal(bytes_of(f), 892 + 992);
	assert_int_equal(w.fragments.lost_packets, 0);
	fragment_ns = 0;
	wire_done(&w);
}

static void fragments_that_make_room_are_counted_as_lost(void **state)
{
	struct wire_flow *f = NULL;
	struct wire w;

	(void)state;
	assert_int_equal(wire_init(&w, 8), 0);
	for (unsigned int id = 0; id < FRAGMENTS_MAX + 10; id++) {
		fragment_ns = id;
		assert_null(fragment(&w, id, 0, 800, true, 900));
	}
	assert_int_equal(w.fragments.all.count, FRAGMENTS_MAX);
	assert_int_equal(w.fragments.lost_packets, 10);
	assert_int_equal(w.fragments.lost_bytes, 8000);
	for (unsigned int id = 10; id < FRAGMENTS_MAX + 10; id++)
		f = fragment(&w, id, 800, 100, false, 0);
	assert_non_null(f);
	assert_int_equal(bytes_of(f), FRAGMENTS_MAX * 892);
	assert_int_equal(w.fragments.all.count, 0);
	fragment_ns = 0;
	wire_done(&w);
}

static void ipv6_udp(struct packet *p, uint8_t *buf, unsigned int length, unsigned int udp,
		     unsigned int there)
{
	memset(buf, 0, 64);
	buf[0] = 0x60;
	put16(buf + 4, length);
	buf[6] = IPPROTO_UDP;
	put16(buf + 44, udp);
	*p = (struct packet){
		.data = buf, .caplen = 48, .len = 40 + there, .protocol = 0x86dd, .ifindex = 1
	};
}

/* A first fragment that ends within UDP's header, with the rest of one behind it: as padding may be. */
static void fragment_without_a_whole_udp_header_is_refused(void **state)
{
	uint8_t buf[72] = { 0x60, [6] = IPPROTO_FRAGMENT, [40] = IPPROTO_UDP };
	struct packet p = { .data = buf, .protocol = 0x86dd, .ifindex = 1 };

	(void)state;
	put16(buf + 52, 8 + 8);
	for (unsigned int more = 0; more < 2; more++) {
		buf[43] = more;
		for (unsigned int n = 0; n <= 16; n++) {
			put16(buf + 4, 8 + n);
			p.caplen = p.len = 64;
			assert_int_equal(packet_parse(&p), n < (more ? 8U : 16U) ? -EINVAL : 0);
			if (n == 16)
				assert_int_equal(p.payload_len, 8);
		}
	}
}

/* One of two fragments of a datagram over IPv6; the first has options behind its fragment header. */
static struct wire_flow *fragment6(struct wire *w, unsigned int off, unsigned int n, bool more)
{
	static uint8_t buf[2048];
	struct packet p = { .data = buf, .protocol = 0x86dd, .ifindex = 1 };
	bool fresh;

	memset(buf, 0, sizeof(buf));
	buf[0] = 0x60;
	put16(buf + 4, 8 + n);
	buf[6] = IPPROTO_FRAGMENT;
	buf[40] = IPPROTO_DSTOPTS;
	put16(buf + 42, off | more);
	buf[47] = 9;
	if (!off) {
		buf[48] = IPPROTO_UDP;
		buf[49] = 1; /* 16 bytes */
		put16(buf + 64, 1000);
		put16(buf + 66, 2000);
		put16(buf + 68, 8 + 1000);
	} else {
		buf[48] =
			IPPROTO_FRAGMENT; /* bytes of the payload, whatever header they look like */
		buf[56] = IPPROTO_TCP;
	}
	p.caplen = p.len = 48 + n;
	assert_int_equal(packet_parse(&p), 0);
	return wire_packet(w, &p, &fresh);
}

static void options_in_a_first_fragment_are_no_payload(void **state)
{
	struct wire_flow *f;
	struct wire w;

	(void)state;
	for (unsigned int last_first = 0; last_first < 2; last_first++) {
		assert_int_equal(wire_init(&w, 8), 0);
		assert_null(
			fragment6(&w, last_first ? 800 : 0, last_first ? 224 : 800, !last_first));
		f = fragment6(&w, last_first ? 0 : 800, last_first ? 800 : 224, last_first);
		assert_non_null(f);
		assert_int_equal(f->proto, IPPROTO_UDP);
		assert_int_equal(bytes_of(f), 1000);
		wire_done(&w);
	}
}

static void packets_without_a_length_are_what_they_say_they_are(void **state)
{
	uint8_t buf[64];
	struct packet p;

	(void)state;
	ipv6_udp(&p, buf, 18, 18, 18);
	assert_int_equal(packet_parse(&p), 0);
	assert_int_equal(p.payload_len, 10);
	ipv6_udp(&p, buf, 18, 19, 24);
	assert_int_not_equal(packet_parse(&p), 0);
	ipv6_udp(&p, buf, 0, 18, 18); /* empty, with something behind it */
	assert_int_not_equal(packet_parse(&p), 0);
	p.gso_size = 5; /* longer than its field: the kernel's own */
	assert_int_equal(packet_parse(&p), 0);
	assert_int_equal(p.payload_len, 10);
	tcp(&p, buf, false, 1, 1, PACKET_ACK, 100, 1);
	put16(buf + 2, 0);
	assert_int_not_equal(packet_parse(&p), 0);
	p.gso_size = 50;
	assert_int_equal(packet_parse(&p), 0);
	assert_int_equal(p.payload_len, 100);
}

static void bytes_are_counted_by_sequence_numbers(void **state)
{
	struct wire w;
	struct wire_flow *f;

	assert_int_equal(wire_init(&w, 10), 0);
	send_tcp(&w, false, 0xfffffff0, 0, PACKET_SYN, 0, 1 * MS);
	send_tcp(&w, true, 500, 0xfffffff1, PACKET_SYN | PACKET_ACK, 0, 21 * MS);
	send_tcp(&w, false, 0xfffffff1, 501, PACKET_ACK, 0, 22 * MS);
	send_tcp(&w, false, 0xfffffff1, 501, PACKET_ACK, 100, 23 * MS); /* wraps */
	/* a hundred bytes that were not captured, then fifty that were */
	f = send_tcp(&w, false, 0xfffffff1 + 200, 501, PACKET_ACK, 50, 24 * MS);
	f = send_tcp(&w, false, 0xfffffff1 + 250, 501, PACKET_ACK | PACKET_FIN, 0, 25 * MS);
	f = send_tcp(&w, true, 501, 0xfffffff1 + 251, PACKET_ACK | PACKET_FIN, 7, 30 * MS);
	assert_non_null(f);
	assert_int_equal(f->dir[f->first].bytes, 250);
	assert_int_equal(f->dir[!f->first].bytes, 7);
	assert_int_equal(f->dir[f->first].retrans, 0);
	assert_int_equal(f->opened_ns, 1 * MS);
	assert_int_equal(f->established_ns, 22 * MS);
	assert_int_equal(f->closed_ns, 30 * MS);
	assert_int_equal(f->dir[f->first].min_rtt_us, 7000);
	wire_done(&w);
	(void)state;
}

/* Anybody can send what claims to be of a connection; its receiver takes nothing beyond the window it gave. */
static void segments_beyond_the_window_are_nobody_s(void **state)
{
	struct wire_flow *f;
	struct wire w;

	(void)state;
	assert_int_equal(wire_init(&w, 10), 0);
	send_tcp(&w, false, 0, 0, PACKET_SYN, 0, 1 * MS);
	send_tcp(&w, true, 0, 1, PACKET_SYN | PACKET_ACK, 0, 2 * MS);
	f = send_tcp(&w, false, 1, 1, PACKET_ACK, 100, 3 * MS);
	send_tcp(&w, true, 1, 101, PACKET_ACK, 0, 4 * MS);
	send_tcp(&w, false, 102 + 1000, 1, PACKET_ACK, 1, 5 * MS);
	send_tcp(&w, false, 0x40000000, 1, PACKET_ACK, 100, 5 * MS);
	send_tcp(&w, false, 0x40000000, 1, PACKET_ACK | PACKET_FIN, 0, 5 * MS);
	send_tcp(&w, false, 0x40000000, 1, PACKET_RST, 0, 5 * MS);
	send_tcp(&w, true, 1, 0x50000000, PACKET_ACK, 0, 6 * MS); /* nor is that acknowledged */
	assert_int_equal(f->dir[f->first].bytes, 100);
	assert_false(f->reset);
	assert_false(f->dir[f->first].fin);
	/* up to its edge */
	send_tcp(&w, false, 101, 1, PACKET_ACK, 1000, 7 * MS);
	assert_int_equal(f->dir[f->first].bytes, 1100);
	assert_int_equal(f->dir[f->first].retrans, 0);
	wire_done(&w);
}

/* A ring that was full has lost segments and what let them go: the next acknowledgement tells. */
static void segments_missed_with_their_acknowledgements_are_counted(void **state)
{
	struct wire_flow *f;
	struct wire w;

	(void)state;
	assert_int_equal(wire_init(&w, 10), 0);
	send_tcp(&w, false, 0, 0, PACKET_SYN, 0, 1 * MS);
	send_tcp(&w, true, 0, 1, PACKET_SYN | PACKET_ACK, 0, 2 * MS);
	f = send_tcp(&w, false, 1, 1, PACKET_ACK, 100, 3 * MS);
	send_tcp(&w, false, 5001, 1, PACKET_ACK, 100, 4 * MS);
	send_tcp(&w, true, 1, 5101, PACKET_ACK, 0, 5 * MS);
	assert_int_equal(f->dir[f->first].bytes, 5100);
	send_tcp(&w, false, 5101, 1, PACKET_ACK, 100, 6 * MS);
	assert_int_equal(f->dir[f->first].bytes, 5200);
	/* to its end */
	send_tcp(&w, false, 9001, 1, PACKET_ACK | PACKET_FIN, 100, 7 * MS);
	send_tcp(&w, true, 1, 9102, PACKET_ACK, 0, 8 * MS);
	assert_int_equal(f->dir[f->first].bytes, 9100);
	assert_true(f->dir[f->first].fin);
	wire_done(&w);
}

static void what_goes_out_again_is_a_retransmit_and_no_byte(void **state)
{
	struct wire w;
	struct wire_flow *f;

	assert_int_equal(wire_init(&w, 10), 0);
	send_tcp(&w, false, 10, 0, PACKET_ACK, 100, 1 * MS);
	send_tcp(&w, false, 10, 0, PACKET_ACK, 100, 300 * MS);
	f = send_tcp(&w, false, 109, 0, PACKET_ACK, 1, 400 * MS); /* keep-alive */
	assert_int_equal(f->dir[f->first].bytes, 100);
	assert_int_equal(f->dir[f->first].retrans, 1);
	assert_int_equal(f->dir[f->first].srtt_us, 0);
	wire_done(&w);
	(void)state;
}

static void overtaken_segment_is_no_retransmit(void **state)
{
	struct wire w;
	struct wire_flow *f;

	assert_int_equal(wire_init(&w, 10), 0);
	send_tcp(&w, false, 10, 0, PACKET_ACK, 100, 1 * MS);
	send_tcp(&w, false, 210, 0, PACKET_ACK, 100, 2 * MS);
	f = send_tcp(&w, false, 110, 0, PACKET_ACK, 100, 3 * MS);
	assert_int_equal(f->dir[f->first].bytes, 300);
	assert_int_equal(f->dir[f->first].retrans, 0);
	wire_done(&w);
	(void)state;
}

static void same_packet_at_two_interfaces_counts_once(void **state)
{
	struct wire w;
	struct wire_flow *f = NULL;
	uint8_t buf[64];
	struct packet p;
	bool fresh;

	assert_int_equal(wire_init(&w, 10), 0);
	for (uint32_t i = 0; i < 10; i++) {
		tcp(&p, buf, false, 10 + i * 100, 0, PACKET_ACK, 100, (i + 1) * MS);
		p.ifindex = 1;
		f = wire_packet(&w, &p, &fresh);
		p.ifindex = 2;
		p.ktime_ns -= i * 1000; /* another processor's stamp */
		(void)wire_packet(&w, &p, &fresh);
	}
	assert_int_equal(f->dir[f->first].bytes, 1000);
	assert_int_equal(f->dir[f->first].packets, 10);
	assert_int_equal(f->dir[f->first].retrans, 0);
	wire_done(&w);
	(void)state;
}

static void full_table_counts_what_it_cannot_keep(void **state)
{
	struct wire w;
	uint8_t buf[64];
	struct packet p;
	bool fresh;

	assert_int_equal(wire_init(&w, 1), 0);
	assert_non_null(send_tcp(&w, false, 1, 0, PACKET_ACK, 10, MS));
	tcp(&p, buf, false, 1, 0, PACKET_ACK, 33, MS);
	p.sport++;
	assert_null(wire_packet(&w, &p, &fresh));
	assert_int_equal(w.full_packets, 1);
	assert_int_equal(w.full_bytes, 33);
	wire_done(&w);
	(void)state;
}

static void lines_of_proc_net_dev_are_read(void **state)
{
	struct netdev d;

	assert_int_equal(
		netdev_parse("  eth0: 1234567890123 11 3 4 0 0 0 0 42 7 5 6 0 0 0 0\n", &d), 0);
	assert_string_equal(d.name, "eth0");
	assert_int_equal(d.rx_bytes, 1234567890123);
	assert_int_equal(d.rx_packets, 11);
	assert_int_equal(d.tx_bytes, 42);
	assert_int_equal(d.tx_packets, 7);
	assert_int_equal(d.rx_errors, 3);
	assert_int_equal(d.rx_dropped, 4);
	assert_int_equal(d.tx_errors, 5);
	assert_int_equal(d.tx_dropped, 6);
	assert_int_not_equal(netdev_parse("Inter-|   Receive                |  Transmit\n", &d), 0);
	assert_int_not_equal(netdev_parse(" face |bytes    packets errs\n", &d), 0);
	assert_int_not_equal(netdev_parse("a-name-that-is-too-long: 1 2 3 4 5 6 7 8 9 10\n", &d),
			     0);
	assert_int_not_equal(netdev_parse("eth0: 1 2 3\n", &d), 0);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vlan_tags_are_passed_over),
		cmocka_unit_test(tag_in_the_frame_is_found_from_the_link_header),
		cmocka_unit_test(large_packet_stands_for_its_segments),
		cmocka_unit_test(padding_of_short_frames_is_no_payload),
		cmocka_unit_test(lengths_beyond_the_packet_are_refused),
		cmocka_unit_test(datagrams_are_as_long_as_their_packet),
		cmocka_unit_test(datagrams_in_fragments_count_when_they_are_whole),
		cmocka_unit_test(fragments_of_many_datagrams_at_a_time_all_count),
		cmocka_unit_test(a_fragment_that_comes_twice_counts_once),
		cmocka_unit_test(fragments_are_waited_for_half_a_minute),
		cmocka_unit_test(fragments_that_make_room_are_counted_as_lost),
		cmocka_unit_test(fragment_without_a_whole_udp_header_is_refused),
		cmocka_unit_test(options_in_a_first_fragment_are_no_payload),
		cmocka_unit_test(headers_with_a_wrong_checksum_are_refused),
		cmocka_unit_test(packets_without_a_length_are_what_they_say_they_are),
		cmocka_unit_test(bytes_are_counted_by_sequence_numbers),
		cmocka_unit_test(segments_beyond_the_window_are_nobody_s),
		cmocka_unit_test(segments_missed_with_their_acknowledgements_are_counted),
		cmocka_unit_test(what_goes_out_again_is_a_retransmit_and_no_byte),
		cmocka_unit_test(overtaken_segment_is_no_retransmit),
		cmocka_unit_test(same_packet_at_two_interfaces_counts_once),
		cmocka_unit_test(full_table_counts_what_it_cannot_keep),
		cmocka_unit_test(lines_of_proc_net_dev_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
