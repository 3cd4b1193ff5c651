// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What every XDP program costs before it does anything: taken off the others' time. And a flow monitor
 * that does what pktstat-bpf's program does for a packet of a known flow: headers, one entry of a
 * per-processor LRU hash by a key of 72 bytes, two counters, and a look whether the flow's application
 * is known, in an LRU hash by a key of 40 bytes.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
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

struct peer_key {
	__u8 src[16], dst[16];
	__u64 cgroup; /* 0 at XDP, as the process is */
	__u8 comm[16];
	__u32 pid;
	__u16 sport, dport;
	__u8 proto;
	__u8 pad[7];
};

struct peer_count {
	__u64 packets, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 131072);
	__type(key, struct peer_key);
	__type(value, struct peer_count);
} peer_flows SEC(".maps");

struct peer_flow {
	__u8 src[16], dst[16];
	__u16 sport, dport;
	__u8 proto;
	__u8 pad[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 131072);
	__type(key, struct peer_flow);
	__type(value, __u8);
} peer_apps SEC(".maps");

static __always_inline void look_for_app(const struct peer_key *k)
{
	struct peer_flow flow = { .sport = k->sport, .dport = k->dport, .proto = k->proto };
	__u8 unknown = 0;

	__builtin_memcpy(flow.src, k->src, sizeof(flow.src));
	__builtin_memcpy(flow.dst, k->dst, sizeof(flow.dst));
	if (!bpf_map_lookup_elem(&peer_apps, &flow))
		(void)bpf_map_update_elem(&peer_apps, &flow, &unknown, BPF_NOEXIST);
}

SEC("xdp")
int np_bench_flows(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct peer_count first = { .packets = 1 }, *n;
	struct peer_key key = {
		.src[10] = 0xff, .src[11] = 0xff, .dst[10] = 0xff, .dst[11] = 0xff
	};
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl < 5)
		return XDP_PASS;
	tcp = (void *)ip + ip->ihl * 4;
	if (ip->protocol != IPPROTO_TCP || (void *)(tcp + 1) > end)
		return XDP_PASS;
	__builtin_memcpy(key.src + 12, &ip->saddr, 4);
	__builtin_memcpy(key.dst + 12, &ip->daddr, 4);
	key.sport = bpf_ntohs(tcp->source);
	key.dport = bpf_ntohs(tcp->dest);
	key.proto = ip->protocol;
	look_for_app(&key);
	n = bpf_map_lookup_elem(&peer_flows, &key);
	if (n) {
		n->packets++;
		n->bytes += bpf_ntohs(ip->tot_len);
	} else {
		first.bytes = bpf_ntohs(ip->tot_len);
		(void)bpf_map_update_elem(&peer_flows, &key, &first, BPF_NOEXIST);
	}
	return XDP_PASS;
}
