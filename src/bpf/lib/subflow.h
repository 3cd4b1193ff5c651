/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Hooks on TCP connections, told apart: one that carries an MPTCP connection is a subflow, and what happens to it
 * is that one's; all others are life.h's. Where entries
 * live in socket storage, the life of an MPTCP connection is told by its own socket's changes of state; where they
 * live in the hash no hook sees those, and its subflows' tell it.
 */
#ifndef NETPROBE_BPF_LIB_SUBFLOW_H
#define NETPROBE_BPF_LIB_SUBFLOW_H

#include "life.h"

/* Both ends as the first subflow has them: the kernel copies them to the MPTCP socket a moment later. */
static __always_inline void main_tuple(struct np_sock *st, struct sock *sub)
{
	sock_tuple(&st->tuple, sub);
	st->tuple.proto = NP_IPPROTO_MPTCP;
	filter_sock(st);
}

/* The connection's entry, made if there is none. */
static __always_inline struct np_sock *main_see(struct sock *sk, __u32 prog, bool *ret_new)
{
	struct np_sock *st = sock_see(sk, prog, ret_new);

	return st && !(st->flags & NP_F_IGNORE) ? st : NULL;
}

/* A subflow lives, and is counted once. */
static __always_inline void subflow_meet(struct np_sock *st, struct np_sock *to, struct sock *main)
{
	__u32 n = main_subflows(main);

	if (!st->live) {
		st->live = 1;
		__sync_fetch_and_add(&to->live, 1);
	}
	if (n)
		to->subflows = n;
}

/* connect(): the first subflow sends its SYN. */
static __always_inline void main_connects(void *ctx, struct np_sock *to, struct sock *sub,
					  struct sock *main, __u32 prog)
{
	struct np_owner me;
	__u32 type;

	if (to->phase == NP_PHASE_OPEN)
		to->phase = NP_PHASE_OVER;
	type = conn_over(to);
	if (type)
		conn_event(ctx, to, main, prog, type, 0);
	conn_reset(to, main);
	to->phase = NP_PHASE_SYN;
	owner_of_current(&me);
	owner_v1(&me, (void *)bpf_get_current_task());
	owner_publish(to, &me);
	main_tuple(to, sub);
}

/* The first subflow is established, and the connection with it; others join it later. */
static __always_inline void main_opens(void *ctx, struct np_sock *st, struct np_sock *to,
				       struct sock *sub, struct sock *main, int from, bool fresh,
				       __u32 prog)
{
	if (from == TCP_SYN_SENT && to->phase == NP_PHASE_SYN) {
		to->established_ns = bpf_ktime_get_ns();
		to->connect_us = CUT(__u32, (to->established_ns - to->opened_ns) / 1000);
	} else if (from == TCP_SYN_RECV && !(to->flags & NP_F_PASSIVE) &&
		   (__u64)main_first(main) == (__u64)sub) {
		conn_child(to, main, !fresh);
		if (!to->last.tgid)
			to->last = st->last;
		to->established_ns = bpf_ktime_get_ns();
	} else {
		return;
	}
	to->phase = NP_PHASE_OPEN;
	main_tuple(to, sub);
	to->subflows = 1;
	conn_event(ctx, to, main, prog, NP_EV_CONN_OPEN, 0);
}

static __always_inline void main_fails(void *ctx, struct np_sock *to, struct sock *sub,
				       struct sock *main, __u32 prog)
{
	if (to->phase != NP_PHASE_SYN)
		return;
	to->closed_ns = bpf_ktime_get_ns();
	to->err = BPF_CORE_READ(sub, sk_err);
	main_tuple(to, sub);
	to->phase = NP_PHASE_FAILED;
	conn_event(ctx, to, main, prog, NP_EV_CONN_FAIL, (__s32)to->err);
}

static __always_inline int subflow_state(void *ctx, struct sock *sk, int from, int to_state,
					 __u32 prog)
{
	struct np_sock *st, *to;
	struct sock *main;
	bool fresh = false;

	prog_hit(NP_PROG_STATE);
	st = state_of(sk, from, to_state, prog, &fresh);
	if (!st)
		return 0;
	subflow_hide(st);
	main = subflow_main(sk);
	if (!main)
		return 0;
	fresh = false;
	to = main_see(main, NP_PROG_STATE, &fresh);
	if (!to)
		return 0;
	if (to_state == TCP_SYN_SENT) {
		if (BPF_CORE_READ(main, __sk_common.skc_state) == TCP_SYN_SENT)
			main_connects(ctx, to, sk, main, prog);
		subflow_meet(st, to, main);
	} else if (to_state == TCP_ESTABLISHED) {
		struct tcp_sock *tp = tcp_of(sk);

		main_opens(ctx, st, to, sk, main, from, fresh, prog);
		if (from == TCP_SYN_RECV && tp)
			st->retrans_seen = BPF_CORE_READ(tp, total_retrans); /* SYN-ACKs */
		subflow_meet(st, to, main);
	} else if (to_state == TCP_CLOSE) {
		main_fails(ctx, to, sk, main, prog);
	}
	return 0;
}

/* The MPTCP socket itself: a child is made after its first subflow, by the same softirq. */
static __always_inline int main_state(void *ctx, struct sock *sk, int from, int to, __u32 prog)
{
	bool child = from == TCP_LISTEN && (to == TCP_SYN_RECV || to == TCP_ESTABLISHED);
	__u64 sub = (__u64)main_first(sk), *newest;
	__u32 zero = 0, type;
	struct np_sock *st;
	struct np_owner me;
	bool fresh = false;

	prog_hit(NP_PROG_STATE);
	st = state_of(sk, from, to, prog, &fresh);
	if (!st || (st->flags & NP_F_IGNORE))
		return 0;
	if (child)
		conn_child(st, sk, !fresh);
	if (to == TCP_SYN_SENT) {
		if (st->phase == NP_PHASE_OPEN)
			st->phase = NP_PHASE_OVER;
		type = conn_over(st);
		if (type)
			conn_event(ctx, st, sk, prog, type, 0);
		conn_reset(st, sk);
		st->phase = NP_PHASE_SYN;
		sock_use(st, sk, &me);
	} else if (to == TCP_ESTABLISHED && st->phase < NP_PHASE_OPEN) {
		newest = st->flags & NP_F_PASSIVE ? bpf_map_lookup_elem(&np_newest, &zero) : NULL;
		st->established_ns = bpf_ktime_get_ns();
		if (st->phase == NP_PHASE_SYN)
			st->connect_us = CUT(__u32, (st->established_ns - st->opened_ns) / 1000);
		st->phase = NP_PHASE_OPEN;
		st->subflows = 1;
		subflow_tuple(&st->tuple, newest && *newest ? *newest : sub);
		filter_sock(st);
		conn_event(ctx, st, sk, prog, NP_EV_CONN_OPEN, 0);
	} else if (to == TCP_CLOSE) {
		type = conn_closed(st, sk, from);
		if (type)
			conn_event(ctx, st, sk, prog, type, (__s32)st->err);
		if ((st->resets & MAIN_RELEASED) || !BPF_CORE_READ(sk, sk_socket))
			return sock_gone(ctx, sk, NP_PROG_DESTROY | (prog & NP_PROG_SECOND));
	}
	return 0;
}

static __always_inline int tcp_state(void *ctx, struct sock *sk, int from, int to, __u32 prog)
{
	__u64 addr = (__u64)sk;
	__u32 zero = 0;

	if (BPF_CORE_READ(sk, sk_protocol) == NP_KERNEL_MPTCP)
		return main_state(ctx, sk, from, to, prog);
	if (!tcp_of(sk))
		return 0;
	if (sock_is_subflow(sk)) {
		/* a child of a listener is not yet known to be one */
		if (from != TCP_LISTEN || to != TCP_SYN_RECV)
			return subflow_state(ctx, sk, from, to, prog);
		(void)bpf_map_update_elem(&np_newest, &zero, &addr, BPF_ANY);
	}
	return conn_state(ctx, sk, from, to, prog);
}

/* The last subflow of a connection that no process holds any more: its last record. */
static __always_inline void main_gone(void *ctx, struct np_sock *to, struct sock *main, __u32 prog)
{
	__u32 type;

	if (to->live || to->gone || BPF_CORE_READ(main, sk_socket))
		return;
	/* of one that is older than the probe not every subflow was met */
	if ((to->flags & NP_F_SEEDED) && !main_is_bare(main))
		return;
	type = gone_type(to, main);
	main_settle(ctx, to, main, prog);
	conn_event(ctx, to, main, prog, type, 0);
	sock_drop(main);
}

/* What the kernel counted on a subflow since last time goes to its connection. */
static __always_inline void subflow_count(struct sock *sk, struct np_sock *st, struct tcp_sock *tp,
					  __u32 cause, __u32 prog)
{
	__u32 d = retrans_settle(st, st, tp, cause);
	struct np_main *m = d ? main_notes(sk, prog) : NULL;

	if (!m)
		return;
	m->cpu_tgid = bpf_get_current_pid_tgid() >> 32;
	(void)bpf_get_current_comm(m->cpu_comm, sizeof(m->cpu_comm));
	__sync_fetch_and_add(&m->rtx[cause & (NP_RTX_MAX - 1)], d);
}

static __always_inline int tcp_gone(void *ctx, struct sock *sk, __u32 prog)
{
	struct tcp_sock *tp;
	struct np_sock *st, *to;
	struct sock *main;

	if (!sock_is_subflow(sk))
		return sock_gone(ctx, sk, prog);
	prog_hit(prog & NP_PROG_MASK);
	st = sock_find(sk);
	tp = tcp_of(sk);
	if (!st || st->gone || !tp)
		return 0;
	second_saw(prog);
	sock_ended(st, sk);
	subflow_count(sk, st, tp, st->rtx_next, prog & NP_PROG_MASK);
	main = subflow_main(sk);
	to = main ? sock_find(main) : NULL;
	if (to && st->live)
		__sync_fetch_and_add(&to->live, -1);
	if (to && !(to->flags & NP_F_IGNORE))
		main_gone(ctx, to, main, prog);
	sock_drop(sk);
	return 0;
}

/* The entry of a subflow, there only for the sake of what was counted on it. now: segments known to be new. */
static __always_inline struct np_sock *subflow_see(struct sock *sk, struct tcp_sock *tp, __u32 prog,
						   __u32 now)
{
	bool fresh = false;
	struct np_sock *st = sock_see(sk, prog, &fresh);

	if (!st)
		return NULL;
	subflow_hide(st);
	/* older than the probe: of what went before nothing is known */
	if (fresh)
		st->retrans_seen = BPF_CORE_READ(tp, total_retrans) - now;
	return st;
}

static __always_inline int tcp_retransmit(struct sock *sk, bool counted)
{
	struct np_sock *st;
	struct tcp_sock *tp;
	__u32 why;

	if (!sock_is_subflow(sk))
		return conn_retransmit(sk, counted);
	prog_hit(NP_PROG_RETRANSMIT);
	tp = tcp_of(sk);
	st = tp ? subflow_see(sk, tp, NP_PROG_RETRANSMIT, counted) : NULL;
	if (!st)
		return 0;
	why = rtx_why(sk);
	subflow_count(sk, st, tp, counted ? why : st->rtx_next, NP_PROG_RETRANSMIT);
	st->rtx_next = counted ? NP_RTX_UNKNOWN : why;
	return 0;
}

static __always_inline int tcp_loss_probe(struct sock *sk)
{
	struct np_sock *st;
	struct tcp_sock *tp;

	if (!sock_is_subflow(sk))
		return conn_loss_probe(sk);
	prog_hit(NP_PROG_TLP);
	tp = tcp_of(sk);
	st = tp ? subflow_see(sk, tp, NP_PROG_TLP, 0) : NULL;
	if (!st)
		return 0;
	subflow_count(sk, st, tp, st->rtx_next, NP_PROG_TLP);
	st->rtx_next = NP_RTX_TLP;
	return 0;
}

/* A listener's SYN-ACK goes out again. */
static __always_inline int tcp_synack(struct sock *sk, struct request_sock *req)
{
	struct np_main *m;

	if (!sock_is_subflow(sk))
		return conn_synack(sk, req);
	prog_hit(NP_PROG_SYNACK);
	m = main_notes(sk, NP_PROG_SYNACK);
	if (m)
		__sync_fetch_and_add(&m->synack, 1);
	return 0;
}

/* Of a subflow: noted, and told with its connection's end. */
static __always_inline int tcp_rst(void *ctx, struct sock *sk, __u32 prog, __u32 type)
{
	struct np_main *m;
	__u8 state;

	if (!sk)
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV)
		return 0; /* not a full socket */
	if (!sock_is_subflow(sk))
		return conn_rst(ctx, sk, prog, type);
	prog_hit(prog);
	m = main_notes(sk, prog);
	if (m)
		m->resets |= type == NP_EV_RESET_TX ? 1 : 2;
	return 0;
}

#endif
