/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * SYN cookies at XDP: a SYN to a protected service is answered where it comes in, and leaves nothing
 * behind; an acknowledgement that belongs to no socket and carries no cookie of ours ends here.
 *
 * The cookie is the kernel's own (bpf_tcp_gen_syncookie, since 5.3), so that its listener takes the
 * connection over by itself. The raw helper (bpf_tcp_raw_gen_syncookie_*, since 6.0) makes the same
 * cookie, but does not tell the listener that one is under way, and a listener that knows of none
 * refuses them all, tcp_syncookies=2 or not. To check, the raw helper is right: no listener's memory
 * is needed for that.
 *
 * Timestamps carry what a cookie has no room for (window scale, SACK). The kernel adds a secret of its
 * own to them unless tcp_timestamps is 2: else they are not offered.
 */
#ifndef NETPROBE_BPF_LIB_COOKIE_H
#define NETPROBE_BPF_LIB_COOKIE_H

#include "guard.h"

struct np_cookies_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NP_GUARD_SERVICES);
	__type(key, struct np_guard_service);
	__type(value, struct np_guard_cookie);
};
extern struct np_cookies_map np_cookies SEC(".maps");

#define COOKIE_WINDOW_TICKS 15	/* 1 s */
#define COOKIE_HOLD_TICKS 150	/* an attack is over 10 s after its last second */
#define COOKIE_VALID_TICKS 1940 /* cookies hold 2 minutes, and some more: 130 s */
#define COOKIE_SYNACK_WINDOW 16384
#define SYN_OPTIONS 16 /* looked through */
#define TCP_STATE_LISTEN 10

/* Where the headers are, in one number. */
#define COOKIE_AT(l3, l4, v6) ((l3) | (l4) << 8 | (v6) << 16)
#define AT_L3(at) ((at)&0x1f)
#define AT_L4(at) ((at) >> 8 & 0xff)
#define AT_V6(at) ((at) >> 16 & 1)

/* What a SYN asks for, in one number, as a function of its own returns it. */
#define SYN_TS 1
#define SYN_SACK 2
#define SYN_WSCALE 4
#define SYN_SCALE_NONE 0xf
#define SYN_ASKS(tsval, mss, scale, bits) \
	((__u64)(tsval) << 32 | (__u64)(mss) << 16 | (__u64)(scale) << 8 | (bits))

/* at: where the options begin | where they end << 16, in the frame. */
__noinline __u64 guard_syn_options(struct xdp_md *ctx, __u32 at)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 off = at & 0x1ff, stop = at >> 16 & 0x1ff, mss = 0, tsval = 0, bits = 0;
	__u32 scale = SYN_SCALE_NONE;

	for (int i = 0; i < SYN_OPTIONS; i++) {
		__u8 *o = data + off;
		__u32 size = 1;

		if (off >= stop || (void *)(o + 2) > end || !o[0])
			break;
		if (o[0] != 1) {
			size = o[1];
			if (size < 2 || off + size > stop)
				break;
		}
		if (o[0] == 2 && size == 4 && (void *)(o + 4) <= end)
			mss = o[2] << 8 | o[3];
		if (o[0] == 3 && size == 3 && (void *)(o + 3) <= end) {
			scale = o[2] > 14 ? 14 : o[2];
			bits |= SYN_WSCALE;
		}
		if (o[0] == 4 && size == 2)
			bits |= SYN_SACK;
		if (o[0] == 8 && size == 10 && (void *)(o + 6) <= end) {
			tsval = (__u32)o[2] << 24 | o[3] << 16 | o[4] << 8 | o[5];
			bits |= SYN_TS;
		}
		off = (off + size) & 0x1ff;
	}
	return SYN_ASKS(tsval, mss, scale, bits);
}

/* A SYN, or what answers it. */
struct cookie_tcp {
	struct tcphdr h;
	__u8 opt[20];
};

/* The addresses in network order, in the order of a checksum's pseudo header. */
struct cookie_ends {
	__u32 saddr[4], daddr[4]; /* IPv4 in the first word */
	__be16 sport, dport;
	__be32 seq;
};

/* One thing after the other, in the same bytes of the stack. */
union cookie_work {
	struct np_guard_service key;
	struct bpf_sock_tuple t;
	struct iphdr ip4;
	struct ipv6hdr ip6;
};

static __always_inline bool cookie_ends(struct xdp_md *ctx, __u32 at, struct cookie_ends *e,
					__u32 *ret_flags_doff)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	void *l3 = data + AT_L3(at);
	struct tcphdr *tcp = l3 + AT_L4(at);

	__builtin_memset(e, 0, sizeof(*e));
	if ((void *)(tcp + 1) > end)
		return false;
	e->sport = tcp->source;
	e->dport = tcp->dest;
	e->seq = tcp->seq;
	*ret_flags_doff = (__u32)((__u8 *)tcp)[13] | (__u32)(((__u8 *)tcp)[12] >> 4) << 8;
	if (AT_V6(at)) {
		struct ipv6hdr *ip = l3;

		if ((void *)(ip + 1) > end)
			return false;
		__builtin_memcpy(e->saddr, &ip->saddr, 16);
		__builtin_memcpy(e->daddr, &ip->daddr, 16);
	} else {
		struct iphdr *ip = l3;

		if ((void *)(ip + 1) > end)
			return false;
		e->saddr[0] = ip->saddr;
		e->daddr[0] = ip->daddr;
	}
	return true;
}

/* The listener a packet is for; NULL: none, or a socket that knows its connection. */
static __always_inline struct bpf_sock *cookie_listener(struct xdp_md *ctx, union cookie_work *w,
							const struct cookie_ends *e, bool v6)
{
	struct bpf_sock_tuple *t = &w->t;
	struct bpf_sock *sk;

	__builtin_memset(t, 0, sizeof(*t));
	if (v6) {
		__builtin_memcpy(t->ipv6.saddr, e->saddr, 16);
		__builtin_memcpy(t->ipv6.daddr, e->daddr, 16);
		t->ipv6.sport = e->sport;
		t->ipv6.dport = e->dport;
		sk = bpf_skc_lookup_tcp(ctx, t, sizeof(t->ipv6), BPF_F_CURRENT_NETNS, 0);
	} else {
		t->ipv4.saddr = e->saddr[0];
		t->ipv4.daddr = e->daddr[0];
		t->ipv4.sport = e->sport;
		t->ipv4.dport = e->dport;
		sk = bpf_skc_lookup_tcp(ctx, t, sizeof(t->ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	if (!sk)
		return NULL;
	if (sk->state != TCP_STATE_LISTEN) {
		bpf_sk_release(sk);
		return NULL;
	}
	return sk;
}

/*
 * The cookie and its MSS << 32; negative: the kernel wants none now (tcp_syncookies is 1 and the queue
 * has room), or nobody listens. A SYN written anew: of its options the cookie knows only the MSS.
 */
static __always_inline __s64 cookie_make(struct xdp_md *ctx, union cookie_work *w,
					 struct cookie_tcp *t, const struct cookie_ends *e,
					 __u32 mss, bool v6)
{
	struct bpf_sock *sk = cookie_listener(ctx, w, e, v6);
	__s64 r;

	if (!sk)
		return -1;
	__builtin_memset(t, 0, sizeof(*t));
	t->h.source = e->sport;
	t->h.dest = e->dport;
	t->h.seq = e->seq;
	t->h.syn = 1;
	t->h.doff = 6;
	t->opt[0] = 2;
	t->opt[1] = 4;
	t->opt[2] = mss >> 8;
	t->opt[3] = mss;
	__builtin_memset(w, 0, sizeof(*w));
	if (v6) {
		w->ip6.version = 6;
		__builtin_memcpy(&w->ip6.saddr, e->saddr, 16);
		__builtin_memcpy(&w->ip6.daddr, e->daddr, 16);
		r = bpf_tcp_gen_syncookie(sk, &w->ip6, sizeof(w->ip6), &t->h, sizeof(t->h) + 4);
	} else {
		w->ip4.version = 4;
		w->ip4.ihl = 5;
		w->ip4.saddr = e->saddr[0];
		w->ip4.daddr = e->daddr[0];
		r = bpf_tcp_gen_syncookie(sk, &w->ip4, sizeof(w->ip4), &t->h, sizeof(t->h) + 4);
	}
	bpf_sk_release(sk);
	return r;
}

static __always_inline __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* Our timestamp: the time in ms, its last six bits what the cookie cannot say. */
static __always_inline __u32 cookie_stamp(__u64 asks)
{
	__u32 now = bpf_ktime_get_ns() / 1000000, bits = asks >> 8 & 0xf, ts;

	if (asks & SYN_SACK)
		bits |= 1 << 4;
	ts = (now & ~63U) | bits;
	return ts > now ? ts - 64 : ts; /* never later than what the listener will send */
}

static __always_inline void put32(__u8 *to, __u32 v)
{
	to[0] = v >> 24;
	to[1] = v >> 16;
	to[2] = v >> 8;
	to[3] = v;
}

/* The TCP header of the answer; its bytes. */
static __always_inline __u32 cookie_header(struct cookie_tcp *t, const struct cookie_ends *e,
					   __u32 cookie, __u64 asks, __u32 mss)
{
	volatile struct np_guard_conf *conf = guard_conf();
	__u32 scale = conf ? conf->cookie_wscale : 0, len = sizeof(t->h) + 4;

	__builtin_memset(t, 0, sizeof(*t));
	t->h.source = e->dport;
	t->h.dest = e->sport;
	t->h.seq = bpf_htonl(cookie);
	t->h.ack_seq = bpf_htonl(bpf_ntohl(e->seq) + 1);
	t->h.syn = t->h.ack = 1;
	t->h.window = bpf_htons(COOKIE_SYNACK_WINDOW);
	t->opt[0] = 2;
	t->opt[1] = 4;
	t->opt[2] = mss >> 8;
	t->opt[3] = mss;
	if ((asks & SYN_TS) && conf && conf->cookie_ts) {
		len = sizeof(*t);
		t->opt[4] = t->opt[5] = 1;
		if (asks & SYN_SACK) {
			t->opt[4] = 4;
			t->opt[5] = 2;
		}
		t->opt[6] = 8;
		t->opt[7] = 10;
		put32(t->opt + 8, cookie_stamp(asks));
		put32(t->opt + 12, asks >> 32);
		t->opt[16] = t->opt[17] = t->opt[18] = t->opt[19] = 1;
		if (asks & SYN_WSCALE) {
			t->opt[17] = 3;
			t->opt[18] = 3;
			t->opt[19] = scale;
		}
	}
	t->h.doff = len / 4;
	return len;
}

/* Pseudo header, from us to them; the sum of it. */
static __always_inline __u32 cookie_pseudo(const struct cookie_ends *e, __u32 len)
{
	__u32 rest[2] = { bpf_htonl(len), bpf_htonl(IPPROTO_TCP) };
	__u32 sum = bpf_csum_diff(NULL, 0, (__be32 *)e->saddr, 32, 0);

	return bpf_csum_diff(NULL, 0, rest, sizeof(rest), sum);
}

static __always_inline void swap_macs(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

static __always_inline void ip6_write(struct ipv6hdr *ip, const struct cookie_ends *e, __u32 len)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 6;
	ip->payload_len = bpf_htons(len);
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = 64;
	__builtin_memcpy(&ip->saddr, e->daddr, 16);
	__builtin_memcpy(&ip->daddr, e->saddr, 16);
}

static __always_inline void ip4_write(struct iphdr *to, struct iphdr *ip,
				      const struct cookie_ends *e, __u32 len)
{
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = bpf_htons(sizeof(*ip) + len);
	ip->frag_off = bpf_htons(0x4000);
	ip->ttl = 64;
	ip->protocol = IPPROTO_TCP;
	ip->saddr = e->daddr[0];
	ip->daddr = e->saddr[0];
	ip->check = csum_fold(bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0));
	*to = *ip;
}

/* What the interface it came in at takes now, as its user may have changed it; the helper is there since 5.12. */
static __always_inline __u32 cookie_mtu(struct xdp_md *ctx)
{
	__u32 mtu = 0;

	(void)bpf_check_mtu(ctx, 0, &mtu, 0, 0);
	return mtu < 576 ? 1500 : mtu > 0xffff ? 0xffff : mtu;
}

/* The answer in the place of the SYN; IP options, extension headers and data of it are gone. */
static __always_inline int cookie_reply(struct xdp_md *ctx, __u32 at, __u32 have,
					union cookie_work *w, struct cookie_tcp *t,
					const struct cookie_ends *e, __u32 cookie, __u64 asks)
{
	bool v6 = AT_V6(at);
	__u32 ip_len = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr), len;
	void *data, *end;

	len = cookie_header(t, e, cookie, asks, cookie_mtu(ctx) - ip_len - sizeof(struct tcphdr));
	t->h.check =
		csum_fold(bpf_csum_diff(NULL, 0, (__be32 *)t, sizeof(*t), cookie_pseudo(e, len)));
	if (bpf_xdp_adjust_tail(ctx, (int)(AT_L3(at) + ip_len + len) - (int)have))
		return XDP_PASS;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + sizeof(struct ethhdr) > end)
		return XDP_DROP;
	swap_macs(data);
	data += AT_L3(at);
	if (data + ip_len + len > end || data + ip_len + sizeof(t->h) + 4 > end)
		return XDP_DROP;
	if (v6)
		ip6_write(data, e, len);
	else
		ip4_write(data, &w->ip4, e, len);
	data += ip_len;
	__builtin_memcpy(data, t, sizeof(t->h) + 4);
	if (len == sizeof(*t)) {
		if (data + sizeof(*t) > end)
			return XDP_DROP;
		__builtin_memcpy(data + sizeof(t->h) + 4, t->opt + 4, sizeof(t->opt) - 4);
	}
	return XDP_TX;
}

/* Whether a SYN is answered here now. */
static __always_inline bool cookie_wanted(struct np_guard_cookie *c, __u32 tick)
{
	if (tick - c->window >= COOKIE_WINDOW_TICKS) {
		c->window = tick;
		c->syns = 0;
	}
	/* Two processors may lose one to each other: the attack is seen a few SYNs later. */
	if (++c->syns > c->rate)
		c->active_until = tick + COOKIE_HOLD_TICKS;
	return c->mode == NP_COOKIE_ALWAYS || c->active_until > tick;
}

static __always_inline int cookie_syn(struct xdp_md *ctx, __u32 at, __u32 have,
				      union cookie_work *w, const struct cookie_ends *e, __u32 doff,
				      struct np_guard_cookie *c)
{
	struct cookie_tcp t;
	__u32 tick = guard_tick(), begin = AT_L3(at) + AT_L4(at) + sizeof(struct tcphdr);
	bool v6 = AT_V6(at);
	__u64 asks;
	__s64 made;
	int r;

	if (!cookie_wanted(c, tick))
		return XDP_PASS;
	asks = guard_syn_options(ctx, begin | (begin + doff * 4 - sizeof(struct tcphdr)) << 16);
	/* Who says nothing takes the least that everybody must. */
	made = cookie_make(ctx, w, &t, e, (asks >> 16 & 0xffff) ?: (v6 ? 1220 : 536), v6);
	if (made < 0) {
		__sync_fetch_and_add(&c->passed, 1);
		return XDP_PASS;
	}
	if (c->dry_run) {
		__sync_fetch_and_add(&c->dry, 1);
		return XDP_PASS;
	}
	r = cookie_reply(ctx, at, have, w, &t, e, (__u32)made, asks);
	if (r == XDP_TX) {
		c->check_until = tick + COOKIE_VALID_TICKS;
		__sync_fetch_and_add(&c->sent, 1);
	}
	return r;
}

static __always_inline int cookie_ack(struct xdp_md *ctx, __u32 at, union cookie_work *w,
				      const struct cookie_ends *e, struct np_guard_cookie *c)
{
	struct bpf_sock *sk = cookie_listener(ctx, w, e, AT_V6(at));
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	void *l3 = data + AT_L3(at);
	struct tcphdr *tcp = l3 + AT_L4(at);
	long r = 0;

	if (!sk)
		return XDP_PASS;
	bpf_sk_release(sk);
	if ((void *)(tcp + 1) > end)
		return XDP_PASS;
	if (AT_V6(at)) {
		if (l3 + sizeof(struct ipv6hdr) <= end)
			r = bpf_tcp_raw_check_syncookie_ipv6(l3, tcp);
	} else if (l3 + sizeof(struct iphdr) <= end) {
		r = bpf_tcp_raw_check_syncookie_ipv4(l3, tcp);
	}
	__sync_fetch_and_add(r ? &c->refused : &c->accepted, 1);
	return r ? XDP_DROP : XDP_PASS;
}

/* XDP_PASS, XDP_TX: answered, XDP_DROP: refused. have: bytes of the frame, all in one buffer. */
static __always_inline int cookie_check(struct xdp_md *ctx, __u32 at, __u32 have)
{
	struct np_guard_cookie *c;
	union cookie_work w;
	struct cookie_ends e;
	__u32 what;

	if (!cookie_ends(ctx, at, &e, &what))
		return XDP_PASS;
	__builtin_memset(&w, 0, sizeof(w));
	w.key.port = bpf_ntohs(e.dport);
	if (AT_V6(at)) {
		__builtin_memcpy(w.key.addr, e.daddr, 16);
	} else {
		w.key.addr[10] = w.key.addr[11] = 0xff;
		__builtin_memcpy(w.key.addr + 12, e.daddr, 4);
	}
	c = bpf_map_lookup_elem(&np_cookies, &w.key);
	if (!c)
		return XDP_PASS;
	switch (what & (FRAME_TCP_SYN | FRAME_TCP_ACK | FRAME_TCP_RST)) {
	case FRAME_TCP_SYN:
		return cookie_syn(ctx, at, have, &w, &e, what >> 8, c);
	case FRAME_TCP_ACK:
		/* Before the first cookie there is nothing to check. */
		if (c->check_until > guard_tick())
			return cookie_ack(ctx, at, &w, &e, c);
	}
	return XDP_PASS;
}

#endif
