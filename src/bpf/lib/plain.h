/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The plain packet, which nearly every one is: Ethernet, IPv4 without options or IPv6 without extension
 * headers, whole, TCP or UDP, without a fault. It is decided here in about a hundred instructions, its
 * headers read where they are; nothing of it is kept in memory. Whatever is not plain, or asks for more than a
 * look (an entry near its source, a source that is new, a bucket that has run dry), has changed nothing yet and
 * goes the whole way. Both ways say and count the same of every packet: tests/live/guard_plain.c.
 */
#ifndef NETPROBE_BPF_LIB_PLAIN_H
#define NETPROBE_BPF_LIB_PLAIN_H

#include "ban.h"
#include "count.h"
#include "limit.h"

/* What becomes of a packet, beside XDP_PASS and XDP_DROP. */
#define GO_COOKIE 16 /* np_guard_syn has a look at it */
#define GO_WHOLE 17  /* the whole way */

#define PLAIN_TYPE 12 /* of the Ethernet header */
#define PLAIN_L3 ((__u32)sizeof(struct ethhdr))
#define PLAIN_L4(v6) (PLAIN_L3 + (__u32)((v6) ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)))
#define PLAIN_NOT_WHOLE 0x3fff /* IPv4's bits of a fragment */

#define AT(type, data, off) (*(type *)((data) + (off)))

/* Whether so many bytes from p on are there. The compiler would keep where they end, and has four registers. */
static __always_inline bool within(void *p, __u32 bytes, void *end)
{
	asm volatile("%0 += %1" : "+r"(p) : "i"(bytes));
	return p <= end;
}

static __always_inline bool plain_tcp(void *data, bool v6, void *end, __u32 left)
{
	void *h = data + PLAIN_L4(v6);
	__u32 size;
	__u8 flags;

	if (!within(data, PLAIN_L4(v6) + sizeof(struct tcphdr), end))
		return false;
	size = (AT(__u8, h, 12) >> 4) * 4;
	flags = AT(__u8, h, 13);
	if (size < sizeof(struct tcphdr) || size > left || !AT(__be16, h, 2))
		return false;
	if (likely((flags & (FRAME_TCP_SYN | FRAME_TCP_ACK)) == FRAME_TCP_ACK))
		return true;
	/* As frame_tcp() has it. */
	return (flags & (FRAME_TCP_SYN | FRAME_TCP_RST | FRAME_TCP_ACK)) &&
	       !((flags & FRAME_TCP_SYN) && (flags & (FRAME_TCP_FIN | FRAME_TCP_RST)));
}

static __always_inline bool plain_udp(void *data, bool v6, void *end, __u32 left)
{
	void *h = data + PLAIN_L4(v6);
	__u32 len;

	if (!within(data, PLAIN_L4(v6) + sizeof(struct udphdr), end))
		return false;
	len = bpf_ntohs(AT(__be16, h, 4));
	return len >= sizeof(struct udphdr) && len <= left && AT(__be16, h, 2);
}

/* Bytes behind an IP header that has nothing special; 0: it has, or does not fit the frame. */
static __always_inline __u32 plain_ip(void *data, bool v6, __u32 len)
{
	__u32 left;

	if (v6) {
		left = bpf_ntohs(AT(__be16, data, PLAIN_L3 + 4));
		return AT(__u8, data, PLAIN_L3) >> 4 == 6 && left + PLAIN_L4(true) <= len ? left
											  : 0;
	}
	left = bpf_ntohs(AT(__be16, data, PLAIN_L3 + 2));
	if (AT(__u8, data, PLAIN_L3) != 0x45 ||
	    (AT(__be16, data, PLAIN_L3 + 6) & bpf_htons(PLAIN_NOT_WHOLE)) ||
	    left < sizeof(struct iphdr) || left + PLAIN_L3 > len)
		return 0;
	return left - sizeof(struct iphdr);
}

/* Halves of the source and of the destination as they are in memory, IPv4 as ::ffff:a.b.c.d. */
#define PLAIN_SRC(v6) (PLAIN_L3 + ((v6) ? 8 : 12))
#define PLAIN_DST(v6) (PLAIN_SRC(v6) + ((v6) ? 16 : 4))

static __always_inline __u64 plain_hi(void *data, bool v6, __u32 at)
{
	return v6 ? AT(__u64, data, at) : 0;
}

static __always_inline __u64 plain_lo(void *data, bool v6, __u32 at)
{
	return v6 ? AT(__u64, data, at + 8) : (__u64)AT(__u32, data, at) << 32 | bpf_htonl(0xffff);
}

/*
 * As near4() has it, but the address is read again behind the look-up: with it, the frame and the settings kept over
 * calls, one of them would be on the stack.
 */
static __always_inline bool plain_near4(void *data, __u32 set)
{
	__u32 bit = bpf_ntohl(AT(__be32, data, PLAIN_SRC(false))) >> 8;
	__u32 word = set * NP_GUARD_BITS4_WORDS + (bit >> 6);
	__u64 *bits = bpf_map_lookup_elem(&np_bits4, &word);

	if (unlikely(!bits))
		return false;
	bit = bpf_ntohl(AT(__be32, data, PLAIN_SRC(false))) >> 8;
	return *bits >> (bit & 63) & 1;
}

static __always_inline bool plain_near(void *data, bool v6, __u32 set)
{
	return v6 ? near6(data + PLAIN_SRC(true), set) : plain_near4(data, set);
}

/* Not kept either: two loads are as cheap as one from the stack. */
static __always_inline __u64 plain_len(struct xdp_md *ctx)
{
	return (void *)(long)ctx->data_end - (void *)(long)ctx->data;
}

/* Once in a jiffy: out of the way of the other packets. */
static __noinline int plain_refill(struct np_guard_source *s, volatile struct np_guard_policy *p,
				   __u64 now)
{
	refill(s, p->limit[NP_PER_SOURCE], now);
	return 0;
}

/* A packet for the usual second of its destination; false: not counted, there is more to be done. */
static __always_inline bool plain_dest(__u64 hi, __u64 lo, __u32 proto, __u32 tick)
{
	__u64 id = dest_id(hi, lo, proto);
	__u32 slot = dest_slot(id);
	struct np_guard_dest *d = bpf_map_lookup_elem(&np_dests, &slot);

	if (!d)
		return false;
	if (likely(d->id == id)) {
		if (tick - d->window >= WINDOW_TICKS)
			return false;
		d->count++;
		return true;
	}
	/* Another's, which keeps it. */
	return d->id && tick - d->window < SCAN_TICKS;
}

/* Whether detection only counts it: it opens nothing and asks nothing. */
static __always_inline bool plain_quiet(void *l4, __u32 proto)
{
	__u16 sport = bpf_ntohs(AT(__be16, l4, 0));

	if (proto == IPPROTO_TCP)
		return (AT(__u8, l4, 13) & (FRAME_TCP_SYN | FRAME_TCP_ACK)) != FRAME_TCP_SYN;
	return bpf_ntohs(AT(__be16, l4, 2)) >= SYSTEM_PORTS && !is_amplifier(sport);
}

/*
 * Limits and detection of a source that is known: true: it passes, and is counted. Before that nothing is
 * changed but the buckets' filling, which is the same whoever does it. In place: a call is as dear as all of it.
 */
static __always_inline bool plain_limits(volatile struct np_guard_conf *conf,
					 volatile struct np_guard_policy *p, struct xdp_md *ctx,
					 void *data, bool v6, __u32 proto)
{
	void *l4 = data + PLAIN_L4(v6);
	__u64 hi = plain_hi(data, v6, PLAIN_SRC(v6)), lo = plain_lo(data, v6, PLAIN_SRC(v6));
	struct np_guard_source_set *places;
	struct np_guard_source *s;
	__u32 on = p->limit_on, detects = p->detect;
	__u64 now, pps = 0, bytes = 0;

	if (!plain_quiet(l4, proto) || (on & 1 << NP_PER_PREFIX))
		return false;
	if (unlikely(on & NP_LIMIT_ON_PORTS) &&
	    (p->limit_ports & NP_GUARD_PORT_BIT(bpf_ntohs(AT(__be16, l4, 2)))))
		return false;
	/* Whether a datagram begins a flow has to be looked up. */
	if (cfg_flows && on && proto == IPPROTO_UDP)
		return false;
	places = source_set(hi, lo, 1 + NP_PER_SOURCE, conf->seed);
	s = places ? source_find(places, hi, lo, 1 + NP_PER_SOURCE) : NULL;
	if (unlikely(!s))
		return false;
	now = guard_now();
	if (detects && (s->banned_until || NP_GUARD_TICK(now) - s->window >= WINDOW_TICKS))
		return false;
	if (on & 1 << NP_PER_SOURCE) {
		if (unlikely(s->refilled_ns != now))
			plain_refill(s, p, now);
		pps = p->limit[NP_PER_SOURCE][NP_LIMIT_PPS].rate ? 1 << 16 : 0;
		bytes = p->limit[NP_PER_SOURCE][NP_LIMIT_BYTES].rate ? plain_len(ctx) << 16 : 0;
		if (unlikely(s->tokens[NP_LIMIT_PPS] < pps || s->tokens[NP_LIMIT_BYTES] < bytes))
			return false;
	}
	if (detects) {
		if (!plain_dest(plain_hi(data, v6, PLAIN_DST(v6)),
				plain_lo(data, v6, PLAIN_DST(v6)), proto, NP_GUARD_TICK(now)))
			return false;
		if (proto == IPPROTO_TCP)
			s->others++;
		else
			s->udp++;
	}
	if (on & 1 << NP_PER_SOURCE) {
		s->tokens[NP_LIMIT_PPS] -= pps;
		s->tokens[NP_LIMIT_BYTES] -= bytes;
	}
	return true;
}

/* XDP_PASS, XDP_DROP, GO_WHOLE or GO_COOKIE. */
static __always_inline int plain_filter(struct xdp_md *ctx, void *data, bool v6, __u32 proto)
{
	volatile struct np_guard_conf *conf = guard_conf();
	volatile struct np_guard_policy *p;
	__u64 state;

	if (!conf || conf->off)
		return GO_WHOLE;
	state = conf->state;
	/* While a change waits to be confirmed, the clock has a say. */
	if (unlikely(state >> 32))
		return GO_WHOLE;
	p = &conf->policy[state & 1];
	if (unlikely(plain_near(data, v6, state & 1))) {
		__u64 hi = plain_hi(data, v6, PLAIN_SRC(v6)),
		      lo = plain_lo(data, v6, PLAIN_SRC(v6));

		if (hot_hit(hot_slot(hi, lo), hi, lo, NP_GUARD_HOT_SET(state & 1, p->build)))
			return XDP_DROP;
		return GO_WHOLE;
	}
	/* Both bytes at once: detect and limit_on. */
	if (*(volatile __u16 *)&p->detect && !plain_limits(conf, p, ctx, data, v6, proto))
		return GO_WHOLE;
	if (cfg_cookies && proto == IPPROTO_TCP &&
	    (conf->cookie_ports & NP_GUARD_PORT_BIT(bpf_ntohs(AT(__be16, data, PLAIN_L4(v6) + 2)))))
		return GO_COOKIE;
	return XDP_PASS;
}

/* As flow_key() makes it: in words, which are read back as words. */
union plain_key {
	struct np_guard_flow_key k;
	__u64 half[5];
	__u32 word[12];
};

/* A call, as its key would be on everybody's stack. v6_proto: 1 << 8 of IPv6. */
static __noinline int plain_flow(struct np_guard_dev *dev, void *data, __u32 len, __u32 v6_proto)
{
	bool v6 = v6_proto & 1 << 8;
	__u8 proto = v6_proto;
	void *l4 = data + (v6 ? PLAIN_L4(true) : PLAIN_L4(false));
	__u32 flags = proto == IPPROTO_TCP ? AT(__u8, l4, 13) : 0;
	struct np_guard_flow *v;
	union plain_key u;

	u.half[0] = plain_hi(data, v6, PLAIN_DST(v6));
	u.half[1] = plain_lo(data, v6, PLAIN_DST(v6));
	u.half[2] = plain_hi(data, v6, PLAIN_SRC(v6));
	u.half[3] = plain_lo(data, v6, PLAIN_SRC(v6));
	u.word[8] = (__u32)bpf_ntohs(AT(__be16, l4, 0)) << 16 | bpf_ntohs(AT(__be16, l4, 2));
	u.word[9] = proto;
	u.word[10] = st_ifindex;
	v = bpf_map_lookup_elem(&np_guard_flows, &u.k);
	if (likely(v))
		flow_add(v, len, flags, false);
	else if (guard_flow_add(&u.k, len, flags, false))
		dev->flows_lost++;
	return 0;
}

static __always_inline void plain_count(struct np_guard_way *w, bool v6, __u32 proto, __u64 len)
{
	if (proto == IPPROTO_TCP) {
		w->kind[NP_KIND_TCP].packets++;
		w->kind[NP_KIND_TCP].bytes += len;
	} else {
		w->kind[NP_KIND_UDP].packets++;
		w->kind[NP_KIND_UDP].bytes += len;
	}
	if (v6)
		w->v6_packets++;
}

/* XDP_PASS, XDP_DROP, GO_WHOLE or GO_COOKIE: of a packet whose headers are plain. */
static __always_inline int plain_go(struct xdp_md *ctx, void *data, bool v6, __u32 proto)
{
	int go = cfg_mode == NP_GUARD_MONITOR ? XDP_PASS : plain_filter(ctx, data, v6, proto);
	struct np_guard_dev *dev;

	if (unlikely(go == GO_WHOLE))
		return go;
	if (!cfg_rx_at_xdp && go != XDP_DROP)
		return go;
	dev = guard_dev();
	if (!dev)
		return go;
	plain_count(&dev->rx, v6, proto, plain_len(ctx));
	if (unlikely(go == XDP_DROP)) {
		dev->drops[NP_DROP_BAN]++;
		dev->drop_bytes += plain_len(ctx);
	} else if (cfg_flows) {
		plain_flow(dev, data, plain_len(ctx), (__u32)v6 << 8 | proto);
	}
	return go;
}

/* Of one family, whose header is within the data. */
static __always_inline int plain_of(struct xdp_md *ctx, void *data, void *end, bool v6)
{
	__u32 left = plain_ip(data, v6, end - data);
	__u32 proto = AT(__u8, data, PLAIN_L3 + (v6 ? 6 : 9));

	if (likely(proto == IPPROTO_TCP))
		return plain_tcp(data, v6, end, left) ? plain_go(ctx, data, v6, IPPROTO_TCP)
						      : GO_WHOLE;
	if (proto == IPPROTO_UDP)
		return plain_udp(data, v6, end, left) ? plain_go(ctx, data, v6, IPPROTO_UDP)
						      : GO_WHOLE;
	return GO_WHOLE;
}

static __always_inline int plain(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (!within(data, PLAIN_L4(false), end))
		return GO_WHOLE;
	if (likely(AT(__be16, data, PLAIN_TYPE) == bpf_htons(ETH_P_IP)))
		return plain_of(ctx, data, end, false);
	if (AT(__be16, data, PLAIN_TYPE) != bpf_htons(ETH_P_IPV6) ||
	    !within(data, PLAIN_L4(true), end))
		return GO_WHOLE;
	return plain_of(ctx, data, end, true);
}

#endif
