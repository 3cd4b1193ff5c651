/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the balancer must know of a frame: whose flow it belongs to. Of an ICMP error that is the flow
 * of the packet quoted in it, turned round: a backend sent that one to the client.
 */
#ifndef NETPROBE_BPF_LIB_LB_PARSE_H
#define NETPROBE_BPF_LIB_LB_PARSE_H

#include "frame.h"
#include "wire/lb.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

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
	__u32 frame_bytes;		 /* from the Ethernet header to the end */
	__u32 client[4];		 /* network order; IPv4 v4-mapped */
	__u32 service[4];		 /* the same: perhaps a VIP */
	__u16 client_port, service_port; /* network order */
	__u16 l3_bytes;			 /* of the IP packet, by its own header */
	__u8 proto;			 /* of the flow: TCP or UDP */
	__u8 tos;
	__u8 tags; /* VLAN tags in front, at most two */
	__u8 frag; /* FRAME_* */
	__u8 v6;
	__u8 syn;	/* first packet of a TCP connection */
	__u8 icmp;	/* ICMP error about the flow */
	__u8 dont_frag; /* IPv4's flag; IPv6 always */
	__u32 frag_id;	/* as it is in the header; of fragments */
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

/* Ports of a quotation, which has eight bytes of the transport header: of what the service sent. */
static __always_inline int lb_quoted_ports(struct lb_packet *p, void *l4, void *end)
{
	struct udphdr *udp = l4;

	if ((void *)(udp + 1) > end)
		return LB_MALFORMED;
	p->service_port = udp->source;
	p->client_port = udp->dest;
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
	return lb_quoted_ports(p, (void *)ip + ihl, end);
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
	return lb_quoted_ports(p, ip + 1, end);
}

/* What the IP header says; false: it cannot be read. */
static __always_inline bool lb_addresses(struct lb_packet *p, const struct frame *f)
{
	if (likely(f->family == FRAME_AF_INET)) {
		struct iphdr *ip = f->l3;

		if (!ip || (void *)(ip + 1) > f->end)
			return false;
		p->tos = ip->tos;
		p->dont_frag = !!(ip->frag_off & bpf_htons(0x4000));
		p->frag_id = ip->id;
		lb_map_v4(p->client, ip->saddr);
		lb_map_v4(p->service, ip->daddr);
	} else {
		struct ipv6hdr *ip = f->l3;

		if (!ip || (void *)(ip + 1) > f->end)
			return false;
		p->tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
		p->dont_frag = true;
		p->v6 = true;
		p->frag_id = f->frag_id;
		lb_copy_v6(p->client, &ip->saddr);
		lb_copy_v6(p->service, &ip->daddr);
	}
	return true;
}

/*
 * LB_FORWARDED: all fields are set. Else why it is no flow of ours, as far as headers tell. A global
 * function: in place, the ways through the headers would be multiplied by all that follows. p: zeroed.
 */
__weak __noinline int lb_parse(struct xdp_md *ctx, struct lb_packet *p)
{
	struct frame f;

	if (!p)
		return LB_MALFORMED;
	frame_parse_xdp(ctx, &f, cfg_frags);
	/* Through a session of PPPoE comes what is for this host: nothing is sent on in it. */
	if (unlikely(f.pppoe))
		return LB_VLAN;
	if (unlikely(!f.family))
		return f.bad == NP_FRAME_MANY_TAGS ? LB_VLAN : f.bad ? LB_MALFORMED : LB_NO_VIP;
	if (unlikely(f.bad == NP_FRAME_IP_HEADER || f.bad == NP_FRAME_IP_LENGTH ||
		     f.ip_len > 0xffff || !lb_addresses(p, &f)))
		return LB_MALFORMED;
	p->frame_bytes = f.len;
	p->l3_bytes = f.ip_len;
	p->proto = f.proto;
	p->tags = f.tags;
	p->frag = f.frag;
	if (unlikely(f.frag == FRAME_LATER))
		return LB_FRAGMENT;
	if (likely(p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP)) {
		if (unlikely(!f.l4))
			return LB_MALFORMED;
		p->client_port = f.sport;
		p->service_port = f.dport;
		p->syn = (f.tcp_flags & (FRAME_TCP_SYN | FRAME_TCP_ACK)) == FRAME_TCP_SYN;
		return LB_FORWARDED;
	}
	if (!f.l4)
		return f.bad ? LB_MALFORMED : LB_NO_VIP;
	if (p->proto == IPPROTO_ICMP && !p->v6)
		return lb_quoted_v4(p, f.l4, f.end);
	if (p->proto == IPPROTO_ICMPV6 && p->v6)
		return lb_quoted_v6(p, f.l4, f.end);
	return LB_NO_VIP;
}

#endif
