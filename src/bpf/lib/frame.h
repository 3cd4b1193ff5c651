/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A frame as it is on the wire, for XDP and tc: where its headers are and what is wrong with it.
 * lib/packet.h is not this: it reads socket buffers from tracing programs.
 *
 * Bounded for the verifier of 6.1: two VLAN tags, FRAME_EXTS extension headers, every header's
 * bytes compared with the end of the data before they are read. No helper is called unless the IP
 * header tells of more bytes than the linear part has.
 *
 *	struct frame f;
 *
 *	frame_parse_xdp(ctx, &f, cfg_frags);	or frame_parse_tc(skb, &f, false)
 *	if (!f.bad && f.proto == IPPROTO_TCP && f.l4) {
 *		struct tcphdr *tcp = f.l4;
 *
 *		if ((void *)(tcp + 1) <= f.end) ...
 *
 * f.l3 and f.l4 are packet pointers: they are gone after bpf_xdp_adjust_head, bpf_skb_pull_data and
 * their like. The verifier may have forgotten their bounds by the time they are used: compare again
 * with f.end, which costs one instruction.
 */
#ifndef NETPROBE_BPF_LIB_FRAME_H
#define NETPROBE_BPF_LIB_FRAME_H

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

#include "wire/frame.h"

#define FRAME_TAGS 2
#define FRAME_PPPOE 8 /* bytes of PPPoE's header and PPP's protocol */
#define FRAME_PPP_IPV4 0x0021
#define FRAME_PPP_IPV6 0x0057
#define FRAME_EXTS 182	 /* IPv6 extension headers looked through: all that 1,500 bytes hold */
#define FRAME_PULL 192U	 /* bytes made linear at tc where the headers are not */
#define FRAME_ICMP_LEN 8 /* both; <linux/icmp.h> brings in the C library */
#define FRAME_AF_INET 2	 /* <sys/socket.h> is not for the kernel half */
#define FRAME_AF_INET6 10

#define FRAME_WHOLE 0
#define FRAME_FIRST 1 /* first fragment: has the transport header */
#define FRAME_LATER 2 /* later fragment: has none, and no ports */

#define FRAME_TCP_FIN 0x01
#define FRAME_TCP_SYN 0x02
#define FRAME_TCP_RST 0x04
#define FRAME_TCP_ACK 0x10

struct frame {
	void *end;    /* one past the linear part */
	void *l3;     /* IP header, 20 or 40 bytes checked; NULL: no IP, or not to be read */
	void *l4;     /* transport header, of proto; NULL where there is none or it is cut short */
	__u32 len;    /* bytes of the whole frame */
	__u32 ip_len; /* bytes from the IP header to the packet's end, as IP says */
	__u32 l4_off; /* of the transport header from the IP header; 0 none */
	__be32 frag_id;	       /* of an IPv6 fragment; IPv4's is in its header */
	__u16 eth_type;	       /* ETH_P_*, host order, behind the tags; of 802.3 its length */
	__u16 tag[FRAME_TAGS]; /* tag control information, host order, outer first */
	__be16 sport, dport;   /* TCP, UDP, UDP-Lite, SCTP and DCCP; 0 else */
	__u8 tags;	       /* how many; at tc those that the device has not taken out */
	__u8 family;	       /* AF_INET, AF_INET6; 0 no IP */
	__u8 proto;	       /* IPPROTO_* above IP and its extension headers; 0 unknown */
	__u8 frag;	       /* FRAME_* */
	__u8 bad;	       /* NP_FRAME_*; the first fault found */
	__u8 tcp_flags;	       /* byte 13 of TCP's header */
	__u8 icmp_type, icmp_code;
	__u8 pppoe; /* 1: eth_type is what PPP carries, behind FRAME_PPPOE more bytes */
};

struct frame_tag {
	__be16 tci;
	__be16 type;
};

static __always_inline bool frame_is_tag(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

static __always_inline void frame_fault(struct frame *f, __u8 bad)
{
	if (!f->bad)
		f->bad = bad;
}

/* A transport header that is cut short: the sender's fault, or a fragment made to hide it. */
static __always_inline void frame_short_l4(struct frame *f)
{
	frame_fault(f, f->frag ? NP_FRAME_FRAG_TINY : NP_FRAME_SHORT_L4);
	f->l4 = NULL;
}

#define FRAME_PIECE 8	     /* bytes of payload that a fragment but the last has at least */
#define FRAME_PIECE_FLAGS 14 /* bytes of TCP's header up to its flags */

/*
 * A first fragment that ends within TCP's header, which Linux puts together all the same: ports are there
 * always. Flags that come with the next piece are taken for what is worst: one that opens a connection.
 */
static __always_inline void frame_tcp_piece(struct frame *f, __u32 left)
{
	__u8 *h = f->l4;

	if (f->frag != FRAME_FIRST || left < FRAME_PIECE || (void *)(h + FRAME_PIECE) > f->end)
		return;
	f->sport = ((__be16 *)h)[0];
	f->dport = ((__be16 *)h)[1];
	f->tcp_flags = FRAME_TCP_SYN;
	if (left >= FRAME_PIECE_FLAGS && (void *)(h + FRAME_PIECE_FLAGS) <= f->end)
		f->tcp_flags = h[13];
}

static __always_inline void frame_tcp(struct frame *f, __u32 left)
{
	struct tcphdr *h = f->l4;
	__u32 size;
	__u8 flags;

	if ((void *)(h + 1) > f->end || left < sizeof(*h)) {
		frame_tcp_piece(f, left);
		frame_short_l4(f);
		return;
	}
	f->sport = h->source;
	f->dport = h->dest;
	f->tcp_flags = flags = ((__u8 *)h)[13];
	size = (((__u8 *)h)[12] >> 4) * 4;
	if (size < sizeof(*h) || size > left)
		frame_fault(f, NP_FRAME_TCP_HEADER);
	/* After the first SYN every segment carries ACK, but for resets. */
	if (!(flags & (FRAME_TCP_SYN | FRAME_TCP_RST | FRAME_TCP_ACK)) ||
	    ((flags & FRAME_TCP_SYN) && (flags & (FRAME_TCP_FIN | FRAME_TCP_RST))))
		frame_fault(f, NP_FRAME_TCP_FLAGS);
	if (!h->dest)
		frame_fault(f, NP_FRAME_PORT_ZERO);
}

static __always_inline void frame_udp(struct frame *f, __u32 left)
{
	struct udphdr *h = f->l4;
	__u32 len;

	if ((void *)(h + 1) > f->end || left < sizeof(*h)) {
		frame_short_l4(f);
		return;
	}
	f->sport = h->source;
	f->dport = h->dest;
	len = bpf_ntohs(h->len);
	/* 0 is for jumbograms, and UDP-Lite has a coverage there. */
	if (f->proto == IPPROTO_UDP && f->frag == FRAME_WHOLE &&
	    (len > left || (len < sizeof(*h) && (len || left <= 0xffff))))
		frame_fault(f, NP_FRAME_UDP_LENGTH);
	if (!h->dest)
		frame_fault(f, NP_FRAME_PORT_ZERO);
}

static __always_inline void frame_icmp(struct frame *f, __u32 left)
{
	__u8 *h = f->l4;

	if ((void *)(h + FRAME_ICMP_LEN) > f->end || left < FRAME_ICMP_LEN) {
		frame_short_l4(f);
		return;
	}
	f->icmp_type = h[0];
	f->icmp_code = h[1];
}

static __always_inline void frame_l4(struct frame *f)
{
	__u32 left = f->ip_len > f->l4_off ? f->ip_len - f->l4_off : 0;

	switch (f->proto) {
	case IPPROTO_TCP:
		frame_tcp(f, left);
		break;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		frame_udp(f, left);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		frame_icmp(f, left);
		break;
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (f->l4 + 4 > f->end || left < 4) {
			frame_short_l4(f);
			break;
		}
		f->sport = ((__be16 *)f->l4)[0];
		f->dport = ((__be16 *)f->l4)[1];
		break;
	default:
		if (left == 0 || f->l4 > f->end)
			f->l4 = NULL;
	}
}

/* pos: bytes of payload in front of this one's; size: bytes of payload in it. */
static __always_inline void frame_fragment(struct frame *f, __u32 pos, bool more, __u32 size)
{
	if (!pos && !more)
		return;
	f->frag = pos ? FRAME_LATER : FRAME_FIRST;
	if (pos + size > 0xffff)
		frame_fault(f, NP_FRAME_FRAG_END);
	if (more && (size & 7))
		frame_fault(f, NP_FRAME_FRAG_SIZE);
}

/* What a frame is parsed out of: constants of the caller, but for data and ctx. */
struct frame_from {
	void *ctx;
	void *data;  /* begin of the linear part */
	bool is_xdp; /* ctx is a struct xdp_md, else a struct __sk_buff */
	bool frags;  /* at XDP: there may be more than the linear part */
	__be16 bare; /* not 0: the Ethernet header is not there, its type was this */
};

/*
 * Bytes of the frame from the IP header on. Asked for only when IP says more than the linear part has:
 * nearly no frame is in several buffers, and the helper is a call for each.
 */
static __always_inline __u32 frame_room(struct frame *f, const struct frame_from *from)
{
	__u32 l2 =
		sizeof(struct ethhdr) + f->tags * sizeof(struct frame_tag) + f->pppoe * FRAME_PPPOE;

	if (from->is_xdp && from->frags && f->ip_len + l2 > f->len)
		f->len = bpf_xdp_get_buff_len(from->ctx);
	return f->len - l2;
}

static __always_inline void frame_ipv4(struct frame *f, const struct frame_from *from, void *l3)
{
	struct iphdr *h = l3;
	__u32 size, off, room;

	if ((void *)(h + 1) > f->end) {
		frame_fault(f, NP_FRAME_SHORT_IP);
		return;
	}
	if (h->version != 4) {
		frame_fault(f, NP_FRAME_IP_VERSION);
		return;
	}
	f->l3 = l3;
	f->family = FRAME_AF_INET;
	f->proto = h->protocol;
	f->ip_len = bpf_ntohs(h->tot_len);
	room = frame_room(f, from);
	/* The stack merges received segments to more than the field can say. */
	if (!f->ip_len && room > 0xffff)
		f->ip_len = room;
	size = h->ihl * 4;
	if (size < sizeof(*h) || size > f->ip_len) {
		frame_fault(f, size < sizeof(*h) ? NP_FRAME_IP_HEADER : NP_FRAME_IP_LENGTH);
		return;
	}
	if (f->ip_len > room) {
		frame_fault(f, NP_FRAME_IP_LENGTH);
		return;
	}
	off = bpf_ntohs(h->frag_off);
	frame_fragment(f, (off & 0x1fff) * 8, off & 0x2000, f->ip_len - size);
	if (f->frag == FRAME_LATER)
		return;
	f->l4_off = size;
	f->l4 = l3 + size;
}

#define FRAME_IS_EXT                                                                    \
	(1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING | 1ULL << IPPROTO_FRAGMENT | \
	 1ULL << IPPROTO_AH | 1ULL << IPPROTO_DSTOPTS)

static __always_inline bool frame_is_ext(__u32 next)
{
	return next < 64 && (FRAME_IS_EXT >> next & 1);
}

/* What a walk over extension headers found: in one word, as a function of its own returns it. */
#define EXTS_NEXT(v) ((__u8)(v))	     /* protocol behind them */
#define EXTS_BAD(v) ((__u8)((v) >> 8))	     /* NP_FRAME_* */
#define EXTS_OFF(v) ((__u16)((v) >> 16))     /* where that begins, from the frame's begin */
#define EXTS_FRAG(v) ((__u16)((v) >> 32))    /* offset and flag of the fragment header */
#define EXTS_FRAG_AT(v) ((__u16)((v) >> 48)) /* end of the fragment header; 0 none */
#define EXTS_OFF_MASK 0x3fffU

static __always_inline __u64 exts_found(__u8 next, __u8 bad, __u32 off, __u64 frag)
{
	return (__u64)next | (__u64)bad << 8 | (__u64)off << 16 | frag << 32;
}

/* 1 where both are the same, else 0. */
static __always_inline __u32 exts_same(__u32 a, __u32 b)
{
	a ^= b;
	asm volatile("%0 += -1\n\t%0 >>= 31" : "+w"(a));
	return a;
}

/*
 * at_next: the first extension's number << 16 | where it begins. What a header is decides by arithmetic: the verifier
 * would follow each branch, for each header, through all that may come behind it.
 */
static __always_inline __u64 exts_walk(void *data, void *end, __u32 at_next)
{
	__u32 off = at_next & EXTS_OFF_MASK;
	__u32 next = at_next >> 16 & 0xff;
	__u64 frag = 0;

	for (int i = 0; i < FRAME_EXTS && frame_is_ext(next); i++) {
		__u32 ah = exts_same(next, IPPROTO_AH), fr = exts_same(next, IPPROTO_FRAGMENT);
		__u8 *ext = data + off;
		__u64 here;
		__u32 size;

		if ((void *)ext + 8 > end)
			return exts_found(next, NP_FRAME_EXT_SHORT, off, frag);
		/* In units of 8 bytes, of 4 for AH; that of a fragment header has no size in it. */
		size = ((ext[1] & (fr - 1)) + 1 + ah) << (3 - ah);
		here = (__u64)ext[2] << 8 | ext[3] | (__u64)(off + 8) << 16;
		frag ^= (frag ^ here) & -(__u64)fr;
		/* Behind a later fragment's header is no header: this makes it none of those looked through. */
		next = ext[0] | (__u32)(frag & 0xfff8) << 8;
		off += size;
		if (off > EXTS_OFF_MASK)
			return exts_found(next, NP_FRAME_EXT_SHORT, off, frag);
	}
	return exts_found(next, frame_is_ext(next) ? NP_FRAME_EXT_MANY : 0, off, frag);
}

/*
 * Global functions: verified once, whatever the state their callers are in. Walked in place, the
 * ways through six headers would be multiplied by all that comes behind them.
 */
__weak __noinline __u64 frame_exts_xdp(struct xdp_md *ctx, __u32 at_next)
{
	return exts_walk((void *)(long)ctx->data, (void *)(long)ctx->data_end, at_next);
}

__weak __noinline __u64 frame_exts_tc(struct __sk_buff *ctx, __u32 at_next)
{
	return exts_walk((void *)(long)ctx->data, (void *)(long)ctx->data_end, at_next);
}

/* Past the extension headers; false: no header there. */
static __always_inline bool frame_exts(struct frame *f, const struct frame_from *from, __u8 next)
{
	void *ctx = from->ctx, *data = from->data;
	__u32 l3_off = f->l3 - data, at = (__u32)next << 16 | (l3_off + sizeof(struct ipv6hdr));
	__u64 v = from->is_xdp ? frame_exts_xdp(ctx, at) : frame_exts_tc(ctx, at);
	__u32 off = EXTS_OFF(v) & EXTS_OFF_MASK;

	f->proto = EXTS_NEXT(v);
	if (EXTS_BAD(v)) {
		frame_fault(f, EXTS_BAD(v));
		return false;
	}
	f->l4_off = off - l3_off;
	if (f->l4_off > f->ip_len) {
		frame_fault(f, NP_FRAME_EXT_SHORT);
		return false;
	}
	if (EXTS_FRAG_AT(v)) {
		__be32 *id = data + ((EXTS_FRAG_AT(v) - sizeof(*id)) & EXTS_OFF_MASK);

		frame_fragment(f, EXTS_FRAG(v) & 0xfff8, EXTS_FRAG(v) & 1,
			       f->ip_len + l3_off - EXTS_FRAG_AT(v));
		if ((void *)(id + 1) <= f->end)
			f->frag_id = *id;
	}
	if (f->frag == FRAME_LATER) {
		f->l4_off = 0;
		return false;
	}
	f->l4 = data + off;
	return f->proto != IPPROTO_NONE;
}

static __always_inline void frame_ipv6(struct frame *f, const struct frame_from *from, void *l3)
{
	struct ipv6hdr *h = l3;
	__u32 size, room;

	if ((void *)(h + 1) > f->end) {
		frame_fault(f, NP_FRAME_SHORT_IP);
		return;
	}
	if (h->version != 6) {
		frame_fault(f, NP_FRAME_IP_VERSION);
		return;
	}
	f->l3 = l3;
	f->family = FRAME_AF_INET6;
	f->proto = h->nexthdr;
	size = bpf_ntohs(h->payload_len);
	/* 0: a jumbogram, or merged by the stack; else really nothing behind the header */
	f->ip_len = size + sizeof(*h);
	room = frame_room(f, from);
	if (!size && room > 0xffff)
		f->ip_len = room;
	if (f->ip_len > room) {
		frame_fault(f, NP_FRAME_IP_LENGTH);
		return;
	}
	if (!frame_is_ext(f->proto)) {
		f->l4_off = sizeof(*h);
		f->l4 = l3 + sizeof(*h);
		if (f->proto == IPPROTO_NONE)
			f->l4 = NULL;
	} else if (!frame_exts(f, from, f->proto)) {
		f->l4 = NULL;
	}
}

/* What a session of PPPoE (RFC 2516) carries, as an Ethernet type; else as it was. *pos: behind its header. */
static __always_inline __be16 frame_pppoe(struct frame *f, void **pos)
{
	__u8 *h = *pos;
	__u32 proto;

	/* Version and type 1, code 0: data. */
	if ((void *)(h + FRAME_PPPOE) > f->end || h[0] != 0x11 || h[1])
		return bpf_htons(ETH_P_PPP_SES);
	proto = (__u32)h[6] << 8 | h[7];
	if (proto != FRAME_PPP_IPV4 && proto != FRAME_PPP_IPV6)
		return bpf_htons(ETH_P_PPP_SES);
	f->pppoe = 1;
	*pos = h + FRAME_PPPOE;
	return proto == FRAME_PPP_IPV4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
}

/*
 * from->data..end: the linear part, from the Ethernet header on. len: bytes of the frame, as far as is
 * known without asking.
 */
static __always_inline void frame_parse(struct frame *f, const struct frame_from *from, void *end,
					__u32 len)
{
	void *data = from->data;
	struct ethhdr *eth = data;
	void *pos = data + sizeof(*eth);
	__be16 type;

	__builtin_memset(f, 0, sizeof(*f));
	f->end = end;
	f->len = len;
	if (from->bare) {
		f->len += sizeof(*eth);
		type = from->bare;
		pos = data;
	} else if (pos > end) {
		f->bad = NP_FRAME_SHORT_ETH;
		return;
	} else {
		type = eth->h_proto;
	}
#pragma unroll
	for (int i = 0; i < FRAME_TAGS; i++) {
		struct frame_tag *tag = pos;

		if (!frame_is_tag(type))
			break;
		if ((void *)(tag + 1) > end) {
			f->bad = NP_FRAME_SHORT_ETH;
			return;
		}
		f->tag[i] = bpf_ntohs(tag->tci);
		f->tags = i + 1;
		type = tag->type;
		pos = tag + 1;
	}
	if (type == bpf_htons(ETH_P_PPP_SES))
		type = frame_pppoe(f, &pos);
	f->eth_type = bpf_ntohs(type);
	if (type == bpf_htons(ETH_P_IP))
		frame_ipv4(f, from, pos);
	else if (type == bpf_htons(ETH_P_IPV6))
		frame_ipv6(f, from, pos);
	else if (from->is_xdp && from->frags)
		f->len = bpf_xdp_get_buff_len(from->ctx);
	if (frame_is_tag(type))
		f->bad = NP_FRAME_MANY_TAGS;
	/* Once for both: the code is there once, for the verifier as well. */
	if (f->l4)
		frame_l4(f);
}

/*
 * At XDP. frags: the program takes frames in several buffers (BPF_F_XDP_HAS_FRAGS, since 5.18); false
 * from read-only data, and the verifier of an older kernel never meets the helper.
 */
static __always_inline void frame_parse_xdp(struct xdp_md *ctx, struct frame *f, bool frags)
{
	struct frame_from from = {
		.ctx = ctx, .data = (void *)(long)ctx->data, .is_xdp = true, .frags = frags
	};
	void *end = (void *)(long)ctx->data_end;

	frame_parse(f, &from, end, (__u32)(end - from.data));
}

/*
 * Behind generic XDP tc may be given a packet from the IP header on: where the kernel had to copy it to make room, its
 * length of the hardware's header is lost (6.18). The header is still in front of it.
 */
static __always_inline bool frame_is_bare(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u16 mac[ETH_HLEN / 2], *here = data;

	if (bpf_skb_load_bytes_relative(skb, 0, mac, sizeof(mac), BPF_HDR_START_MAC) ||
	    data + sizeof(mac) > end)
		return false;
	return here[0] != mac[0] || here[1] != mac[1] || here[2] != mac[2] || here[6] != mac[6];
}

/*
 * At tc: may make the headers linear, so packet pointers of before are gone. behind: behind generic XDP, on the way
 * in.
 */
static __always_inline void frame_parse_tc(struct __sk_buff *skb, struct frame *f, bool behind)
{
	__u32 want = skb->len < FRAME_PULL ? skb->len : FRAME_PULL;
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__be16 bare = 0;

	if (data + want > end) {
		(void)bpf_skb_pull_data(skb, want);
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
	}
	if (behind && frame_is_bare(skb))
		bare = skb->protocol;
	frame_parse(f, &(struct frame_from){ .ctx = skb, .data = data, .bare = bare }, end,
		    skb->len);
}

#endif
