// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * How long data waits in the queues of sockets: from its arrival until the process reads it, and
 * from send() until it leaves. An object of its own, attached only where somebody asks, so that the
 * data path does not know of it. Each direction of a socket is timed once at a time and begins anew
 * at most twice a jiffy: what is rarer than that is timed every time, what is more often by sample (see is_picked).
 */
#include <linux/tcp.h>

#include "kernel/skb.h"
#include "lib/sock.h"
#include "lib/scratch.h"
#include "wire/waits.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define TCP_CLOSE_WAIT 8
#define QUEUE_UNKNOWN (1 << 30) /* longer than any queue */

const volatile __u8 cfg_store_hash = 0;

/*
 * Marks that are set, so that most reads and segments are done with after one look. A socket that dies
 * with its mark leaves it counted: from then on it only costs more.
 */
volatile __u32 st_rx_marks = 0;
volatile __u32 st_tx_marks = 0;
/*
 * Moved where a hook would have told something that is attached only while it has something to tell
 * (probe/waits.c): the one in every read, the one of every packet that leaves. Racy: only moved or not counts.
 */
volatile __u32 st_need_read = 0;
volatile __u32 st_need_left = 0;
/* Since when the first is attached, written by user space: what was marked before may have been read unseen. */
volatile __u64 st_read_ns = 0;

struct np_socks_map np_socks SEC(".maps");
struct np_socks_h_map np_socks_h SEC(".maps");

/* Which of the calls of one jiffy begin a wait. */
struct wait_turn {
	__u32 jiffy;
	__u16 n;    /* calls in it so far */
	__u16 pick; /* the one that is timed beside the first */
};

/* What is timed on one socket; dies with it. */
struct wait {
	__u64 rx_ns;   /* when the data at rx_mark came; 0 nothing is timed */
	__u64 tx_ns;   /* when the send() that ends at tx_mark returned; 0 nothing is timed */
	__u32 rx_mark; /* TCP: sequence number */
	__s32 rx_left; /* else: reads until it is taken off */
	__u32 tx_mark; /* sequence number */
	struct wait_turn rx, tx;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct wait);
} np_wait_socks SEC(".maps");

/* Written here, read by user space, which deletes processes that are gone. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NP_WAIT_PROCESSES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct np_wait_key);
	__type(value, struct np_wait_hist);
} np_waits SEC(".maps");

/* A new entry, too large for the stack. */
struct fresh_hist {
	struct scratch_head head;
	struct np_wait_hist hist;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct fresh_hist);
} np_wait_fresh SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_wait_loss);
} np_wait_loss SEC(".maps");

#define loss_one(member)                                                                 \
	do {                                                                             \
		__u32 zero_ = 0;                                                         \
		struct np_wait_loss *loss_ = bpf_map_lookup_elem(&np_wait_loss, &zero_); \
		if (loss_)                                                               \
			__sync_fetch_and_add(&loss_->member, 1);                         \
	} while (0)

static __always_inline __u32 slot_of(__u64 ns)
{
	__u64 us = ns / 1000;
	__u32 n = 0;

	if (us >> 32)
		return NP_HIST_SLOTS - 1;
	if (us >> 16) {
		us >>= 16;
		n += 16;
	}
	if (us >> 8) {
		us >>= 8;
		n += 8;
	}
	if (us >> 4) {
		us >>= 4;
		n += 4;
	}
	if (us >> 2) {
		us >>= 2;
		n += 2;
	}
	if (us >> 1) {
		us >>= 1;
		n += 1;
	}
	n += us;
	return n < NP_HIST_SLOTS ? n : NP_HIST_SLOTS - 1;
}

static __always_inline struct np_wait_hist *hist_make(const struct np_wait_key *key,
						      const struct np_owner *owner)
{
	struct fresh_hist *fresh = scratch_take(&np_wait_fresh);

	if (!fresh)
		return NULL;
	fresh->hist.owner = *owner; /* its counters stay 0: nobody writes them there */
	(void)bpf_map_update_elem(&np_waits, key, &fresh->hist,
				  BPF_NOEXIST); /* a lost race: the winner's */
	scratch_give(fresh);
	return bpf_map_lookup_elem(&np_waits, key);
}

/* A wait of this socket is over: its last user's. */
static __always_inline void wait_over(struct sock *sk, __u64 ns, bool tx)
{
	struct np_sock *st = sock_find(sk);
	struct np_wait_key key = {};
	struct np_wait_hist *h;
	__u32 slot = slot_of(ns);

	if (!st || (st->flags & NP_F_IGNORE) || !(st->pass & NP_PASS_NOW))
		return;
	if (!st->last.tgid) {
		loss_one(unowned);
		return;
	}
	key.tgid = st->last.tgid;
	key.start_ns = st->last.start_ns;
	h = bpf_map_lookup_elem(&np_waits, &key);
	if (!h)
		h = hist_make(&key, &st->last);
	if (!h) {
		loss_one(map_full);
		return;
	}
	if (slot >= NP_HIST_SLOTS)
		return;
	if (tx)
		__sync_fetch_and_add(&h->tx[slot], 1);
	else
		__sync_fetch_and_add(&h->rx[slot], 1);
}

static __always_inline bool is_inet(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return family == AF_INET || family == AF_INET6;
}

static __always_inline struct wait *wait_of(struct sock *sk, bool make)
{
	return bpf_sk_storage_get(&np_wait_socks, sk, NULL, make ? BPF_SK_STORAGE_GET_F_CREATE : 0);
}

/* The mark of one direction is taken off; false: somebody else did. */
static __always_inline bool mark_off(__u64 *ns, __u64 since, volatile __u32 *marks)
{
	if (__sync_val_compare_and_swap(ns, since, 0) != since)
		return false;
	if (*marks)
		__sync_fetch_and_add(marks, -1);
	return true;
}

/*
 * One more call. The first one of a jiffy is timed, so that none that is alone is left out; but the first finds the queue
 * empty more often than others do, so another one is timed as well: any of as many as the last jiffy had. 16 bits that
 * wrap: another one is timed.
 */
static __always_inline bool is_picked(struct wait_turn *t, __u32 jiffy)
{
	__u16 n;

	if (t->jiffy != jiffy) {
		t->pick = t->n > 2 ? CUT(__u16, 1 + (jiffy * 2654435761U >> 16) % (t->n - 1U)) : 1;
		t->jiffy = jiffy;
		t->n = 0;
	}
	n = t->n++;
	return !n || n == t->pick;
}

static __always_inline void rx_over(struct sock *sk, struct wait *w, __u64 since)
{
	if (mark_off(&w->rx_ns, since, &st_rx_marks))
		wait_over(sk, bpf_ktime_get_ns() - since, false);
}

/* It was read, but nobody knows when. */
static __always_inline void rx_missed(struct wait *w, __u64 since)
{
	if (mark_off(&w->rx_ns, since, &st_rx_marks))
		loss_one(untimed);
}

/* Data is in the receive queue of a TCP socket, whose lock is held. Most calls end at the jiffy. */
static __always_inline int tcp_ready(struct sock *sk)
{
	__u32 jiffy = (__u32)bpf_jiffies64(), queued;
	struct tcp_sock *tp;
	struct wait *w;

	if (sk->__sk_common.skc_state == TCP_LISTEN)
		return 0;
	w = wait_of(sk, true);
	if (!w || w->rx_ns || !is_picked(&w->rx, jiffy))
		return 0;
	tp = (struct tcp_sock *)bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	queued = tp->rcv_nxt - tp->copied_seq;
	/* The peer's FIN takes a sequence number and is no data. */
	if (queued <= (sk->__sk_common.skc_state == TCP_CLOSE_WAIT))
		return 0;
	w->rx_mark = tp->rcv_nxt;
	__sync_fetch_and_add(&st_rx_marks, 1);
	w->rx_ns = bpf_ktime_get_ns();
	return 0;
}

/* Datagrams that wait, the one that just came included; 0 where it was taken already. */
static __always_inline __u32 dgrams_queued(struct sock *sk)
{
	struct sock___queue *q = (struct sock___queue *)sk;
	struct udp_sock___queue *up = (struct udp_sock___queue *)sk;
	__u32 n = BPF_CORE_READ(q, sk_receive_queue.qlen);

	if (bpf_core_field_exists(up->reader_queue))
		n += BPF_CORE_READ(up, reader_queue.qlen);
	return n;
}

/*
 * The queue tells which read will take it off. Reads are counted from when the mark is there: one between
 * that and the look at the queue may count twice, which makes this wait end a read too early, never late.
 */
static __always_inline int dgram_ready(struct sock *sk)
{
	__u32 jiffy = (__u32)bpf_jiffies64(), queued;
	struct wait *w = wait_of(sk, true);
	__u64 now;

	if (!w || w->rx_ns || !is_picked(&w->rx, jiffy))
		return 0;
	now = bpf_ktime_get_ns();
	w->rx_left = QUEUE_UNKNOWN;
	__sync_fetch_and_add(&st_rx_marks, 1);
	w->rx_ns = now;
	barrier();
	queued = dgrams_queued(sk);
	if (!queued || __sync_fetch_and_add(&w->rx_left, queued - QUEUE_UNKNOWN) + (__s32)queued -
				       QUEUE_UNKNOWN <=
			       0)
		(void)mark_off(&w->rx_ns, now, &st_rx_marks); /* taken off meanwhile */
	return 0;
}

static __always_inline int data_ready(struct sock *sk)
{
	__u16 proto;

	if (!is_inet(sk))
		return 0;
	proto = sk->sk_protocol;
	if (proto == IPPROTO_TCP && sk->sk_type == SOCK_STREAM)
		return tcp_ready(sk);
	if (proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE)
		return dgram_ready(sk);
	return 0;
}

/* A queue got longer and its reader is told. Context: softirq, or process. Since 6.3. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(np_wait_ready, struct sock *sk)
{
	return data_ready(sk);
}

/* The same before 6.3, of TCP: comes right before the segment is queued. Since 4.16. */
SEC("tp_btf/tcp_probe")
int BPF_PROG(np_wait_probe, struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = (struct tcp_sock *)bpf_skc_to_tcp_sock(sk);
	struct sk_buff___pkt *b = (struct sk_buff___pkt *)skb;
	__u32 jiffy = (__u32)bpf_jiffies64();
	struct tcphdr th = {};
	struct wait *w;

	/* data points to the TCP header; what comes out of order waits for others, not for its reader */
	if (!tp || bpf_probe_read_kernel(&th, sizeof(th), BPF_CORE_READ(b, data)) ||
	    BPF_CORE_READ(b, len) <= th.doff * 4U ||
	    bpf_ntohl(th.seq) != BPF_CORE_READ(tp, rcv_nxt))
		return 0;
	w = wait_of(sk, true);
	if (!w || w->rx_ns || !is_picked(&w->rx, jiffy))
		return 0;
	w->rx_mark = bpf_ntohl(th.seq) + BPF_CORE_READ(b, len) - th.doff * 4U;
	__sync_fetch_and_add(&st_rx_marks, 1);
	w->rx_ns = bpf_ktime_get_ns();
	return 0;
}

/* The same before 6.3, of UDP, after it was queued. Where the kernel has trampolines. */
SEC("fexit/__udp_enqueue_schedule_skb")
int BPF_PROG(np_wait_udp, struct sock *sk, struct sk_buff *skb, int ret)
{
	return ret ? 0 : dgram_ready(sk);
}

static __always_inline int tcp_read(struct sock *sk)
{
	struct wait *w = st_rx_marks ? wait_of(sk, false) : NULL;
	struct tcp_sock *tp;
	__u64 since;

	if (!w)
		return 0;
	since = w->rx_ns;
	tp = since ? (struct tcp_sock *)bpf_skc_to_tcp_sock(sk) : NULL;
	if (!tp || (__s32)(tp->copied_seq - w->rx_mark) < 0)
		return 0;
	if (since < st_read_ns)
		rx_missed(w, since);
	else
		rx_over(sk, w, since);
	return 0;
}

static __always_inline int dgram_read(struct sock *sk)
{
	struct wait *w = st_rx_marks ? wait_of(sk, false) : NULL;
	__u64 since;

	if (!w)
		return 0;
	since = w->rx_ns;
	if (since && __sync_fetch_and_add(&w->rx_left, -1) <= 1)
		rx_over(sk, w, since);
	return 0;
}

/*
 * A receive call on a TCP socket returned. One that waits until all it was asked for is there took the first
 * of it at some time before: that is left to the hook below, from the next one on.
 */
static __always_inline int tcp_recvd(struct sock *sk, int ret, int flags)
{
	struct wait *w = wait_of(sk, false);
	struct tcp_sock *tp;
	__u32 copied;
	__u64 since;

	since = w ? w->rx_ns : 0;
	tp = since ? (struct tcp_sock *)bpf_skc_to_tcp_sock(sk) : NULL;
	if (!tp)
		return 0;
	copied = tp->copied_seq;
	if ((__s32)(copied - w->rx_mark) < 0)
		return 0;
	if (flags & MSG_WAITALL)
		st_need_read++;
	/* spliced before this call, or taken by a part of it */
	if ((__s32)(copied - ret - w->rx_mark) >= 0 || (flags & MSG_WAITALL))
		rx_missed(w, since);
	else
		rx_over(sk, w, since);
	return 0;
}

/*
 * A reader took data out of a TCP socket, by whatever call; its lock is held. Comes in every receive call,
 * so where these tell it themselves it is attached only for those that wait for all, and for splice, which
 * tells nothing. Since 4.17.
 */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(np_wait_read, struct sock *sk)
{
	return tcp_read(sk);
}

/* A receive call returned. Context: process; as np_recv_tp's tail call where that is there. Since 6.3. */
SEC("tp_btf/sock_recv_length")
int BPF_PROG(np_wait_recv, struct sock *sk, int ret, int flags)
{
	__u16 proto;

	if (!st_rx_marks || ret < 0 || (flags & (MSG_PEEK | MSG_ERRQUEUE)) || !is_inet(sk))
		return 0;
	proto = sk->sk_protocol;
	if (proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE)
		return dgram_read(sk);
	return proto == IPPROTO_TCP && sk->sk_type == SOCK_STREAM ? tcp_recvd(sk, ret, flags) : 0;
}

/* The same before 6.3; len is negative for what is only peeked at. */
SEC("fentry/skb_consume_udp")
int BPF_PROG(np_wait_consume, struct sock *sk, struct sk_buff *skb, int len)
{
	return len < 0 ? 0 : dgram_read(sk);
}

/*
 * What is timed has left, and the hook that tells it did not: it was not there yet, and nobody knows when. Else it
 * would have been told by now: snd_nxt moves after the packet was handed on.
 */
static __always_inline void tx_missed(struct wait *w, struct tcp_sock *tp)
{
	__u64 since = w->tx_ns;

	if (since && (__s32)(tp->snd_nxt - w->tx_mark) >= 0 &&
	    mark_off(&w->tx_ns, since, &st_tx_marks))
		loss_one(untimed);
}

/*
 * send() of TCP returned: the last byte it put into the queue is timed if it is still there. With that the
 * hook at the device's queue is asked for; what is there longer than that takes is timed.
 */
static __always_inline int tcp_sent(struct sock *sk)
{
	__u32 jiffy = (__u32)bpf_jiffies64(), end;
	struct wait *w = wait_of(sk, true);
	struct np_sock *st;
	struct tcp_sock *tp;
	__u64 since;

	if (!w || !is_picked(&w->tx, jiffy))
		return 0;
	tp = (struct tcp_sock *)bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	if (w->tx_ns)
		tx_missed(w, tp);
	if (w->tx_ns)
		return 0;
	end = tp->write_seq;
	if ((__s32)(tp->snd_nxt - end) >= 0) {
		wait_over(sk, 0, true);
		return 0;
	}
	/* who is not looked at does not have the hook attached either */
	st = sock_find(sk);
	if (!st || (st->flags & NP_F_IGNORE) || !(st->pass & NP_PASS_NOW))
		return 0;
	st_need_left++;
	w->tx_mark = end;
	__sync_fetch_and_add(&st_tx_marks, 1);
	w->tx_ns = bpf_ktime_get_ns();
	barrier();
	since = w->tx_ns;
	/* it left meanwhile */
	if ((__s32)(((volatile struct tcp_sock *)tp)->snd_nxt - end) >= 0 && since &&
	    mark_off(&w->tx_ns, since, &st_tx_marks))
		wait_over(sk, 0, true);
	return 0;
}

/* Context: process; as np_send_tp's tail call where that is there. Since 6.3. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(np_wait_send, struct sock *sk, int ret, int flags)
{
	if (ret <= 0 || !is_inet(sk) || sk->sk_protocol != IPPROTO_TCP ||
	    sk->sk_type != SOCK_STREAM)
		return 0;
	return tcp_sent(sk);
}

/* The same before 6.3, where the kernel has trampolines. */
SEC("fexit/tcp_sendmsg")
int BPF_PROG(np_wait_sendmsg, struct sock *sk, void *msg, size_t size, int ret)
{
	return ret > 0 ? tcp_sent(sk) : 0;
}

static __always_inline int tcp_left(struct sock *sk, struct sk_buff___pkt *b)
{
	struct wait *w = wait_of(sk, false);
	struct tcphdr th = {};
	unsigned char *head;
	__u32 seq, len, off;
	__u64 since;

	since = w ? w->tx_ns : 0;
	if (!since)
		return 0;
	head = BPF_CORE_READ(b, head);
	off = BPF_CORE_READ(b, transport_header);
	/* below a tunnel the transport header is the tunnel's */
	if (bpf_probe_read_kernel(&th, sizeof(th), head + off) ||
	    th.dest != sk->__sk_common.skc_dport || th.source != bpf_htons(sk->__sk_common.skc_num))
		return 0;
	seq = bpf_ntohl(th.seq);
	len = BPF_CORE_READ(b, len) - (__u32)(head + off - BPF_CORE_READ(b, data)) - th.doff * 4U;
	if ((__s32)(seq + len - w->tx_mark) < 0 || !mark_off(&w->tx_ns, since, &st_tx_marks))
		return 0;
	if ((__s32)(seq - w->tx_mark) < 0)
		wait_over(sk, bpf_ktime_get_ns() - since, true);
	else
		loss_one(passed); /* its own segment went by before it was noted */
	return 0;
}

/*
 * A segment is handed to the queue of its interface. Context: process or softirq. Since 2.6.37. Attached while
 * sends return with bytes unsent. skb->sk may be a half-open or dying connection, which is no full socket.
 */
SEC("tp_btf/net_dev_queue")
int BPF_PROG(np_wait_left, struct sk_buff *skb)
{
	struct sock *sk = ((struct sk_buff___pkt *)skb)->sk;
	__u8 state;

	if (!st_tx_marks || !sk)
		return 0;
	/* Kernels before 6.13 drop that test, as if there always were one: of none this reads 0. */
	state = sk->__sk_common.skc_state;
	if (!state || state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV || !is_inet(sk) ||
	    sk->sk_protocol != IPPROTO_TCP)
		return 0;
	return tcp_left(sk, (struct sk_buff___pkt *)skb);
}
