/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's share of choosing packets: a classic BPF program that says how many bytes of each the
 * ring gets. A load beyond the packet's end would drop it, so lengths are looked at before loads.
 */
#include "capture/ring_filter.h"

#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>

#define NET ((uint32_t)SKF_NET_OFF)
#define AD(what) ((uint32_t)(SKF_AD_OFF + (what)))
#define TCP_HEADER 20U
#define FIRST_BYTES 6U /* to know a ClientHello or a request by */

/* Where a jump goes; ends are behind everything, so they are set when all is written. */
#define NEXT 0
#define NONE 253
#define SNAP 254
#define WIDE 255

/* Scratch memory of the program. */
#define M_PROTO 0
#define M_TOTAL 1 /* bytes from the network header to the end of the transport's */

struct code {
	struct sock_filter *insns;
	unsigned short n;
};

static void op(struct code *c, unsigned int code, uint32_t k)
{
	c->insns[c->n++] = (struct sock_filter)BPF_STMT((uint16_t)code, k);
}

static void jump(struct code *c, unsigned int code, uint32_t k, uint8_t yes, uint8_t no)
{
	c->insns[c->n++] = (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | code), k, yes, no);
}

static void load(struct code *c, unsigned int size, uint32_t at)
{
	op(c, BPF_LD | size | BPF_ABS, at);
}

static void load_x(struct code *c, unsigned int size, uint32_t at)
{
	op(c, BPF_LD | size | BPF_IND, NET + at);
}

/* A: the bytes from X to the transport's end; fewer than that: only headers. */
static void need(struct code *c, uint32_t bytes)
{
	op(c, BPF_LD | BPF_MEM, M_TOTAL);
	jump(c, BPF_JGE | BPF_X, 0, NEXT, SNAP);
	op(c, BPF_ALU | BPF_SUB | BPF_X, 0);
	jump(c, BPF_JGE | BPF_K, bytes, NEXT, SNAP);
}

/* Protocol in A -> X is where the transport begins. What has no ports, or lies, goes to SNAP. */
static void find_transport(struct code *c)
{
	jump(c, BPF_JEQ | BPF_K, ETH_P_IP, NEXT, 7);
	load(c, BPF_H, NET + 6);
	jump(c, BPF_JSET | BPF_K, 0x1fff, SNAP, NEXT); /* a fragment, not the first */
	load(c, BPF_H, NET + 2);
	op(c, BPF_ST, M_TOTAL);
	op(c, BPF_LDX | BPF_B | BPF_MSH, NET);
	load(c, BPF_B, NET + 9);
	op(c, BPF_JMP | BPF_JA, 6);
	/* IPv6 without extensions */
	jump(c, BPF_JEQ | BPF_K, ETH_P_IPV6, NEXT, SNAP);
	load(c, BPF_H, NET + 4);
	op(c, BPF_ALU | BPF_ADD | BPF_K, 40);
	op(c, BPF_ST, M_TOTAL);
	op(c, BPF_LDX | BPF_IMM, 40);
	load(c, BPF_B, NET + 6);
	op(c, BPF_ST, M_PROTO);
	jump(c, BPF_JEQ | BPF_K, IPPROTO_UDP, 1, NEXT);
	jump(c, BPF_JEQ | BPF_K, IPPROTO_TCP, NEXT, SNAP);
}

static void match_ports(struct code *c, const struct ring_want *w)
{
	need(c, 8);
	for (uint32_t end = 0; end < 4; end += 2) {
		load_x(c, BPF_H, end);
		for (unsigned int i = 0; i < w->n_ports; i++)
			jump(c, BPF_JEQ | BPF_K, w->ports[i], WIDE, NEXT);
	}
}

/* What a client says first: a TLS ClientHello, an HTTP request (its method's first four bytes). */
static void match_first(struct code *c, const struct ring_want *w)
{
	static const char methods[][5] = { "GET ", "POST", "PUT ", "HEAD",
					   "DELE", "OPTI", "PATC", "CONN" };

	op(c, BPF_LD | BPF_MEM, M_PROTO);
	jump(c, BPF_JEQ | BPF_K, IPPROTO_TCP, NEXT, SNAP);
	need(c, TCP_HEADER + FIRST_BYTES);
	load_x(c, BPF_B, 12); /* length of TCP's header, in its upper half */
	op(c, BPF_ALU | BPF_RSH | BPF_K, 2);
	op(c, BPF_ALU | BPF_AND | BPF_K, 0x3c);
	op(c, BPF_ALU | BPF_ADD | BPF_X, 0);
	op(c, BPF_MISC | BPF_TAX, 0);
	need(c, FIRST_BYTES);
	load_x(c, BPF_W, 0);
	for (unsigned int i = 0; w->http && i < sizeof(methods) / sizeof(methods[0]); i++) {
		const uint8_t *m = (const uint8_t *)methods[i];
		uint32_t word = (uint32_t)m[0] << 24 | (uint32_t)m[1] << 16 | (uint32_t)m[2] << 8 |
				m[3];

		jump(c, BPF_JEQ | BPF_K, word, WIDE, NEXT);
	}
	if (w->tls) {
		op(c, BPF_ALU | BPF_AND | BPF_K, 0xffff0000);
		jump(c, BPF_JEQ | BPF_K, 0x16030000, NEXT, SNAP); /* a handshake, version 3.x */
		load_x(c, BPF_B, 5);
		jump(c, BPF_JEQ | BPF_K, 1, WIDE, NEXT);
	}
}

/* Outgoing packets of loopback come back in at once: seen twice, counted once. Of the others: IP. */
static void match_link(struct code *c, const struct ring_want *w)
{
	load(c, BPF_W, AD(SKF_AD_PKTTYPE));
	jump(c, BPF_JEQ | BPF_K, PACKET_OUTGOING, NEXT, 2);
	load(c, BPF_W, AD(SKF_AD_HATYPE));
	jump(c, BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, NONE, NEXT);
	if (w->n_if) {
		load(c, BPF_W, AD(SKF_AD_IFINDEX));
		for (int i = 0; i < w->n_if; i++)
			jump(c, BPF_JEQ | BPF_K, w->ifs[i], (uint8_t)(w->n_if - 1 - i),
			     i == w->n_if - 1 ? NONE : NEXT);
	}
	load(c, BPF_W, AD(SKF_AD_PROTOCOL));
	jump(c, BPF_JEQ | BPF_K, ETH_P_IP, 3, NEXT);
	jump(c, BPF_JEQ | BPF_K, ETH_P_IPV6, 2, NEXT);
	jump(c, BPF_JEQ | BPF_K, ETH_P_8021Q, 1, NEXT);
	jump(c, BPF_JEQ | BPF_K, ETH_P_8021AD, NEXT, NONE);
}

static uint8_t resolve(uint8_t to, unsigned short at, unsigned short ends)
{
	return to < NONE ? to : (uint8_t)(ends + (to - NONE) - at - 1);
}

unsigned short ring_filter_make(const struct ring_want *w, struct sock_filter *insns)
{
	struct code c = { .insns = insns };
	unsigned short ends;

	if (w->n_if < 0) {
		op(&c, BPF_RET | BPF_K, 0);
		return c.n;
	}
	match_link(&c, w);
	if (w->n_ports || w->tls || w->http) {
		find_transport(&c);
		if (w->n_ports)
			match_ports(&c, w);
		if (w->tls || w->http)
			match_first(&c, w);
	}
	op(&c, BPF_JMP | BPF_JA, 1);
	ends = c.n;
	op(&c, BPF_RET | BPF_K, 0);
	op(&c, BPF_RET | BPF_K, w->snap);
	op(&c, BPF_RET | BPF_K, w->wide);
	for (unsigned short i = 0; i < ends; i++) {
		if (BPF_CLASS(insns[i].code) != BPF_JMP || BPF_OP(insns[i].code) == BPF_JA)
			continue;
		insns[i].jt = resolve(insns[i].jt, i, ends);
		insns[i].jf = resolve(insns[i].jf, i, ends);
	}
	return c.n;
}
