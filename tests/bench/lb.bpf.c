// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The balancer's own program, run again and again on one packet: each time it is taken out of the
 * tunnel first, which is counted as the balancer's cost. Shares the pinned maps of a balancer.
 */
#include "bpf/lb.bpf.c"

volatile __u32 st_bytes;  /* of the frame as it came from the client */
volatile __u32 st_spread; /* flows: one port after the other, so many; a power of two */
volatile __u32 st_new;	  /* 1: each packet is of a flow never seen */
volatile __u32 st_run;

static __always_inline int again(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth;
	struct iphdr *ip;
	struct tcphdr *tcp;
	__u64 more = (__u64)end - (__u64)data - st_bytes;
	__u32 run;

	if (more && bpf_xdp_adjust_head(ctx, (int)more))
		return -1;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	eth = data;
	ip = (void *)(eth + 1);
	tcp = (void *)(ip + 1);
	if ((void *)(tcp + 1) > end)
		return -1;
	eth->h_proto = bpf_htons(ip->version == 4 ? ETH_P_IP : ETH_P_IPV6);
	run = st_run++;
	if (st_new)
		ip->saddr = run;
	else if (st_spread > 1)
		tcp->source = run & (st_spread - 1);
	return 0;
}

SEC("xdp")
int np_bench_lb(struct xdp_md *ctx)
{
	if (again(ctx))
		return XDP_ABORTED;
	/* The packet's bounds are read anew: merged with the reads above, the verifier loses them. */
	asm volatile("" ::: "memory");
	return balance(ctx);
}

SEC("xdp")
int np_bench_empty(struct xdp_md *ctx)
{
	return XDP_TX;
}
