/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counters of interfaces and flows. Per processor, or atomic: none is lost to another. */
#ifndef NETPROBE_BPF_LIB_COUNT_H
#define NETPROBE_BPF_LIB_COUNT_H

#include "guard.h"

struct np_flow_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, NP_GUARD_FLOWS);
	__type(key, struct np_guard_flow_key);
	__type(value, struct np_guard_flow);
};
extern struct np_flow_map np_guard_flows SEC(".maps");

static __always_inline void way_count(struct np_guard_way *w, const struct frame *f, __u64 bytes)
{
	__u32 kind = frame_kind(f);

	w->kind[kind].packets++;
	w->kind[kind].bytes += bytes;
	if (f->family == FRAME_AF_INET6)
		w->v6_packets++;
}

static __always_inline void addr16_v4(__u8 *to, __be32 addr)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, &addr, 4);
}

/* Both addresses of a frame with IP; false where they cannot be read. */
static __always_inline bool frame_addrs(const struct frame *f, void *src, void *dst)
{
	if (f->family == FRAME_AF_INET) {
		struct iphdr *ip = f->l3;

		if (!ip || (void *)(ip + 1) > f->end)
			return false;
		addr16_v4(src, ip->saddr);
		addr16_v4(dst, ip->daddr);
		return true;
	}
	if (f->family == FRAME_AF_INET6) {
		struct ipv6hdr *ip = f->l3;

		if (!ip || (void *)(ip + 1) > f->end)
			return false;
		__builtin_memcpy(src, &ip->saddr, 16);
		__builtin_memcpy(dst, &ip->daddr, 16);
		return true;
	}
	return false;
}

/* Key of a frame's flow, zeroed before. */
static __always_inline bool flow_key(struct np_guard_flow_key *k, const struct frame *f, bool tx)
{
	if (!frame_addrs(f, tx ? k->laddr : k->raddr, tx ? k->raddr : k->laddr))
		return false;
	k->lport = bpf_ntohs(tx ? f->sport : f->dport);
	k->rport = bpf_ntohs(tx ? f->dport : f->sport);
	k->proto = f->proto;
	k->ifindex = st_ifindex;
	return true;
}

/* Read before write of the flags: the line stays where it is. */
static __always_inline void flow_add(struct np_guard_flow *v, __u64 bytes, __u32 flags, bool tx)
{
	if (tx) {
		__sync_fetch_and_add(&v->tx_packets, 1);
		__sync_fetch_and_add(&v->tx_bytes, bytes);
	} else {
		__sync_fetch_and_add(&v->rx_packets, 1);
		__sync_fetch_and_add(&v->rx_bytes, bytes);
	}
	v->last = guard_tick();
	if ((v->flags | flags) != v->flags)
		v->flags |= flags;
}

__noinline int guard_flow_add(struct np_guard_flow_key *arg, __u64 bytes, __u32 flags, __u32 tx)
{
	struct np_guard_flow_key key, *k = &key;
	struct np_guard_flow *v, fresh;

	if (!arg)
		return 0;
	/* An argument of a global function is no key to the verifier of 6.1. */
	key = *arg;
	v = bpf_map_lookup_elem(&np_guard_flows, k);
	if (unlikely(!v)) {
		__builtin_memset(&fresh, 0, sizeof(fresh));
		fresh.first = guard_tick();
		(void)bpf_map_update_elem(&np_guard_flows, k, &fresh, BPF_NOEXIST);
		v = bpf_map_lookup_elem(&np_guard_flows, k);
		if (!v)
			return -1;
	}
	flow_add(v, bytes, flags, tx);
	return 0;
}

static __always_inline void flow_count(struct np_guard_dev *dev, const struct frame *f, __u64 bytes,
				       bool tx)
{
	struct np_guard_flow_key k;

	__builtin_memset(&k, 0, sizeof(k));
	if (!flow_key(&k, f, tx))
		return;
	if (guard_flow_add(&k, bytes, f->tcp_flags, tx))
		dev->flows_lost++;
}

#endif
