// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The headers of packets at their sockets, for --pcap: IP and transport, no payload. An object of
 * its own, loaded only where asked for; it filters as drops do.
 */
#include "lib/cgskb.h"
#include "lib/scratch.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define OTHER_BYTES 8 /* of a transport that is neither TCP nor UDP: ICMP's header */

const volatile __u8 cfg_store_hash = 0;

struct np_filter np_filter = { .gen = 1, .enabled = 1 };

struct np_socks_map np_socks SEC(".maps");
struct np_socks_h_map np_socks_h SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} np_pcap_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_packet_loss);
} np_pcap_loss SEC(".maps");

struct pcap_scratch {
	struct scratch_head head;
	struct np_ev_packet ev;
	__u8 bytes[NP_PCAP_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct pcap_scratch);
} np_pcap_scratch SEC(".maps");

#define pcap_count(member)                                                                 \
	do {                                                                               \
		__u32 zero_ = 0;                                                           \
		struct np_packet_loss *loss_ = bpf_map_lookup_elem(&np_pcap_loss, &zero_); \
		if (loss_)                                                                 \
			__sync_fetch_and_add(&loss_->member, 1);                           \
	} while (0)

/* What is neither TCP nor UDP, or is a fragment, has no ports but headers all the same. */
static __always_inline bool pcap_plain(struct __sk_buff *ctx, struct cgskb_l4 *l4)
{
	__u8 h[10] = {};

	if (bpf_skb_load_bytes(ctx, 0, h, sizeof(h)))
		return false;
	l4->v6 = h[0] >> 4 == 6;
	l4->l4 = l4->v6 ? sizeof(struct ipv6hdr) : (h[0] & 15) * 4;
	l4->proto = l4->v6 ? h[6] : h[9];
	l4->source = l4->dest = 0;
	return true;
}

static __always_inline __u32 pcap_header_len(struct __sk_buff *ctx, const struct cgskb_l4 *l4)
{
	__u8 off = 0;

	if (!l4->source && !l4->dest)
		return l4->l4 + OTHER_BYTES;
	if (l4->proto == IPPROTO_UDP)
		return l4->l4 + sizeof(struct udphdr);
	if (bpf_skb_load_bytes(ctx, l4->l4 + 12, &off, 1))
		return l4->l4;
	return l4->l4 + (off >> 4) * 4;
}

static __always_inline void pcap_write(struct __sk_buff *ctx, struct pcap_scratch *s,
				       const struct cgskb_l4 *l4)
{
	__u32 n = pcap_header_len(ctx, l4);

	if (n > ctx->len)
		n = ctx->len;
	if (n > NP_PCAP_BYTES)
		n = NP_PCAP_BYTES;
	s->ev.hdr.type = NP_PACKET_PCAP;
	s->ev.full = ctx->len;
	s->ev.captured = n;
	/* To 6.1 the verifier does not learn from "not 0" that it is 1 at least; from this it does. */
	n--;
	barrier_var(n);
	if (n >= NP_PCAP_BYTES || bpf_skb_load_bytes(ctx, 0, s->bytes, n + 1)) {
		pcap_count(helper_err);
		return;
	}
	if (bpf_ringbuf_output(&np_pcap_ring, &s->ev, sizeof(s->ev) + n + 1, BPF_RB_NO_WAKEUP))
		pcap_count(ring_full);
	else
		pcap_count(submitted);
}

static __noinline int pcap_take(struct __sk_buff *ctx, const struct cgskb_l4 *l4, __u32 tx)
{
	struct pcap_scratch *s;

	if (!l4)
		return 0;
	pcap_count(seen);
	s = scratch_take(&np_pcap_scratch);
	if (!s) {
		pcap_count(ring_full);
		return 0;
	}
	(void)cgskb_fill(&s->ev, ctx, l4, tx);
	if (cgskb_wanted(&s->ev))
		pcap_write(ctx, s, l4);
	else
		pcap_count(filtered);
	scratch_give(s);
	return 0;
}

static __always_inline int pcap_look(struct __sk_buff *ctx, bool tx)
{
	struct cgskb_l4 l4 = {};

	if (cgskb_ports(ctx, &l4) || pcap_plain(ctx, &l4))
		(void)pcap_take(ctx, &l4, tx);
	return CGSKB_PASS;
}

/* Context: the call that sends, or softirq. */
SEC("cgroup_skb/egress")
int np_pcap_tx(struct __sk_buff *ctx)
{
	return pcap_look(ctx, true);
}

/* Context: softirq. */
SEC("cgroup_skb/ingress")
int np_pcap_rx(struct __sk_buff *ctx)
{
	return pcap_look(ctx, false);
}
