/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets by hand, of one client (10.0.0.1:4000) and one server (10.0.0.2:80); back: the server's. */
#ifndef NETPROBE_TEST_WIRE_MAKE_H
#define NETPROBE_TEST_WIRE_MAKE_H

#include <string.h>

#include <netinet/in.h>

#include "capture/wire.h"

#define MS 1000000ULL

static inline void put16(uint8_t *at, unsigned int v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static inline void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v & 0xffff);
}

/* The checksum of the header, as the packet is now. */
static inline void sum(uint8_t *h)
{
	uint32_t s = 0;

	put16(h + 10, 0);
	for (unsigned int i = 0; i < (h[0] & 15U) * 4; i += 2)
		s += (uint32_t)h[i] << 8 | h[i + 1];
	s = (s & 0xffff) + (s >> 16);
	put16(h + 10, ~(s + (s >> 16)) & 0xffff);
}

/* An IPv4 header in front of a transport header of n bytes; the payload itself is not captured. */
static inline void ipv4(struct packet *p, uint8_t *buf, uint8_t proto, unsigned int n,
			unsigned int payload, bool back)
{
	memset(buf, 0, 20);
	buf[0] = 0x45;
	put16(buf + 2, 20 + n + payload);
	buf[9] = proto;
	put32(buf + 12, back ? 0x0a000002 : 0x0a000001);
	put32(buf + 16, back ? 0x0a000001 : 0x0a000002);
	sum(buf);
	*p = (struct packet){ .data = buf,
			      .caplen = 20 + n,
			      .len = 20 + n + payload,
			      .protocol = 0x0800,
			      .ifindex = 1 };
}

static inline void tcp(struct packet *p, uint8_t *buf, bool back, uint32_t seq, uint32_t ack,
		       unsigned int flags, unsigned int payload, uint64_t ns)
{
	memset(buf + 20, 0, 20);
	put16(buf + 20, back ? 80 : 4000);
	put16(buf + 22, back ? 4000 : 80);
	put32(buf + 24, seq);
	put32(buf + 28, ack);
	buf[32] = 0x50;
	buf[33] = (uint8_t)flags;
	put16(buf + 34, 1000);
	ipv4(p, buf, IPPROTO_TCP, 20, payload, back);
	p->ktime_ns = ns;
	assert_int_equal(packet_parse(p), 0);
}

static inline struct wire_flow *send_tcp(struct wire *w, bool back, uint32_t seq, uint32_t ack,
					 unsigned int flags, unsigned int payload, uint64_t ns)
{
	uint8_t buf[64];
	struct packet p;
	bool fresh;

	tcp(&p, buf, back, seq, ack, flags, payload, ns);
	return wire_packet(w, &p, &fresh);
}

#endif
