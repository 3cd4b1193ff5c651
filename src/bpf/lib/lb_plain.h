/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The plain packet, which nearly all are: whole, in one buffer, Ethernet without tags, IPv4 without options or IPv6
 * without extension headers, TCP or UDP. What is needed of it stays in registers; everything else goes the long way
 * (lb_parse.h), which says the same of these.
 */
#ifndef NETPROBE_BPF_LIB_LB_PLAIN_H
#define NETPROBE_BPF_LIB_LB_PLAIN_H

#include "lb_parse.h"

#define LB_PLAIN_V4 (sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr))

/* An address as two words, as it is in memory; IPv4 v4-mapped. */
struct lb_plain_addr {
	__u64 hi, lo;
};

struct lb_plain {
	struct lb_plain_addr client, service;
	__u32 ports;	   /* client's, then the service's, as they are in the header */
	__u32 frame_bytes; /* from the Ethernet header to the end */
	__u32 l3_bytes;	   /* of the IP packet, by its own header */
	__u8 proto;	   /* TCP or UDP */
	__u8 tos;
	bool v6;
	bool syn; /* first packet of a TCP connection */
};

/* Of the transport header at l4, of so many bytes; false: not plain. */
static __always_inline bool lb_plain_l4(struct lb_plain *p, __u8 *l4, void *end, __u32 left)
{
	if (p->proto == IPPROTO_TCP) {
		if (left < sizeof(struct tcphdr) || (void *)(l4 + sizeof(struct tcphdr)) > end)
			return false;
		p->syn = (l4[13] & (FRAME_TCP_SYN | FRAME_TCP_ACK)) == FRAME_TCP_SYN;
	} else {
		if (p->proto != IPPROTO_UDP || left < sizeof(struct udphdr) ||
		    (void *)(l4 + sizeof(struct udphdr)) > end)
			return false;
		p->syn = false;
	}
	p->ports = *(__u32 *)l4;
	return true;
}

static __always_inline void lb_plain_v4_addr(struct lb_plain_addr *a, __u32 addr)
{
	a->hi = 0;
	a->lo = (__u64)addr << 32 | bpf_htonl(0xffff);
}

/* false: not plain, and nothing is said of it. */
static __always_inline bool lb_plain_parse(struct xdp_md *ctx, struct lb_plain *p)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	__u32 room;

	if (data + LB_PLAIN_V4 > end)
		return false;
	p->frame_bytes = end - data;
	room = p->frame_bytes - sizeof(*eth);
	if (likely(eth->h_proto == bpf_htons(ETH_P_IP))) {
		struct iphdr *ip = (void *)(eth + 1);

		if (*(__u8 *)ip != 0x45 || (ip->frag_off & bpf_htons(0x3fff)))
			return false;
		p->l3_bytes = bpf_ntohs(ip->tot_len);
		if (p->l3_bytes < sizeof(*ip) || p->l3_bytes > room)
			return false;
		p->v6 = false;
		p->proto = ip->protocol;
		p->tos = ip->tos;
		lb_plain_v4_addr(&p->client, ip->saddr);
		lb_plain_v4_addr(&p->service, ip->daddr);
		return lb_plain_l4(p, (__u8 *)(ip + 1), end, p->l3_bytes - sizeof(*ip));
	}
	if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(eth + 1);
		const __u64 *addr;

		if ((void *)(ip + 1) > end || ip->version != 6)
			return false;
		p->l3_bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip);
		if (p->l3_bytes > room)
			return false;
		p->v6 = true;
		p->proto = ip->nexthdr;
		p->tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
		addr = (const __u64 *)&ip->saddr;
		p->client.hi = addr[0];
		p->client.lo = addr[1];
		p->service.hi = addr[2];
		p->service.lo = addr[3];
		return lb_plain_l4(p, (__u8 *)(ip + 1), end, p->l3_bytes - sizeof(*ip));
	}
	return false;
}

#endif
