/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * MPTCP: a process's socket is an mptcp_sock, and the kernel keeps TCP connections of its own below it, the
 * subflows. Those are never told by themselves: what happens to them is the connection's.
 */
#ifndef NETPROBE_BPF_LIB_MPTCP_H
#define NETPROBE_BPF_LIB_MPTCP_H

#include "sock.h"

/*
 * Does this socket carry an MPTCP connection? A child of an MPTCP listener says so until the end of its handshake,
 * whatever its peer speaks.
 */
static __always_inline bool sock_is_subflow(struct sock *sk)
{
	struct tcp_sock *tp = NULL;

	if (!bpf_core_field_exists(tp->is_mptcp))
		return false;
	tp = tcp_of(sk);
	return tp && BPF_CORE_READ(tp, is_mptcp);
}

/* Address of the connection's socket that a subflow carries; 0 where none is known. */
static __always_inline __u64 subflow_addr(struct sock *sk)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)sk;
	struct mptcp_subflow_context *sub;

	if (!bpf_core_type_exists(struct mptcp_subflow_context))
		return 0;
	sub = BPF_CORE_READ(icsk, icsk_ulp_data);
	return sub ? (__u64)BPF_CORE_READ(sub, conn) : 0;
}

/* The same as a socket, where that is an address: no helper gives tracing programs a typed one. */
static __always_inline struct sock *subflow_main(struct sock *sk)
{
	return cfg_store_hash ? (struct sock *)subflow_addr(sk) : NULL;
}

/*
 * What subflows did and their connection does not know of yet. A subflow's program does not reach the connection's
 * entry in socket storage, so it leaves here what happens, under the address of the connection's socket, and whoever
 * next looks at that takes it (main_settle). A socket that is made forgets what was left for another one at its
 * address. LRU: what comes after the connection's last record nobody takes.
 */
struct np_main {
	__u32 rtx[NP_RTX_MAX];
	__u32 synack;
	__u32 resets; /* bits: 1 sent, 2 received */
	__u32 drops;  /* of a listener: what kfree_skb told of as well */
	__u32 cpu_tgid;
	char cpu_comm[16];
};

struct np_mains_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct np_main);
};
extern struct np_mains_map np_mains SEC(".maps");

/* The subflow that was made last on this processor: its connection's socket is made a moment later. */
struct np_newest_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct np_newest_map np_newest SEC(".maps");

/* Where a subflow leaves what it did; NULL where its connection is not known. */
static __always_inline struct np_main *main_notes(struct sock *sub, __u32 prog)
{
	__u64 key = subflow_addr(sub);
	struct np_main *m, none = {};

	if (!key)
		return NULL;
	m = bpf_map_lookup_elem(&np_mains, &key);
	if (m)
		return m;
	(void)bpf_map_update_elem(&np_mains, &key, &none, BPF_NOEXIST);
	m = bpf_map_lookup_elem(&np_mains, &key);
	if (!m)
		count_one(prog, map_full);
	return m;
}

/*
 * An MPTCP socket is met. Those that were accepted have their listener's cookie (6.18: nothing resets it after
 * sk_clone_lock), which names nobody; what connects was met before it did.
 */
static __always_inline bool main_met(struct sock *typed)
{
	struct sock *sk = sk_raw(typed);
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	__u64 key = (__u64)sk;

	(void)bpf_map_delete_elem(&np_mains, &key);
	return state != TCP_CLOSE && state != TCP_LISTEN && state != TCP_SYN_SENT;
}

/* The interface of a subflow's route: its connection has none. addr: only read; 0 none. */
static __always_inline void subflow_route(struct np_tuple *t, __u64 addr)
{
	struct sock *sk = (struct sock *)addr;
	struct net_device *dev;
	int ifindex;

	if (!addr)
		return;
	dev = BPF_CORE_READ(sk, sk_dst_cache, dev);
	ifindex = BPF_CORE_READ(dev, ifindex);
	if (ifindex <= 0) /* none, or one that is gone: see sock_route */
		return;
	if (t->ifindex != (__u32)ifindex) /* see sock_route */
		__builtin_memset(t->ifname, 0, sizeof(t->ifname));
	t->ifindex = (__u32)ifindex;
	(void)bpf_probe_read_kernel_str(t->ifname, sizeof(t->ifname), &dev->name);
}

/* Both ends of a subflow, which are its connection's, and its route. addr: as above. */
static __always_inline void subflow_tuple(struct np_tuple *t, __u64 addr)
{
	struct sock *sk = (struct sock *)addr;
	__u16 family, rport;

	if (!addr)
		return;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (!rport)
		return;
	t->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	t->rport = rport;
	if (family == AF_INET) {
		addr_from_v4(t->laddr, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		addr_from_v4(t->raddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	} else {
		BPF_CORE_READ_INTO(&t->laddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&t->raddr, sk, __sk_common.skc_v6_daddr);
	}
	t->family = family == AF_INET6 && !addr_is_v4(t->raddr) ? AF_INET6 : AF_INET;
	subflow_route(t, addr);
}

/* The first of a connection's subflows: an address that is only compared. */
static __always_inline struct sock *main_first(struct sock *sk)
{
	struct mptcp_sock *msk = (struct mptcp_sock *)sk_raw(sk);

	return bpf_core_type_exists(struct mptcp_sock) ? BPF_CORE_READ(msk, first) : NULL;
}

/* Has it no subflow any more (or not yet one)? */
static __always_inline bool main_is_bare(struct sock *sk)
{
	struct mptcp_sock *msk = (struct mptcp_sock *)sk_raw(sk);

	if (!bpf_core_type_exists(struct mptcp_sock))
		return true;
	return (__u64)BPF_CORE_READ(msk, conn_list.next) ==
	       (__u64)msk + bpf_core_field_offset(msk->conn_list);
}

#define MAIN_RELEASED 4 /* of np_sock.resets: no process holds it any more */

/* Does nothing of it come after its last holder let it go? */
static __always_inline bool main_is_over(struct sock *sk)
{
	__u8 state = BPF_CORE_READ(sk_raw(sk), __sk_common.skc_state);

	return cfg_store_hash ? main_is_bare(sk) : state == TCP_CLOSE;
}

/*
 * A listener's SYNs come to its first subflow, which has the queues and counts what they have no room for. Only read,
 * and zeros where there is none.
 */
static __always_inline __u32 main_drops(struct sock *sk)
{
	struct sock *sub = main_first(sk);

	return sub ? (__u32)BPF_CORE_READ(sub, sk_drops.counter) : 0;
}

/* Retransmits of its subflows, and drops, that it does not know of yet. */
static __always_inline __u32 main_pending(struct sock *sk)
{
	__u64 key = (__u64)sk_raw(sk);
	struct np_main *m = bpf_map_lookup_elem(&np_mains, &key);

	return m ? m->rtx[0] + m->rtx[1] + m->rtx[2] + m->rtx[3] + m->synack + m->drops : 0;
}

/* How many subflows it has now, as the kernel counts them. */
static __always_inline __u32 main_subflows(struct sock *sk)
{
	struct mptcp_sock *msk = (struct mptcp_sock *)sk_raw(sk);
	struct mptcp_sock___6_17 *old = (void *)msk;
	__u32 extra = 0;

	if (!bpf_core_type_exists(struct mptcp_sock) || !BPF_CORE_READ(msk, first))
		return 0;
	if (bpf_core_field_exists(msk->pm.extra_subflows))
		extra = BPF_CORE_READ(msk, pm.extra_subflows);
	else if (bpf_core_field_exists(old->pm.subflows))
		extra = BPF_CORE_READ(old, pm.subflows);
	return 1 + extra;
}

/* The entry of a subflow: there only to know its retransmits from, never told. */
static __always_inline void subflow_hide(struct np_sock *st)
{
	if (st->phase != NP_PHASE_SUBFLOW)
		st->live = 0; /* the place was TCP's */
	st->phase = NP_PHASE_SUBFLOW;
	st->flags |= NP_F_IGNORE;
	st->hot = 0;
	st->pass = 0;
}

/* A child of an MPTCP listener whose peer speaks TCP alone: a connection like others. */
static __always_inline void subflow_unhide(struct np_sock *st)
{
	st->phase = NP_PHASE_NEW;
	st->flags &= ~NP_F_IGNORE;
}

#endif
