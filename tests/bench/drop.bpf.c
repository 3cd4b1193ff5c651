// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* A flood by XDP itself, and the least that can be done with it. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 out_ifindex = 0;

/* Sends what it is run on. */
SEC("xdp")
int np_bench_send(struct xdp_md *ctx)
{
	(void)ctx;
	return (int)bpf_redirect(out_ifindex, 0);
}

SEC("xdp")
int np_bench_bare(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}
