// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What every XDP program costs before it does anything: taken off the others' time. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("xdp")
int np_bench_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("xdp")
int np_bench_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}
