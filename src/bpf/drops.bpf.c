// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Dropped packets: counts every one by its kind, and tells of the first few of each kind in a
 * second. An object of its own, loaded only where somebody asks for drops; who owns a socket it
 * finds in the storage that the main object keeps (np_socks), which user space puts in its place.
 */
#include "lib/filter.h"
#include "lib/mptcp.h"
#include "lib/packet.h"
#include "lib/scratch.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PF_PACKET 17
#define BURST_WINDOW_NS 1000000000ULL
#define DROP_WINDOWS 4096
#define QUIET_CHARS 24

const volatile __u8 cfg_store_hash = 0;
/*
 * What is lost to nobody here. Bit per reason; those below SKB_DROP_REASON_SUBSYS_MASK are the core's, and
 * only they can be. And what has no reason, by function.
 */
const volatile __u64 cfg_drop_quiet[NP_DROP_REASONS / 64] = {};
const volatile char cfg_drop_quiet_in[NP_DROP_QUIET][QUIET_CHARS] = {};
const volatile __u32 cfg_unspecified = 0;     /* the reason that says nothing */
const volatile __u32 cfg_listen_overflow = 0; /* TCP_LISTEN_OVERFLOW; 0: there is none */

const volatile __u16 cfg_port_low = 0, cfg_port_high = 0; /* ip_local_port_range; 0, 0: unknown */

struct np_filter np_filter = { .gen = 1, .enabled = 1 };
volatile __u8 st_stack = 0;	      /* 1: take the kernel stack of what is told */
volatile __u8 st_show_quiet = 0;      /* 1: tell of what is lost to nobody too */
volatile __u32 st_key_events = 10;    /* events a second of each kind */
volatile __u32 st_all_events = 10000; /* a second of all together, unless np_filter says */
volatile __u64 st_window_ns = 0;
volatile __u32 st_window_events = 0;
volatile __u32 st_sums_gen = 0; /* 0 or 1: which of the maps of sums is written */
volatile __u32 st_keys[2] = {}; /* entries of each */

struct np_socks_map np_socks SEC(".maps");
struct np_socks_h_map np_socks_h SEC(".maps");
struct np_mains_map np_mains SEC(".maps");

/*
 * One is written here while user space drains the other, so no count is lost between its reading and its
 * deletion. Nothing is deleted from the one that is written.
 */
struct np_drop_sums_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NP_DROP_KEYS);
	__type(key, struct np_drop_key);
	__type(value, struct np_drop_sum);
};
struct np_drop_sums_map np_drop_sums_a SEC(".maps");
struct np_drop_sums_map np_drop_sums_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, NP_DROP_STACKS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, NP_DROP_STACK_DEPTH * sizeof(__u64));
} np_drop_stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} np_drop_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_drop_loss);
} np_drop_loss SEC(".maps");

struct drop_scratch {
	struct scratch_head head;
	struct np_drop_key key;
	struct np_drop_sum fresh;
	struct np_ev_drop ev;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct drop_scratch);
} np_drop_scratch SEC(".maps");

/*
 * Sockets that kfree_skb does not tell of before 6.11 (it has no rx_sk): remembered by the hooks
 * through which a packet reaches its socket, for the drop that may follow on this processor.
 */
struct drop_hint {
	__u64 skb; /* address; 0 none */
	__u64 net; /* address of the socket's namespace */
	__u64 sock_id;
	struct np_owner owner;
	struct np_tuple tuple; /* flags: NP_F_PASSIVE where somebody serves at lport */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct drop_hint);
} np_drop_hint SEC(".maps");

#define loss_one(member)                                                                 \
	do {                                                                             \
		__u32 zero_ = 0;                                                         \
		struct np_drop_loss *loss_ = bpf_map_lookup_elem(&np_drop_loss, &zero_); \
		if (loss_)                                                               \
			__sync_fetch_and_add(&loss_->member, 1);                         \
	} while (0)

#define SOCK_BINDPORT_LOCK \
	8 /* bit of sk_userlocks: bind() named the port (6.18: include/net/sock.h) */

/*
 * A port that the kernel picked for one connection tells nothing of a kind, and each would be a kind of its own. One in
 * that range at which somebody serves does: it was bound, or is an accepted connection's.
 */
static __always_inline __u8 served(const struct np_sock *st, struct sock *sk)
{
	return st->flags & NP_F_PASSIVE ||
			       BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK
		       ? NP_F_PASSIVE
		       : 0;
}

static __always_inline bool is_ephemeral(const struct np_tuple *t)
{
	return t->lport >= cfg_port_low && t->lport <= cfg_port_high &&
	       !(t->flags & (NP_F_LISTEN | NP_F_PASSIVE));
}

static __always_inline void take_owner(struct np_ev_drop *ev, struct np_sock *st, __u8 state)
{
	ev->owner = st->last;
	ev->sock_id = st->flags & NP_F_OWNID ? 0 : st->sock_id;
	if (state == TCP_LISTEN && ev->owner.match == NP_MATCH_EXACT)
		ev->owner.match = NP_MATCH_LISTENER;
}

/*
 * How much sk_drops rises by a packet that a listener drops: an acknowledgement that finds the accept queue full
 * counts as a connection and as a packet (tcp_v4_syn_recv_sock and tcp_v4_rcv, 5.14 to 6.18).
 */
static __always_inline __u32 listener_drops(struct sock *sk, __u32 reason)
{
	if (cfg_listen_overflow)
		return reason == cfg_listen_overflow ? 2 : 1;
	return BPF_CORE_READ(sk, sk_ack_backlog) > BPF_CORE_READ(sk, sk_max_ack_backlog) ? 2 : 1;
}

/* An MPTCP listener, by the TCP socket below it: out of reach as well, so user space finds its owner by the cookie. */
static __always_inline void owner_of_main(struct np_ev_drop *ev, struct sock *sub)
{
	__u64 key = subflow_addr(sub);
	struct sock *sk = (struct sock *)key;
	struct np_main *m, none = {};

	if (!key)
		return;
	ev->tuple.flags |= NP_F_LISTEN;
	ev->sock_id = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	m = bpf_map_lookup_elem(&np_mains, &key);
	if (!m) {
		(void)bpf_map_update_elem(&np_mains, &key, &none, BPF_NOEXIST);
		m = bpf_map_lookup_elem(&np_mains, &key);
	}
	if (m)
		__sync_fetch_and_add(&m->drops, listener_drops(sub, ev->reason));
	else
		loss_one(map_full);
}

/* Owner of a full socket. state: of the socket, 0 where sk is NULL. */
static __always_inline bool owner_of_sock(struct np_ev_drop *ev, struct sock *sk, __u8 state)
{
	struct np_sock *st;

	if (!state || state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV)
		return false;
	ev->tuple.state = sock_proto(BPF_CORE_READ(sk, sk_protocol), BPF_CORE_READ(sk, sk_type)) ==
					  IPPROTO_TCP
				  ? state
				  : 0;
	ev->sock_id = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	if (state == TCP_LISTEN && sock_is_subflow(sk)) {
		owner_of_main(ev, sk_raw(sk));
		return false;
	}
	st = sock_find(sk);
	if (!st || (st->flags & NP_F_IGNORE))
		return false;
	if (state == TCP_LISTEN)
		(void)__sync_fetch_and_add(&st->drops_told, listener_drops(sk, ev->reason));
	ev->tuple.flags |= served(st, sk);
	take_owner(ev, st, state);
	return ev->owner.tgid != 0;
}

/*
 * A request socket (a connection half open) is its listener's. The verifier gives no typed pointer
 * to that, so the storage is out of reach: user space finds the owner by the cookie.
 */
static __always_inline void owner_of_request(struct np_ev_drop *ev, struct sock *sk)
{
	struct request_sock___pkt *req = (struct request_sock___pkt *)sk;
	struct sock *listener = BPF_CORE_READ(req, __req_common.skc_listener);

	ev->tuple.state = TCP_NEW_SYN_RECV;
	ev->tuple.flags |= NP_F_LISTEN;
	if (listener && sock_is_subflow(listener))
		listener = (struct sock *)subflow_addr(listener); /* MPTCP's */
	if (listener)
		ev->sock_id = BPF_CORE_READ(listener, __sk_common.skc_cookie.counter);
}

static __always_inline bool is_inet(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return family == AF_INET || family == AF_INET6 || family == PF_PACKET;
}

/* The socket seen shortly before, if this is the packet it was seen with. */
static __always_inline void owner_of_hint(struct np_ev_drop *ev, struct sk_buff___pkt *skb)
{
	__u32 zero = 0;
	struct drop_hint *h = bpf_map_lookup_elem(&np_drop_hint, &zero);

	/* Buffers are used again at once: only the ends tell that it is still the same packet. */
	if (!h || h->skb != (__u64)skb || h->tuple.lport != ev->tuple.lport ||
	    (ev->tuple.netns && h->tuple.netns != ev->tuple.netns) ||
	    h->tuple.proto != ev->tuple.proto ||
	    (h->tuple.rport && h->tuple.rport != ev->tuple.rport))
		return;
	ev->owner = h->owner;
	ev->sock_id = h->sock_id;
	ev->tuple.state = h->tuple.state;
	ev->tuple.flags |= h->tuple.flags;
	if (ev->tuple.netns)
		return;
	/* TCP takes the device off the packet before it gives it to the socket. */
	ev->tuple.netns = h->tuple.netns;
	ev->tuple.ifindex = BPF_CORE_READ(skb, skb_iif);
	(void)dev_name(&ev->tuple, (struct net___pkt *)h->net);
}

static __noinline int drop_wanted(struct np_ev_drop *ev)
{
	if (!ev || !np_filter.enabled)
		return 0;
	if (np_filter.n_iface && !ev->tuple.ifname[0])
		return 0;
	if (np_filter.n_cgroup && !ev->owner.cgroup_pass)
		return 0;
	return filter_owner(&ev->owner) && filter_tuple(&ev->tuple);
}

/* "ip6_mc_input", "ip6_mc_input [ipv6]" */
static __always_inline bool is_named(const char *function, const volatile char *name)
{
	for (int i = 0; i < QUIET_CHARS; i++) {
		if (!name[i])
			return i && (!function[i] || function[i] == ' ');
		if (function[i] != name[i])
			return false;
	}
	return false;
}

/* Asked once for each kind of drop. */
static __always_inline bool is_quiet(__u32 reason, const char *function)
{
	if (reason < NP_DROP_REASONS && (cfg_drop_quiet[reason / 64] & (1ULL << (reason % 64))))
		return true;
	if (reason != cfg_unspecified)
		return false;
	for (int i = 0; i < NP_DROP_QUIET; i++)
		if (is_named(function, cfg_drop_quiet_in[i]))
			return true;
	return false;
}

static __always_inline void key_fill(struct np_drop_key *key, const struct np_ev_drop *ev,
				     __u32 gen)
{
	/* a request's: its own socket is not known */
	key->listener = (ev->tuple.flags & NP_F_LISTEN) && !ev->owner.tgid ? ev->sock_id : 0;
	key->location = ev->location;
	key->owner_start_ns = ev->owner.start_ns;
	key->reason = ev->reason;
	key->tgid = ev->owner.tgid;
	key->netns = ev->tuple.netns;
	key->ifindex = ev->tuple.ifindex;
	/* A scan of all ports must not take the room of everything else. */
	key->lport = st_keys[gen] < NP_DROP_KEYS / 4 * 3 && !is_ephemeral(&ev->tuple)
			     ? ev->tuple.lport
			     : 0;
	key->proto = ev->tuple.proto;
	key->family = ev->tuple.family;
	key->pad = 0;
}

static __always_inline struct np_drop_sum *sum_find(const struct np_drop_key *key, __u32 gen)
{
	if (gen)
		return bpf_map_lookup_elem(&np_drop_sums_b, key);
	return bpf_map_lookup_elem(&np_drop_sums_a, key);
}

/* The second in which a kind's events are counted, kept while the map that had the kind is emptied. */
struct drop_window {
	__u32 hash; /* of the kind; another one with that place takes it */
	__u32 events;
	__u64 ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DROP_WINDOWS);
	__type(key, __u32);
	__type(value, struct drop_window);
} np_drop_windows SEC(".maps");

static __always_inline struct drop_window *window_of(const struct np_drop_key *key, __u32 *ret_hash)
{
	const __u64 *word = (const __u64 *)key;
	__u64 h = 0;
	__u32 slot;

	for (int i = 0; i < (int)(sizeof(*key) / sizeof(*word)); i++)
		h = (h ^ word[i]) * 0x9e3779b97f4a7c15ULL;
	*ret_hash = CUT(__u32, h >> 32);
	slot = *ret_hash & (DROP_WINDOWS - 1);
	return bpf_map_lookup_elem(&np_drop_windows, &slot);
}

static __always_inline void window_keep(const struct drop_scratch *s, const struct np_drop_sum *sum)
{
	__u32 hash;
	struct drop_window *window = window_of(&s->key, &hash);

	if (!window)
		return;
	window->hash = hash;
	window->events = sum->window_events;
	window->ns = sum->window_ns;
}

static __noinline int sum_make(struct drop_scratch *s, __u32 gen)
{
	struct np_drop_sum *sum = &s->fresh;
	struct drop_window *window;
	__u32 hash;
	__u64 args[1];
	long r;

	__builtin_memset(sum, 0, sizeof(*sum));
	sum->dir = s->ev.packet.dir;
	sum->owner = s->ev.owner;
	__builtin_memcpy(sum->ifname, s->ev.tuple.ifname, sizeof(sum->ifname));
	args[0] = s->ev.location;
	(void)bpf_snprintf(sum->function, sizeof(sum->function), "%ps", args, sizeof(args));
	sum->quiet = is_quiet(s->ev.reason, sum->function);
	/* the maps change places, its second goes on */
	window = window_of(&s->key, &hash);
	if (window && window->hash == hash) {
		sum->window_ns = window->ns;
		sum->window_events = window->events;
	}
	if (gen)
		r = bpf_map_update_elem(&np_drop_sums_b, &s->key, sum, BPF_NOEXIST);
	else
		r = bpf_map_update_elem(&np_drop_sums_a, &s->key, sum, BPF_NOEXIST);
	if (!r)
		__sync_fetch_and_add(&st_keys[gen ? 1 : 0], 1);
	return 0;
}

static __always_inline struct np_drop_sum *sum_of(struct drop_scratch *s)
{
	__u32 gen = st_sums_gen &
		    1; /* read once: user space waits for who still writes to the old one */
	struct np_drop_sum *sum;

	key_fill(&s->key, &s->ev, gen);
	sum = sum_find(&s->key, gen);
	if (sum)
		return sum;
	(void)sum_make(s, gen); /* a lost race leaves the winner's */
	return sum_find(&s->key, gen);
}

/* One more in this second's window; true: within the limit. */
static __always_inline bool window_pass(volatile __u64 *since, volatile __u32 *n, __u64 now,
					__u32 limit)
{
	__u64 start = *since;

	if (now - start >= BURST_WINDOW_NS &&
	    __sync_val_compare_and_swap(since, start, now) == start)
		*n = 0;
	if (*n >= limit) /* read first: in a flood the line stays shared */
		return false;
	return __sync_fetch_and_add(n, 1) < limit;
}

static __noinline int drop_emit(void *ctx, struct drop_scratch *s, struct np_drop_sum *sum)
{
	struct np_ev_drop *ev = &s->ev;

	/* Whatever was not told yet goes with this one; nobody else can take it as well. */
	ev->packets = __sync_lock_test_and_set(&sum->pending, 0);
	if (!ev->packets) {
		loss_one(limited);
		return 0;
	}
	ev->hdr.type = NP_EV_DROP;
	ev->hdr.len = sizeof(*ev);
	ev->hdr.cpu = bpf_get_smp_processor_id();
	ev->stack_id = st_stack ? (__s32)bpf_get_stackid(ctx, &np_drop_stacks, 0) : -1;
	ev->cpu_tgid = bpf_get_current_pid_tgid() >> 32;
	(void)bpf_get_current_comm(ev->cpu_comm, sizeof(ev->cpu_comm));
	__builtin_memcpy(ev->function, sum->function, sizeof(ev->function));
	if (!bpf_ringbuf_output(&np_drop_ring, ev, sizeof(*ev), BPF_RB_NO_WAKEUP)) {
		loss_one(submitted);
		return 0;
	}
	__sync_fetch_and_add(&sum->pending, ev->packets);
	loss_one(ring_full);
	return 0;
}

static __always_inline int drop_count(void *ctx, struct drop_scratch *s)
{
	struct np_drop_sum *sum = sum_of(s);

	if (!sum) {
		loss_one(map_full);
		return 0;
	}
	loss_one(counted);
	__sync_fetch_and_add(&sum->packets, 1);
	__sync_fetch_and_add(&sum->bytes, s->ev.packet.len);
	__sync_fetch_and_add(&sum->pending, 1);
	if (sum->quiet && !st_show_quiet)
		return 0;
	if (window_pass(&sum->window_ns, &sum->window_events, s->ev.hdr.ts_ns, st_key_events) &&
	    window_pass(&st_window_ns, &st_window_events, s->ev.hdr.ts_ns,
			np_filter.max_events ? np_filter.max_events : st_all_events)) {
		window_keep(s, sum);
		return drop_emit(ctx, s, sum);
	}
	loss_one(limited);
	return 0;
}

/*
 * A typed pointer as a plain address: the verifier lets nobody calculate with one that may be NULL,
 * and takes one for never NULL that is (rx_sk before 6.13), so both are asked as numbers.
 */
static __always_inline struct sock *plain(struct sock *sk)
{
	__u64 typed = (__u64)sk, raw = 0;

	(void)bpf_probe_read_kernel(&raw, sizeof(raw), &typed);
	return (struct sock *)raw;
}

/* rx: the socket it was for, NULL unknown (and before 6.11 always). */
static __always_inline int on_drop(void *ctx, struct sk_buff *typed, __u64 location, __u32 reason,
				   struct sock *rx)
{
	struct sk_buff___pkt *skb = (struct sk_buff___pkt *)typed;
	struct sock *sk = skb->sk, *plain_rx = plain(rx), *plain_sk = plain(sk);
	__u8 rx_state = BPF_CORE_READ(plain_rx, __sk_common.skc_state); /* 0 of NULL */
	__u8 state = BPF_CORE_READ(plain_sk, __sk_common.skc_state);
	struct drop_scratch *s;
	struct np_ev_drop *ev;

	loss_one(seen);
	s = scratch_take(&np_drop_scratch);
	if (!s) {
		loss_one(map_full);
		return 0;
	}
	ev = &s->ev;
	__builtin_memset(ev, 0, sizeof(*ev));
	/* Messages of unix and netlink sockets are such buffers too, and no packets. */
	if ((rx_state && !is_inet(plain_rx)) || (!rx_state && state && !is_inet(plain_sk)) ||
	    (!rx_state && !state && !BPF_CORE_READ(skb, protocol) && !pkt_dev(skb))) {
		loss_one(filtered);
		scratch_give(s);
		return 0;
	}
	ev->hdr.ts_ns = bpf_ktime_get_ns();
	ev->location = location;
	ev->reason = reason;
	ev->packet.dir = rx_state ? NP_DIR_RX : NP_DIR_UNKNOWN;
	pkt_read(&ev->tuple, &ev->packet, skb, rx_state ? plain_rx : plain_sk);
	if (rx_state == TCP_NEW_SYN_RECV)
		owner_of_request(ev, plain_rx);
	else if (rx_state && rx)
		(void)owner_of_sock(ev, rx, rx_state);
	else if (state == TCP_NEW_SYN_RECV)
		owner_of_request(ev, plain_sk);
	else if (state && sk)
		(void)owner_of_sock(ev, sk, state);
	else
		owner_of_hint(ev, skb);
	if (!drop_wanted(ev)) {
		loss_one(filtered);
		scratch_give(s);
		return 0;
	}
	(void)drop_count(ctx, s);
	scratch_give(s);
	return 0;
}

/* Every drop. Context: any but NMI. rx_sk since 6.11 (c53795d48ee8). */
SEC("tp_btf/kfree_skb")
int BPF_PROG(np_drop_sk, struct sk_buff *skb, void *location, __u32 reason, struct sock *rx_sk)
{
	return on_drop(ctx, skb, (__u64)location, reason, rx_sk);
}

/* The reason is there since 5.17 (c504e5c2f964). */
SEC("tp_btf/kfree_skb")
int BPF_PROG(np_drop_reason, struct sk_buff *skb, void *location, __u32 reason)
{
	return on_drop(ctx, skb, (__u64)location, reason, NULL);
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(np_drop_plain, struct sk_buff *skb, void *location)
{
	return on_drop(ctx, skb, (__u64)location, 0, NULL);
}

static __noinline int hint(struct sock *sk, struct sk_buff *skb)
{
	__u32 zero = 0;
	struct drop_hint *h = bpf_map_lookup_elem(&np_drop_hint, &zero);
	struct np_sock *st;
	struct net *net;
	__u8 state;

	if (!h || !sk)
		return 0;
	h->skb = 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV)
		return 0;
	st = sock_find(sk);
	if (!st || (st->flags & NP_F_IGNORE) || !st->last.tgid)
		return 0;
	h->owner = st->last;
	h->sock_id = st->flags & NP_F_OWNID ? 0 : st->sock_id;
	h->tuple.proto = sock_proto(BPF_CORE_READ(sk, sk_protocol), BPF_CORE_READ(sk, sk_type));
	h->tuple.flags = served(st, sk);
	h->tuple.lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	h->tuple.rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	net = BPF_CORE_READ(sk, __sk_common.skc_net.net);
	h->net = (__u64)net;
	h->tuple.netns = BPF_CORE_READ(net, ns.inum);
	h->tuple.state = h->tuple.proto == IPPROTO_TCP ? state : 0;
	if (state == TCP_LISTEN && h->owner.match == NP_MATCH_EXACT)
		h->owner.match = NP_MATCH_LISTENER;
	h->skb = (__u64)skb;
	return 0;
}

/* A datagram goes into its socket's queue, or does not. Context: softirq. */
SEC("fentry/__udp_enqueue_schedule_skb")
int BPF_PROG(np_hint_udp, struct sock *sk, struct sk_buff *skb)
{
	return hint(sk, skb);
}

/* A segment has found its socket. Context: softirq, or the socket's owner. */
SEC("fentry/tcp_v4_do_rcv")
int BPF_PROG(np_hint_tcp4, struct sock *sk, struct sk_buff *skb)
{
	return hint(sk, skb);
}

SEC("fentry/tcp_v6_do_rcv")
int BPF_PROG(np_hint_tcp6, struct sock *sk, struct sk_buff *skb)
{
	return hint(sk, skb);
}
