/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../bpf/packet.h"
#include "guard_make.h"
#include "guard_run.h"
#include "tap.h"

#define MIN_FRAME 14
#define SOURCES 10
#define MAP_LINE 160

#define ANY 0, 65535
const struct guard_rule guard_rules[GUARD_RULES] = {
	{ 1, 0, ANY, false },
	{ 2, IPPROTO_TCP, 22, 22, false },
	{ 3, IPPROTO_UDP, ANY, false },
	{ 4, IPPROTO_TCP, 80, 90, false },
	{ 4, IPPROTO_UDP, 53, 53, false },
	{ 6, 0, ANY, false },
	{ 6, IPPROTO_TCP, 443, 443, true },
	{ 7, IPPROTO_ICMP, ANY, false },
	{ 8, 0, 8080, 8080, false },
	{ 9, 135, ANY, false },
	{ 9, IPPROTO_SCTP, 22, 22, false },
};
static uint64_t state;

uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % below);
}

void rnd_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	for (int i = 0; i < 4; i++)
		(void)rnd(2);
}

unsigned int l4_least(unsigned int proto)
{
	return proto == IPPROTO_TCP				  ? 20
	       : proto == IPPROTO_UDP				  ? 8
	       : proto == IPPROTO_UDPLITE			  ? 8
	       : proto == IPPROTO_SCTP				  ? 12
	       : proto == IPPROTO_DCCP				  ? 12
	       : proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 ? 8
								  : 0;
}

static const uint16_t ports[] = { 22, 53, 80, 85, 90, 91, 443, 8080, 21, 1 };
static const uint8_t protos[] = { IPPROTO_TCP,	   IPPROTO_TCP,	 IPPROTO_UDP,
				  IPPROTO_UDPLITE, IPPROTO_SCTP, IPPROTO_DCCP,
				  IPPROTO_GRE,	   135,		 59 };
static const uint8_t exts[] = { IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS,
				IPPROTO_FRAGMENT };

static void put(struct datagram *d, unsigned int v)
{
	d->b[d->len++] = (uint8_t)v;
}

static void put_l4(struct datagram *d, unsigned int proto)
{
	size_t size = rnd(4) ? l4_least(proto) : 8 * rnd(6), from = d->len;
	unsigned int port;

	size += rnd(64);
	for (size_t i = 0; i < size; i++)
		put(d, rnd(256));
	if (d->len < from + 20)
		return;
	port = ports[rnd(sizeof(ports) / sizeof(ports[0]))];
	d->b[from + 2] = (uint8_t)(port >> 8);
	d->b[from + 3] = (uint8_t)port;
	if (proto == IPPROTO_TCP) {
		d->b[from + 12] = 5 << 4;
		d->b[from + 13] = rnd(2) ? 0x02 : 0x10;
	}
}

void datagram_make(struct datagram *d)
{
	unsigned int proto, n;

	memset(d, 0, sizeof(*d));
	d->v6 = rnd(2);
	d->tags = rnd(4) ? 0 : (uint8_t)rnd(3);
	d->pppoe = !rnd(6);
	d->source = (uint8_t)(1 + rnd(SOURCES));
	d->options = rnd(3) ? 0 : (uint8_t)rnd(11);
	d->hop_options = d->v6 && !rnd(5);
	proto = rnd(8) ? protos[rnd(sizeof(protos))] : d->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	if (d->v6 && !rnd(2)) {
		uint8_t *next = &d->first;

		n = rnd(3) ? rnd(4) : rnd(8) ? rnd(14) : rnd(200);
		for (unsigned int i = 0; i < n; i++) {
			unsigned int kind = exts[rnd(sizeof(exts))];
			unsigned int more = kind == 44 || n > 14 ? 0 : rnd(3);

			*next = (uint8_t)kind;
			next = &d->b[d->len];
			put(d, 0);
			put(d, kind == 44 ? 0 : more);
			for (unsigned int k = 2; k < 8 + 8 * more; k++)
				put(d, 0);
		}
		*next = (uint8_t)proto;
	} else {
		d->first = (uint8_t)proto;
	}
	put_l4(d, proto);
}

/* The bytes from..to of it in a frame; flags as IPv4's header has them. */
size_t datagram_frame(const struct datagram *d, size_t from, size_t to, bool whole, uint8_t *b)
{
	struct pkt p;
	bool more = to < d->len;

	pkt_eth(&p, d->pppoe ? ETH_P_PPP_SES : d->v6 ? ETH_P_IPV6 : ETH_P_IP);
	for (unsigned int i = 0; i < d->tags; i++)
		pkt_tag(&p, i ? ETH_P_8021Q : ETH_P_8021AD, i);
	if (d->pppoe)
		pkt_put(&p, d->v6 ? "\x11\0\0\1\0\0\0\x57" : "\x11\0\0\1\0\0\0\x21", 8);
	if (d->v6) {
		uint8_t h[40] = {
			0x60,	     [6] = d->first, [7] = 64,	       [8] = 0x20, [9] = 0x01,
			[10] = 0x0d, [11] = 0xb8,    [23] = d->source, [24] = 0xfd
		};
		uint8_t hop[8] = { whole ? d->first : IPPROTO_FRAGMENT, 0, 1, 4 };
		uint8_t frag[8] = { d->first, 0, (uint8_t)(from >> 8), (uint8_t)(from | more), 1 };
		size_t size = (d->hop_options ? 8 : 0) + (whole ? 0 : 8) + to - from;

		h[4] = (uint8_t)(size >> 8);
		h[5] = (uint8_t)size;
		if (!whole)
			h[6] = IPPROTO_FRAGMENT;
		if (d->hop_options)
			h[6] = IPPROTO_HOPOPTS;
		pkt_put(&p, h, sizeof(h));
		if (d->hop_options)
			pkt_put(&p, hop, sizeof(hop));
		if (!whole)
			pkt_put(&p, frag, sizeof(frag));
	} else {
		uint8_t h[60] = { 0x45,	    [8] = 64,	      [9] = d->first, [12] = 192,
				  [14] = 2, [15] = d->source, [16] = 10 };
		size_t size = 20 + 4u * d->options, total = size + to - from;
		unsigned int off = (unsigned int)from / 8 | (more ? 0x2000 : 0);

		h[0] = (uint8_t)(0x40 | size / 4);
		h[2] = (uint8_t)(total >> 8);
		h[3] = (uint8_t)total;
		h[5] = 1;
		h[6] = whole ? 0 : (uint8_t)(off >> 8);
		h[7] = whole ? 0 : (uint8_t)off;
		memset(h + 20, 1, 40);
		pkt_put(&p, h, (unsigned int)size);
	}
	pkt_put(&p, d->b + from, (unsigned int)(to - from));
	memcpy(b, p.b, p.len);
	return p.len;
}

void frame_change(uint8_t *b, size_t *len)
{
	if (!rnd(3) && *len > MIN_FRAME)
		*len = MIN_FRAME + rnd((uint32_t)(*len - MIN_FRAME));
	for (unsigned int i = rnd(4); i; i--)
		b[rnd((uint32_t)*len)] = (uint8_t)rnd(256);
	/* Most often in the headers. */
	for (unsigned int i = rnd(3); i; i--)
		b[12 + rnd(*len > 80 ? 68 : (uint32_t)*len - 12)] ^= (uint8_t)(1u << rnd(8));
}

void rules_import(const struct netns *ns, bool allow)
{
	char path[300], line[MAP_LINE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/rules", test_dir());
	f = fopen(path, "w");
	REQUIRE(f, "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < GUARD_RULES; i++) {
		const struct guard_rule *r = &guard_rules[i];
		int n = 0;

		if (r->allow != allow)
			continue;
		if (r->proto)
			n += snprintf(line + n, sizeof(line) - (size_t)n, " proto=%u", r->proto);
		if (r->to != 65535)
			n += snprintf(line + n, sizeof(line) - (size_t)n, " port=%u-%u", r->from,
				      r->to);
		line[n] = '\0';
		fprintf(f, "192.0.2.%u%s\n2001:db8::%x%s\n", r->source, line, r->source, line);
	}
	fclose(f);
	guard_must(ns, "import %s%s", allow ? "--allow " : "", path);
}
