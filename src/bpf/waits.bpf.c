// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * How long data waits in the queues of sockets: from its arrival until the process reads it, and
 * from send() until it leaves. An object of its own, attached only where somebody asks, so that the
 * data path does not know of it. Each direction of a socket is timed once at a time and begins anew
 * at most once a jiffy: what is rarer than that is timed every time, what is more often by sample.
 */
#include <linux/tcp.h>

#include "kernel/skb.h"
#include "lib/sock.h"
#include "wire/waits.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SOCK_STREAM 1

const volatile __u8 cfg_store_hash = 0;

struct np_socks_map np_socks SEC(".maps");
struct np_socks_h_map np_socks_h SEC(".maps");

/* What is timed on one socket; dies with it. */
struct wait {
	__u64 rx_ns;   /* when the data at rx_mark came; 0 nothing is timed */
	__u64 tx_ns;   /* when the send() that ends at tx_mark returned; 0 nothing is timed */
	__u32 rx_mark; /* TCP: sequence number; else: how many reads take it off */
	__u32 tx_mark; /* sequence number */
	__u32 rx_jiffy, tx_jiffy;
	__u32 reads; /* datagrams taken off so far; wraps */
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
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_wait_hist);
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
	__u32 zero = 0;
	struct np_wait_hist *fresh = bpf_map_lookup_elem(&np_wait_fresh, &zero);

	if (!fresh)
		return NULL;
	fresh->owner = *owner; /* its counters stay 0: nobody writes them there */
	(void)bpf_map_update_elem(&np_waits, key, fresh,
				  BPF_NOEXIST); /* a lost race: the winner's */
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

/* Data is in the receive queue of a TCP socket, whose lock is held. */
static __always_inline int tcp_ready(struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	__u32 nxt = BPF_CORE_READ(tp, rcv_nxt), jiffy = (__u32)bpf_jiffies64();
	struct wait *w;

	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN ||
	    nxt == BPF_CORE_READ(tp, copied_seq))
		return 0;
	w = wait_of(sk, true);
	if (!w || w->rx_ns || w->rx_jiffy == jiffy)
		return 0;
	w->rx_jiffy = jiffy;
	w->rx_mark = nxt;
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

/* The reads counted so far and the queue tell which read will take it off. */
static __always_inline int dgram_ready(struct sock *sk)
{
	__u32 jiffy = (__u32)bpf_jiffies64(), reads, queued;
	struct wait *w = wait_of(sk, true);

	if (!w || w->rx_ns || w->rx_jiffy == jiffy)
		return 0;
	reads = w->reads;
	queued = dgrams_queued(sk);
	if (!queued)
		return 0;
	w->rx_jiffy = jiffy;
	w->rx_mark = reads + queued;
	barrier();
	w->rx_ns = bpf_ktime_get_ns();
	barrier();
	if ((__s32)(w->reads - w->rx_mark) >= 0)
		w->rx_ns = 0; /* taken off meanwhile */
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
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	struct sk_buff___pkt *b = (struct sk_buff___pkt *)skb;
	__u32 jiffy = (__u32)bpf_jiffies64();
	struct tcphdr th = {};
	struct wait *w;

	/* data points to the TCP header; what comes out of order waits for others, not for its reader */
	if (bpf_probe_read_kernel(&th, sizeof(th), BPF_CORE_READ(b, data)) ||
	    BPF_CORE_READ(b, len) <= th.doff * 4U ||
	    bpf_ntohl(th.seq) != BPF_CORE_READ(tp, rcv_nxt))
		return 0;
	w = wait_of(sk, true);
	if (!w || w->rx_ns || w->rx_jiffy == jiffy)
		return 0;
	w->rx_jiffy = jiffy;
	w->rx_mark = bpf_ntohl(th.seq) + BPF_CORE_READ(b, len) - th.doff * 4U;
	w->rx_ns = bpf_ktime_get_ns();
	return 0;
}

/* The same before 6.3, of UDP, after it was queued. Where the kernel has trampolines. */
SEC("fexit/__udp_enqueue_schedule_skb")
int BPF_PROG(np_wait_udp, struct sock *sk, struct sk_buff *skb, int ret)
{
	return ret ? 0 : dgram_ready(sk);
}

/* A reader took data out of a TCP socket; its lock is held. Since 4.17. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(np_wait_read, struct sock *sk)
{
	struct wait *w = wait_of(sk, false);
	__u64 since;

	if (!w || !w->rx_ns ||
	    (__s32)(BPF_CORE_READ((struct tcp_sock *)sk, copied_seq) - w->rx_mark) < 0)
		return 0;
	since = w->rx_ns;
	w->rx_ns = 0;
	wait_over(sk, bpf_ktime_get_ns() - since, false);
	return 0;
}

static __always_inline int dgram_read(struct sock *sk)
{
	struct wait *w = wait_of(sk, false);
	__u32 reads;
	__u64 since;

	if (!w)
		return 0;
	reads = __sync_fetch_and_add(&w->reads, 1) + 1;
	since = w->rx_ns;
	if (!since || (__s32)(reads - w->rx_mark) < 0 ||
	    __sync_val_compare_and_swap(&w->rx_ns, since, 0) != since)
		return 0;
	wait_over(sk, bpf_ktime_get_ns() - since, false);
	return 0;
}

/* A datagram was read. Context: process. Since 6.3. */
SEC("tp_btf/sock_recv_length")
int BPF_PROG(np_wait_recv, struct sock *sk, int ret, int flags)
{
	__u16 proto = sk->sk_protocol;

	if (ret < 0 || (flags & (MSG_PEEK | MSG_ERRQUEUE)) || !is_inet(sk) ||
	    (proto != IPPROTO_UDP && proto != IPPROTO_UDPLITE))
		return 0;
	return dgram_read(sk);
}

/* The same before 6.3; len is negative for what is only peeked at. */
SEC("fentry/skb_consume_udp")
int BPF_PROG(np_wait_consume, struct sock *sk, struct sk_buff *skb, int len)
{
	return len < 0 ? 0 : dgram_read(sk);
}

/* send() of TCP returned: the last byte it put into the queue is timed if it is still there. */
static __always_inline int tcp_sent(struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	__u32 end = BPF_CORE_READ(tp, write_seq), jiffy = (__u32)bpf_jiffies64();
	struct wait *w = wait_of(sk, true);

	if (!w || w->tx_ns || w->tx_jiffy == jiffy)
		return 0;
	w->tx_jiffy = jiffy;
	if ((__s32)(BPF_CORE_READ(tp, snd_nxt) - end) >= 0) {
		wait_over(sk, 0, true);
		return 0;
	}
	w->tx_mark = end;
	barrier();
	w->tx_ns = bpf_ktime_get_ns();
	barrier();
	if ((__s32)(BPF_CORE_READ(tp, snd_nxt) - end) >= 0) {
		w->tx_ns = 0; /* it left meanwhile */
		wait_over(sk, 0, true);
	}
	return 0;
}

/* Context: process. Since 6.3. */
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

static __always_inline struct sock *plain(struct sock *sk)
{
	__u64 typed = (__u64)sk, raw = 0;

	(void)bpf_probe_read_kernel(&raw, sizeof(raw), &typed);
	return (struct sock *)raw;
}

static __always_inline int tcp_left(struct sock *sk, struct sk_buff___pkt *b)
{
	unsigned char *head = BPF_CORE_READ(b, head);
	__u32 off = BPF_CORE_READ(b, transport_header);
	struct wait *w = wait_of(sk, false);
	struct tcphdr th = {};
	__u32 seq, len;
	__u64 since;

	if (!w || !w->tx_ns || bpf_probe_read_kernel(&th, sizeof(th), head + off))
		return 0;
	since = w->tx_ns;
	seq = bpf_ntohl(th.seq);
	len = BPF_CORE_READ(b, len) - (__u32)(head + off - BPF_CORE_READ(b, data)) - th.doff * 4U;
	if ((__s32)(seq + len - w->tx_mark) < 0)
		return 0;
	w->tx_ns = 0;
	if ((__s32)(seq - w->tx_mark) >= 0) {
		loss_one(passed); /* its own segment went by before it was noted */
		return 0;
	}
	wait_over(sk, bpf_ktime_get_ns() - since, true);
	return 0;
}

/*
 * A segment is handed to the queue of its interface. Context: process or softirq. Since 2.6.37. skb->sk
 * may be a half-open or dying connection, which is no full socket.
 */
SEC("tp_btf/net_dev_queue")
int BPF_PROG(np_wait_left, struct sk_buff *skb)
{
	struct sock *sk = ((struct sk_buff___pkt *)skb)->sk, *raw = plain(sk);
	__u8 state;

	if (!raw)
		return 0;
	state = BPF_CORE_READ(raw, __sk_common.skc_state);
	if (!state || state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV || !sk || !is_inet(sk) ||
	    sk->sk_protocol != IPPROTO_TCP)
		return 0;
	return tcp_left(sk, (struct sk_buff___pkt *)skb);
}
