// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Stalls: user space walks the sockets several times within the threshold and looks which do not get
 * on although there is something to do. Nothing on the data path; what stands still shorter than one
 * walk is no stall. An idle server has nothing to do, so it never stalls.
 */
#define NP_SOCK_TYPED
#include "kernel/iter.h"
#include "kernel/skb.h"
#include "lib/life.h"
#include "lib/waiter.h"

#define TCP_CLOSE_WAIT 8
#define TELL_AGAIN_NS 1000000000ULL

/* set before each walk: no clock is read per socket */
volatile __u64 st_now_ns = 0;
volatile __u64 st_stall_ns = 100000000; /* --stall-threshold */

/* What a direction waits for now: nothing where cause is 0, else that the sequence number mark moves on. */
struct wait {
	__u32 cause, mark;
};

static __always_inline bool watch_moved(const struct np_watch *w, const struct wait *now)
{
	return !now->cause || now->cause != w->cause || now->mark != w->mark;
}

/* EMIT_* that are to be told of a direction: stall, and over with it. */
static __always_inline __u32 watch_look(struct np_rare *rare, struct np_watch *w,
					const struct wait *wait, __u32 stall, __u32 over)
{
	__u64 now = st_now_ns;

	if (watch_moved(w, wait)) {
		if (!w->told_ns)
			return 0;
		rare->stall_ns += now - w->since_ns;
		return stall | over;
	}
	if (now - w->since_ns < st_stall_ns || (w->told_ns && now - w->told_ns < TELL_AGAIN_NS))
		return 0;
	w->told_ns = now;
	return stall;
}

/* After it was told. */
static __always_inline void watch_begin(struct np_watch *w, const struct wait *wait)
{
	if (!watch_moved(w, wait))
		return;
	w->cause = wait->cause;
	w->mark = wait->mark;
	w->since_ns = st_now_ns;
	w->told_ns = 0;
}

/*
 * A call that took data and goes on (MSG_WAITALL): what the kernel took out for it is not counted before it
 * returns. What was spliced is not counted either, which is why the call itself is looked at.
 */
static __always_inline bool in_the_middle(const struct np_sock *st, struct tcp_sock *tp,
					  struct sock *sk)
{
	__u64 taken = BPF_CORE_READ(tp, bytes_received);

	/* all that was received has been taken: the caller looked */
	return taken > st->rx_base + st->counts.rx_bytes + st->rx_parts && waits_for_all(sk);
}

static __always_inline void stall_rx(struct wait *rx, const struct np_sock *st, struct sock *sk,
				     struct tcp_sock *tp, __u8 state, bool open)
{
	__u32 rcv_nxt = BPF_CORE_READ(tp, rcv_nxt), copied = BPF_CORE_READ(tp, copied_seq);
	__u32 unread = rcv_nxt - copied;

	/* The peer's FIN takes a sequence number that only a reader at the end of the stream takes off. */
	if (open && unread > (state == TCP_CLOSE_WAIT)) {
		rx->cause = NP_STALL_RECEIVE_QUEUE;
		rx->mark = copied;
		/* its reader asked not to be told of so little */
		if (state != TCP_CLOSE_WAIT && unread < (__u32)BPF_CORE_READ(sk, sk_rcvlowat)) {
			rx->cause = NP_STALL_RECEIVE_WAIT;
			rx->mark = rcv_nxt;
		}
	} else if (BPF_CORE_READ(tp, out_of_order_queue.rb_node) ||
		   (open && !unread && in_the_middle(st, tp, sk))) {
		rx->cause = NP_STALL_RECEIVE_WAIT;
		rx->mark = rcv_nxt;
	}
}

static __always_inline void stall_tcp(struct wait *tx, struct wait *rx, const struct np_sock *st,
				      struct sock *sk, struct tcp_sock *tp, __u8 state)
{
	struct socket *sock = BPF_CORE_READ(sk, sk_socket);
	__u32 write_seq = BPF_CORE_READ(tp, write_seq), una = BPF_CORE_READ(tp, snd_una);

	if (write_seq != una && !BPF_CORE_READ(tp, snd_wnd)) {
		tx->cause = NP_STALL_ZERO_WINDOW;
		tx->mark = una;
	} else if (sock_no_room(sock)) {
		tx->cause = NP_STALL_SEND_BUFFER;
		tx->mark = write_seq;
	}
	stall_rx(rx, st, sk, tp, state, sock);
}

/*
 * MPTCP: data in order that nobody takes. What its subflows do among themselves, whose sequence numbers are not the
 * connection's, is left out.
 */
static __always_inline void stall_mptcp(struct wait *rx, const struct np_sock *st, struct sock *sk)
{
	struct sock___queue *q = (struct sock___queue *)sk;

	rx->cause = BPF_CORE_READ(q, sk_receive_queue.qlen) ? NP_STALL_RECEIVE_QUEUE : 0;
	rx->mark = (__u32)(st->counts.rx_bytes + st->rx_parts);
}

static __always_inline void stall_dgram(struct wait *rx, const struct np_sock *st, struct sock *sk)
{
	rx->cause = BPF_CORE_READ(sk, sk_backlog.rmem_alloc.counter) > 0 ? NP_STALL_RECEIVE_QUEUE
									 : 0;
	rx->mark = (__u32)(st->counts.rx_calls + st->rx_parts);
}

static __always_inline int stall_one(void *ctx, struct np_sock *st, struct sock *sk)
{
	struct wait tx = {}, rx = {};
	struct np_rare *rare;
	struct tcp_sock *tp;
	__u32 what = 0;
	__u8 state;

	if (!st->sock_id || (st->flags & NP_F_IGNORE) || !sock_wanted(st, sk))
		return 0;
	if (is_conn(st)) {
		state = BPF_CORE_READ(sk, __sk_common.skc_state);
		if (state == TCP_LISTEN || state == TCP_CLOSE || state == TCP_SYN_SENT)
			return 0;
		tp = tcp_of(sk);
		if (tp && sock_is_subflow(sk))
			return 0;
		if (tp)
			stall_tcp(&tx, &rx, st, sk, tp, state);
		else
			stall_mptcp(&rx, st, sk);
	} else {
		stall_dgram(&rx, st, sk);
	}
	tx.cause = unknown(tx.cause);
	rx.cause = unknown(rx.cause);
	if (tx.cause | rx.cause)
		rare = sock_rare_make(st, sk, NP_PROG_STALL);
	else
		rare = sock_rare(st, sk);
	if (!rare)
		return 0;
	what |= watch_look(rare, &rare->watch_tx, &tx, EMIT_STALL_TX, EMIT_OVER_TX);
	what |= watch_look(rare, &rare->watch_rx, &rx, EMIT_STALL_RX, EMIT_OVER_RX);
	what = unknown(what);
	if (what)
		(void)emit_sock(ctx, st, sk, EMIT_WHAT(NP_PROG_STALL, 0) | what, 0);
	tx.cause = unknown(tx.cause);
	rx.cause = unknown(rx.cause);
	watch_begin(&rare->watch_tx, &tx);
	watch_begin(&rare->watch_rx, &rx);
	return 0;
}

/* Context: process, user space's read(). Since 5.9. */
SEC("iter/bpf_sk_storage_map")
int np_stall_sk(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock *sk = ctx->sk;
	struct np_sock *st;

	if (!sk || !ctx->value)
		return 0;
	prog_hit(NP_PROG_STALL);
	st = bpf_sk_storage_get(&np_socks, sk, NULL, 0);
	return st ? stall_one(ctx, st, sk) : 0;
}

SEC("iter/bpf_map_elem")
int np_stall_hash(struct bpf_iter__bpf_map_elem *ctx)
{
	__u64 *key = ctx->key, addr;
	struct np_sock *st;

	if (!key || !ctx->value)
		return 0;
	prog_hit(NP_PROG_STALL);
	addr = *key;
	st = bpf_map_lookup_elem(&np_socks_h, &addr);
	return st ? stall_one(ctx, st, (struct sock *)addr) : 0;
}

static long stall_elem(struct bpf_map *map, __u64 *key, struct np_sock *st, void *arg)
{
	__u64 addr = *key;

	prog_hit(NP_PROG_STALL);
	/* no context here, which the perf buffer would need: kernels with the helper have the ring */
	return stall_one(NULL, st, (struct sock *)addr);
}

/* Where there are no iterators, see np_sweep_run. */
SEC("raw_tp")
int np_stall_run(void *ctx)
{
	(void)bpf_for_each_map_elem(&np_socks_h, stall_elem, NULL, 0);
	return 0;
}
