/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whether a source is allowed or banned. Nearly every packet ends at the first bit that is looked
 * at: there is no entry anywhere near its address. Only behind it are tries and hashes asked.
 */
#ifndef NETPROBE_BPF_LIB_BAN_H
#define NETPROBE_BPF_LIB_BAN_H

#include "guard.h"

#define BAN_NONE 0  /* no entry, or none for this port */
#define BAN_MATCH 1 /* an entry that holds now */
#define BAN_DRY 2   /* one that only counts */

#define BAN_ALLOWED 3
#define BAN_KIND(found) ((found)&3)
#define BAN_NEST_LOST 4 /* bit: gave up looking through networks within networks */
#define BAN_ANY 8	/* bit: of BAN_MATCH: whatever it sends, and no other entry has a say */
#define BAN_SEEN 16	/* bit: there is an entry, which may not hold for this packet */
/* Prefix length of the entry that has BAN_ANY. */
#define BAN_BY(len) ((len) << 8)
#define BAN_LEN(found) ((__u32)(found) >> 8 & 0xff)

/*
 * What an entry is compared with, in two numbers: functions of their own are verified once only where
 * they are given numbers, whatever the state of the packet is.
 */
#define BAN_WHAT(proto, has_port, set) ((__u32)(proto) | (__u32)(has_port) << 8 | (set) << 16)
#define WHAT_PROTO(what) ((__u8)(what))
#define WHAT_HAS_PORT(what) ((what) >> 8 & 1)
#define WHAT_SET(what) ((what) >> 16 & 1)
#define WHAT_ALLOW (1U << 24) /* the allow list, not the bans */
/*
 * The parser could not finish: ports, and of proto 0 the protocol too, may be any. A ban holds where it could
 * hold; what is allowed has to be known.
 */
#define WHAT_OPEN (1U << 25)
#define WHAT_IS_OPEN(what) (((what) & (WHAT_OPEN | WHAT_ALLOW)) == WHAT_OPEN)

static __always_inline bool clause_holds(const struct np_guard_clause *c, __u32 tick, __u32 what,
					 __u32 dport)
{
	if (c->expires && c->expires <= tick)
		return false;
	if (c->proto && c->proto != WHAT_PROTO(what) && !(WHAT_IS_OPEN(what) && !WHAT_PROTO(what)))
		return false;
	if ((c->port_from == 0 && c->port_to == 0xffff) || WHAT_IS_OPEN(what))
		return true;
	/* A later fragment has no ports: it is harmless without the first, which has. */
	return WHAT_HAS_PORT(what) && dport >= c->port_from && dport <= c->port_to;
}

static __always_inline bool clause_is_any(const struct np_guard_clause *c)
{
	return !c->proto && c->port_from == 0 && c->port_to == 0xffff;
}

/* BAN_* of a rule that says something. */
__noinline int guard_rule_holds(__u32 index, __u32 tick, __u32 what, __u32 dport)
{
	struct np_guard_rule *rule = bpf_map_lookup_elem(&np_rules, &index);
	int result = BAN_NONE;

	if (!rule)
		return BAN_NONE;
	for (__u32 i = 0; i < NP_GUARD_CLAUSES; i++) {
		if (i >= rule->n)
			break;
		if (!clause_holds(&rule->clause[i], tick, what, dport))
			continue;
		if (!rule->clause[i].dry_run)
			return clause_is_any(&rule->clause[i]) ? BAN_MATCH | BAN_ANY : BAN_MATCH;
		result = BAN_DRY;
	}
	return result;
}

/* BAN_*; counts the hit. */
static __always_inline int entry_holds(struct np_guard_entry *e, __u32 tick, __u32 what,
				       __u32 dport)
{
	int result = BAN_MATCH | BAN_ANY;

	if (e->expires && e->expires <= tick)
		return BAN_NONE;
	if (e->rule)
		result = guard_rule_holds(e->rule, tick, what, dport);
	if (result)
		__sync_fetch_and_add(&e->hits, 1);
	return result;
}

/*
 * The longest network first; where its entry does not hold, the next shorter one that contains the
 * address. Bounded: more than NP_GUARD_NEST networks within each other are told, not followed.
 */
#define WALK_NETS(inner, key, tick, what, dport, result)                             \
	do {                                                                         \
		int i_;                                                              \
                                                                                     \
		for (i_ = 0; i_ < NP_GUARD_NEST; i_++) {                             \
			struct np_guard_entry *e_ = bpf_map_lookup_elem(inner, key); \
			int one_;                                                    \
                                                                                     \
			if (!e_)                                                     \
				break;                                               \
			one_ = entry_holds(e_, tick, what, dport);                   \
			if (BAN_KIND(one_) == BAN_MATCH)                             \
				return i_ ? BAN_MATCH : one_ | BAN_BY(e_->len);      \
			if (one_)                                                    \
				(result) = one_;                                     \
			(result) |= BAN_SEEN;                                        \
			if (!e_->len)                                                \
				break;                                               \
			(key)->len = e_->len - 1;                                    \
		}                                                                    \
		if (i_ == NP_GUARD_NEST)                                             \
			(result) |= BAN_NEST_LOST;                                   \
	} while (0)

/* addr: network order. */
__noinline int guard_nets4(__u32 addr, __u32 tick, __u32 what, __u32 dport)
{
	struct np_guard_net4 key = { .len = 32 };
	__u32 set = WHAT_SET(what);
	int result = BAN_NONE;
	void *inner;

	__builtin_memcpy(key.addr, &addr, 4);
	if (what & WHAT_ALLOW) {
		inner = bpf_map_lookup_elem(&np_allow4, &set);
		if (inner)
			WALK_NETS(inner, &key, tick, what, dport, result);
	} else {
		inner = bpf_map_lookup_elem(&np_nets4, &set);
		if (inner)
			WALK_NETS(inner, &key, tick, what, dport, result);
	}
	return result;
}

/* hi, lo: the halves of the address as they are in memory. */
__noinline int guard_nets6(__u64 hi, __u64 lo, __u32 tick, __u32 what, __u32 dport)
{
	struct np_guard_net6 key = { .len = 128 };
	__u32 set = WHAT_SET(what);
	int result = BAN_NONE;
	void *inner;

	__builtin_memcpy(key.addr, &hi, 8);
	__builtin_memcpy(key.addr + 8, &lo, 8);
	if (what & WHAT_ALLOW) {
		inner = bpf_map_lookup_elem(&np_allow6, &set);
		if (inner)
			WALK_NETS(inner, &key, tick, what, dport, result);
	} else {
		inner = bpf_map_lookup_elem(&np_nets6, &set);
		if (inner)
			WALK_NETS(inner, &key, tick, what, dport, result);
	}
	return result;
}

static __always_inline int hosts4(__be32 addr, __u32 tick, __u32 what, __u32 dport)
{
	__u32 set = WHAT_SET(what);
	void *inner = bpf_map_lookup_elem(&np_hosts4, &set);
	struct np_guard_entry *e = inner ? bpf_map_lookup_elem(inner, &addr) : NULL;

	return e ? entry_holds(e, tick, what, dport) | BAN_SEEN : BAN_NONE;
}

static __always_inline int hosts6(__u64 hi, __u64 lo, __u32 tick, __u32 what, __u32 dport)
{
	__u32 set = WHAT_SET(what);
	void *inner = bpf_map_lookup_elem(&np_hosts6, &set);
	__u64 addr[2] = { hi, lo };
	struct np_guard_entry *e = inner ? bpf_map_lookup_elem(inner, addr) : NULL;

	return e ? entry_holds(e, tick, what, dport) | BAN_SEEN : BAN_NONE;
}

/* The verdict of an entry, of others beside it: only by itself it holds for all that the source sends. */
static __always_inline int ban_result(int found, int others)
{
	return others & BAN_SEEN ? found & ~BAN_ANY : found;
}

/* BAN_* of an IPv4 source that has entries nearby; addr: network order. */
__noinline int guard_ban4(__u32 addr, __u32 what, __u32 dport)
{
	volatile struct np_guard_policy *p = guard_policy(WHAT_SET(what));
	int result = BAN_NONE, others = 0, one;
	__u32 tick = guard_tick();

	if (!p)
		return BAN_NONE;
	if (p->n[NP_SET_ALLOW4]) {
		/* What is allowed may be so for some ports only. */
		others = guard_nets4(addr, tick, what | WHAT_ALLOW, dport);
		if (BAN_KIND(others) == BAN_MATCH)
			return BAN_ALLOWED;
	}
	if (p->n[NP_SET_HOSTS4])
		result = hosts4(addr, tick, what, dport);
	if (BAN_KIND(result) == BAN_MATCH)
		return ban_result(result | BAN_BY(32), others);
	if (!p->n[NP_SET_NETS4])
		return result;
	one = guard_nets4(addr, tick, what, dport);
	return ban_result(BAN_KIND(one) ? one : one | result, others | result);
}

__noinline int guard_ban6(__u64 hi, __u64 lo, __u32 what, __u32 dport)
{
	volatile struct np_guard_policy *p = guard_policy(WHAT_SET(what));
	int result = BAN_NONE, others = 0, one;
	__u32 tick = guard_tick();

	if (!p)
		return BAN_NONE;
	if (p->n[NP_SET_ALLOW6]) {
		/* What is allowed may be so for some ports only. */
		others = guard_nets6(hi, lo, tick, what | WHAT_ALLOW, dport);
		if (BAN_KIND(others) == BAN_MATCH)
			return BAN_ALLOWED;
	}
	if (p->n[NP_SET_HOSTS6])
		result = hosts6(hi, lo, tick, what, dport);
	if (BAN_KIND(result) == BAN_MATCH)
		return ban_result(result | BAN_BY(128), others);
	if (!p->n[NP_SET_NETS6])
		return result;
	one = guard_nets6(hi, lo, tick, what, dport);
	return ban_result(BAN_KIND(one) ? one : one | result, others | result);
}

/* Per processor: written here, and read by user space, which adds the hits that wait. */
struct np_hot_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NP_GUARD_HOTS);
	__type(key, __u32);
	__type(value, struct np_guard_hot);
};
extern struct np_hot_map np_hot SEC(".maps");

static __always_inline struct np_guard_hot *hot_slot(__u64 hi, __u64 lo)
{
	__u32 slot = ((hi ^ lo) * NP_GUARD_HASH6) >> (64 - NP_GUARD_HOTS_SHIFT);

	return bpf_map_lookup_elem(&np_hot, &slot);
}

/*
 * A flood comes from addresses that were looked up a moment ago. A jiffy long, their verdict holds: a ban
 * that is taken back or has ended is still dropped for so long.
 */
static __always_inline bool hot_hit(struct np_guard_hot *h, __u64 hi, __u64 lo, __u32 set)
{
	if (!h || h->lo != lo || h->hi != hi || h->jiffies != bpf_jiffies64() || h->set != set)
		return false;
	h->hits++;
	return true;
}

/* The entry for all that an address sends, an address of its own or a network, if it is still there. */
static __always_inline struct np_guard_entry *hot_entry4(__u32 addr, __u32 set, __u32 len)
{
	struct np_guard_net4 key = { .len = len };
	void *inner;

	if (len == 32) {
		inner = bpf_map_lookup_elem(&np_hosts4, &set);
		return inner ? bpf_map_lookup_elem(inner, &addr) : NULL;
	}
	__builtin_memcpy(key.addr, &addr, 4);
	inner = bpf_map_lookup_elem(&np_nets4, &set);
	return inner ? bpf_map_lookup_elem(inner, &key) : NULL;
}

static __always_inline struct np_guard_entry *hot_entry6(__u64 hi, __u64 lo, __u32 set, __u32 len)
{
	struct np_guard_net6 key = { .len = len };
	__u64 addr[2] = { hi, lo };
	void *inner;

	if (len == 128) {
		inner = bpf_map_lookup_elem(&np_hosts6, &set);
		return inner ? bpf_map_lookup_elem(inner, addr) : NULL;
	}
	__builtin_memcpy(key.addr, addr, 16);
	inner = bpf_map_lookup_elem(&np_nets6, &set);
	return inner ? bpf_map_lookup_elem(inner, &key) : NULL;
}

/* Hits that waited go to their entry. which: NP_GUARD_HOT_SET(). */
__noinline int guard_hot_flush(__u64 hi, __u64 lo, __u32 which, __u32 len, __u64 hits)
{
	volatile struct np_guard_policy *p = guard_policy(which);
	struct np_guard_entry *e;
	__u32 set = which & 1;

	/* A list that was put in the place of that one has them already. */
	if (!p || NP_GUARD_HOT_SET(set, p->build) != which)
		return 0;
	if (!hi && (__u32)lo == bpf_htonl(0xffff))
		e = hot_entry4(lo >> 32, set, len);
	else
		e = hot_entry6(hi, lo, set, len);
	/* A trie answers with the longest that fits: that may be a shorter one by now. */
	if (e && e->len == len)
		__sync_fetch_and_add(&e->hits, hits);
	return 0;
}

static __always_inline void hot_fill(struct np_guard_hot *h, __u64 hi, __u64 lo, __u32 set,
				     __u32 len)
{
	if (!h)
		return;
	if (h->hits)
		guard_hot_flush(h->hi, h->lo, h->set, h->len, h->hits);
	h->hits = 0;
	h->hi = hi;
	h->lo = lo;
	h->set = set;
	h->len = len;
	h->jiffies = bpf_jiffies64();
}

static __always_inline bool near4(__be32 addr, __u32 set)
{
	__u32 bit = bpf_ntohl(addr) >> 8, word = set * NP_GUARD_BITS4_WORDS + (bit >> 6);
	__u64 *bits = bpf_map_lookup_elem(&np_bits4, &word);

	return bits && (*bits >> (bit & 63) & 1);
}

static __always_inline bool near6(const struct in6_addr *a, __u32 set)
{
	__u32 top = bpf_ntohl(a->in6_u.u6_addr32[0]), word;
	__u32 bit = np_guard_bit6((__u64)top << 16 | bpf_ntohs(a->in6_u.u6_addr16[2]));
	__u64 *bits;

	word = set * NP_GUARD_BITS6_WORDS + (bit >> 6);
	bits = bpf_map_lookup_elem(&np_bits6, &word);
	if (bits && (*bits >> (bit & 63) & 1))
		return true;
	bit = top >> 16;
	word = 2 * NP_GUARD_BITS6_WORDS + set * NP_GUARD_SHORT6_WORDS + (bit >> 6);
	bits = bpf_map_lookup_elem(&np_bits6, &word);
	return bits && (*bits >> (bit & 63) & 1);
}

/* Extension headers that end beyond what can be read, or never: the stack may find a transport header there. */
static __always_inline bool is_unfinished(const struct frame *f)
{
	return f->bad == NP_FRAME_EXT_MANY || f->bad == NP_FRAME_EXT_SHORT;
}

static __always_inline __u32 ban_what(const struct frame *f, __u32 set)
{
	if (unlikely(is_unfinished(f)))
		return BAN_WHAT(0, 0, set) | WHAT_OPEN;
	return BAN_WHAT(f->proto, f->dport != 0, set);
}

/* BAN_* of a frame, with BAN_NEST_LOST. p: the set's. */
static __always_inline int ban_check(const struct frame *f, __u32 set,
				     volatile struct np_guard_policy *p)
{
	__u32 what = ban_what(f, set), dport = bpf_ntohs(f->dport);
	struct np_guard_hot *h;
	__u64 half[2];
	__u32 hot;
	int found;

	if (f->family == FRAME_AF_INET) {
		struct iphdr *ip = f->l3;

		if (!ip || (void *)(ip + 1) > f->end || likely(!near4(ip->saddr, set)))
			return BAN_NONE;
		half[1] = (__u64)ip->saddr << 32 | bpf_htonl(0xffff);
		hot = NP_GUARD_HOT_SET(set, p->build);
		h = hot_slot(0, half[1]);
		if (hot_hit(h, 0, half[1], hot))
			return BAN_MATCH;
		found = guard_ban4(ip->saddr, what, dport);
		if (found & BAN_ANY)
			hot_fill(h, 0, half[1], hot, BAN_LEN(found));
		return found;
	}
	if (f->family == FRAME_AF_INET6) {
		struct ipv6hdr *ip = f->l3;

		if (!ip || (void *)(ip + 1) > f->end || likely(!near6(&ip->saddr, set)))
			return BAN_NONE;
		__builtin_memcpy(half, &ip->saddr, sizeof(half));
		hot = NP_GUARD_HOT_SET(set, p->build);
		h = hot_slot(half[0], half[1]);
		if (hot_hit(h, half[0], half[1], hot))
			return BAN_MATCH;
		found = guard_ban6(half[0], half[1], what, dport);
		if (found & BAN_ANY)
			hot_fill(h, half[0], half[1], hot, BAN_LEN(found));
		return found;
	}
	return BAN_NONE;
}

#endif
