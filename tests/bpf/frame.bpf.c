// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What the parser of frames says, for tests/bpf/frame.c; the programs do nothing else. */
#include "bpf/lib/frame.h"
#include "frame_said.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u8 cfg_frags = 0;
struct frame_said said;

static __always_inline void say(const struct frame *f, void *data)
{
	said.bad = f->bad;
	said.family = f->family;
	said.proto = f->proto;
	said.frag = f->frag;
	said.tags = f->tags;
	said.tag[0] = f->tag[0];
	said.tag[1] = f->tag[1];
	said.eth_type = f->eth_type;
	said.sport = bpf_ntohs(f->sport);
	said.dport = bpf_ntohs(f->dport);
	said.tcp_flags = f->tcp_flags;
	said.icmp_type = f->icmp_type;
	said.ip_len = f->ip_len;
	said.l3 = f->l3 ? (__u32)(f->l3 - data) : 0;
	said.l4 = f->l4 ? (__u32)(f->l4 - data) : 0;
}

SEC("xdp")
int frame_xdp(struct xdp_md *ctx)
{
	struct frame f;

	frame_parse_xdp(ctx, &f, cfg_frags);
	say(&f, (void *)(long)ctx->data);
	return XDP_PASS;
}

SEC("tc")
int frame_tc(struct __sk_buff *skb)
{
	struct frame f;

	frame_parse_tc(skb, &f, false);
	say(&f, (void *)(long)skb->data);
	return 0;
}
