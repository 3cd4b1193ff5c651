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
	sock_tuple(st, sub);
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
static __always_inline void main_begins(struct np_sock *own, struct sock *sub, struct sock *main)
{
	conn_reset(own, main);
	own->phase = NP_PHASE_SYN;
	(void)owner_takes(own);
	main_tuple(own, sub);
}

/* The first subflow is established, and the connection with it; others join it later. */
static __always_inline __u32 main_opens(struct np_sock *st, struct np_sock *own, struct sock *sub,
					struct sock *main, int from, bool fresh)
{
	if (from == TCP_SYN_SENT && own->phase == NP_PHASE_SYN) {
		own->established_ns = bpf_ktime_get_ns();
		own->ends |= END_ASKED;
	} else if (from == TCP_SYN_RECV && !(own->flags & NP_F_PASSIVE) &&
		   (__u64)main_first(main) == (__u64)sub) {
		(void)conn_child(own, main, !fresh);
		if (!own->last.tgid)
			own->last = st->last;
		own->established_ns = bpf_ktime_get_ns();
	} else {
		return 0;
	}
	own->phase = NP_PHASE_OPEN;
	own->subflows = 1;
	return NP_EV_CONN_OPEN;
}

static __always_inline __u32 main_fails(struct np_sock *own, struct sock *sub)
{
	if (own->phase != NP_PHASE_SYN)
		return 0;
	own->closed_ns = bpf_ktime_get_ns();
	own->err = BPF_CORE_READ(sub, sk_err);
	own->phase = NP_PHASE_FAILED;
	return NP_EV_CONN_FAIL;
}

/* What a subflow's change of state means to its connection: NP_EV_* to be told; 0 nothing. */
static __always_inline __u32 subflow_change(struct np_sock *st, struct np_sock *own,
					    struct sock *sub, struct sock *main, int from, int to,
					    bool fresh)
{
	if (to == TCP_ESTABLISHED)
		return main_opens(st, own, sub, main, from, fresh);
	if (to == TCP_CLOSE)
		return main_fails(own, sub);
	if (to != TCP_SYN_SENT || BPF_CORE_READ(main, __sk_common.skc_state) != TCP_SYN_SENT)
		return 0;
	if (own->phase == NP_PHASE_OPEN)
		own->phase = NP_PHASE_OVER;
	return conn_over(own);
}

static __always_inline int subflow_state(void *ctx, struct sock *sk, int from, int to, __u32 prog)
{
	struct np_sock *st, *own;
	struct tcp_sock *tp;
	struct sock *main;
	bool fresh = false;
	__u32 type;

	first_hit(prog);
	st = state_of(sk, from, to, prog, &fresh);
	if (!st)
		return 0;
	subflow_hide(st);
	main = subflow_main(sk);
	if (!main)
		return 0;
	fresh = false;
	own = main_see(main, NP_PROG_STATE, &fresh);
	if (!own)
		return 0;
	to = (int)unknown((__u32)to);
	type = unknown(subflow_change(st, own, sk, main, from, to, fresh));
	if (type == NP_EV_CONN_OPEN || type == NP_EV_CONN_FAIL)
		main_tuple(own, sk);
	if (type)
		conn_event(ctx, own, main, prog, type,
			   type == NP_EV_CONN_FAIL ? (__s32)own->err : 0);
	to = (int)unknown((__u32)to);
	if (to == TCP_SYN_SENT && BPF_CORE_READ(main, __sk_common.skc_state) == TCP_SYN_SENT)
		main_begins(own, sk, main);
	tp = tcp_of(sk);
	if (tp && to == TCP_ESTABLISHED && from == TCP_SYN_RECV)
		st->retrans_seen = BPF_CORE_READ(tp, total_retrans); /* SYN-ACKs */
	if (to == TCP_SYN_SENT || to == TCP_ESTABLISHED)
		subflow_meet(st, own, main);
	return 0;
}

/* The same for the socket of an MPTCP connection: a child is made after its first subflow, by the same softirq. */
static __always_inline __u32 main_change(struct np_sock *st, struct sock *sk, int from, int to)
{
	__u64 *newest, sub = (__u64)main_first(sk);
	__u32 zero = 0;

	if (to == TCP_SYN_SENT) {
		if (st->phase == NP_PHASE_OPEN)
			st->phase = NP_PHASE_OVER;
		return conn_over(st);
	}
	if (to == TCP_CLOSE)
		return conn_closed(st, sk, from);
	if (to != TCP_ESTABLISHED || st->phase >= NP_PHASE_OPEN)
		return 0;
	newest = st->flags & NP_F_PASSIVE ? bpf_map_lookup_elem(&np_newest, &zero) : NULL;
	st->established_ns = bpf_ktime_get_ns();
	if (st->phase == NP_PHASE_SYN)
		st->ends |= END_ASKED;
	st->phase = NP_PHASE_OPEN;
	st->subflows = 1;
	subflow_tuple(&st->tuple, newest && *newest ? *newest : sub);
	(void)filter_sock(st);
	return NP_EV_CONN_OPEN;
}

/* Is it an MPTCP connection's own? Asked of the entry each time, see unknown. */
static __always_inline bool state_is_main(const struct np_sock *st)
{
	return *(const volatile __u8 *)&st->tuple.proto == NP_IPPROTO_MPTCP;
}

/* Was this connection accepted by the stack just now? Where that is not traced, the next change tells. */
static __always_inline bool is_child(const struct np_sock *st, int from, int to)
{
	if (state_is_main(st))
		return from == TCP_LISTEN && (to == TCP_SYN_RECV || to == TCP_ESTABLISHED);
	if (to == TCP_SYN_RECV)
		return from == TCP_LISTEN;
	/* who asked is nobody's child, though it came this way: both ends did at once */
	return to == TCP_ESTABLISHED && from == TCP_SYN_RECV && st->phase != NP_PHASE_SYN &&
	       !(st->flags & NP_F_PASSIVE);
}

#define CHILD_MADE 1   /* it was accepted just now */
#define CHILD_CLONED 2 /* its entry is its listener's copy */
#define CHILD_LATE 4   /* it was open before, and nobody made the copy its own: see conn_missed */

static __always_inline __u32 child_of(struct np_sock *st, struct sock *sk, int from, int to,
				      bool fresh)
{
	if (to == TCP_CLOSE)
		return sock_is_copy(st, sk) ? CHILD_MADE | CHILD_CLONED | CHILD_LATE : 0;
	if (!is_child(st, from, to))
		return 0;
	return fresh ? CHILD_MADE : CHILD_MADE | CHILD_CLONED;
}

/* An entry that was copied from its listener's becomes the child's own. */
static __always_inline void child_settle(struct np_sock *st, struct sock *sk, __u32 child, int to)
{
	(void)conn_child(st, sk, child & CHILD_CLONED);
	if (child & CHILD_LATE) {
		st->phase = NP_PHASE_OPEN;
		st->established_ns = st->opened_ns;
	} else if (to == TCP_SYN_RECV && !state_is_main(st)) {
		/* Its cookie is still the listener's (up to 6.12 at least): asked for later. */
		st->sock_id = 0;
		st->flags &= ~NP_F_OWNID;
	}
}

/*
 * prog: NP_PROG_STATE, with NP_PROG_SECOND in the second program at the hook. Context: process or softirq. What is asked of a change is forgotten after each step (see
 * unknown): else the verifier would go through the rest once for each kind of change.
 */
static __always_inline int tcp_state(void *ctx, struct sock *sk, int from, int to, __u32 prog)
{
	bool main = BPF_CORE_READ(sk, sk_protocol) == NP_KERNEL_MPTCP, fresh = false;
	__u64 addr = (__u64)sk;
	__u32 zero = 0, type, child;
	struct np_sock *st;

	if (!main && !tcp_of(sk))
		return 0;
	if (!main && sock_is_subflow(sk)) {
		/* a child of a listener is not yet known to be one */
		if (from != TCP_LISTEN || to != TCP_SYN_RECV)
			return subflow_state(ctx, sk, from, to, prog);
		(void)bpf_map_update_elem(&np_newest, &zero, &addr, BPF_ANY);
	}
	first_hit(prog);
	st = state_of(sk, from, to, prog, &fresh);
	if (!st)
		return 0;
	to = (int)unknown((__u32)to);
	from = (int)unknown((__u32)from);
	if (state_is_main(st) && (st->flags & NP_F_IGNORE))
		return 0;
	if (st->phase == NP_PHASE_SUBFLOW && to != TCP_SYN_RECV)
		subflow_unhide(st);
	child = unknown(child_of(st, sk, from, to, fresh));
	to = (int)unknown((__u32)to);
	from = (int)unknown((__u32)from);
	if (child)
		child_settle(st, sk, unknown(child), to);
	to = (int)unknown((__u32)to);
	if (state_is_main(st))
		type = main_change(st, sk, from, to);
	else
		type = conn_change(st, sk, from, to);
	type = unknown(type);
	/* an MPTCP connection opened where its first subflow is */
	if (type == NP_EV_CONN_FAIL || (type == NP_EV_CONN_OPEN && !state_is_main(st))) {
		sock_tuple(st, sk);
		(void)filter_sock(st);
	}
	if (type)
		conn_event(ctx, st, sk, prog, type, type == NP_EV_CONN_FAIL ? (__s32)st->err : 0);
	to = (int)unknown((__u32)to);
	if (to == TCP_SYN_SENT && !(st->flags & NP_F_IGNORE)) {
		conn_reset(st, sk);
		st->phase = NP_PHASE_SYN;
		(void)owner_takes(st);
		(void)filter_sock(st);
		filter_segs(st, sk);
	}
	if (to != TCP_CLOSE || !state_is_main(st))
		return 0;
	if ((st->resets & MAIN_RELEASED) || !BPF_CORE_READ(sk, sk_socket))
		return sock_gone(ctx, sk, NP_PROG_DESTROY); /* which was left out of nothing */
	return 0;
}

/* The last subflow of a connection that no process holds any more: its last record. */
static __always_inline void main_gone(void *ctx, struct np_sock *to, struct sock *main, __u32 prog)
{
	__u32 what;

	if (to->live || to->gone || BPF_CORE_READ(main, sk_socket))
		return;
	/* of one that is older than the probe not every subflow was met */
	if ((to->flags & NP_F_SEEDED) && !main_is_bare(main))
		return;
	what = EMIT_WHAT(prog, gone_type(to, main));
	what |= main_settle(to, main, true);
	conn_events(ctx, to, main, what, 0);
	sock_drop(main);
}

/* What the kernel counted on a subflow since last time goes to its connection. */
static __always_inline void subflow_count(struct sock *sk, struct np_sock *st, struct tcp_sock *tp,
					  __u32 cause, __u32 prog)
{
	__u32 d = retrans_new(st, tp);
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
	first_hit(prog);
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
	if (fresh) {
		__u32 total = BPF_CORE_READ(tp, total_retrans);

		/* it need not be counted: np_rtx_tp */
		st->retrans_seen = total > now ? total - now : 0;
	}
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
	st->rtx_next = counted ? NP_RTX_UNKNOWN : CUT(__u8, why); /* NP_RTX_* */
	return 0;
}

static __always_inline int tcp_loss_probe(struct sock *sk, bool counted)
{
	struct np_sock *st;
	struct tcp_sock *tp;

	if (!sock_is_subflow(sk))
		return conn_loss_probe(sk, counted);
	prog_hit(NP_PROG_TLP);
	tp = tcp_of(sk);
	st = tp ? subflow_see(sk, tp, NP_PROG_TLP, 0) : NULL;
	if (!st)
		return 0;
	subflow_count(sk, st, tp, counted ? NP_RTX_TLP : st->rtx_next, NP_PROG_TLP);
	st->rtx_next = counted ? NP_RTX_UNKNOWN : NP_RTX_TLP;
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
