// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The way of single packets through the stack, step by step. For packets that match the filters and
 * nothing else; an object of its own, loaded only where somebody asks. A packet keeps its number as
 * long as its buffer lives, from one namespace into the next.
 */
#include "lib/filter.h"
#include "lib/packet.h"
#include "lib/scratch.h"
#include "kernel/netfilter.h"
#include "wire/trace.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define NFCT_INFO 7UL	 /* low bits of skb->_nfct */
#define IP_CT_IS_REPLY 3 /* from here on the packet goes in the direction of the reply */
#define ETH_HEADER 14
#define WINDOW_NS 1000000000ULL

const volatile __u8 cfg_store_hash = 0;

struct np_filter np_filter = { .gen = 1, .enabled = 1 };
volatile __u32 st_steps = 1000; /* a second, all together */
volatile __u64 st_window_ns = 0;
volatile __u32 st_window_steps = 0;
volatile __u64 st_packets = 0;

struct np_socks_map np_socks SEC(".maps");
struct np_socks_h_map np_socks_h SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} np_trace_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_trace_loss);
} np_trace_loss SEC(".maps");

struct trace_place {
	struct scratch_head head;
	struct np_ev_trace ev;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct trace_place);
} np_trace_rec SEC(".maps");

/* A packet on its way. LRU: a buffer whose end no hook sees must not stay for ever. */
struct on_way {
	__u64 packet_id;
	__u64 last_ns;
	__u32 nth;
	__u32 sign; /* of its headers: buffers are used again */
	struct np_tuple tuple;
	struct np_packet packet;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* address of the buffer */
	__type(value, struct on_way);
} np_trace_way SEC(".maps");

#define loss_one(member)                                                                   \
	do {                                                                               \
		__u32 zero_ = 0;                                                           \
		struct np_trace_loss *loss_ = bpf_map_lookup_elem(&np_trace_loss, &zero_); \
		if (loss_)                                                                 \
			__sync_fetch_and_add(&loss_->member, 1);                           \
	} while (0)

static __always_inline bool window_pass(__u64 now)
{
	__u64 start = st_window_ns;

	if (now - start >= WINDOW_NS &&
	    __sync_val_compare_and_swap(&st_window_ns, start, now) == start)
		st_window_steps = 0;
	return __sync_fetch_and_add(&st_window_steps, 1) <
	       (np_filter.max_events ? np_filter.max_events : st_steps);
}

static __always_inline void read_mac(struct np_ev_trace *ev, struct sk_buff___pkt *skb)
{
	__u16 mac = BPF_CORE_READ(skb, mac_header), net = BPF_CORE_READ(skb, network_header);
	__u8 header[12] = {};

	if (mac == HEADER_UNSET || net < mac + ETH_HEADER)
		return;
	if (bpf_probe_read_kernel(header, sizeof(header), BPF_CORE_READ(skb, head) + mac))
		return;
	__builtin_memcpy(ev->mac_dst, header, 6);
	__builtin_memcpy(ev->mac_src, header + 6, 6);
	ev->has_mac = 1;
}

static __always_inline void ct_addr(__u8 to[16], const union nf_inet_addr *from, __u16 family)
{
	if (family == AF_INET) {
		__be32 v4 = 0;

		(void)bpf_core_read(&v4, sizeof(v4), &from->all[0]);
		addr_from_v4(to, v4);
	} else {
		(void)bpf_core_read(to, 16, &from->all);
	}
}

/* Where NAT is at work, the other direction's addresses are not just this one's turned round. */
static __noinline int read_conntrack(struct np_ev_trace *ev, struct sk_buff___pkt *skb)
{
	struct nf_conntrack_tuple *t;
	unsigned long nfct;
	struct nf_conn *ct;
	__u16 family;

	/* The field is there only where the kernel is built with conntrack. */
	if (!bpf_core_field_exists(skb->_nfct) || !bpf_core_type_exists(struct nf_conn))
		return 0;
	nfct = BPF_CORE_READ(skb, _nfct);
	ct = (struct nf_conn *)(nfct & ~NFCT_INFO);
	if (!ct)
		return 0;
	t = (nfct & NFCT_INFO) >= IP_CT_IS_REPLY ? &ct->tuplehash[0].tuple
						 : &ct->tuplehash[1].tuple;
	family = BPF_CORE_READ(t, src.l3num);
	ct_addr(ev->other.src, &t->src.u3, family);
	ct_addr(ev->other.dst, &t->dst.u3, family);
	ev->other.sport = bpf_ntohs(BPF_CORE_READ(t, src.u.all));
	ev->other.dport = bpf_ntohs(BPF_CORE_READ(t, dst.u.all));
	ev->other.valid = 1;
	return 0;
}

/* Only where the program has a typed socket that is a full one. */
static __always_inline void read_owner(struct np_ev_trace *ev, struct sock *sk)
{
	__u64 typed = (__u64)sk, plain = 0;
	struct np_sock *st;
	__u8 state;

	(void)bpf_probe_read_kernel(&plain, sizeof(plain), &typed);
	state = BPF_CORE_READ((struct sock *)plain, __sk_common.skc_state);
	if (!state || state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV || !sk)
		return;
	ev->sock_id = BPF_CORE_READ((struct sock *)plain, __sk_common.skc_cookie.counter);
	/* A packet socket's, or a tap's, says nothing of the connection whose segment it sent. */
	if (sock_proto(BPF_CORE_READ((struct sock *)plain, sk_protocol),
		       BPF_CORE_READ((struct sock *)plain, sk_type)) == IPPROTO_TCP)
		ev->tuple.state = state;
	st = sock_find(sk);
	if (st && !(st->flags & NP_F_IGNORE))
		ev->owner = st->last;
}

static __always_inline __u32 sign_of(const struct np_ev_trace *ev)
{
	return ev->packet.seq ^ ev->packet.ack ^ ((__u32)ev->packet.tcp_flags << 24) ^
	       (((__u32)ev->packet.ip_id << 16) | ev->packet.len) ^ ev->tuple.proto;
}

/* Number of the packet and of its step. */
static __noinline int number_step(struct np_ev_trace *ev, __u64 skb)
{
	struct on_way *way = bpf_map_lookup_elem(&np_trace_way, &skb);
	__u32 sign = sign_of(ev);
	struct on_way fresh = {};

	if (way && way->sign == sign) {
		ev->packet_id = way->packet_id;
		ev->since_ns = ev->hdr.ts_ns - way->last_ns;
		ev->nth = ++way->nth;
		way->last_ns = ev->hdr.ts_ns;
		return 0;
	}
	fresh.packet_id = __sync_fetch_and_add(&st_packets, 1) + 1;
	fresh.last_ns = ev->hdr.ts_ns;
	fresh.nth = 1;
	fresh.sign = sign;
	fresh.tuple = ev->tuple;
	fresh.packet = ev->packet;
	ev->packet_id = fresh.packet_id;
	ev->nth = 1;
	(void)bpf_map_update_elem(&np_trace_way, &skb, &fresh, BPF_ANY);
	return 0;
}

/* Whoever takes a place with new_step gives it back: here, or with send_step. */
static __always_inline void step_over(struct np_ev_trace *ev)
{
	scratch_give((char *)ev - offsetof(struct trace_place, ev));
}

static __noinline int send_step(struct np_ev_trace *ev)
{
	loss_one(seen);
	if (!window_pass(ev->hdr.ts_ns)) {
		loss_one(limited);
		step_over(ev);
		return 0;
	}
	ev->hdr.type = NP_EV_TRACE;
	ev->hdr.len = sizeof(*ev);
	ev->hdr.cpu = bpf_get_smp_processor_id();
	if (bpf_ringbuf_output(&np_trace_ring, ev, sizeof(*ev), BPF_RB_NO_WAKEUP))
		loss_one(ring_full);
	else
		loss_one(submitted);
	step_over(ev);
	return 0;
}

static __always_inline struct np_ev_trace *new_step(__u32 step)
{
	struct trace_place *place = scratch_take(&np_trace_rec);
	struct np_ev_trace *ev;

	if (!place) {
		loss_one(seen);
		loss_one(ring_full);
		return NULL;
	}
	ev = &place->ev;
	__builtin_memset(ev, 0, sizeof(*ev));
	ev->step = step;
	ev->hook = NP_HOOK_NONE;
	ev->hdr.ts_ns = bpf_ktime_get_ns();
	return ev;
}

/* Fill ev from the buffer; false: it is not one of the wanted. */
static __always_inline bool read_step(struct np_ev_trace *ev, struct sk_buff *skb)
{
	struct sk_buff___pkt *pkt = (struct sk_buff___pkt *)skb;

	ev->packet.dir = NP_DIR_UNKNOWN;
	pkt_read(&ev->tuple, &ev->packet, pkt, NULL);
	if (!ev->tuple.family || !np_filter.enabled || !filter_tuple(&ev->tuple))
		return false;
	read_mac(ev, pkt);
	(void)read_conntrack(ev, pkt);
	(void)number_step(ev, (__u64)skb);
	return true;
}

static __always_inline int step_sk(struct sk_buff *skb, __u32 step, struct sock *sk)
{
	struct np_ev_trace *ev = new_step(step);

	if (!ev)
		return 0;
	if (!read_step(ev, skb)) {
		step_over(ev);
		return 0;
	}
	read_owner(ev, sk);
	return send_step(ev);
}

static __always_inline int step_of(struct sk_buff *skb, __u32 step)
{
	return step_sk(skb, step, ((struct sk_buff___pkt *)skb)->sk);
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(np_step_queue, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_QUEUE);
}

SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(np_step_xmit, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_TRANSMIT);
}

SEC("tp_btf/netif_rx")
int BPF_PROG(np_step_backlog, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_BACKLOG);
}

SEC("tp_btf/napi_gro_receive_entry")
int BPF_PROG(np_step_gro, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_GRO);
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(np_step_receive, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_RECEIVE);
}

/* Context: softirq, for each segment of an established connection. The argument is there since 4.16. */
SEC("tp_btf/tcp_probe")
int BPF_PROG(np_step_socket, struct sock *sk, struct sk_buff *skb)
{
	return step_sk(skb, NP_STEP_SOCKET, sk);
}

SEC("tp_btf/consume_skb")
int BPF_PROG(np_step_done, struct sk_buff *skb)
{
	__u64 key = (__u64)skb;

	/* Only packets seen before: most buffers that are used up here were never one of ours. */
	if (!bpf_map_lookup_elem(&np_trace_way, &key))
		return 0;
	return step_of(skb, NP_STEP_DONE);
}

static __always_inline int step_drop(struct sk_buff *skb, __u64 location, __u32 reason)
{
	struct np_ev_trace *ev = new_step(NP_STEP_DROP);
	__u64 args[1] = { location };

	if (!ev)
		return 0;
	if (!read_step(ev, skb)) {
		step_over(ev);
		return 0;
	}
	ev->reason = reason;
	(void)bpf_snprintf(ev->function, sizeof(ev->function), "%ps", args, sizeof(args));
	read_owner(ev, ((struct sk_buff___pkt *)skb)->sk);
	return send_step(ev);
}

/* The reason is there since 5.17 (c504e5c2f964). */
SEC("tp_btf/kfree_skb")
int BPF_PROG(np_step_drop, struct sk_buff *skb, void *location, __u32 reason)
{
	return step_drop(skb, (__u64)location, reason);
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(np_step_drop_plain, struct sk_buff *skb, void *location)
{
	return step_drop(skb, (__u64)location, 0);
}

/* The functions below have no tracepoint: they are seen where the kernel takes trampolines. */
SEC("fentry/ip_rcv")
int BPF_PROG(np_step_ip4, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_IP_RECEIVE);
}

SEC("fentry/ipv6_rcv")
int BPF_PROG(np_step_ip6, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_IP_RECEIVE);
}

SEC("fentry/ip_local_deliver")
int BPF_PROG(np_step_deliver4, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_IP_DELIVER);
}

SEC("fentry/tcp_v4_rcv")
int BPF_PROG(np_step_tcp4, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_TRANSPORT);
}

SEC("fentry/tcp_v6_rcv")
int BPF_PROG(np_step_tcp6, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_TRANSPORT);
}

SEC("fentry/udp_rcv")
int BPF_PROG(np_step_udp4, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_TRANSPORT);
}

SEC("fentry/udpv6_rcv")
int BPF_PROG(np_step_udp6, struct sk_buff *skb)
{
	return step_of(skb, NP_STEP_TRANSPORT);
}

SEC("fentry/ip_output")
int BPF_PROG(np_step_out4, struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return step_sk(skb, NP_STEP_IP_OUTPUT, sk);
}

SEC("fentry/ip6_output")
int BPF_PROG(np_step_out6, struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return step_sk(skb, NP_STEP_IP_OUTPUT, sk);
}

/* All chains of one hook together. A packet that was dropped is gone by now: only what is remembered is told. */
SEC("fexit/nf_hook_slow")
int BPF_PROG(np_step_nf, struct sk_buff *skb, struct nf_hook_state *state, const void *entries,
	     unsigned int s, int ret)
{
	struct np_ev_trace *ev = new_step(NP_STEP_NETFILTER);
	__u64 key = (__u64)skb;
	struct on_way *way;

	if (!ev)
		return 0;
	ev->hook = (__u8)BPF_CORE_READ_BITFIELD_PROBED(state, hook);
	ev->verdict = ret;
	if (ret == 1) {
		if (!read_step(ev, skb)) {
			step_over(ev);
			return 0;
		}
		read_owner(ev, ((struct sk_buff___pkt *)skb)->sk);
		return send_step(ev);
	}
	way = bpf_map_lookup_elem(&np_trace_way, &key);
	if (!way) {
		step_over(ev);
		return 0;
	}
	ev->tuple = way->tuple;
	ev->packet = way->packet;
	ev->packet_id = way->packet_id;
	ev->since_ns = ev->hdr.ts_ns - way->last_ns;
	ev->nth = ++way->nth;
	way->last_ns = ev->hdr.ts_ns;
	return send_step(ev);
}
