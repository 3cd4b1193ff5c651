// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * DNS at the socket of who asks: hands up what goes to and comes from the ports of DNS, mDNS and
 * LLMNR. An object of its own, loaded only where names are asked for. It decides nothing by the
 * filters: an answer to one process names the address for all.
 */
#include "lib/cgskb.h"
#include "lib/scratch.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u8 cfg_store_hash = 0;

struct np_filter np_filter = { .gen = 1, .enabled = 1 };
/* Remote ports to look at, a bit each. Written by user space before the programs are attached. */
volatile __u64 st_ports[NP_PORT_WORDS] = {};

struct np_socks_map np_socks SEC(".maps");
struct np_socks_h_map np_socks_h SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} np_dns_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_packet_loss);
} np_dns_loss SEC(".maps");

struct dns_scratch {
	struct scratch_head head;
	struct np_ev_packet ev;
	__u8 bytes[NP_PACKET_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct dns_scratch);
} np_dns_scratch SEC(".maps");

#define dns_count(member)                                                                 \
	do {                                                                              \
		__u32 zero_ = 0;                                                          \
		struct np_packet_loss *loss_ = bpf_map_lookup_elem(&np_dns_loss, &zero_); \
		if (loss_)                                                                \
			__sync_fetch_and_add(&loss_->member, 1);                          \
	} while (0)

/* Behind the transport's header; 0 unknown. */
static __always_inline __u32 dns_payload(struct __sk_buff *ctx, const struct cgskb_l4 *l4,
					 __u32 *ret_seq)
{
	__u8 tcp[14] = {};

	if (l4->proto == IPPROTO_UDP)
		return l4->l4 + sizeof(struct udphdr);
	if (bpf_skb_load_bytes(ctx, l4->l4, tcp, sizeof(tcp)))
		return 0;
	*ret_seq = (__u32)tcp[4] << 24 | (__u32)tcp[5] << 16 | (__u32)tcp[6] << 8 | tcp[7];
	return l4->l4 + (tcp[12] >> 4) * 4;
}

static __always_inline void dns_send(struct __sk_buff *ctx, struct dns_scratch *s, __u32 at,
				     __u32 n)
{
	/* To 6.1 the verifier does not learn from "not 0" that it is 1 at least; from this it does. */
	n--;
	barrier_var(n);
	if (n >= NP_PACKET_BYTES || bpf_skb_load_bytes(ctx, at, s->bytes, n + 1)) {
		dns_count(helper_err);
		return;
	}
	if (bpf_ringbuf_output(&np_dns_ring, &s->ev, sizeof(s->ev) + n + 1, BPF_RB_NO_WAKEUP))
		dns_count(ring_full);
	else
		dns_count(submitted);
}

static __noinline int dns_hand_up(struct __sk_buff *ctx, const struct cgskb_l4 *l4, __u32 tx,
				  __u32 type)
{
	__u32 seq = 0, at, full, n;
	struct dns_scratch *s;

	if (!l4)
		return 0;
	at = dns_payload(ctx, l4, &seq);
	if (!at || ctx->len <= at)
		return 0; /* an acknowledgement alone */
	dns_count(seen);
	s = scratch_take(&np_dns_scratch);
	if (!s) {
		dns_count(ring_full);
		return 0;
	}
	full = ctx->len - at;
	n = full < NP_PACKET_BYTES ? full : NP_PACKET_BYTES;
	(void)cgskb_fill(&s->ev, ctx, l4, tx);
	s->ev.hdr.type = CUT(__u16, type); /* NP_EV_* */
	s->ev.seq = seq;
	s->ev.full = full;
	s->ev.captured = n;
	s->ev.wanted = CUT(__u8, cgskb_wanted(&s->ev)); /* 0 or 1 */
	dns_send(ctx, s, at, n);
	scratch_give(s);
	return 0;
}

static __always_inline int dns_look(struct __sk_buff *ctx, bool tx)
{
	struct cgskb_l4 l4 = {};
	__u16 port;

	if (!cgskb_ports(ctx, &l4))
		return CGSKB_PASS;
	port = tx ? l4.dest : l4.source;
	if (st_ports[(port / 64) & (NP_PORT_WORDS - 1)] & (1ULL << (port % 64)))
		(void)dns_hand_up(ctx, &l4, tx, NP_PACKET_DNS);
	return CGSKB_PASS;
}

/* A handshake record of TLS that begins with a ClientHello. */
static __always_inline bool is_hello(const __u8 b[6])
{
	return b[0] == 22 && b[1] == 3 && b[5] == 1;
}

static __always_inline bool is_request(const __u8 b[6])
{
	__u32 word = (__u32)b[0] << 24 | (__u32)b[1] << 16 | (__u32)b[2] << 8 | b[3];

	return word == 0x47455420 || word == 0x504f5354 ||
	       word == 0x50555420 || /* GET, POST, PUT */
	       word == 0x48454144 || word == 0x44454c45 ||
	       word == 0x4f505449 ||			 /* HEAD DELE OPTI */
	       word == 0x50415443 || word == 0x434f4e4e; /* PATC CONN */
}

/* Where a client says whom it talks to. Loaded only for --names sni,http. Context: as np_dns_tx. */
SEC("cgroup_skb/egress")
int np_first_tx(struct __sk_buff *ctx)
{
	struct cgskb_l4 l4 = {};
	__u32 seq = 0, at;
	__u8 b[6] = {};

	if (!cgskb_ports(ctx, &l4) || l4.proto != IPPROTO_TCP)
		return CGSKB_PASS;
	at = dns_payload(ctx, &l4, &seq);
	if (!at || ctx->len < at + sizeof(b) || bpf_skb_load_bytes(ctx, at, b, sizeof(b)))
		return CGSKB_PASS;
	if (is_hello(b) || is_request(b))
		(void)dns_hand_up(ctx, &l4, 1, NP_PACKET_FIRST);
	return CGSKB_PASS;
}

/* Context: the call that sends, or softirq for TCP. cgroup_skb with sockets since 5.2. */
SEC("cgroup_skb/egress")
int np_dns_tx(struct __sk_buff *ctx)
{
	return dns_look(ctx, true);
}

/* Context: softirq; the socket is found, the packet not yet in its queue. */
SEC("cgroup_skb/ingress")
int np_dns_rx(struct __sk_buff *ctx)
{
	return dns_look(ctx, false);
}
