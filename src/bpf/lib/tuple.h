/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where a socket is: both its ends, and the interface of its route. */
#ifndef NETPROBE_BPF_LIB_TUPLE_H
#define NETPROBE_BPF_LIB_TUPLE_H

#include "sock.h"

#define TUPLE_READ(p, field) (typed ? SK_READ(p, field) : BPF_CORE_READ(p, field))

/*
 * Interface of the socket's route; left alone when it has none now: a route whose device is gone points to one that is
 * none of any namespace's and has number 0 (dst_dev_put, 5.3 to 6.18: blackhole_netdev).
 */
static __always_inline void sock_route(struct np_tuple *t, struct sock *sk, const bool typed)
{
	struct dst_entry *dst = TUPLE_READ(sk, sk_dst_cache);
	struct net_device *dev;
	int ifindex;

	if (!dst)
		return;
	dev = TUPLE_READ(dst, dev);
	if (!dev)
		return;
	ifindex = TUPLE_READ(dev, ifindex);
	if (ifindex <= 0)
		return;
	/* names are compared as a whole, and a shorter one leaves the end of a longer one */
	if (t->ifindex != (__u32)ifindex)
		__builtin_memset(t->ifname, 0, sizeof(t->ifname));
	t->ifindex = (__u32)ifindex;
	(void)bpf_probe_read_kernel_str(t->ifname, sizeof(t->ifname), &dev->name);
}

/* Written where it belongs: what differs on the stack is not the same to the verifier. */
static __always_inline void sock_local(__u8 (*addr)[16], struct sock *sk, __u32 family,
				       const bool typed)
{
	if (family == AF_INET)
		addr_from_v4(*addr, TUPLE_READ(sk, __sk_common.skc_rcv_saddr));
	else
		(void)BPF_CORE_READ_INTO(addr, sk, __sk_common.skc_v6_rcv_saddr);
}

static __always_inline void sock_remote(__u8 (*addr)[16], struct sock *sk, __u32 family,
					const bool typed)
{
	if (family == AF_INET)
		addr_from_v4(*addr, TUPLE_READ(sk, __sk_common.skc_daddr));
	else
		(void)BPF_CORE_READ_INTO(addr, sk, __sk_common.skc_v6_daddr);
}

/* The local port; 0 where it has none (any more). */
static __always_inline __u32 sock_lport(const struct np_tuple *t, struct sock *sk, const bool typed)
{
	__u16 lport = TUPLE_READ(sk, __sk_common.skc_num), sport;

	if (!lport || lport != t->lport) {
		sport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
		lport = sport ? sport : lport;
	}
	return unknown(lport);
}

/* Both ends as they are now. What the socket has already lost (port 0 after TCP_CLOSE) is kept from before. */
static __always_inline void tuple_read(struct np_tuple *t, struct sock *sk, const bool typed)
{
	__u32 family, rport, lport, type;
	bool here;

	family = TUPLE_READ(sk, __sk_common.skc_family);
	rport = bpf_ntohs(TUPLE_READ(sk, __sk_common.skc_dport));
	type = TUPLE_READ(sk, sk_type);
	/* the number of a raw one is the protocol */
	lport = type == SOCK_RAW ? 0 : sock_lport(t, sk, typed);
	type = unknown(type);
	lport = unknown(lport);
	here = lport || rport || type == SOCK_RAW;
	if (lport)
		t->lport = CUT(__u16, lport); /* it is one of 16 bits, as the next */
	if (rport)
		t->rport = CUT(__u16, rport);
	type = unknown(type);
	if (rport || type == SOCK_RAW)
		sock_remote(&t->raddr, sk, family, typed);
	if (unknown(here))
		sock_local(&t->laddr, sk, unknown(family), typed);
	t->family = CUT(__u8, family); /* AF_* are less than 64 */
	if (unknown(family) == AF_INET6 && (addr_is_v4(t->raddr) || addr_is_v4(t->laddr)))
		t->family = AF_INET;
	t->proto = sock_proto(TUPLE_READ(sk, sk_protocol), CUT(__u16, unknown(type)));
	if (!t->netns)
		t->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	sock_route(t, sk, typed);
}

/*
 * The two below are verified once where all reads are a helper's, for that takes a number, and else once for each
 * place that calls them.
 */
#ifdef NP_SOCK_TYPED
static __noinline int tuple_of(struct np_tuple *t, struct sock *sk)
{
	if (t)
		tuple_read(t, sk, true);
	return 0;
}
#define TUPLE_OF(t, sk) tuple_of(t, sk)
#else
#define TUPLE_OF(t, sk) tuple_at(t, sock_number(sk))
#endif

/* A global function: see filter.h. */
__weak __noinline int tuple_at(struct np_tuple *t, __u64 at)
{
	if (t)
		tuple_read(t, (struct sock *)at, false);
	return 0;
}

static __always_inline void sock_tuple(struct np_sock *st, struct sock *sk)
{
	(void)TUPLE_OF(&st->tuple, sk);
}

/* Is a datagram socket still where its own counts are of? */
static __noinline int sock_look(struct np_sock *st, struct sock *sk)
{
	struct np_tuple now = {};
	const __u64 *was = (const __u64 *)st->tuple.raddr, *is = (const __u64 *)now.raddr;

	(void)TUPLE_OF(&now, sk);
	if (now.rport != st->tuple.rport || now.lport != st->tuple.lport || is[0] != was[0] ||
	    is[1] != was[1]) {
		st->flags |= NP_F_UNCONN;
		st->elsewhere = sock_number(sk);
		return 0;
	}
	/* without a route now it keeps the one it had */
	if (now.ifindex) {
		st->tuple.ifindex = now.ifindex;
		__builtin_memcpy(st->tuple.ifname, now.ifname, sizeof(st->tuple.ifname));
	}
	st->elsewhere = 0;
	return 0;
}

/*
 * Where the socket is now. A datagram socket that is connected, again or after it received of whom it did not ask,
 * keeps the ends that its own counts are of: from then on peers are parts, each from where the socket is then.
 */
static __always_inline void sock_where(struct np_sock *st, struct sock *sk)
{
	if (!st->dgram || !(st->counts.tx_calls | st->counts.rx_calls))
		sock_tuple(st, sk);
	else
		(void)sock_look(st, sk);
}

/* The same of what is not of the socket's own counts, as they are or where it is now. */
static __always_inline void sock_ends(struct np_tuple *t, const struct np_sock *st)
{
	if (!st->dgram || !st->elsewhere) {
		*t = st->tuple;
		return;
	}
	__builtin_memset(t, 0, sizeof(*t));
	(void)tuple_at(t, st->elsewhere);
}

#endif
