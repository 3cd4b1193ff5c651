/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the balancer must know of a packet: whose flow it belongs to. Of an ICMP error that is the flow
 * of the packet quoted in it, turned round: a backend sent that one to the client.
 */
#ifndef NETPROBE_BPF_LIB_LB_PARSE_H
#define NETPROBE_BPF_LIB_LB_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "wire/lb.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define LB_FRAG_BITS 0x3fff /* more fragments, or an offset */
#define LB_EXT_HEADERS 4    /* IPv6 extension headers looked through */

/* UAPI's own headers of ICMP draw in half of libc. */
#define LB_ICMP_UNREACH 3
#define LB_ICMP_FRAG_NEEDED 4 /* a code of it */
#define LB_ICMP_TIME_EXCEEDED 11
#define LB_ICMP_PARAMETER 12
#define LB_ICMP6_TOO_BIG 2
#define LB_ICMP6_INFO 128 /* types from here on are no errors */

struct lb_icmp {
	__u8 type, code;
	__sum16 sum;
	__be16 unused;
	__be16 mtu; /* of LB_ICMP_FRAG_NEEDED */
};

struct lb_icmp6 {
	__u8 type, code;
	__sum16 sum;
	__be32 mtu; /* of LB_ICMP6_TOO_BIG */
};

/* 1: frames may be in several buffers, of which data..data_end is the first; since 5.18. */
extern const volatile __u8 cfg_frags;

struct lb_packet {
	/*
	 * From the Ethernet header to the end. 64 bits wide: for less the compiler subtracts pointers
	 * in 32 bits, and the verifier takes them for numbers from there on.
	 */
	__u64 frame_bytes;
	__u32 client[4];		 /* network order; IPv4 v4-mapped */
	__u32 service[4];		 /* the same: perhaps a VIP */
	__u16 client_port, service_port; /* network order */
	__u16 l3_bytes;			 /* of the IP packet, by its own header */
	__u8 proto;			 /* of the flow: TCP or UDP */
	__u8 tos;
	bool v6;
	bool syn;	/* first packet of a TCP connection */
	bool icmp;	/* ICMP error about the flow */
	bool dont_frag; /* IPv4's flag; IPv6 always */
};

static __always_inline void lb_map_v4(__u32 to[4], __u32 addr)
{
	to[0] = 0;
	to[1] = 0;
	to[2] = bpf_htonl(0xffff);
	to[3] = addr;
}

static __always_inline void lb_copy_v6(__u32 to[4], const struct in6_addr *from)
{
	to[0] = from->in6_u.u6_addr32[0];
	to[1] = from->in6_u.u6_addr32[1];
	to[2] = from->in6_u.u6_addr32[2];
	to[3] = from->in6_u.u6_addr32[3];
}

/* Whether so many bytes from l3 on are in the frame. */
static __always_inline bool lb_has(struct xdp_md *ctx, struct lb_packet *p, void *l3, void *end,
				   __u32 bytes)
{
	if (likely((long)bytes <= (long)end - (long)l3))
		return true;
	if (!cfg_frags)
		return false;
	p->frame_bytes = bpf_xdp_get_buff_len(ctx);
	return bytes + sizeof(struct ethhdr) <= p->frame_bytes;
}

/* Ports at l4, turned round in a quotation: that is of what the service sent. */
static __always_inline int lb_ports(struct lb_packet *p, void *l4, void *end)
{
	struct tcphdr *tcp = l4;
	struct udphdr *udp = l4;

	/* A quotation has eight bytes of it; both kinds begin with the ports. */
	if ((void *)(udp + 1) > end)
		return LB_MALFORMED;
	if (p->icmp) {
		p->service_port = udp->source;
		p->client_port = udp->dest;
		return LB_FORWARDED;
	}
	p->client_port = udp->source;
	p->service_port = udp->dest;
	if (p->proto == IPPROTO_TCP) {
		if ((void *)(tcp + 1) > end)
			return LB_MALFORMED;
		p->syn = tcp->syn && !tcp->ack;
	}
	return LB_FORWARDED;
}

/* The IPv4 packet quoted in an ICMP error. */
static __always_inline int lb_quoted_v4(struct lb_packet *p, void *l4, void *end)
{
	struct lb_icmp *icmp = l4;
	struct iphdr *ip = (void *)(icmp + 1);
	__u32 ihl;

	if ((void *)(icmp + 1) > end)
		return LB_MALFORMED;
	if (icmp->type != LB_ICMP_UNREACH && icmp->type != LB_ICMP_TIME_EXCEEDED &&
	    icmp->type != LB_ICMP_PARAMETER)
		return LB_NO_VIP;
	if ((void *)(ip + 1) > end)
		return LB_MALFORMED;
	ihl = ip->ihl * 4;
	if (ihl < sizeof(*ip))
		return LB_MALFORMED;
	/* Only the first fragment has ports. */
	if (ip->frag_off & bpf_htons(0x1fff))
		return LB_FRAGMENT;
	p->icmp = true;
	p->proto = ip->protocol;
	lb_map_v4(p->client, ip->daddr);
	lb_map_v4(p->service, ip->saddr);
	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP)
		return LB_NO_VIP;
	return lb_ports(p, (void *)ip + ihl, end);
}

static __always_inline int lb_parse_v4(struct xdp_md *ctx, struct lb_packet *p, void *l3, void *end)
{
	struct iphdr *ip = l3;
	__u32 ihl;

	if ((void *)(ip + 1) > end)
		return LB_MALFORMED;
	ihl = ip->ihl * 4;
	p->l3_bytes = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || ihl < sizeof(*ip) || p->l3_bytes < ihl ||
	    !lb_has(ctx, p, l3, end, p->l3_bytes))
		return LB_MALFORMED;
	p->proto = ip->protocol;
	p->tos = ip->tos;
	p->dont_frag = ip->frag_off & bpf_htons(0x4000);
	lb_map_v4(p->client, ip->saddr);
	lb_map_v4(p->service, ip->daddr);
	if (unlikely(ip->frag_off & bpf_htons(LB_FRAG_BITS)))
		return LB_FRAGMENT;
	if (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP)
		return lb_ports(p, l3 + ihl, end);
	if (p->proto == IPPROTO_ICMP)
		return lb_quoted_v4(p, l3 + ihl, end);
	return LB_NO_VIP;
}

static __always_inline int lb_quoted_v6(struct lb_packet *p, void *l4, void *end)
{
	struct lb_icmp6 *icmp = l4;
	struct ipv6hdr *ip = (void *)(icmp + 1);

	if ((void *)(icmp + 1) > end)
		return LB_MALFORMED;
	if (icmp->type >= LB_ICMP6_INFO)
		return LB_NO_VIP;
	if ((void *)(ip + 1) > end)
		return LB_MALFORMED;
	p->icmp = true;
	p->proto = ip->nexthdr;
	lb_copy_v6(p->client, &ip->daddr);
	lb_copy_v6(p->service, &ip->saddr);
	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP)
		return LB_NO_VIP;
	return lb_ports(p, ip + 1, end);
}

static __always_inline int lb_parse_v6(struct xdp_md *ctx, struct lb_packet *p, void *l3, void *end)
{
	struct ipv6hdr *ip = l3;
	void *at = ip + 1;
	__u32 bytes;
	__u8 next;

	if (at > end)
		return LB_MALFORMED;
	bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	if (ip->version != 6 || bytes > 0xffff || !lb_has(ctx, p, l3, end, bytes))
		return LB_MALFORMED;
	p->l3_bytes = bytes;
	p->v6 = true;
	p->dont_frag = true;
	p->tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
	lb_copy_v6(p->client, &ip->saddr);
	lb_copy_v6(p->service, &ip->daddr);
	next = ip->nexthdr;
	for (int i = 0; i < LB_EXT_HEADERS; i++) {
		struct ipv6_opt_hdr *ext = at;

		if (likely(next == IPPROTO_TCP || next == IPPROTO_UDP || next == IPPROTO_ICMPV6))
			break;
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS && next != IPPROTO_ROUTING)
			break;
		if ((void *)(ext + 1) > end)
			return LB_MALFORMED;
		next = ext->nexthdr;
		at += (ext->hdrlen + 1) * 8;
	}
	p->proto = next;
	if (next == IPPROTO_FRAGMENT)
		return LB_FRAGMENT;
	if (next == IPPROTO_TCP || next == IPPROTO_UDP)
		return lb_ports(p, at, end);
	if (next == IPPROTO_ICMPV6)
		return lb_quoted_v6(p, at, end);
	return LB_NO_VIP;
}

/* LB_FORWARDED: all fields are set. Else why it is no flow of ours, as far as headers tell. */
static __always_inline int lb_parse(struct xdp_md *ctx, struct lb_packet *p)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > end)
		return LB_MALFORMED;
	p->frame_bytes = end - data;
	if (likely(eth->h_proto == bpf_htons(ETH_P_IP)))
		return lb_parse_v4(ctx, p, eth + 1, end);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return lb_parse_v6(ctx, p, eth + 1, end);
	if (eth->h_proto == bpf_htons(ETH_P_8021Q) || eth->h_proto == bpf_htons(ETH_P_8021AD))
		return LB_VLAN;
	return LB_NO_VIP;
}

#endif
