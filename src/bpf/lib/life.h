/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The life of a socket: created, bound, connected, accepted, established, over. Bodies for the
 * hooks of tcp.bpf.c and life.bpf.c; the traffic in between is traffic.h's.
 */
#ifndef NETPROBE_BPF_LIB_LIFE_H
#define NETPROBE_BPF_LIB_LIFE_H

#include "emit.h"
#include "second.h"
#include "traffic.h"

/* An entry gets what it lacks. True where it was without anything. */
static __always_inline bool sock_settle(struct np_sock *st, struct sock *sk)
{
	if (st->sock_id)
		return false;
	if (st->flags & NP_F_PASSIVE) {
		sock_identify(st, sk);
		return false;
	}
	sock_init(st, sk);
	return true;
}

/* The socket's entry, made if there is none; the caller is not using the socket, only seeing it. */
static __always_inline struct np_sock *sock_see(struct sock *sk, __u32 prog, bool *ret_new)
{
	struct np_sock *st = sock_make(sk, prog);

	if (st)
		*ret_new = sock_settle(st, sk);
	return st;
}

/* Has it a port that it was given on purpose? (By default those from 32768 on are given by chance.) */
static __always_inline bool serves_datagrams(const struct np_sock *st)
{
	return st->dgram && !has_remote(&st->tuple) && st->tuple.lport && st->tuple.lport < 32768;
}

/* In process context: the current task made, bound, connected or accepted this socket. */
static __noinline __attribute__((unused)) int sock_claim(struct sock *sk, __u32 prog, bool seed)
{
	struct np_owner me;
	struct np_sock *st;
	bool fresh = false;

	prog_hit(prog);
	st = sock_see(sk, prog, &fresh);
	/* a listener's subflow hands its owner on to those of its children that are plain TCP */
	if (!st || ((st->flags & NP_F_IGNORE) && st->phase != NP_PHASE_SUBFLOW))
		return 0;
	if (fresh && seed)
		sock_seed(st, sk, 0, 0);
	if (prog == NP_PROG_CREATE && st->dgram)
		st->opened_ns = bpf_ktime_get_ns(); /* of a connection: when it begins */
	st->hot = 0;
	sock_use(st, sk, &me);
	if (prog == NP_PROG_BIND && serves_datagrams(st))
		st_need_arrive = 1; /* before what it reads first */
	return 0;
}

/* connect() begins: a TCP socket may never get as far as its SYN. */
static __always_inline void connect_begins(struct sock *sk)
{
	struct np_sock *st;

	(void)sock_claim(sk, NP_PROG_CONNECT, true);
	st = sock_find(sk);
	if (!st || !is_conn(st))
		return;
	if (st->phase == NP_PHASE_NEW || st->phase == NP_PHASE_CONNECT) {
		st->phase = NP_PHASE_CONNECT;
		st->opened_ns = bpf_ktime_get_ns();
	}
}

/* Where to: the socket itself will not know if there is no route. */
static __always_inline void connect_goes_to(struct sock *sk, const struct np_peer *peer)
{
	struct np_sock *st = sock_find(sk);

	if (!st || st->phase != NP_PHASE_CONNECT || !peer->family)
		return;
	__builtin_memcpy(st->tuple.raddr, peer->raddr, 16);
	st->tuple.rport = peer->rport;
	st->tuple.family = peer->family;
	(void)filter_sock(st); /* if it gets no further, nobody asks again */
}

/* Did anything happen on this socket that the user asked to see? */
static __always_inline bool sock_wanted(struct np_sock *st, struct sock *sk)
{
	if (st->gen != np_filter.gen)
		filter_sock(st);
	filter_segs(st, sk);
	return st->pass & NP_PASS_ANY;
}

/* A process may have renamed itself since it was noted: at the end of a socket the newest name counts. */
static __always_inline void owner_rename(struct np_sock *st)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct task_struct *leader;

	if (!tgid || st->last.tgid != tgid)
		return;
	leader = BPF_CORE_READ(task, group_leader);
	/* filters compare all of it */
	__builtin_memset(st->last.comm, 0, sizeof(st->last.comm));
	(void)bpf_probe_read_kernel_str(st->last.comm, sizeof(st->last.comm), &leader->comm);
	if (st->acct_tgid == tgid)
		__builtin_memcpy(st->acct.comm, st->last.comm, sizeof(st->acct.comm));
}

/* Are events of this socket wanted? n of them are counted as left out if not. */
static __always_inline bool event_passes(struct np_sock *st, struct sock *sk, __u32 prog, __u32 n)
{
	if (st->flags & NP_F_IGNORE)
		return false;
	if (sock_wanted(st, sk))
		return true;
	if (st->pass & NP_PASS_SAMPLED_OUT)
		count_add(prog, sampled_out, n);
	else
		count_add(prog, filtered, n);
	return false;
}

/* what: see EMIT_WHAT. */
static __always_inline void conn_events(void *ctx, struct np_sock *st, struct sock *sk, __u32 what,
					__s32 err)
{
	what = unknown(what);
	if (event_passes(st, sk, what >> 8 & NP_PROG_MASK, emit_number(what)))
		(void)emit_sock(ctx, st, sk, what, err);
}

static __always_inline void conn_event(void *ctx, struct np_sock *st, struct sock *sk, __u32 prog,
				       __u32 type, __s32 err)
{
	conn_events(ctx, st, sk, EMIT_WHAT(prog, type), err);
}

/*
 * tcp_v4_connect or tcp_v6_connect failed with -ret. No SYN went out: the socket is as it was before. Those
 * that got further told it when they reached TCP_CLOSE.
 */
static __always_inline int connect_failed(void *ctx, struct sock *sk, int ret)
{
	struct np_sock *st;

	prog_hit(NP_PROG_CONNECT_END);
	st = ret < 0 ? sock_find(sk) : NULL;
	if (!st || st->phase != NP_PHASE_CONNECT)
		return 0;
	st->closed_ns = bpf_ktime_get_ns();
	st->err = -ret;
	conn_event(ctx, st, sk, NP_PROG_CONNECT_END, NP_EV_CONN_FAIL, -ret);
	st->phase = NP_PHASE_NEW;
	st->closed_ns = 0;
	return 0;
}

/* connect() sends its SYN. A socket may connect again after it failed or was closed: that is told first. */
static __always_inline __u32 conn_over(const struct np_sock *st)
{
	if (st->phase == NP_PHASE_OVER)
		return NP_EV_CONN_CLOSE;
	return st->phase == NP_PHASE_FAILED ? NP_EV_SOCK_CLOSE : 0;
}

static __always_inline __u32 conn_established(struct np_sock *st, struct sock *sk, int old)
{
	struct tcp_sock *tp = tcp_of(sk);
	/* Both ends asked at once: one that did is nobody's child, though it came by SYN_RECV. */
	bool asked = st->phase == NP_PHASE_SYN;

	st->established_ns = bpf_ktime_get_ns();
	if (asked)
		st->ends |= END_ASKED;
	/* Data may have gone out with the SYN (TCP Fast Open): it is already counted. */
	if (tp)
		st->tx_base =
			BPF_CORE_READ(tp, write_seq) - (__u32)(st->counts.tx_bytes + st->tx_parts);
	if (tp && old == TCP_SYN_RECV && !asked)
		/* its SYN-ACKs are the listener's */
		(void)retrans_begin(st, sk);
	st->phase = NP_PHASE_OPEN;
	return NP_EV_CONN_OPEN;
}

/*
 * An open connection ends, by its old state with a FIN or without. What it was given is noted and not counted yet: a
 * blocked call may be about to return what it put in.
 */
static __always_inline void tx_note(struct np_sock *st, struct sock *sk, int old)
{
	struct tcp_sock *tp = tcp_of(sk);

	if (!tp)
		return;
	if (old == TCP_FIN_WAIT1 || old == TCP_FIN_WAIT2 || old == TCP_CLOSING ||
	    old == TCP_LAST_ACK)
		st->ends |= END_FIN; /* the hook on that state may have been left out */
	st->tx_end = BPF_CORE_READ(tp, write_seq) - !!(st->ends & END_FIN);
	st->ends |= BPF_CORE_READ((struct inet_connection_sock *)tp, icsk_ulp_ops) ? END_FRAMED
										   : END_PLAIN;
}

/*
 * Sends that no program saw (see second.h) of a connection that is over: they are its owner's, if nobody else was seen
 * to use it and it was the owner that closed it. Else they stay what np_tcp.tx_unseen tells.
 */
static __always_inline void tx_settle(struct np_sock *st)
{
	__s32 missing;

	if (!cfg_settle_tx || !(st->ends & END_PLAIN) || (st->flags & NP_F_IGNORE) ||
	    !(st->pass & NP_PASS_NOW) || st->tx_parts || st->rx_parts)
		return;
	if (st->last.match != NP_MATCH_EXACT || st->last.tgid != st->closer)
		return;
	if (st->acct_tgid &&
	    (st->acct.tgid != st->last.tgid || st->acct.start_ns != st->last.start_ns))
		return;
	missing = (__s32)(st->tx_end - st->tx_base - (__u32)st->counts.tx_bytes);
	if (missing > 0)
		__sync_fetch_and_add(&st->counts.tx_bytes, missing);
}

static __always_inline __u32 conn_closed(struct np_sock *st, struct sock *sk, int old)
{
	st->closed_ns = bpf_ktime_get_ns();
	st->err = BPF_CORE_READ(sk, sk_err);
	if (st->phase == NP_PHASE_SYN && old != TCP_SYN_SENT)
		st->phase = NP_PHASE_OPEN; /* that it opened was not seen */
	if (st->phase == NP_PHASE_SYN) {
		st->phase = NP_PHASE_FAILED;
		return NP_EV_CONN_FAIL;
	}
	if (st->phase == NP_PHASE_OPEN) {
		tx_note(st, sk, old);
		st->phase = NP_PHASE_OVER;
	}
	return 0;
}

/*
 * The entry that a change of state is about, NULL where it is none of ours or has been dealt with. Two
 * programs may be at the same hook, since the kernel leaves out one that would interrupt itself: the
 * one that comes second finds the change noted. No change follows an equal one on the same socket.
 */
static __always_inline struct np_sock *state_of(struct sock *sk, int from, int to, __u32 prog,
						bool *ret_fresh)
{
	__u8 change = CUT(__u8, (__u32)from << 4 | (__u32)to); /* TCP_* are from 1 to 13 */
	struct np_sock *st;

	if (to == TCP_SYN_SENT || to == TCP_ESTABLISHED ||
	    (to == TCP_SYN_RECV && from == TCP_LISTEN))
		st = sock_make(sk, NP_PROG_STATE);
	else
		st = sock_find(sk);
	if (!st || st->change == change)
		return NULL;
	/* listen() that found its port taken is told by the tracepoint alone: nobody was left out of that */
	if (from != TCP_LISTEN || to != TCP_CLOSE)
		second_saw(prog);
	st->change = change;
	*ret_fresh = sock_settle(st, sk);
	return st;
}

/* What a change of state means to a connection: NP_EV_* to be told; 0 nothing. */
static __always_inline __u32 conn_change(struct np_sock *st, struct sock *sk, int from, int to)
{
	switch (to) {
	case TCP_SYN_SENT:
		return conn_over(st);
	case TCP_LISTEN:
		sock_listens(st, sk);
		return 0;
	case TCP_ESTABLISHED:
		return conn_established(st, sk, from);
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
		st->ends |= END_FIN;
		return 0;
	case TCP_CLOSE:
		return conn_closed(st, sk, from);
	}
	return 0;
}

/* A stall that was told ends with its socket: EMIT_* that tell so, as they are given. */
static __always_inline __u32 stall_over(const struct np_sock *st, struct np_rare *rare,
					struct np_watch *w, __u32 emit)
{
	if (!w->told_ns || (st->flags & NP_F_IGNORE))
		return 0;
	rare->stall_ns += st->closed_ns - w->since_ns;
	w->told_ns = 0;
	return emit;
}

static __noinline __attribute__((unused)) int stalls_over(struct np_sock *st, struct sock *sk)
{
	struct np_rare *rare = st ? sock_rare(st, sk) : NULL;

	if (!rare)
		return 0;
	return (int)(stall_over(st, rare, &rare->watch_tx, EMIT_STALL_TX | EMIT_OVER_TX) |
		     stall_over(st, rare, &rare->watch_rx, EMIT_STALL_RX | EMIT_OVER_RX));
}

/* Segments retransmitted, for who owns the socket's counts or in a part. A global function: see filter.h. */
__weak __noinline int rtx_count(struct np_sock *st, __u32 d)
{
	struct np_owner last;
	struct np_part *part;
	__u32 filtered = 0;

	if (!st)
		return 0;
	last = st->last;
	if (!last.tgid || acct_take(st, &last)) {
		__sync_fetch_and_add(&st->counts.retrans, d);
		return 0;
	}
	part = part_get(st, &last, NULL, &filtered);
	if (part)
		__sync_fetch_and_add(&part->counts.retrans, d);
	else if (!filtered)
		__sync_fetch_and_add(&st->counts.retrans, d);
	return 0;
}

/*
 * What subflows of an MPTCP connection did is its own now. key: its socket's address. told: 1 where its resets are told by
 * the caller, for whom this returns their EMIT_*. A connection ends by one reset, whatever number of subflows it
 * takes to tell the peer. A global function: see filter.h.
 */
__weak __noinline int main_take(struct np_sock *st, struct np_rare *rare, __u64 key, __u32 told)
{
	struct np_main *m = st ? bpf_map_lookup_elem(&np_mains, &key) : NULL;
	__u32 d = 0, resets, synack;

	if (!m)
		return 0;
	for (int i = 0; i < NP_RTX_MAX; i++) {
		__u32 n = m->rtx[i] ? __sync_lock_test_and_set(&m->rtx[i], 0) : 0;

		if (rare)
			rare->rtx_cause[i] += n;
		d += n;
	}
	synack = m->synack ? __sync_lock_test_and_set(&m->synack, 0) : 0;
	if (rare) {
		rare->synack_retrans += synack;
		rare->rtx_cpu_tgid = m->cpu_tgid;
		__builtin_memcpy(rare->rtx_cpu_comm, m->cpu_comm, sizeof(rare->rtx_cpu_comm));
	}
	if (synack)
		__sync_fetch_and_add(&st->hands, 1);
	if (m->drops)
		st->drops_told += __sync_lock_test_and_set(&m->drops, 0);
	if (d)
		(void)rtx_count(st, d);
	if (!told)
		return 0;
	resets = m->resets & ~st->resets & 3;
	st->resets |= resets;
	return (int)(resets * EMIT_RESET_TX);
}

/* Context: a sweep, or a hook on the connection's socket. */
static __always_inline __u32 main_settle(struct np_sock *st, struct sock *sk, bool told)
{
	struct np_rare *rare;
	__u64 key;

	if (st->tuple.proto != NP_IPPROTO_MPTCP)
		return 0;
	key = sock_number(sk);
	if (!bpf_map_lookup_elem(&np_mains, &key))
		return 0;
	rare = sock_rare_make(st, sk, NP_PROG_RETRANSMIT);
	return (__u32)main_take(st, rare, key, told);
}

static __always_inline __u32 gone_type(struct np_sock *st, struct sock *sk)
{
	sock_check_copy(st, sk);
	sock_ended(st, sk);
	if (!st->closed_ns)
		st->closed_ns = bpf_ktime_get_ns();
	owner_rename(st);
	tx_settle(st);
	return st->phase == NP_PHASE_OPEN || st->phase == NP_PHASE_OVER ? NP_EV_CONN_CLOSE
									: NP_EV_SOCK_CLOSE;
}

/* What the last record of a socket is to tell: see EMIT_WHAT. It begins with its NP_EV_*. */
static __always_inline __u32 gone_what(struct np_sock *st, struct sock *sk, __u32 prog)
{
	__u32 what = EMIT_WHAT(prog, gone_type(st, sk));

	what |= main_settle(st, sk, true);
	return what | (__u32)stalls_over(st, sk);
}

/* The socket is gone for good: its last record. prog: NP_PROG_DESTROY or NP_PROG_RELEASE. */
static __always_inline int sock_gone(void *ctx, struct sock *sk, __u32 prog)
{
	struct np_sock *st;

	first_hit(prog);
	st = sock_find(sk);
	if (!st || st->gone)
		return 0;
	second_saw(prog);
	conn_events(ctx, st, sk, gone_what(st, sk, prog & NP_PROG_MASK), 0);
	sock_drop(sk);
	return 0;
}

/*
 * Closed by its last holder, and what TCP still does for it, on itself or on its subflows, comes afterwards. If
 * connect() was called and no SYN ever left, the kernel had no route or no port for it; no hook of this family sees
 * the errno. What is to be told, as above.
 */
static __always_inline __u32 released_what(struct np_sock *st, __u16 protocol)
{
	owner_rename(st);
	if (protocol == NP_KERNEL_MPTCP)
		st->resets |= MAIN_RELEASED;
	if (st->phase != NP_PHASE_CONNECT)
		return 0;
	st->phase = NP_PHASE_FAILED;
	st->closed_ns = bpf_ktime_get_ns();
	return EMIT_WHAT(NP_PROG_RELEASE, NP_EV_CONN_FAIL);
}

/* Was that seen before? A datagram socket is gone with it. */
static __always_inline bool sock_let_go(const struct np_sock *st)
{
	if (st->tuple.proto == NP_IPPROTO_MPTCP)
		return st->resets & MAIN_RELEASED;
	return !st->dgram && st->closer;
}

/* prog: NP_PROG_RELEASE, with NP_PROG_SECOND in the second program. */
static __always_inline int sock_released(void *ctx, struct sock *sk, __u32 prog)
{
	__u16 protocol = BPF_CORE_READ(sk, sk_protocol);
	struct np_sock *st;
	__u32 what, over;

	over = unknown(protocol == NP_KERNEL_MPTCP ? main_is_over(sk) : !tcp_of(sk));
	first_hit(prog);
	st = sock_find(sk);
	if (!st || (over && st->gone))
		return 0;
	if ((prog & NP_PROG_SECOND) && sock_let_go(st))
		return 0;
	second_saw(prog);
	if (over)
		what = gone_what(st, sk, NP_PROG_RELEASE);
	else
		what = released_what(st, protocol);
	what = unknown(what);
	if (what)
		conn_events(ctx, st, sk, what, 0);
	if (unknown(over)) {
		sock_drop(sk);
	} else if (protocol != NP_KERNEL_MPTCP) {
		st->closer = CUT(__u32, bpf_get_current_pid_tgid() >> 32);
		(void)left_note(st, sk);
	}
	return 0;
}

static __always_inline void rtx_cpu(struct np_rare *rare)
{
	if (!rare)
		return;
	rare->rtx_cpu_tgid = bpf_get_current_pid_tgid() >> 32;
	(void)bpf_get_current_comm(rare->rtx_cpu_comm, sizeof(rare->rtx_cpu_comm));
}

/* Why the kernel retransmits on this socket just now. */
static __always_inline __u32 rtx_why(struct sock *sk)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)sk;
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	__u8 ca = CUT(__u8, BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_ca_state)); /* 5 bits */

	if (state == TCP_SYN_SENT || ca == TCP_CA_LOSS)
		return NP_RTX_TIMEOUT;
	/*
	 * The probe's timer is only set outside of recovery, and is marked pending until the probe went out
	 * (tcp_send_loss_probe, 6.18); it may still be pending when ACKs bring recovery about.
	 */
	if (ca < TCP_CA_RECOVERY && BPF_CORE_READ(icsk, icsk_pending) == ICSK_TIME_LOSS_PROBE)
		return NP_RTX_TLP;
	return NP_RTX_FAST;
}

/*
 * Segments go out again. The kernel's own total tells how many, so that one hit may stand for many
 * segments and a hit that was missed costs nothing. counted: the hook comes after the kernel counted
 * this retransmit; else what is counted is what went before, for the cause noted then.
 * Context: softirq, or process in release_sock.
 */
static __always_inline void rtx_seen(struct np_sock *st, struct sock *sk, struct tcp_sock *tp,
				     bool counted)
{
	struct np_rare *rare = sock_rare_make(st, sk, NP_PROG_RETRANSMIT);
	__u32 d, why = rtx_why(sk), next = st->rtx_next;

	rtx_cpu(rare);
	d = retrans_new(st, tp);
	if (counted && next && d > 1) {
		/* A loss probe, one segment, went before without a hook that counts. */
		rtx_cause_add(rare, next, 1);
		rtx_cause_add(rare, why, d - 1);
	} else if (d) {
		rtx_cause_add(rare, counted ? why : next, d);
	}
	st->rtx_next = counted ? NP_RTX_UNKNOWN : CUT(__u8, why); /* NP_RTX_* */
	if (d)
		rtx_count(st, d);
}

static __always_inline int conn_retransmit(struct sock *sk, bool counted)
{
	struct tcp_sock *tp = tcp_of(sk);
	struct np_sock *st;
	bool fresh = false;

	prog_hit(NP_PROG_RETRANSMIT);
	st = tp ? sock_see(sk, NP_PROG_RETRANSMIT, &fresh) : NULL;
	if (!st || (st->flags & NP_F_IGNORE))
		return 0;
	if (fresh) {
		sock_seed(st, sk, 0, 0);
		filter_sock(st);
	}
	rtx_seen(st, sk, tp, counted);
	return 0;
}

/*
 * A tail loss probe, for families whose retransmit hook misses it. counted: it went out, as a segment again or as a new
 * one; else it begins, and what is counted next is its doing.
 */
static __always_inline void tlp_seen(struct np_sock *st, struct sock *sk, struct tcp_sock *tp,
				     bool counted)
{
	__u32 d = retrans_new(st, tp), why = counted ? NP_RTX_TLP : st->rtx_next;
	struct np_rare *rare;

	st->rtx_next = counted ? NP_RTX_UNKNOWN : NP_RTX_TLP;
	if (!d && counted)
		return;
	rare = sock_rare_make(st, sk, NP_PROG_TLP);
	rtx_cpu(rare);
	rtx_cause_add(rare, why, d);
	if (d)
		rtx_count(st, d);
}

static __always_inline int conn_loss_probe(struct sock *sk, bool counted)
{
	struct tcp_sock *tp = tcp_of(sk);
	struct np_sock *st;

	prog_hit(NP_PROG_TLP);
	st = tp ? sock_find(sk) : NULL;
	if (st && !(st->flags & NP_F_IGNORE))
		tlp_seen(st, sk, tp, counted);
	return 0;
}

/* The congestion state changes; the old one is still in the socket. */
static __always_inline int conn_ca_state(struct sock *sk, __u8 new)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)sk;
	__u8 old = CUT(__u8, BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_ca_state)); /* 5 bits */
	bool was = old >= TCP_CA_RECOVERY, is = new >= TCP_CA_RECOVERY;
	struct np_rare *rare;
	struct tcp_sock *tp;
	struct np_sock *st;
	__u32 total;

	prog_hit(NP_PROG_CA_STATE);
	if (!was && !is)
		return 0;
	st = sock_find(sk);
	tp = st ? tcp_of(sk) : NULL;
	if (!tp || (st->flags & NP_F_IGNORE))
		return 0;
	if (is)
		rare = sock_rare_make(st, sk, NP_PROG_CA_STATE);
	else
		rare = sock_rare(st, sk);
	if (!rare)
		return 0;
	total = BPF_CORE_READ(tp, total_retrans);
	if (is) {
		recovery_goes_on(st, rare, tp, !was, total);
		return 0;
	}
	recovery_end(st, rare, tp, 0);
	return 0;
}

/* Where it goes: the listener has no route of its own, user space asks for one to there. */
static __always_inline void synack_peer(struct np_rare *rare, struct request_sock *req)
{
	__u16 family = BPF_CORE_READ(req, __req_common.skc_family);

	/* a listener sends no datagrams: their peer's place is free */
	if (family == AF_INET)
		addr_from_v4(rare->synack_raddr, BPF_CORE_READ(req, __req_common.skc_daddr));
	else
		BPF_CORE_READ_INTO(&rare->synack_raddr, req, __req_common.skc_v6_daddr);
}

static __always_inline int conn_synack(struct sock *sk, struct request_sock *req)
{
	struct np_rare *rare;
	struct np_sock *st;
	bool fresh = false;

	prog_hit(NP_PROG_SYNACK);
	st = sock_see(sk, NP_PROG_SYNACK, &fresh);
	if (!st || (st->flags & NP_F_IGNORE))
		return 0;
	if (fresh) {
		sock_seed(st, sk, 0, 0);
		filter_sock(st);
	}
	rare = sock_rare_make(st, sk, NP_PROG_SYNACK);
	rtx_cpu(rare);
	if (!sock_wanted(st, sk) || !(st->pass & NP_PASS_NOW)) {
		count_one(NP_PROG_SYNACK, filtered);
		return 0;
	}
	if (!rare)
		return 0;
	synack_peer(rare, req);
	__sync_fetch_and_add(&rare->synack_retrans, 1);
	__sync_fetch_and_add(&st->hands, 1);
	return 0;
}

static __always_inline int conn_rst(void *ctx, struct sock *sk, __u32 prog, __u32 type)
{
	struct np_sock *st;
	__u8 state;

	prog_hit(prog);
	if (!sk)
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV)
		return 0; /* not a full socket */
	st = sock_find(sk);
	if (!st || !st->sock_id)
		return 0;
	sock_tuple(st, sk); /* a refused connect() has its route only now */
	conn_event(ctx, st, sk, prog, type, 0);
	return 0;
}

#endif
