/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records out of the kernel half: fills struct np_sock_rec from a socket and hands events over, by
 * ring buffer, perf buffer, or, when that is full and the record ends a socket, through a map.
 */
#ifndef NETPROBE_BPF_LIB_EMIT_H
#define NETPROBE_BPF_LIB_EMIT_H

#include "filter.h"
#include "mptcp.h"
#include "owner.h"
#include "retrans.h"
#include "scratch.h"
#include "sum.h"

struct np_events_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
};
extern struct np_events_map np_events SEC(".maps");

struct np_events_perf_map {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
};
extern struct np_events_perf_map np_events_perf SEC(".maps");

struct np_ev_place {
	struct scratch_head head;
	struct np_ev_sock ev;
};

struct np_ev_scratch_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct np_ev_place);
};
extern struct np_ev_scratch_map np_ev_scratch SEC(".maps");

/* Last records that found the ring full. User space empties it at each sweep. Full as well: see sum.h. */
struct np_closed_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct np_ev_sock);
};
extern struct np_closed_map np_closed SEC(".maps");

#define NAGLE_OFF 1  /* bits of nonagle: TCP_NODELAY, */
#define NAGLE_CORK 2 /* TCP_CORK */

/* What keeps bytes in a sender that could send them. */
static __always_inline __u32 rec_held(struct sock *sk, struct tcp_sock *tp, __u64 pacing_rate)
{
	__u64 asked = SK_READ((struct sock___pacing *)sk, sk_max_pacing_rate);
	__u8 nonagle = CUT(__u8, SK_READ_BITS(tp, nonagle)); /* 4 bits */
	__u32 limits = asked != ~0UL && pacing_rate >= asked ? NP_TCP_PACED : 0;

	if (nonagle & NAGLE_CORK)
		limits |= NP_TCP_CORK;
	else if (!(nonagle & NAGLE_OFF))
		limits |= NP_TCP_NAGLE;
	return limits;
}

#define SOCK_NOSPACE 2 /* bit of socket.flags (6.18: include/linux/net.h) */

/* Did a send, or a poll for room, find none, and was not yet told that there is some? */
static __always_inline bool sock_no_room(struct socket *sock)
{
	return sock && (BPF_CORE_READ(sock, flags) & (1UL << SOCK_NOSPACE));
}

/* Time by what limited the sender, as tcp_get_info_chrono_stats (6.18) adds it up. */
static __always_inline void rec_chrono(struct np_tcp *t, struct tcp_sock *tp)
{
	__u64 jiffies = bpf_jiffies64();
	__u32 now = (__u32)jiffies, start = SK_READ(tp, chrono_start);
	__u32 type = CUT(__u32, SK_READ_BITS(tp, chrono_type)); /* 2 bits */
	__u64 c0 = SK_READ(tp, chrono_stat[0]);
	__u64 c1 = SK_READ(tp, chrono_stat[1]);
	__u64 c2 = SK_READ(tp, chrono_stat[2]);
	__u32 hz = cfg_hz;

	if (type == 1)
		c0 += now - start;
	else if (type == 2)
		c1 += now - start;
	else if (type == 3)
		c2 += now - start;
	t->taken_us = hz ? jiffies * 1000000ULL / hz : 0;
	t->rwnd_limited_us = hz ? c1 * 1000000ULL / hz : 0;
	t->sndbuf_limited_us = hz ? c2 * 1000000ULL / hz : 0;
	t->busy_us = hz ? (c0 + c1 + c2) * 1000000ULL / hz : 0;
}

static __always_inline void rec_tcp(struct np_tcp *t, struct np_sock *st, struct sock *sk,
				    struct tcp_sock *tp)
{
	__u32 delivered = SK_READ(tp, rate_delivered);
	__u32 interval = SK_READ(tp, rate_interval_us);
	__u32 snd_nxt = SK_READ(tp, snd_nxt);

	t->bytes_acked = SK_READ(tp, bytes_acked);
	t->bytes_received = SK_READ(tp, bytes_received);
	t->bytes_sent = SK_READ(tp, bytes_sent);
	t->bytes_retrans = SK_READ(tp, bytes_retrans);
	t->srtt_us = SK_READ(tp, srtt_us) >> 3;
	t->rttvar_us = SK_READ(tp, mdev_us) >> 2;
	t->min_rtt_us = SK_READ(tp, rtt_min.s[0].v);
	t->snd_cwnd = SK_READ(tp, snd_cwnd);
	t->snd_ssthresh = SK_READ(tp, snd_ssthresh);
	t->segs_out = st->segs_out_base; /* see filter_segs */
	t->segs_in = st->segs_in_base;
	if (!(st->pass & NP_PASS_HELD)) {
		t->segs_out = segs_since(SK_READ(tp, segs_out), t->segs_out);
		t->segs_in = segs_since(SK_READ(tp, segs_in), t->segs_in);
	}
	t->snd_wnd = SK_READ(tp, snd_wnd);
	t->mss = SK_READ(tp, mss_cache);
	t->in_flight = SK_READ(tp, packets_out) - SK_READ(tp, sacked_out) - SK_READ(tp, lost_out) +
		       SK_READ(tp, retrans_out);
	t->pacing_rate = SK_READ((struct sock___pacing *)sk, sk_pacing_rate);
	t->delivery_rate = interval ? (__u64)delivered * t->mss * 1000000ULL / interval : 0;
	rec_chrono(t, tp);
	/* 5 bits */
	t->ca_state = CUT(__u8, SK_READ_BITS((struct inet_connection_sock *)tp, icsk_ca_state));
	t->unread_bytes = SK_READ(tp, rcv_nxt) - SK_READ(tp, copied_seq);
	t->unsent_bytes = SK_READ(tp, write_seq) - snd_nxt;
	t->rcv_wnd = SK_READ(tp, rcv_wnd);
	t->sndbuf_bytes = SK_READ(sk, sk_sndbuf);
	t->wmem_bytes = SK_READ(sk, sk_wmem_queued);
	/* With nothing queued there is room. */
	t->limits = t->wmem_bytes && sock_no_room(SK_READ(sk, sk_socket)) ? NP_TCP_NO_ROOM : 0;
	t->limits |= rec_held(sk, tp, t->pacing_rate);
	if (SK_READ_BITS(tp, is_cwnd_limited))
		t->limits |= NP_TCP_CWND_LIMITED;
	if (SK_READ_BITS(tp, rate_app_limited))
		t->limits |= NP_TCP_APP_LIMITED;
	t->rx_unseen =
		(__s64)(tcp_rx_taken(tp, sk) - st->rx_base - st->counts.rx_bytes - st->rx_parts);
	t->tx_unseen = (__s32)(tcp_tx_queued(st, tp) - (__u32)(st->counts.tx_bytes + st->tx_parts));
}

/*
 * SYNs for which a queue was full: the kernel counts them on the listener and lets their buffers go as if they had
 * been used (tcp_conn_request, 5.14 to 6.18), which no tracepoint tells. tcp: the TCP socket that listens, only read.
 */
static __always_inline void rec_listen(struct np_tcp *t, const struct np_sock *st, struct sock *tcp)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)tcp;
	__u32 drops = (__u32)BPF_CORE_READ(tcp, sk_drops.counter) - st->drops_base - st->drops_told;
	__u32 backlog = BPF_CORE_READ(tcp, sk_max_ack_backlog);

	t->listen_drops = (__s32)drops > 0 ? drops : 0;
	if (BPF_CORE_READ(tcp, __sk_common.skc_state) != TCP_LISTEN)
		return; /* at its end its queues are empty */
	t->unread_bytes = BPF_CORE_READ(tcp, sk_ack_backlog);
	t->sndbuf_bytes = backlog;
	if (t->unread_bytes > backlog) /* as sk_acceptq_is_full */
		t->limits |= NP_TCP_ACCEPT_FULL;
	if ((__u32)BPF_CORE_READ(icsk, icsk_accept_queue.qlen.counter) >= backlog)
		t->limits |= NP_TCP_SYN_FULL;
}

/* What subflows did is counted here, as it happens: nothing of the connection's own socket is TCP's. */
static __always_inline void rec_mptcp(struct np_sock_rec *rec, struct np_sock *st, struct sock *sk,
				      __u8 state)
{
	struct sock *first = main_first(sk);
	__u32 n;

	if (state == TCP_LISTEN)
		st->flags |= NP_F_LISTEN;
	if (state == TCP_LISTEN || (state == TCP_CLOSE && (st->flags & NP_F_LISTEN))) {
		if (first)
			rec_listen(&rec->tcp, st, first);
		return;
	}
	if (!st->tuple.ifname[0])
		subflow_route(&st->tuple, (__u64)first); /* it has none of its own */
	n = state == TCP_CLOSE || state == TCP_SYN_SENT ? 0 : main_subflows(sk);
	if (n)
		st->subflows = n;
	rec->subflows = st->subflows;
}

/* What only a connection has. */
static __always_inline void rec_conn(struct np_sock_rec *rec, const struct np_sock *st)
{
	rec->established_ns = rec->connect_us = 0;
	if (st->dgram)
		return;
	rec->established_ns = st->established_ns;
	if ((st->ends & END_ASKED) && st->opened_ns)
		/* no handshake takes the 71 minutes that fit */
		rec->connect_us = CUT(__u32, (st->established_ns - st->opened_ns) / 1000);
}

/*
 * What went wrong with it; all that was zero. Returns np_rare.error_rport. A function, at whose end the verifier does not
 * know any more whether there was something.
 */
static __noinline int rec_rare(struct np_sock_rec *rec, struct np_sock *st, struct sock *sk)
{
	struct np_rare *rare = st ? sock_rare(st, sk) : NULL;
	struct tcp_sock *tp;
	struct np_tcp *t = &rec->tcp;

	if (!rec || !st)
		return 0;
	if (!rare) { /* see sock_rare_make */
		t->rtx_cause[NP_RTX_UNKNOWN] = CUT(__u32, st->counts.retrans);
		return 0;
	}
	t->synack_retrans = rare->synack_retrans;
	if (!(st->flags & NP_F_LISTEN)) {
		tp = st->tuple.proto == IPPROTO_TCP ? tcp_of(sk) : NULL;
		if (tp && t->ca_state < TCP_CA_RECOVERY)
			recovery_end(st, rare, tp, RECOVERY_BEGINS_NS);
		t->recovery_us = rare->recovery_ns / 1000;
		if (st->recovery)
			t->recovery_us += (bpf_ktime_get_ns() - rare->recovery_start_ns) / 1000;
		__builtin_memcpy(t->rtx_cause, rare->rtx_cause, sizeof(t->rtx_cause));
		t->rtx_spurious = tp ? (__u32)rtx_spurious(rare, tcp_dups(tp)) : rare->rtx_spurious;
	}
	rec->stall_ns = rare->stall_ns;
	rec->rtx_cpu_tgid = rare->rtx_cpu_tgid;
	__builtin_memcpy(rec->rtx_cpu_comm, rare->rtx_cpu_comm, 16);
	__builtin_memcpy(rec->synack_raddr, rare->synack_raddr, 16);
	return rare->error_rport;
}

/* Everything known of the socket now. rec need not be zeroed. Returns as rec_rare. */
static __always_inline int rec_fill(struct np_sock_rec *rec, struct np_sock *st, struct sock *sk)
{
	__u8 state = SK_READ(sk, __sk_common.skc_state);
	struct tcp_sock *tp = NULL;

	/* an MPTCP child is a copy of its listener, and is told open before it is (inet_sk_state_store) */
	state = CUT(__u8, unknown(state == TCP_LISTEN && st->phase == NP_PHASE_OPEN
					  ? TCP_ESTABLISHED
					  : state)); /* as it was */
	rec->sock_id = st->sock_id;
	rec->opened_ns = st->opened_ns;
	rec->closed_ns = st->closed_ns;
	rec->err = st->err;
	rec_conn(rec, st);
	rec->last = st->last;
	/* of the process that is known to call, the thread that did so last */
	if (st->hot >> 32 == st->last.tgid)
		rec->last.tid = (__u32)st->hot;
	rec->owner = st->acct_tgid ? st->acct : st->last;
	rec->sample_rate = st->sample_rate;
	__builtin_memset(&rec->tcp, 0, sizeof(rec->tcp));
	if (st->tuple.proto == IPPROTO_TCP)
		tp = tcp_of(sk);
	if (tp) {
		if (state == TCP_CLOSE && (st->flags & NP_F_LISTEN)) {
			rec_listen(&rec->tcp, st, sk_raw(sk));
		} else if (state != TCP_LISTEN) {
			__u32 d = 0;

			/* Kprobes see each one before it is counted. */
			if (cfg_store_hash || state == TCP_CLOSE)
				d = retrans_new(st, tp);
			if (d)
				(void)rtx_found(st, sk, d);
			else if (!cfg_store_hash && state != TCP_CLOSE)
				d = (__u32)retrans_overdue(st, sk);
			if (d)
				__sync_fetch_and_add(&st->counts.retrans, d);
			rec_tcp(&rec->tcp, st, sk, tp);
		} else {
			sock_listens(st, sk_raw(sk));
			rec_listen(&rec->tcp, st, sk_raw(sk));
		}
		if (SK_READ((struct inet_connection_sock *)tp, icsk_ulp_ops))
			st->flags |= NP_F_ULP;
	}
	rec->subflows = 0;
	if (st->tuple.proto == NP_IPPROTO_MPTCP)
		rec_mptcp(rec, st, sk, state);
	rec->counts = st->counts;
	rec->tx_parts = st->tx_parts;
	rec->rx_parts = st->rx_parts;
	rec->tuple = st->tuple;
	rec->tuple.state = is_conn(st) ? state : 0;
	rec->tuple.flags = st->flags;
	rec->stall_ns = 0;
	rec->rtx_cpu_tgid = 0;
	__builtin_memset(rec->rtx_cpu_comm, 0, 16);
	__builtin_memset(rec->synack_raddr, 0, 16);
	return rec_rare(rec, st, sk);
}

static __always_inline long emit_record(void *ctx, void *rec, __u64 size)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (cfg_use_perf)
		return !ctx ? -EINVAL
			    : bpf_perf_event_output(ctx, &np_events_perf, BPF_F_CURRENT_CPU, rec,
						    size);
	/* Readers wait with a timeout; a wake-up costs more than the record, so only when it is urgent. */
	if (bpf_ringbuf_query(&np_events, BPF_RB_AVAIL_DATA) >= cfg_ring_wakeup)
		flags = BPF_RB_FORCE_WAKEUP;
	return bpf_ringbuf_output(&np_events, rec, size, flags);
}

/* Head and socket of an event, but what it is. */
static __always_inline void event_fill(struct np_ev_sock *ev, struct np_sock *st, struct sock *sk)
{
	ev->hdr.len = sizeof(*ev);
	ev->hdr.cpu = bpf_get_smp_processor_id();
	ev->hdr.ts_ns = bpf_ktime_get_ns();
	ev->cpu_tgid = bpf_get_current_pid_tgid() >> 32;
	ev->err = 0;
	ev->since_ns = 0;
	ev->cause = ev->ended = 0;
	__builtin_memset(ev->cpu_comm, 0, sizeof(ev->cpu_comm));
	(void)bpf_get_current_comm(ev->cpu_comm, sizeof(ev->cpu_comm));
	ev->rport = CUT(__u16, rec_fill(&ev->rec, st, sk)); /* a port */
}

/* --max-events: may one more line of the event stream leave? Counted in whole seconds, by all processors. */
static __always_inline bool event_admit(__u64 now_ns)
{
	__u32 max = np_filter.max_events;
	__u64 begin = st_event_ns;

	if (!max)
		return true;
	if (now_ns - begin >= 1000000000ULL &&
	    __sync_val_compare_and_swap(&st_event_ns, begin, now_ns) == begin)
		st_event_n = 0;
	/* Read before write: in a flood the line stays shared between processors. */
	return st_event_n < max && __sync_fetch_and_add(&st_event_n, 1) < max;
}

#define EMIT_HOW_LAST 1 /* it is the last of its socket */
#define EMIT_HOW_JUDGED \
	2 /* the filters were asked of what it is about: st->pass is of the socket's own counts */

/*
 * Does this record become a line? If not, it is left out and counted, unless it is a socket's last: that one
 * goes as NP_EV_SOCK_CLOSE, which is counts without a line.
 */
static __always_inline bool event_wanted(const struct np_sock *st, const struct np_ev_sock *ev,
					 __u32 how)
{
	return (st->pass & (NP_PASS_NOW | NP_PASS_EVER) || how & EMIT_HOW_JUDGED) &&
	       event_admit(ev->hdr.ts_ns);
}

/* Of a record that is no line. */
static __always_inline void event_left_out(const struct np_sock *st, __u32 prog, __u32 how)
{
	if (st->pass & (NP_PASS_NOW | NP_PASS_EVER) || how & EMIT_HOW_JUDGED)
		count_one(prog, rate_limited);
	else
		count_one(prog, filtered);
}

/*
 * The last record of a socket finds the ring full: it waits in np_closed, else its counts join a sum and the
 * connection is lost, else they are lost as well. 0: it comes later than others.
 */
static __always_inline int emit_last(struct np_sock *st, struct np_ev_sock *ev, __u32 prog)
{
	struct np_counts all;

	if (!bpf_map_update_elem(&np_closed, &ev->rec.sock_id, ev, BPF_NOEXIST)) {
		__sync_fetch_and_add(&st_closed_made, 1);
		return 0;
	}
	if (!sum_last(st, &ev->rec))
		return -ENOSPC;
	told_counts(&all, &ev->rec);
	count_add(prog, lost_tx_bytes, told_rest(all.tx_bytes, st->told.tx_bytes));
	count_add(prog, lost_rx_bytes, told_rest(all.rx_bytes, st->told.rx_bytes));
	return -ENOMEM;
}

/* Is that the last event of a socket? */
static __always_inline bool is_last(__u32 type)
{
	return type == NP_EV_CONN_CLOSE || type == NP_EV_SOCK_CLOSE;
}

static __always_inline void emit_body(void *ctx, struct np_sock *st, struct np_ev_sock *ev,
				      __u32 prog, __u32 how)
{
	bool line, last = how & EMIT_HOW_LAST;
	int r = 0;

	line = ev->hdr.type == NP_EV_SOCK_CLOSE || event_wanted(st, ev, how);
	if (last)
		ev->rec.tuple.flags |= NP_F_DEAD;
	if (!line)
		ev->hdr.type = NP_EV_SOCK_CLOSE;
	if ((line || last) && emit_record(ctx, ev, sizeof(*ev)))
		r = last ? emit_last(st, ev, prog) : -ENOSPC;
	/* User space takes the counts of such a record too: a sum must not have them again. */
	if (line && !last && !r && ev->hdr.type != NP_EV_CONN_OPEN && ev->hdr.type != NP_EV_ERROR) {
		told_counts(&st->told, &ev->rec);
		(void)left_told(st);
	}
	if (r == -ENOMEM)
		count_one(prog, map_full);
	else if (!line)
		event_left_out(st, prog, how);
	else if (r)
		count_one(prog, ring_full);
	else
		count_one(prog, submitted);
}

/*
 * By the ring buffer, which needs no context. slot: of np_ev_scratch, on this processor: before 6.2 what a global function is
 * given by pointer goes into no map. A global function: see filter.h.
 */
__weak __noinline int emit_ring(struct np_sock *st, __u32 slot, __u32 prog, __u32 how)
{
	struct np_ev_place *place = bpf_map_lookup_elem(&np_ev_scratch, &slot);

	if (st && place)
		emit_body(NULL, st, &place->ev, prog, how);
	return 0;
}

/* Contexts of tracing programs are taken by no global function before 6.9. */
static __noinline __attribute__((unused)) int
emit_perf(void *ctx, struct np_sock *st, struct np_ev_sock *ev, __u32 prog, __u32 how)
{
	if (st && ev)
		emit_body(ctx, st, ev, prog, how);
	return 0;
}

static __always_inline void emit_filled(void *ctx, struct np_sock *st, struct np_ev_place *place,
					__u32 prog, __u32 how)
{
	if (cfg_use_perf)
		(void)emit_perf(ctx, st, &place->ev, prog, how);
	else
		(void)emit_ring(st, place->head.slot, prog, how);
}

/*
 * What emit_sock is to tell: a program (NP_PROG_*) and what happened (NP_EV_*; 0: nothing but what follows). Five
 * arguments are all that BPF has.
 */
#define EMIT_WHAT(prog, type) ((prog) << 8 | (type))
/* and before that, with the same figures: */
#define EMIT_RESET_TX 0x10000
#define EMIT_RESET_RX 0x20000
#define EMIT_STALL_TX 0x40000 /* as np_rare.watch_tx has it */
#define EMIT_STALL_RX 0x80000
#define EMIT_OVER_TX 0x100000 /* that stall is over */
#define EMIT_OVER_RX 0x200000
/* what: see EMIT_HOW_JUDGED. It is of where the socket is now. */
#define EMIT_JUDGED 0x400000

/* How many records that makes. */
static __always_inline __u32 emit_number(__u32 what)
{
	return !!(what & 0xff) + (what >> 16 & 1) + (what >> 17 & 1) + (what >> 18 & 1) +
	       (what >> 19 & 1);
}

/* What of it is read where nobody makes lines of events. */
static __always_inline __u32 emit_quiet(__u32 what)
{
	__u32 type = what & 0xff;

	what &= ~(EMIT_RESET_TX | EMIT_RESET_RX);
	return is_last(type) || type == NP_EV_CONN_FAIL ? what : what & ~0xffU;
}

/* No place was left for records: more runs than places were stopped in the middle on this processor. */
static __always_inline void event_missed(const struct np_sock *st, __u32 what)
{
	__u32 prog = what >> 8 & NP_PROG_MASK, n = emit_number(what);

	if (!is_last(what & 0xff)) {
		count_add(prog, ring_full, n);
		return;
	}
	count_add(prog, map_full, n);
	count_add(prog, lost_tx_bytes, told_rest(st->counts.tx_bytes, st->told.tx_bytes));
	count_add(prog, lost_rx_bytes, told_rest(st->counts.rx_bytes, st->told.rx_bytes));
}

static __always_inline void emit_watch(void *ctx, struct np_sock *st, struct np_ev_place *place,
				       const struct np_watch *w, __u32 prog, __u32 over)
{
	struct np_ev_sock *ev = &place->ev;

	ev->hdr.type = NP_EV_STALL;
	ev->since_ns = w->since_ns;
	ev->cause = w->cause;
	ev->ended = !!over;
	emit_filled(ctx, st, place, prog, 0);
	ev->since_ns = 0;
	ev->cause = ev->ended = 0;
}

static __noinline int emit_stalls(void *ctx, struct np_sock *st, struct sock *sk,
				  struct np_ev_place *place, __u32 what)
{
	struct np_rare *rare = st && place ? sock_rare(st, sk) : NULL;
	__u32 prog = what >> 8 & NP_PROG_MASK;

	if (!rare)
		return 0;
	if (what & EMIT_STALL_TX)
		emit_watch(ctx, st, place, &rare->watch_tx, prog, what & EMIT_OVER_TX);
	if (what & EMIT_STALL_RX)
		emit_watch(ctx, st, place, &rare->watch_rx, prog, what & EMIT_OVER_RX);
	return 0;
}

/* One record for each thing, which differ by their heads. */
static __always_inline void emit_each(void *ctx, struct np_sock *st, struct sock *sk,
				      struct np_ev_place *place, __u32 what, __s32 err)
{
	struct np_ev_sock *ev = &place->ev;
	__u32 prog = what >> 8 & NP_PROG_MASK, type = what & 0xff;

	if (what & EMIT_RESET_TX) {
		ev->hdr.type = NP_EV_RESET_TX;
		emit_filled(ctx, st, place, prog, 0);
	}
	if (what & EMIT_RESET_RX) {
		ev->hdr.type = NP_EV_RESET_RX;
		emit_filled(ctx, st, place, prog, 0);
	}
	if (what & (EMIT_STALL_TX | EMIT_STALL_RX))
		(void)emit_stalls(ctx, st, sk, place, what);
	if (type) {
		ev->hdr.type = CUT(__u16, type); /* NP_EV_* */
		ev->err = err;
		if (what & EMIT_JUDGED && st->elsewhere) {
			sock_ends(&ev->rec.tuple, st);
			ev->rec.tuple.flags = st->flags;
		}
		emit_filled(ctx, st, place, prog,
			    is_last(type) | (what / EMIT_JUDGED & 1) * EMIT_HOW_JUDGED);
	}
}

/*
 * Send events of this socket. what: see EMIT_WHAT. err: errno for NP_EV_CONN_FAIL. Each is counted once, by the
 * worst that befell it. One look at the socket is told by all of them: what reads it is the larger part of what
 * the verifier goes through, once for each place that calls this.
 */
static __noinline __attribute__((unused)) int emit_sock(void *ctx, struct np_sock *st,
							struct sock *sk, __u32 what, __s32 err)
{
	struct np_ev_place *place;

	if (cfg_quiet)
		what = emit_quiet(what);
	if (!st || !emit_number(what))
		return 0;
	place = scratch_take(&np_ev_scratch);
	if (!place) {
		event_missed(st, what);
		return 0;
	}
	event_fill(&place->ev, st, sk);
	/* only now: a number that is known from here on has no others to be told from */
	emit_each(ctx, st, sk, place, unknown(what), err);
	scratch_give(place);
	return 0;
}

#endif
