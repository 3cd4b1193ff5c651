/* SPDX-License-Identifier: BSD-2-Clause */
/* The balancer's program on what comes less often: VLAN tags, and datagrams in pieces. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb_packet.h"
#include "tap.h"

#define VIP4 "192.0.2.1:80/tcp"
#define UDP4 "192.0.2.1:53/udp"
#define UDP6 "[2001:db8::1]:53/udp"
#define L2 14
#define PCP 0x6000 /* priority 3 */

static const struct flow tcp4 = { "198.51.100.7", "192.0.2.1", 40000, 80, IPPROTO_TCP, true, 10 };
static const struct flow udp4 = { "198.51.100.7", "192.0.2.1", 40000, 53, IPPROTO_UDP, false, 64 };
static const struct flow udp6 = {
	"2001:db8:5::7", "2001:db8::1", 40000, 53, IPPROTO_UDP, false, 64
};

static uint16_t word(const struct frame *f, unsigned int at)
{
	return (uint16_t)(f->data[at] << 8 | f->data[at + 1]);
}

/* So many tags in front of the frame: the outer one of 802.1ad where there are more. */
static struct frame tagged(const struct frame *in, unsigned int n, uint16_t vid)
{
	struct frame f = *in;

	memmove(f.data + 12 + 4 * n, f.data + 12, f.bytes - 12);
	for (unsigned int i = 0; i < n; i++) {
		uint16_t type = htons(i + 1 < n ? 0x88a8 : 0x8100);
		uint16_t tci = htons((uint16_t)(PCP | (vid + i)));

		memcpy(f.data + 12 + 4 * i, &type, 2);
		memcpy(f.data + 14 + 4 * i, &tci, 2);
	}
	f.bytes += 4 * n;
	return f;
}

static struct balance *with_vip(const char *vip, struct lb_vip_key *ret_key, uint8_t forward)
{
	struct balance *b;

	lb_namespace(1500);
	b = lb_begin();
	*ret_key = lb_vip(b, vip, 0);
	lb_backend(b, ret_key, "10.99.0.10", forward);
	return b;
}

/* The frame that goes out has these tags, and behind them what would be there without any. */
static void check_tags(const struct outcome *o, const struct outcome *plain, unsigned int n,
		       uint16_t vid, uint16_t pcp)
{
	CHECK_EQ(o->action, XDP_TX, "action");
	CHECK_EQ(o->frame.bytes, plain->frame.bytes + 4 * n, "bytes");
	CHECK(!memcmp(o->frame.data, plain->frame.data, 12), "hardware addresses");
	for (unsigned int i = 0; i < n; i++)
		CHECK_EQ(word(&o->frame, 14 + 4 * i), pcp | (vid + i), "tag");
	CHECK(!memcmp(o->frame.data + 12 + 4 * n, plain->frame.data + 12, plain->frame.bytes - 12),
	      "what is behind the tags differs from the same without tags");
}

TEST(tagged_packets_are_balanced_and_keep_their_tags)
{
	static const uint8_t ways[] = { LB_FORWARD_ENCAP, LB_FORWARD_MAC };

	for (unsigned int w = 0; w < 2; w++) {
		struct lb_vip_key key;
		struct balance *b = with_vip(VIP4, &key, ways[w]);
		struct frame in = frame_of(&tcp4);
		struct outcome plain = lb_run(b, &in), o;

		CHECK_EQ(plain.action, XDP_TX, "without a tag");
		for (unsigned int n = 1; n <= 2; n++) {
			struct frame f = tagged(&in, n, 100);

			o = lb_run(b, &f);
			check_tags(&o, &plain, n, 100, PCP);
		}
		CHECK_EQ(lb_total(b, LB_FORWARDED), 3, "forwarded");
		in = tagged(&in, 3, 100);
		o = lb_run(b, &in);
		CHECK_EQ(o.action, XDP_PASS, "three tags");
		CHECK_EQ(lb_total(b, LB_VLAN), 1, "counted as tagged too often");
		lb_end(b);
	}
}

TEST(tagged_packet_that_is_too_big_is_answered_with_its_tag)
{
	struct flow big = tcp4;
	struct lb_vip_key key;
	struct balance *b = with_vip(VIP4, &key, LB_FORWARD_ENCAP);
	struct outcome plain, o;
	struct frame in, f;

	big.payload = 1460;
	in = frame_of(&big);
	plain = lb_run(b, &in);
	f = tagged(&in, 1, 100);
	o = lb_run(b, &f);
	CHECK_EQ(lb_total(b, LB_TOO_BIG_TOLD), 2, "told");
	check_tags(&o, &plain, 1, 100, PCP);
	lb_end(b);
}

/* Where the route leads to a VLAN device, frames go out at the one below with that VLAN's tag. */
static void check_vlan_way(struct balance *b)
{
	struct frame in = frame_of(&tcp4), f;
	struct outcome o = lb_run(b, &in);

	CHECK_EQ(o.action, XDP_TX, "action");
	CHECK_EQ(word(&o.frame, 12), ETH_P_8021Q, "type in front");
	CHECK_EQ(word(&o.frame, 14), 100, "tag of what had none");
	CHECK_EQ(word(&o.frame, 16), ETH_P_IP, "type behind");
	CHECK_EQ(o.frame.bytes, in.bytes + 20 + 4, "bytes");
	CHECK_EQ(o.frame.data[18] >> 4, 4, "IP header");
	for (uint16_t vid = 100; vid <= 200; vid = (uint16_t)(vid + 100)) {
		f = tagged(&in, 1, vid);
		o = lb_run(b, &f);
		CHECK_EQ(word(&o.frame, 14), PCP | 100, "tag");
		CHECK_EQ(o.frame.bytes, f.bytes + 20, "bytes");
	}
	f = tagged(&in, 2, 300);
	o = lb_run(b, &f);
	CHECK_EQ(word(&o.frame, 14), PCP | 100, "tag in the place of two");
	CHECK_EQ(word(&o.frame, 16), ETH_P_IP, "type behind");
	CHECK_EQ(o.frame.bytes, in.bytes + 20 + 4, "bytes");
	lb_end(b);
}

static struct balance *behind(const char *device)
{
	char command[300];
	struct lb_vip_key key;
	struct balance *b;

	snprintf(command, sizeof(command),
		 "ip link set %s up && ip addr add 10.98.0.1/24 dev %s && "
		 "ip neigh add 10.98.0.10 lladdr 02:00:00:00:01:0a dev %s",
		 device, device, device);
	REQUIRE(system(command) == 0, "`%s` failed", command);
	b = lb_begin();
	key = lb_vip(b, VIP4, 0);
	lb_backend(b, &key, "10.98.0.10", LB_FORWARD_ENCAP);
	return b;
}

TEST(way_over_a_vlan_device_goes_out_tagged_at_the_one_below)
{
	lb_namespace(1500);
	if (system("ip link add link lb0 name lb0.100 type vlan id 100 2>/dev/null"))
		test_skip("no VLAN device on this kernel");
	check_vlan_way(behind("lb0.100"));
}

/* The same where there is no such device: the list of them is written by the test. */
TEST(listed_vlan_of_a_way_is_put_in_front)
{
	struct lb_link link = { .tags = 1, .tag = { { htons(ETH_P_8021Q), 100 } } };
	struct balance *b;
	uint32_t at;

	lb_namespace(1500);
	REQUIRE(system("ip link add lb2 type veth peer name lb3 && ip link set lb3 up") == 0,
		"veth");
	b = behind("lb2");
	at = if_nametoindex("lb2");
	link.ifindex = if_nametoindex("lb0");
	REQUIRE(bpf_map_update_elem(b->pins.fds[PIN_LINKS], &at, &link, BPF_ANY) == 0, "no map");
	check_vlan_way(b);
}

/* One piece of an IPv4 datagram, of so many bytes from pos on. */
static struct frame piece4(const struct flow *flow, uint16_t id, unsigned int pos, bool more)
{
	struct frame f = frame_of(flow);
	uint16_t bits = htons((uint16_t)(pos / 8 | (more ? 0x2000 : 0))), n = htons(id);

	memcpy(f.data + L2 + 4, &n, 2);
	memcpy(f.data + L2 + 6, &bits, 2);
	if (pos) /* no ports there */
		memset(f.data + L2 + 20, 0xee, 8);
	return f;
}

static struct frame piece6(const struct flow *flow, uint32_t id, unsigned int pos, bool more)
{
	struct frame f = frame_of(flow);
	uint16_t len = htons((uint16_t)(word(&f, L2 + 4) + 8)), bits;
	uint8_t ext[8] = { IPPROTO_UDP };

	memmove(f.data + L2 + 48, f.data + L2 + 40, f.bytes - L2 - 40);
	f.bytes += 8;
	f.data[L2 + 6] = 44;
	memcpy(f.data + L2 + 4, &len, 2);
	bits = htons((uint16_t)(pos | more));
	id = htonl(id);
	memcpy(ext + 2, &bits, 2);
	memcpy(ext + 4, &id, 4);
	memcpy(f.data + L2 + 40, ext, 8);
	if (pos)
		memset(f.data + L2 + 48, 0xee, 8);
	return f;
}

static void pieces_stay_together(const char *vip, const struct flow *like, const char *backends,
				 struct frame (*piece)(const struct flow *f, unsigned int id,
						       unsigned int pos, bool more))
{
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;
	struct balance *b;
	uint8_t addr[16];
	struct outcome o;
	struct frame f;
	char text[32];

	lb_namespace(1500);
	b = lb_begin();
	key = lb_vip(b, vip, 0);
	for (unsigned int i = 10; i < 18; i++) {
		snprintf(text, sizeof(text), backends, i);
		lb_backend(b, &key, text, LB_FORWARD_ENCAP);
	}
	for (unsigned int i = 0; i < 100; i++) {
		struct flow flow = *like;
		unsigned int first;

		flow.client_port = (uint16_t)(10000 + i);
		f = piece(&flow, i, 0, true);
		o = lb_run(b, &f);
		CHECK_EQ(o.action, XDP_TX, "first piece");
		first = backend_of(&o);
		for (unsigned int pos = 72; pos <= 144; pos += 72) {
			f = piece(&flow, i, pos, pos == 72);
			o = lb_run(b, &f);
			CHECK_EQ(o.action, XDP_TX, "later piece");
			CHECK_EQ(backend_of(&o), first, "backend of a later piece");
		}
	}
	CHECK_EQ(lb_total(b, LB_FRAGMENT_SENT), 300, "pieces that were sent on");
	f = piece(like, 1000, 72, false);
	o = lb_run(b, &f);
	CHECK_EQ(o.action, XDP_PASS, "a piece whose first one was never seen");
	CHECK_EQ(lb_total(b, LB_FRAGMENT), 1, "counted");
	/* Its backend is gone: nobody else has the beginning. */
	f = piece(like, 1001, 0, true);
	o = lb_run(b, &f);
	snprintf(text, sizeof(text), backends, backend_of(&o));
	lb_address(text, addr);
	REQUIRE(balance_backend_remove(b, &key, addr, &err) == 0, "%s", err.msg);
	f = piece(like, 1001, 72, false);
	o = lb_run(b, &f);
	CHECK_EQ(o.action, XDP_DROP, "a piece whose backend is gone");
	lb_end(b);
}

static struct frame any_piece4(const struct flow *f, unsigned int id, unsigned int pos, bool more)
{
	return piece4(f, (uint16_t)id, pos, more);
}

static struct frame any_piece6(const struct flow *f, unsigned int id, unsigned int pos, bool more)
{
	return piece6(f, id, pos, more);
}

TEST(pieces_of_an_ipv4_datagram_stay_together)
{
	pieces_stay_together(UDP4, &udp4, "10.99.0.%u", any_piece4);
}

TEST(pieces_of_an_ipv6_datagram_stay_together)
{
	pieces_stay_together(UDP6, &udp6, "fd99::%x", any_piece6);
}
