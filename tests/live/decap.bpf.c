// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A backend's end of the tunnel for kernels without tunnel devices: takes the outer header off what is
 * addressed to it, counts it, and leaves the rest to the stack. np_pass is for a veth that others send
 * into by XDP: without a program at that end they cannot.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

volatile __u64 st_packets, st_bytes; /* taken out of a tunnel; one processor at a time on a veth */

static __always_inline int unwrap(struct xdp_md *ctx, int bytes, __u8 proto)
{
	struct ethhdr was, *eth = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if ((void *)(eth + 1) > end)
		return XDP_ABORTED;
	was = *eth;
	__sync_fetch_and_add(&st_packets, 1);
	__sync_fetch_and_add(&st_bytes, end - (void *)eth - bytes);
	if (bpf_xdp_adjust_head(ctx, bytes))
		return XDP_ABORTED;
	eth = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if ((void *)(eth + 1) > end)
		return XDP_ABORTED;
	*eth = was;
	eth->h_proto = proto == IPPROTO_IPIP ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	return XDP_PASS;
}

SEC("xdp")
int np_decap(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);

	if ((void *)(ip + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP) &&
	    (ip->protocol == IPPROTO_IPIP || ip->protocol == IPPROTO_IPV6))
		return unwrap(ctx, sizeof(*ip), ip->protocol);
	if ((void *)(ip6 + 1) <= end && eth->h_proto == bpf_htons(ETH_P_IPV6) &&
	    (ip6->nexthdr == IPPROTO_IPIP || ip6->nexthdr == IPPROTO_IPV6))
		return unwrap(ctx, sizeof(*ip6), ip6->nexthdr);
	return XDP_PASS;
}

SEC("xdp")
int np_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}
