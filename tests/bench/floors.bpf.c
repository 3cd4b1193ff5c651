// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Single things that programs at packets do, each alone, to be measured: what none that needs them can stay
 * below. Names of programs are np_floor_ and what they do.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

volatile __u64 st_sink;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} floor_counter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u32);
} floor_hash SEC(".maps");

struct floor_prefix {
	__u32 len, addr;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct floor_prefix);
	__type(value, __u32);
} floor_lpm SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} floor_ring SEC(".maps");

/* Source address of a TCP packet of IPv4; 0 of others. */
static __always_inline __u32 source(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);

	if ((void *)(tcp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5)
		return 0;
	return ip->saddr ^ tcp->source;
}

SEC("xdp")
int np_floor_empty(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int np_floor_counter(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *n = source(ctx) ? bpf_map_lookup_elem(&floor_counter, &zero) : NULL;

	if (n)
		*n += 1;
	return XDP_PASS;
}

SEC("xdp")
int np_floor_hash(struct xdp_md *ctx)
{
	__u32 key = source(ctx);

	return bpf_map_lookup_elem(&floor_hash, &key) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int np_floor_lpm(struct xdp_md *ctx)
{
	struct floor_prefix key = { .len = 32, .addr = source(ctx) };

	return bpf_map_lookup_elem(&floor_lpm, &key) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int np_floor_clock(struct xdp_md *ctx)
{
	st_sink = bpf_ktime_get_ns();
	return XDP_PASS;
}

/* The ring is never read: once it is full a record costs less, so each is discarded. */
SEC("xdp")
int np_floor_ring(struct xdp_md *ctx)
{
	__u64 *record = bpf_ringbuf_reserve(&floor_ring, 64, 0);

	if (record) {
		record[0] = 1;
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
	}
	return XDP_PASS;
}

SEC("xdp")
int np_floor_push(struct xdp_md *ctx)
{
	if (bpf_xdp_adjust_head(ctx, -20) || bpf_xdp_adjust_head(ctx, 20))
		return XDP_DROP;
	return XDP_PASS;
}
