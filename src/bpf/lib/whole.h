/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The filter of a frame that was parsed: lists, then limits and detection. */
#ifndef NETPROBE_BPF_LIB_WHOLE_H
#define NETPROBE_BPF_LIB_WHOLE_H

#include "ban.h"
#include "count.h"
#include "limit.h"

/* As numbers, whole: bytes put together in memory are slow to be read back as words. */
static __always_inline bool limit_addrs(struct limit_query *q, const struct frame *f)
{
	if (f->family == FRAME_AF_INET) {
		struct iphdr *ip = f->l3;

		if (!ip || (void *)(ip + 1) > f->end)
			return false;
		q->slo = (__u64)ip->saddr << 32 | bpf_htonl(0xffff);
		q->dlo = (__u64)ip->daddr << 32 | bpf_htonl(0xffff);
		return true;
	}
	if (f->family == FRAME_AF_INET6) {
		struct ipv6hdr *ip = f->l3;

		if (!ip || (void *)(ip + 1) > f->end)
			return false;
		__builtin_memcpy(&q->shi, &ip->saddr, 8);
		__builtin_memcpy(&q->slo, (__u8 *)&ip->saddr + 8, 8);
		__builtin_memcpy(&q->dhi, &ip->daddr, 8);
		__builtin_memcpy(&q->dlo, (__u8 *)&ip->daddr + 8, 8);
		return true;
	}
	return false;
}

/* Fill what limits and detection ask for; false: no addresses. */
static __always_inline bool limit_fill(struct limit_query *q, const struct frame *f, __u32 len,
				       __u32 set, volatile struct np_guard_policy *p)
{
	__u32 kind;

	__builtin_memset(q, 0, sizeof(*q));
	if (!limit_addrs(q, f))
		return false;
	q->now = guard_now();
	q->len = len;
	q->set = set;
	q->sport = bpf_ntohs(f->sport);
	q->dport = bpf_ntohs(f->dport);
	/*
	 * Which way through the parser led here the verifier must forget, or it looks at all that
	 * follows once for each. Of what memory holds it knows nothing.
	 */
	kind = (__u32)f->proto | (__u32)f->tcp_flags << 8 | (__u32)f->icmp_type << 16 |
	       (__u32)f->bad << 24;
	kind ^= p->zero;
	q->proto = kind;
	q->flags = kind >> 8;
	q->icmp_type = kind >> 16;
	q->bad = kind >> 24;
	return true;
}

static __always_inline bool is_new_flow(const struct frame *f)
{
	struct np_guard_flow_key k;

	__builtin_memset(&k, 0, sizeof(k));
	return f->proto == IPPROTO_UDP && flow_key(&k, f, false) &&
	       !bpf_map_lookup_elem(&np_guard_flows, &k);
}

/* NP_DROP_*, or -1. */
static __always_inline int limits_ask(struct limit_query *q, struct np_guard_dev *dev,
				      const struct frame *f, __u32 len, __u32 set,
				      volatile struct np_guard_policy *p)
{
	int drop = -1;

	if (!limit_fill(q, f, len, set, p))
		return -1;
	if (cfg_flows && (p->limit[0][NP_LIMIT_FLOWS].rate || p->limit[1][NP_LIMIT_FLOWS].rate ||
			  (p->limit_on & NP_LIMIT_ON_PORTS)))
		q->new_flow = is_new_flow(f);
	if (p->detect || (p->limit_on & (1 << NP_PER_SOURCE)))
		drop = guard_limit_check(q);
	if (drop < 0 && (p->limit_on & (1 << NP_PER_PREFIX))) {
		q->per = NP_PER_PREFIX;
		drop = guard_limit_check(q);
	}
	if (drop < 0 && (p->limit_on & NP_LIMIT_ON_PORTS) &&
	    (p->limit_ports & NP_GUARD_PORT_BIT(q->dport)))
		drop = guard_port_check(q);
	if (unlikely(q->source_lost))
		dev->sources_lost++;
	return drop;
}

static __always_inline int limits(struct np_guard_dev *dev, const struct frame *f, __u32 len,
				  __u32 set, volatile struct np_guard_policy *p)
{
	struct np_query_place *place = query_take();
	int drop;

	if (!place) {
		dev->sources_lost++;
		return -1;
	}
	drop = limits_ask(&place->q, dev, f, len, set, p);
	query_give(place);
	return drop;
}

/* XDP_PASS or XDP_DROP. */
static __always_inline int filter(struct np_guard_dev *dev, const struct frame *f, __u32 len)
{
	volatile struct np_guard_conf *conf = guard_conf();
	volatile struct np_guard_policy *p;
	__u32 set;
	int found, drop = -1;

	if (!conf || conf->off)
		return XDP_PASS;
	set = guard_set(conf);
	p = &conf->policy[set];
	found = ban_check(f, set, p);
	if (unlikely(found & BAN_NEST_LOST))
		dev->nest_lost++;
	found = BAN_KIND(found);
	if (found == BAN_ALLOWED) {
		dev->allowed++;
		return XDP_PASS;
	}
	if (found == BAN_MATCH) {
		if (unlikely(is_unfinished(f)))
			dev->unfinished++;
		dev->drops[NP_DROP_BAN]++;
		dev->drop_bytes += len;
		return XDP_DROP;
	}
	if (found == BAN_DRY)
		dev->dry_drops[NP_DROP_BAN]++;
	if (!p->detect && !p->limit_on)
		return XDP_PASS;
	drop = limits(dev, f, len, set, p);
	if (drop == NP_DROP_LIMIT && p->limit_dry) {
		dev->dry_drops[NP_DROP_LIMIT]++;
		return XDP_PASS;
	}
	if (drop < 0)
		return XDP_PASS;
	dev->drops[drop == NP_DROP_LIMIT ? NP_DROP_LIMIT : NP_DROP_DETECT]++;
	dev->drop_bytes += len;
	return XDP_DROP;
}

#endif
