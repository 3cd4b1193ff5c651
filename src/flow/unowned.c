/* SPDX-License-Identifier: BSD-2-Clause */
/* See unowned.h. */
#include "flow/unowned.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define ETHERNET 14
#define TCP_HEADER 32 /* with time stamps */
#define TCP_SLACK 32  /* all other options, a VLAN tag */
#define UDP_HEADER 8
#define UDP_SLACK 24
#define OPEN_SLACK 600	/* handshake and end: up to six segments are in no record of the socket */
#define LEAST_PIECE 256 /* a datagram's fragments and segments are hardly smaller */
#define LARGEST 65600	/* what a device counts as one packet */
#define MERGED 45	/* full segments in that */
#define LEAST_RATE 10000
#define LEAST_SHARE 50 /* 2 % */

static uint64_t ip_header(const struct flow *f)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return f->tuple.family == AF_INET6 && memcmp(f->tuple.raddr, mapped, sizeof(mapped)) ? 40
											     : 20;
}

static void add_tcp(struct wire_load *to, uint64_t payload, uint64_t segments, uint64_t header)
{
	to->bytes += payload + segments * (header + TCP_HEADER);
	to->slack += segments * TCP_SLACK;
}

static void add_datagrams(struct wire_load *to, uint64_t payload, uint64_t calls, uint64_t header)
{
	to->bytes += payload + calls * (header + UDP_HEADER);
	to->slack += calls * UDP_SLACK;
	to->calls += calls;
	to->datagram_bytes += payload;
}

void wire_add(struct wire_load *tx, struct wire_load *rx, const struct flow *f,
	      const struct flow_delta *d, bool opened)
{
	uint64_t header = ETHERNET + ip_header(f);

	if (f->tuple.proto != IPPROTO_TCP) {
		add_datagrams(tx, d->tx_bytes, d->tx_pkts, header);
		add_datagrams(rx, d->rx_bytes, d->rx_pkts, header);
		return;
	}
	/* A part is another owner of a socket whose main flow has all that the kernel counted. */
	if (f->part)
		return;
	add_tcp(tx, d->tx_wire, d->tx_pkts, header);
	add_tcp(rx, d->rx_wire, d->rx_pkts, header);
	tx->slack += d->synack * (header + TCP_HEADER + TCP_SLACK);
	if (!opened)
		return;
	tx->slack += OPEN_SLACK;
	rx->slack += OPEN_SLACK;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t above(uint64_t value, uint64_t base)
{
	return value > base ? value - base : 0;
}

void wire_over(struct wire_side *side, uint64_t more)
{
	const struct wire_load *own = &side->own;
	uint64_t excess = above(side->packets, own->calls);
	uint64_t slack = own->slack + side->blurred + more;

	/* One call may have been several packets, each with headers: fragments, UDP_SEGMENT. */
	slack += lesser(excess, own->datagram_bytes / LEAST_PIECE) * (ETHERNET + 40 + UDP_HEADER);
	if (side->bytes < own->bytes) {
		side->over = -(int64_t)(own->bytes - side->bytes);
		return;
	}
	side->over = (int64_t)(side->bytes - own->bytes);
	/* A reader's buffer may have been smaller than its datagrams: only other packets are somebody else's. */
	if (own->calls)
		side->over = (int64_t)lesser((uint64_t)side->over, excess * LARGEST);
	if ((uint64_t)side->over <= slack)
		side->over = 0;
}

void wire_split(struct wire_side *side, uint64_t others_over, uint64_t less)
{
	uint64_t over = side->over > 0 ? (uint64_t)side->over : 0;

	side->forward = lesser(over, others_over);
	if (side->over <= 0)
		return;
	/* The two interfaces may differ in headers and in how packets are merged. */
	over -= side->forward;
	if (over <= side->forward / 8)
		over = 0;
	side->over = (int64_t)above(over, less);
}

bool wire_tells(const struct wire_side *side, uint64_t bytes, double seconds)
{
	return bytes && bytes >= side->bytes / LEAST_SHARE && (double)bytes >= LEAST_RATE * seconds;
}

bool wire_forwarded(const struct wire_side *side, uint64_t packets)
{
	uint64_t mean = side->packets ? side->bytes / side->packets : 0;

	return side->forward && lesser(mean * MERGED, LARGEST) * packets >= side->forward;
}

uint64_t wire_settle(struct wire_carry *c, const struct wire_side *side, double seconds)
{
	uint64_t told = c->waits, over = 0;

	if (side->over < 0) {
		int64_t left = (int64_t)told + side->over;

		/* Where sockets make up for a part of it they may for more, later. */
		told = left > (int64_t)(told - told / 4) ? (uint64_t)left : 0;
		c->debt = left < 0 ? left : 0;
	} else {
		over = above((uint64_t)side->over, (uint64_t)-c->debt);
		c->debt = 0;
	}
	/* A sender who began at the end of an interval is behind by so much until it ends. */
	told = told < c->least || told <= 2 * side->blurred ? 0 : told;
	c->waits = wire_tells(side, over, seconds) ? over : 0;
	c->least = side->bytes / LEAST_SHARE;
	return told;
}
