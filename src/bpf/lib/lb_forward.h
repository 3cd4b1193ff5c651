/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a packet and a backend to a frame on its way: another IP header in front or none, the next hop's
 * hardware address, out where the route says. And what a client is told whose packet does not fit.
 */
#ifndef NETPROBE_BPF_LIB_LB_FORWARD_H
#define NETPROBE_BPF_LIB_LB_FORWARD_H

#include "lb_parse.h"

#define LB_TTL 64
#define LB_QUOTE_V4 (sizeof(struct iphdr) + 8)	  /* what every ICMP error must quote */
#define LB_QUOTE_V6 (sizeof(struct ipv6hdr) + 20) /* a whole TCP header */

static __always_inline __u16 lb_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* Last of an address of ours: the IPv4 address in it. */
static __always_inline __u32 lb_v4_of(const __u8 addr[16])
{
	return ((const __u32 *)addr)[3];
}

struct lb_links_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LB_LINKS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct lb_link);
};
extern struct lb_links_map lb_links SEC(".maps");

/*
 * Ask the kernel for the way to a backend; LB_FORWARDED when nh has it. A full look-up costs more than
 * all the rest of a known flow's packet, so each processor keeps the answer for a tick.
 */
static __noinline int lb_ask_route(struct xdp_md *ctx, struct lb_backend *b, struct lb_nexthop *nh,
				   __u32 now)
{
	struct bpf_fib_lookup fib = {};
	struct lb_link *link;
	__u32 out;
	long r;

	fib.ifindex = ctx->ingress_ifindex;
	fib.tot_len = 1; /* fits: comes back as the MTU of the route */
	if (b->v6) {
		fib.family = FRAME_AF_INET6;
		__builtin_memcpy(fib.ipv6_src, b->src, 16);
		__builtin_memcpy(fib.ipv6_dst, b->addr, 16);
	} else {
		fib.family = FRAME_AF_INET;
		fib.ipv4_src = lb_v4_of(b->src);
		fib.ipv4_dst = lb_v4_of(b->addr);
	}
	r = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	if (r == BPF_FIB_LKUP_RET_NO_NEIGH)
		return LB_NO_NEIGHBOUR;
	if (r == BPF_FIB_LKUP_RET_FWD_DISABLED)
		return LB_NO_FORWARDING;
	if (r != BPF_FIB_LKUP_RET_SUCCESS)
		return LB_NO_ROUTE;
	out = fib.ifindex;
	/* At a VLAN device itself frames have no tag. */
	link = out == ctx->ingress_ifindex ? NULL : bpf_map_lookup_elem(&lb_links, &out);
	nh->ifindex = link ? link->ifindex : out;
	nh->tags = link ? link->tags : 0;
	if (link)
		__builtin_memcpy(nh->tag, link->tag, sizeof(nh->tag));
	nh->mtu = fib.mtu_result > 1 ? fib.mtu_result : 1500;
	__builtin_memcpy(nh->dmac, fib.dmac, ETH_ALEN);
	__builtin_memcpy(nh->smac, fib.smac, ETH_ALEN);
	nh->uid = b->uid;
	nh->seen = now;
	return LB_FORWARDED;
}

/* Of the packet that an outer header is put in front of. */
struct lb_inner {
	__u16 l3_bytes;
	__u8 tos;
	bool v6;
};

static __always_inline struct lb_inner lb_inner_of(const struct lb_packet *p)
{
	return (struct lb_inner){ .l3_bytes = p->l3_bytes, .tos = p->tos, .v6 = p->v6 };
}

static __always_inline void lb_outer_v4(struct iphdr *ip, struct lb_inner in,
					const struct lb_backend *b)
{
	__u16 total = bpf_htons(in.l3_bytes + sizeof(*ip));
	__u8 proto = in.v6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
	__u32 src = lb_v4_of(b->src), dst = lb_v4_of(b->addr);
	__u64 sum;

	ip->version = 4;
	ip->ihl = 5;
	ip->tos = in.tos; /* both congestion bits too, RFC 6040 */
	ip->tot_len = total;
	ip->id = 0;
	ip->frag_off = bpf_htons(0x4000);
	ip->ttl = LB_TTL;
	ip->protocol = proto;
	ip->saddr = src;
	ip->daddr = dst;
	sum = bpf_htons(0x4500 | in.tos) + (__u64)total + bpf_htons(0x4000) +
	      bpf_htons(LB_TTL << 8 | proto) + src + dst;
	ip->check = lb_fold(sum);
}

static __always_inline void lb_outer_v6(struct ipv6hdr *ip, struct lb_inner in,
					const struct lb_backend *b, __u32 hash)
{
	/* The label spreads flows over the receiver's queues, RFC 6438. */
	*(__u32 *)ip = bpf_htonl(6u << 28 | (__u32)in.tos << 20 | (hash & 0xfffff));
	ip->payload_len = bpf_htons(in.l3_bytes);
	ip->nexthdr = in.v6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
	ip->hop_limit = LB_TTL;
	__builtin_memcpy(&ip->saddr, b->src, 16);
	__builtin_memcpy(&ip->daddr, b->addr, 16);
}

static __always_inline void lb_ethernet(struct ethhdr *eth, const struct lb_nexthop *nh, bool v6)
{
	__builtin_memcpy(eth->h_dest, nh->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, nh->smac, ETH_ALEN);
	eth->h_proto = v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
}

static __always_inline __u32 lb_overhead(const struct lb_backend *b)
{
	if (b->forward == LB_FORWARD_MAC)
		return 0;
	return b->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

/* Bytes in front of the IP header, of a frame with so many tags. */
static __always_inline __u32 lb_l2(__u32 tags)
{
	return sizeof(struct ethhdr) + (tags & 3) * sizeof(struct frame_tag);
}

/* Ethernet header and room for two tags: more than that is never in front of an IP header here. */
struct lb_l2_bytes {
	__u8 dst[ETH_ALEN], src[ETH_ALEN];
	__be16 w[1 + 2 * FRAME_TAGS]; /* type; of a tag: then its bits, and another type */
};

/* Tags in front of what goes out: those of the way, else as they came in; then the type. */
static __always_inline void lb_tag(struct lb_l2_bytes *l2, const struct lb_packet *p,
				   const struct lb_nexthop *nh, bool v6)
{
	__be16 type = v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP), mask = bpf_htons(0xf000);
	__u32 tags = nh->tags ?: p->tags;

	/* Priority and drop bits stay those of the packet. */
	if (nh->tags) {
		l2->w[1] = (p->tags > 0 ? l2->w[1] & mask : 0) | bpf_htons(nh->tag[0].vid);
		l2->w[0] = nh->tag[0].proto_be;
	}
	if (nh->tags > 1) {
		l2->w[3] = (p->tags > 1 ? l2->w[3] & mask : 0) | bpf_htons(nh->tag[1].vid);
		l2->w[2] = nh->tag[1].proto_be;
	}
	if (tags == 0)
		l2->w[0] = type;
	else if (tags == 1)
		l2->w[2] = type;
	else
		l2->w[4] = type;
}

/* A tagged frame, or one whose way is tagged: apart, because nearly none is. */
static __noinline int lb_rewrite_tagged(struct xdp_md *ctx, const struct lb_packet *p,
					const struct lb_backend *b, const struct lb_nexthop *nh,
					__u32 hash)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 overhead = lb_overhead(b), tags = nh->tags ?: p->tags;
	bool outer_v6 = overhead ? b->v6 : p->v6;
	struct lb_l2_bytes l2;
	void *ip;

	if (data + sizeof(l2) > end)
		return LB_MALFORMED;
	__builtin_memcpy(&l2, data, sizeof(l2));
	lb_tag(&l2, p, nh, outer_v6);
	__builtin_memcpy(l2.dst, nh->dmac, ETH_ALEN);
	__builtin_memcpy(l2.src, nh->smac, ETH_ALEN);
	if (bpf_xdp_adjust_head(ctx, (int)lb_l2(p->tags) - (int)lb_l2(tags) - (int)overhead))
		return LB_NO_ROOM;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + sizeof(l2) > end)
		return LB_MALFORMED;
	/* No more of it than there is: behind fewer tags is the packet already. */
	__builtin_memcpy(data, &l2, sizeof(struct ethhdr));
	if (tags > 0)
		__builtin_memcpy(data + lb_l2(0), &l2.w[1], sizeof(struct frame_tag));
	if (tags > 1)
		__builtin_memcpy(data + lb_l2(1), &l2.w[3], sizeof(struct frame_tag));
	ip = data + lb_l2(tags);
	if (ip + sizeof(struct ipv6hdr) > end)
		return overhead ? LB_MALFORMED : LB_FORWARDED;
	if (overhead && b->v6)
		lb_outer_v6(ip, lb_inner_of(p), b, hash);
	else if (overhead)
		lb_outer_v4(ip, lb_inner_of(p), b);
	return LB_FORWARDED;
}

/* LB_FORWARDED: the frame is ready to go out at nh; no tags are about. */
static __always_inline int lb_push(struct xdp_md *ctx, struct lb_inner in,
				   const struct lb_backend *b, const struct lb_nexthop *nh,
				   __u32 hash)
{
	__u32 overhead = lb_overhead(b);
	struct ethhdr *eth;
	void *end;

	if (overhead && bpf_xdp_adjust_head(ctx, -(int)overhead))
		return LB_NO_ROOM;
	eth = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if ((void *)(eth + 1) > end)
		return LB_MALFORMED;
	lb_ethernet(eth, nh, overhead ? b->v6 : in.v6);
	if (!overhead)
		return LB_FORWARDED;
	if (b->v6) {
		if ((void *)(eth + 1) + sizeof(struct ipv6hdr) > end)
			return LB_MALFORMED;
		lb_outer_v6((void *)(eth + 1), in, b, hash);
	} else {
		if ((void *)(eth + 1) + sizeof(struct iphdr) > end)
			return LB_MALFORMED;
		lb_outer_v4((void *)(eth + 1), in, b);
	}
	return LB_FORWARDED;
}

static __always_inline int lb_rewrite(struct xdp_md *ctx, const struct lb_packet *p,
				      const struct lb_backend *b, const struct lb_nexthop *nh,
				      __u32 hash)
{
	if (unlikely(p->tags | nh->tags))
		return lb_rewrite_tagged(ctx, p, b, nh, hash);
	return lb_push(ctx, lb_inner_of(p), b, nh, hash);
}

static __always_inline int lb_out(struct xdp_md *ctx, const struct lb_nexthop *nh)
{
	if (nh->ifindex == ctx->ingress_ifindex)
		return XDP_TX;
	return bpf_redirect(nh->ifindex, 0);
}

/*
 * The packet is cut down to what an answer quotes of it, with so many bytes of new headers in front,
 * and goes back to where it came from, tags included. The new headers begin at the result; NULL: no.
 * tags, frame_bytes: lb_packet's. By value: 7.3 takes what is read through a pointer into the stack of a caller's caller
 * for never read, forgets it, and then refuses the program (-EACCES, "slot poisoned by dead code elimination").
 */
static __always_inline void *lb_turn_back(struct xdp_md *ctx, __u32 tags, __u32 frame_bytes,
					  __u32 quote, __u32 headers)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 l2 = lb_l2(tags);
	struct lb_l2_bytes was;
	__u8 mac[ETH_ALEN];

	if (data + sizeof(was) > end)
		return NULL;
	__builtin_memcpy(&was, data, sizeof(was));
	__builtin_memcpy(mac, was.dst, ETH_ALEN);
	__builtin_memcpy(was.dst, was.src, ETH_ALEN);
	__builtin_memcpy(was.src, mac, ETH_ALEN);
	if (bpf_xdp_adjust_tail(ctx, (int)(l2 + quote - frame_bytes)) ||
	    bpf_xdp_adjust_head(ctx, -(int)headers))
		return NULL;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + sizeof(was) > end)
		return NULL;
	/* What is too much of it is written over by the new headers. */
	__builtin_memcpy(data, &was, sizeof(was));
	return data + l2;
}

/* "Fragmentation needed" in place of the packet, as from the VIP; true: send it back. */
static __noinline bool lb_tell_v4(struct xdp_md *ctx, __u32 tags, __u32 frame_bytes, __u32 mtu)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + lb_l2(tags), *quoted;
	struct lb_icmp *icmp;
	long r;

	if ((void *)(ip + 1) > end || ip->ihl != 5)
		return false;
	ip = lb_turn_back(ctx, tags, frame_bytes, LB_QUOTE_V4, sizeof(*ip) + sizeof(*icmp));
	if (!ip)
		return false;
	end = (void *)(long)ctx->data_end;
	icmp = (void *)(ip + 1);
	quoted = (void *)(icmp + 1);
	if ((void *)quoted + LB_QUOTE_V4 > end)
		return false;
	__builtin_memset(ip, 0, sizeof(*ip) + sizeof(*icmp));
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = bpf_htons(sizeof(*ip) + sizeof(*icmp) + LB_QUOTE_V4);
	ip->ttl = LB_TTL;
	ip->protocol = IPPROTO_ICMP;
	ip->saddr = quoted->daddr;
	ip->daddr = quoted->saddr;
	r = bpf_csum_diff(NULL, 0, (void *)ip, sizeof(*ip), 0);
	ip->check = lb_fold((__u32)r);
	icmp->type = LB_ICMP_UNREACH;
	icmp->code = LB_ICMP_FRAG_NEEDED;
	icmp->mtu = bpf_htons(mtu);
	r = bpf_csum_diff(NULL, 0, (void *)icmp, sizeof(*icmp) + LB_QUOTE_V4, 0);
	icmp->sum = lb_fold((__u32)r);
	return true;
}

static __noinline bool lb_tell_v6(struct xdp_md *ctx, __u32 tags, __u32 frame_bytes, __u32 mtu)
{
	struct ipv6hdr *ip, *quoted;
	struct lb_icmp6 *icmp;
	__u32 pseudo[2];
	void *end;
	long r;

	ip = lb_turn_back(ctx, tags, frame_bytes, LB_QUOTE_V6, sizeof(*ip) + sizeof(*icmp));
	if (!ip)
		return false;
	end = (void *)(long)ctx->data_end;
	icmp = (void *)(ip + 1);
	quoted = (void *)(icmp + 1);
	if ((void *)quoted + LB_QUOTE_V6 > end)
		return false;
	__builtin_memset(ip, 0, sizeof(*ip) + sizeof(*icmp));
	ip->version = 6;
	ip->payload_len = bpf_htons(sizeof(*icmp) + LB_QUOTE_V6);
	ip->nexthdr = IPPROTO_ICMPV6;
	ip->hop_limit = LB_TTL;
	ip->saddr = quoted->daddr;
	ip->daddr = quoted->saddr;
	icmp->type = LB_ICMP6_TOO_BIG;
	icmp->mtu = bpf_htonl(mtu);
	pseudo[0] = bpf_htonl(sizeof(*icmp) + LB_QUOTE_V6);
	pseudo[1] = bpf_htonl(IPPROTO_ICMPV6);
	r = bpf_csum_diff(NULL, 0, pseudo, sizeof(pseudo), 0);
	r = bpf_csum_diff(NULL, 0, (void *)&ip->saddr, 2 * sizeof(ip->saddr), (__u32)r);
	r = bpf_csum_diff(NULL, 0, (void *)icmp, sizeof(*icmp) + LB_QUOTE_V6, (__u32)r);
	icmp->sum = lb_fold((__u32)r);
	return true;
}

#endif
