/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The identity filters. Evaluated when a socket appears, changes owner or ends, or when the filters
 * change; the verdict is kept in np_sock.pass.
 */
#ifndef NETPROBE_BPF_LIB_FILTER_H
#define NETPROBE_BPF_LIB_FILTER_H

#include "sock.h"

/*
 * These are global functions: the verifier looks at each once, whatever its callers do. Each walks
 * one list and leaves at the first match, so that no state is carried from one entry to the next. An entry is
 * compared as a whole: each branch within would double what the verifier has to go through for the next one.
 */
__weak __noinline int match_tgid(const struct np_owner *o)
{
	if (!o)
		return 0;
	for (int i = 0; i < NP_FILTER_SLOTS; i++) {
		if (i >= np_filter.n_tgid)
			break;
		if (np_filter.tgid[i] == o->tgid)
			return 1;
	}
	return 0;
}

__weak __noinline int match_user(const struct np_owner *o)
{
	if (!o || !o->tgid)
		return 0;
	for (int i = 0; i < NP_FILTER_SLOTS; i++) {
		if (i >= np_filter.n_user)
			break;
		if (np_filter.user[i] == o->uid)
			return 1;
	}
	return 0;
}

static __always_inline bool name_equal(const char *a, const char *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;
	__u64 differ = (x[0] ^ y[0]) | (x[1] ^ y[1]);

	barrier_var(differ); /* the compiler would make branches of it */
	return !differ;
}

__weak __noinline int match_comm(const struct np_owner *o)
{
	if (!o)
		return 0;
	for (int i = 0; i < NP_FILTER_SLOTS; i++) {
		if (i >= np_filter.n_comm)
			break;
		if (name_equal(np_filter.comm[i], o->comm))
			return 1;
	}
	return 0;
}

__weak __noinline int match_iface(const struct np_tuple *t)
{
	if (!t)
		return 0;
	/* An unconnected datagram socket has no route of its own: user space filters its parts. */
	if (!t->ifname[0] && t->proto != IPPROTO_TCP && t->proto != NP_IPPROTO_MPTCP)
		return 1;
	for (int i = 0; i < NP_FILTER_SLOTS; i++) {
		if (i >= np_filter.n_iface)
			break;
		if (name_equal(np_filter.iface[i], t->ifname))
			return 1;
	}
	return 0;
}

/* One end's address; np_tuple has it so. */
struct end_addr {
	__u64 half[2];
};

static __always_inline bool cidr_match(const struct np_cidr *c, const struct end_addr *addr)
{
	const __u64 *a = addr->half, *b = (const __u64 *)c->addr, *m = (const __u64 *)c->mask;

	return !(((a[0] ^ b[0]) & m[0]) | ((a[1] ^ b[1]) & m[1]));
}

/* Does that address match list? list: NP_END_*. */
__weak __noinline int match_host(const struct end_addr *addr, __u32 list)
{
	if (!addr || list >= NP_END_MAX)
		return 0;
	for (int i = 0; i < NP_FILTER_SLOTS; i++) {
		if (i >= np_filter.n_host[list])
			break;
		if (cidr_match(&np_filter.host[list][i], addr))
			return 1;
	}
	return 0;
}

__weak __noinline int match_port(__u32 port, __u32 list)
{
	if (list >= NP_END_MAX)
		return 0;
	for (int i = 0; i < NP_FILTER_SLOTS; i++) {
		const struct np_port_range *r = &np_filter.port[list][i];

		if (i >= np_filter.n_port[list])
			break;
		/* below its begin the difference wraps */
		if (port - r->from <= (__u32)(r->to - r->from))
			return 1;
	}
	return 0;
}

static __always_inline __u8 proto_bit(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case NP_IPPROTO_MPTCP:
		return NP_PROTO_TCP;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return NP_PROTO_UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return NP_PROTO_ICMP;
	default:
		return 0;
	}
}

/* Tuple half of the filters. */
__weak __noinline int filter_tuple(const struct np_tuple *t)
{
	const struct end_addr *local, *remote;

	if (!t)
		return 0;
	local = (const struct end_addr *)t->laddr;
	remote = (const struct end_addr *)t->raddr;
	if (np_filter.family && np_filter.family != t->family)
		return 0;
	if (np_filter.proto_mask && !(np_filter.proto_mask & proto_bit(t->proto)))
		return 0;
	if (np_filter.n_host[NP_END_LOCAL] && !match_host(local, NP_END_LOCAL))
		return 0;
	if (np_filter.n_host[NP_END_REMOTE] && !match_host(remote, NP_END_REMOTE))
		return 0;
	if (np_filter.n_host[NP_END_ANY] && !match_host(local, NP_END_ANY) &&
	    !match_host(remote, NP_END_ANY))
		return 0;
	if (np_filter.n_port[NP_END_LOCAL] && !match_port(t->lport, NP_END_LOCAL))
		return 0;
	if (np_filter.n_port[NP_END_REMOTE] && !match_port(t->rport, NP_END_REMOTE))
		return 0;
	if (np_filter.n_port[NP_END_ANY] && !match_port(t->lport, NP_END_ANY) &&
	    !match_port(t->rport, NP_END_ANY))
		return 0;
	return !np_filter.n_iface || match_iface(t);
}

/* Owner half, but for the cgroup: that needs the task and is settled in owner_of_task. */
__weak __noinline int filter_owner(const struct np_owner *o)
{
	if (!o)
		return 0;
	if (np_filter.n_tgid && !match_tgid(o))
		return 0;
	if (np_filter.n_user && !match_user(o))
		return 0;
	return !np_filter.n_comm || match_comm(o);
}

/* The cgroup was compared when the owner was met; if that was under other filters, nobody knows. */
static __always_inline bool filter_cgroup(const struct np_owner *o, __u32 gen)
{
	return !np_filter.n_cgroup || (o->cgroup_pass && o->cgroup_gen == (__u16)gen);
}

/* Is this flow one of 1 in sample_rate? The same answer for the same flow and rate. */
static __always_inline bool sample_hit(__u64 flow)
{
	__u32 rate = np_filter.sample_rate;

	/* Numbers of sockets follow one another: the multiplication strews them. */
	return rate <= 1 || (__u32)((flow * 0x9e3779b97f4a7c15ULL) >> 32) % rate == 0;
}

/* Does user space know of this socket, or has to because of its counts? */
static __always_inline bool filter_told(const struct np_sock *st)
{
	const struct np_counts *c = &st->counts;

	return st->sweep_gen || c->tx_bytes || c->rx_bytes || c->tx_calls || c->rx_calls ||
	       c->retrans || st->tx_parts || st->rx_parts;
}

/*
 * What the filters say of a socket whose last user is st->last. The generation is read first: filters
 * that change meanwhile are asked again.
 */
__weak __noinline int filter_sock(struct np_sock *st)
{
	__u32 gen = np_filter.gen;
	__u8 pass;

	if (!st)
		return 0;
	pass = st->pass & (NP_PASS_HELD | NP_PASS_OLD);
	barrier();
	if (st->gen == gen)
		pass |= filter_told(st) ? st->pass & NP_PASS_EVER : 0;
	else if (st->pass & NP_PASS_EVER)
		pass |= NP_PASS_OLD;
	if (np_filter.n_cgroup && st->last.cgroup_gen != (__u16)gen)
		st->hot = 0; /* its next call finds out */
	if (np_filter.enabled && filter_cgroup(&st->last, gen) && filter_owner(&st->last) &&
	    filter_tuple(&st->tuple)) {
		if (sample_hit(st->sock_id)) {
			pass |= NP_PASS_NOW | NP_PASS_EVER;
			st->sample_rate = np_filter.sample_rate;
		} else {
			pass |= NP_PASS_SAMPLED_OUT;
		}
	}
	st->pass = pass;
	barrier();
	st->gen = gen;
	return 0;
}

/*
 * Segments are counted by the kernel for the whole socket. Those of the time in which it does not
 * match are left out: until it matches again, segs_*_base hold what is to be shown.
 */
static __always_inline void filter_segs(struct np_sock *st, struct sock *sk)
{
	struct tcp_sock *tp;

	if (!(st->pass & NP_PASS_NOW) == !!(st->pass & NP_PASS_HELD) ||
	    st->tuple.proto != IPPROTO_TCP)
		return;
	tp = tcp_of(sk);
	if (!tp)
		return;
	st->segs_out_base = segs_since(BPF_CORE_READ(tp, segs_out), st->segs_out_base);
	st->segs_in_base = segs_since(BPF_CORE_READ(tp, segs_in), st->segs_in_base);
	st->pass ^= NP_PASS_HELD;
}

#endif
