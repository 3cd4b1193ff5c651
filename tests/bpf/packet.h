/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames made by hand, for programs that are run on them (BPF_PROG_TEST_RUN). Layers are put one
 * behind the other; pkt_done() fills in the lengths of IP and UDP and the checksum of IPv4 that nobody set on purpose.
 */
#ifndef TESTS_BPF_PACKET_H
#define TESTS_BPF_PACKET_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct pkt {
	uint8_t b[2048];
	unsigned int len;
	unsigned int l3, l4; /* where they begin; 0 not yet */
	unsigned int type;   /* where the next Ethernet type goes */
	unsigned int next;   /* IPv6: where the next header's number goes */
};

static inline void pkt_put(struct pkt *p, const void *data, unsigned int n)
{
	memcpy(p->b + p->len, data, n);
	p->len += n;
}

static inline void pkt_put16(struct pkt *p, unsigned int at, unsigned int v)
{
	p->b[at] = (uint8_t)(v >> 8);
	p->b[at + 1] = (uint8_t)v;
}

static inline void pkt_eth(struct pkt *p, unsigned int type)
{
	memset(p, 0, sizeof(*p));
	memcpy(p->b, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
	pkt_put16(p, 12, type);
	p->type = 12;
	p->len = 14;
}

static inline void pkt_tag(struct pkt *p, unsigned int tpid, unsigned int tci)
{
	unsigned int inner = (unsigned int)p->b[p->type] << 8 | p->b[p->type + 1];

	pkt_put16(p, p->type, tpid);
	pkt_put16(p, p->len, tci);
	pkt_put16(p, p->len + 2, inner);
	p->type = p->len + 2;
	p->len += 4;
}

/* options: bytes, a multiple of 4. frag: the 16 bits of flags and offset. */
static inline void pkt_ip4(struct pkt *p, const char *src, const char *dst, unsigned int proto,
			   unsigned int options, unsigned int frag)
{
	uint8_t *h = p->b + p->len;

	p->l3 = p->len;
	h[0] = (uint8_t)(0x40 | (5 + options / 4));
	pkt_put16(p, p->l3 + 6, frag);
	h[8] = 64;
	h[9] = (uint8_t)proto;
	inet_pton(AF_INET, src, h + 12);
	inet_pton(AF_INET, dst, h + 16);
	memset(h + 20, 1, options);
	p->len += 20 + options;
	p->l4 = p->len;
}

static inline void pkt_ip6(struct pkt *p, const char *src, const char *dst, unsigned int proto)
{
	uint8_t *h = p->b + p->len;

	p->l3 = p->len;
	h[0] = 0x60;
	h[6] = (uint8_t)proto;
	h[7] = 64;
	inet_pton(AF_INET6, src, h + 8);
	inet_pton(AF_INET6, dst, h + 24);
	p->next = p->len + 6;
	p->len += 40;
	p->l4 = p->len;
}

/* An extension header of size bytes before what pkt_ip6 named; frag: of the fragment header. */
static inline void pkt_ext(struct pkt *p, unsigned int type, unsigned int size, unsigned int frag)
{
	uint8_t *h = p->b + p->len;

	h[0] = p->b[p->next];
	h[1] = (uint8_t)(type == IPPROTO_AH ? size / 4 - 2 : size / 8 - 1);
	if (type == IPPROTO_FRAGMENT) {
		h[1] = 0;
		pkt_put16(p, p->len + 2, frag);
	}
	p->b[p->next] = (uint8_t)type;
	p->next = p->len;
	p->len += size;
	p->l4 = p->len;
}

static inline void pkt_tcp(struct pkt *p, unsigned int sport, unsigned int dport,
			   unsigned int flags)
{
	pkt_put16(p, p->len, sport);
	pkt_put16(p, p->len + 2, dport);
	p->b[p->len + 12] = 5 << 4;
	p->b[p->len + 13] = (uint8_t)flags;
	p->len += 20;
}

static inline void pkt_udp(struct pkt *p, unsigned int sport, unsigned int dport)
{
	pkt_put16(p, p->len, sport);
	pkt_put16(p, p->len + 2, dport);
	p->len += 8;
}

static inline void pkt_icmp(struct pkt *p, unsigned int type)
{
	p->b[p->len] = (uint8_t)type;
	p->len += 8;
}

static inline void pkt_done(struct pkt *p)
{
	bool v4 = p->l3 && p->b[p->l3] >> 4 == 4;
	unsigned int proto = v4 ? p->b[p->l3 + 9] : p->next ? p->b[p->next] : 0;

	if (v4 && !p->b[p->l3 + 2] && !p->b[p->l3 + 3])
		pkt_put16(p, p->l3 + 2, p->len - p->l3);
	else if (p->l3 && !v4 && !p->b[p->l3 + 4] && !p->b[p->l3 + 5])
		pkt_put16(p, p->l3 + 4, p->len - p->l3 - 40);
	if (v4 && !p->b[p->l3 + 10] && !p->b[p->l3 + 11]) {
		unsigned int header = (p->b[p->l3] & 15U) * 4, sum = 0;

		for (unsigned int i = p->l3; i < p->l3 + header; i++)
			sum += (unsigned int)p->b[i] << ((i - p->l3) & 1 ? 0 : 8);
		sum = (sum & 0xffff) + (sum >> 16);
		pkt_put16(p, p->l3 + 10, ~(sum + (sum >> 16)) & 0xffff);
	}
	if (proto == IPPROTO_UDP && p->len >= p->l4 + 8 && !p->b[p->l4 + 4] && !p->b[p->l4 + 5])
		pkt_put16(p, p->l4 + 4, p->len - p->l4);
}

#endif
