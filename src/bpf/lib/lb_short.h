/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The short way of the balancer, for the plain packet (lb_plain.h): nothing of it is in memory, nothing is looked up
 * twice. Whatever is not as usual is left to the long way, before anything is written. Part of lb.bpf.c, whose maps
 * and tables it uses.
 */
#ifndef NETPROBE_BPF_LIB_LB_SHORT_H
#define NETPROBE_BPF_LIB_LB_SHORT_H

#include "lb_plain.h"

/* Of what this processor found lately, else of the map; NULL: no VIP's. */
static __always_inline const struct lb_vip *plain_vip(struct lb_cpu *cpu, const struct lb_config *c,
						      const struct lb_plain *p)
{
	__u32 service = p->ports >> 16 | (__u32)p->proto << 16;
	__u64 mixed = (p->service.hi ^ p->service.lo ^ service) * 0x9e3779b97f4a7c15ULL;
	struct lb_near *near = &cpu->near[mixed >> (64 - LB_NEAR_BITS)];
	/* Before the map: what is found in an older one is not taken for one of this. */
	__u32 gen = *(const volatile __u32 *)&c->gen;
	struct lb_vip_key key = { .port_be = service, .proto = p->proto };
	struct lb_vip *vip;

	if (likely(near->lo == p->service.lo && near->hi == p->service.hi &&
		   near->service == service && near->gen == gen))
		return &near->vip;
	((__u64 *)key.addr)[0] = p->service.hi;
	((__u64 *)key.addr)[1] = p->service.lo;
	vip = vip_of_key(&key, c);
	if (!vip)
		return NULL;
	near->hi = p->service.hi;
	near->lo = p->service.lo;
	near->service = service;
	near->gen = gen;
	near->vip = *vip;
	return &near->vip;
}

/* What the tables say of a plain packet, before anything is written. */
struct plain_choice {
	struct lb_backend *backend;
	struct lb_set *set;    /* of the flow */
	struct flow_hash flow; /* by what it has its entry */
	struct flow_hash home; /* by what the ring is asked: the same, or its client's */
	__u32 slot;
	bool known;  /* it has an entry */
	bool client; /* its client's entry says where */
	bool stale;  /* that entry was not written in this tick */
};

/* An entry's backend, if that keeps what the entry is of; else false. */
static __always_inline bool plain_entry(const struct lb_plain *p, __u64 word, __u32 now,
					struct plain_choice *ch)
{
	ch->slot = LB_WORD_SLOT(word);
	ch->backend = bpf_map_lookup_elem(&lb_backends, &ch->slot);
	ch->stale = LB_WORD_SEEN(word) != (now & LB_SEEN_MASK);
	return is_kept(p->proto, p->syn, word, ch->backend, now);
}

/* false: where more than one entry has a say, or there is something to count. */
static __always_inline bool plain_choose(const struct lb_plain *p, const struct lb_vip *vip,
					 __u32 now, struct plain_choice *ch)
{
	bool by_source = vip->flags & LB_VIP_SOURCE;
	struct lb_set *set;
	__u64 word;

	ch->flow = ch->home = hash_words(p->client.hi, p->client.lo, p->ports, vip->uid);
	if (unlikely(by_source))
		ch->home = hash_words(p->client.hi, p->client.lo, 0, vip->uid);
	ch->set = set_of(&ch->flow);
	if (!ch->set)
		return false;
	word = find_flow(ch->set, ch->flow.key >> 32);
	if (word) {
		ch->known = true;
		return plain_entry(p, word, now, ch);
	}
	if (unlikely(by_source)) {
		set = set_of(&ch->home);
		word = set ? find_flow(set, ch->home.key >> 32) : 0;
		if (word) {
			ch->client = true;
			return plain_entry(p, word, now, ch) &&
			       (ch->backend->state == LB_STATE_UP || p->proto == IPPROTO_TCP);
		}
	}
	ch->backend = backend_of_ring(vip->slot, ch->home.ring, &ch->slot);
	return ch->backend && ch->backend->state != LB_STATE_FREE;
}

static __noinline int remember_client(const struct flow_hash *client, __u32 uid, __u32 slot,
				      __u32 now)
{
	struct lb_set *set = set_of(client);

	if (set)
		remember(set, client->key >> 32, uid, slot, now);
	return 0;
}

static __always_inline void plain_remember(bool by_source, struct lb_cpu *cpu,
					   const struct lb_config *c, __u32 now,
					   const struct plain_choice *ch)
{
	struct flow_hash hash;

	if (unlikely(ch->stale)) {
		hash = ch->home;
		if (by_source)
			(void)touch(&hash, now);
		hash = ch->flow;
		if (ch->known)
			(void)touch(&hash, now);
	}
	if (ch->known || !cpu_may_remember(cpu, c))
		return;
	if (unlikely(by_source) && !ch->client) {
		hash = ch->home;
		(void)remember_client(&hash, ch->backend->uid, ch->slot, now);
	}
	remember_at(ch->set, ch->flow.key >> 32, ch->backend->uid, ch->slot, now, true);
}

/* balance_long() for the plain packet, nearly all of it in registers; -1: not one of these, and nothing was done. */
static __noinline int balance_plain(struct xdp_md *ctx)
{
	struct plain_choice ch = { .known = false };
	struct lb_config *c = config();
	struct lb_cpu *cpu = this_cpu();
	const struct lb_vip *vip;
	struct lb_nexthop *nh;
	struct lb_plain p;
	__u32 now, vip_slot;
	bool known, by_source;
	int r;

	if (unlikely(!cpu || !c || !lb_plain_parse(ctx, &p)))
		return -1;
	vip = plain_vip(cpu, c, &p);
	if (!vip) {
		count_total(LB_NO_VIP);
		return XDP_PASS;
	}
	vip_slot = vip->slot;
	by_source = vip->flags & LB_VIP_SOURCE;
	now = cpu_tick(cpu);
	if (unlikely(!plain_choose(&p, vip, now, &ch)))
		return -1;
	nh = bpf_map_lookup_elem(&lb_nexthops, &ch.slot);
	if (unlikely(!nh || nh->seen != now || nh->uid != ch.backend->uid || nh->tags ||
		     p.l3_bytes + lb_overhead(ch.backend) > nh->mtu))
		return -1;
	plain_remember(by_source, cpu, c, now, &ch);
	r = lb_push(ctx, (struct lb_inner){ p.l3_bytes, p.tos, p.v6 }, ch.backend, nh,
		    ch.home.ring);
	if (unlikely(r))
		return refuse(r, vip_slot, ch.slot);
	known = ch.known || ch.client;
	count_flow(bpf_map_lookup_elem(&lb_vip_count, &vip_slot), p.frame_bytes, false, known);
	count_flow(bpf_map_lookup_elem(&lb_be_count, &ch.slot), p.frame_bytes, false, known);
	count_total(LB_FORWARDED);
	return lb_out(ctx, nh);
}

#endif
