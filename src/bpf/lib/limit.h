/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Limits and detection, from one look-up of the source. Limits are token buckets: what goes beyond is
 * dropped, nobody is banned for being fast. Detection looks for what an honest client does not do:
 * open connections and never go on, ask nothing and be sent answers, try port after port.
 *
 * Counters of one source are not atomic: two processors that serve it at once may lose a few, which
 * lets a little more through.
 */
#ifndef NETPROBE_BPF_LIB_LIMIT_H
#define NETPROBE_BPF_LIB_LIMIT_H

#include "guard_log.h"

#define WINDOW_TICKS 15 /* 1 s */
#define SCAN_TICKS 120	/* 8 s */
#define REFILL_MAX_NS (1ULL << 30)
#define MAX_DOUBLINGS 10
#define SYSTEM_PORTS 1024
#define SIGMAS_SQUARED 36 /* 6 standard deviations */
#define EWMA_SHIFT 4

/* What limits and detection need of a frame, as numbers. */
struct limit_query {
	struct np_addr16 saddr, daddr;
	__u64 now;
	__u32 len; /* of the frame */
	__u32 set;
	__u16 sport, dport; /* host order */
	__u8 proto;
	__u8 flags; /* of TCP */
	__u8 icmp_type;
	__u8 bad;
	__u8 new_flow; /* first datagram of a flow */
	__u8 source_lost;
	__u8 per; /* NP_PER_* */
};

struct np_sources_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_GUARD_SOURCES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct np_guard_source);
};
extern struct np_sources_map np_sources SEC(".maps");

struct np_dests_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_GUARD_DESTS);
	__type(key, __u32);
	__type(value, struct np_guard_dest);
};
extern struct np_dests_map np_dests SEC(".maps");

static __always_inline bool is_amplifier(__u16 port)
{
	switch (port) {
	case 19:    /* chargen */
	case 53:    /* DNS */
	case 111:   /* portmapper */
	case 123:   /* NTP */
	case 137:   /* NetBIOS */
	case 161:   /* SNMP */
	case 389:   /* CLDAP */
	case 1900:  /* SSDP */
	case 3702:  /* WS-Discovery */
	case 11211: /* memcached */
		return true;
	}
	return false;
}

static __always_inline bool is_syn(const struct limit_query *q)
{
	return q->proto == IPPROTO_TCP &&
	       (q->flags & (FRAME_TCP_SYN | FRAME_TCP_ACK)) == FRAME_TCP_SYN;
}

static __always_inline bool is_echo(const struct limit_query *q)
{
	if (q->proto == IPPROTO_ICMP)
		return q->icmp_type == 8 || q->icmp_type == 0;
	return q->proto == IPPROTO_ICMPV6 && (q->icmp_type == 128 || q->icmp_type == 129);
}

/* First place of an address's set. */
static __always_inline __u32 source_slot(__u64 hi, __u64 lo, __u32 per, __u32 seed)
{
	__u64 h = (hi ^ seed) * NP_GUARD_HASH6 ^ (lo + per);

	h = (h ^ (h >> 32)) * NP_GUARD_HASH6;
	return (h >> 40) % NP_GUARD_SOURCE_SETS * NP_GUARD_WAYS;
}

static __always_inline struct np_guard_source *source_find(__u64 hi, __u64 lo, __u32 per,
							   __u32 first)
{
#pragma unroll
	for (__u32 i = 0; i < NP_GUARD_WAYS; i++) {
		__u32 slot = first + i;
		struct np_guard_source *s = bpf_map_lookup_elem(&np_sources, &slot);

		if (s && s->lo == lo && s->hi == hi && s->per == per)
			return s;
	}
	return NULL;
}

/* A banned source keeps its place before all others, then who was heard of last. */
static __always_inline __u64 source_worth(const struct np_guard_source *s, __u32 tick)
{
	if (!s->per)
		return 0;
	return s->banned_until > tick ? ~0ULL : s->refilled_ns + 1;
}

static __always_inline struct np_guard_source *source_new(struct limit_query *q, __u64 hi, __u64 lo,
							  __u32 per, __u32 first,
							  volatile struct np_guard_limit *limit)
{
	__u32 tick = NP_GUARD_TICK(q->now), worst = first;
	__u64 least = ~0ULL;
	struct np_guard_source *s;

#pragma unroll
	for (__u32 i = 0; i < NP_GUARD_WAYS; i++) {
		__u32 slot = first + i;

		s = bpf_map_lookup_elem(&np_sources, &slot);
		if (s && source_worth(s, tick) < least) {
			least = source_worth(s, tick);
			worst = slot;
		}
	}
	s = bpf_map_lookup_elem(&np_sources, &worst);
	if (!s)
		return NULL;
	if (s->per && least + REFILL_MAX_NS > q->now)
		q->source_lost = 1;
	/* Two processors at once may mix two addresses: a place nobody finds, until it is the oldest. */
	__builtin_memset(s, 0, sizeof(*s));
	s->refilled_ns = q->now;
	s->window = s->scan_window = tick;
	for (int i = 0; i < NP_LIMIT_MAX; i++)
		s->tokens[i] = limit[i].burst;
	s->hi = hi;
	s->lo = lo;
	s->per = per;
	return s;
}

/* port: whose limits they are, 0 none. */
static __always_inline struct np_guard_source *
source_get(struct limit_query *q, __u32 seed, __u32 port, volatile struct np_guard_limit *limit)
{
	__u32 per = (1 + q->per) | port << 16, first;
	struct np_guard_source *s;
	__u64 hi, lo;

	__builtin_memcpy(&hi, &q->saddr.b[0], 8);
	__builtin_memcpy(&lo, &q->saddr.b[8], 8);
	if (q->per == NP_PER_PREFIX) {
		/* ::ffff:a.b.c.d as it is in memory: hi is 0, and d comes last */
		if (!hi && (__u32)lo == bpf_htonl(0xffff))
			lo &= bpf_cpu_to_be64(~0xffULL);
		else
			lo = 0;
	} else if (q->per == NP_PER_PORT) {
		hi = lo = 0;
	}
	first = source_slot(hi, lo, per, seed);
	s = source_find(hi, lo, per, first);
	return likely(s) ? s : source_new(q, hi, lo, per, first, limit);
}

/* A question of ours went there. */
__noinline int guard_asked(struct np_addr16 *addr)
{
	volatile struct np_guard_conf *conf = guard_conf();
	struct np_guard_source *s;
	__u64 hi, lo;

	if (!addr || !conf || !conf->policy[conf->state & 1].detect)
		return 0;
	__builtin_memcpy(&hi, &addr->b[0], 8);
	__builtin_memcpy(&lo, &addr->b[8], 8);
	s = source_find(hi, lo, 1 + NP_PER_SOURCE,
			source_slot(hi, lo, 1 + NP_PER_SOURCE, conf->seed));
	if (s)
		__sync_fetch_and_add(&s->asked, 1);
	return 0;
}

static __always_inline void refill(struct np_guard_source *s, volatile struct np_guard_limit *limit,
				   __u64 now)
{
	__u64 elapsed = now - s->refilled_ns;

	if (elapsed > REFILL_MAX_NS)
		elapsed = (__s64)elapsed < 0 ? 0 : REFILL_MAX_NS;
	s->refilled_ns = now;
#pragma unroll
	for (int i = 0; i < NP_LIMIT_MAX; i++) {
		__u64 tokens = s->tokens[i] + ((elapsed * limit[i].rate) >> 16);
		__u64 burst = limit[i].burst;

		s->tokens[i] = tokens > burst ? burst : tokens;
	}
}

static __always_inline bool take(struct np_guard_source *s, volatile struct np_guard_limit *limit,
				 int which, __u64 cost)
{
	if (!limit[which].rate)
		return true;
	if (s->tokens[which] < cost << 16)
		return false;
	s->tokens[which] -= cost << 16;
	return true;
}

/* Whether one of its buckets has run dry. The coarse clock stands still for most packets. */
static __always_inline bool over_limit(struct np_guard_source *s, const struct limit_query *q,
				       volatile struct np_guard_limit *limit)
{
	bool syn = is_syn(q), ok;

	if (s->refilled_ns != q->now)
		refill(s, limit, q->now);
	ok = take(s, limit, NP_LIMIT_PPS, 1);
	ok &= take(s, limit, NP_LIMIT_BYTES, q->len);
	if (syn)
		ok &= take(s, limit, NP_LIMIT_SYN, 1);
	if (q->proto == IPPROTO_ICMP || q->proto == IPPROTO_ICMPV6)
		ok &= take(s, limit, NP_LIMIT_ICMP, 1);
	if (syn || q->new_flow)
		ok &= take(s, limit, NP_LIMIT_FLOWS, 1);
	return !ok;
}

static __always_inline void tell(struct limit_query *q, struct np_guard_source *s, __u32 attack,
				 __u32 action, __u64 seen, __u64 limit, __u32 ban)
{
	__u64 number = 0;
	struct np_guard_logged *slot = log_begin(&number);
	struct np_ev_guard *e;

	if (!slot)
		return;
	e = &slot->ev;
	__builtin_memcpy(e->saddr, &q->saddr, 16);
	__builtin_memcpy(e->daddr, &q->daddr, 16);
	e->dport = q->dport;
	e->proto = q->proto;
	e->attack = attack;
	e->action = action;
	e->seen = seen;
	e->limit = limit;
	e->ban_ticks = ban;
	e->strikes = s->strikes;
	log_end(slot, number);
}

/* Something was found: tell it once in a window, and ban where that is wanted. */
__noinline int guard_found(struct limit_query *q, struct np_guard_source *s, __u32 attack_seen)
{
	__u32 attack = attack_seen >> 28, seen = attack_seen & 0xfffffff, ban = 0, action;
	volatile struct np_guard_policy *p;

	p = q && s && attack < NP_ATTACK_MAX ? guard_policy(q->set) : NULL;
	if (!p)
		return 0;
	action = p->detect;
	if (s->told & (1U << attack))
		return 0;
	s->told |= 1U << attack;
	if (action == NP_DETECT_BAN && !(p->ban_mask & (1U << attack)))
		action = NP_DETECT_ALERT;
	if (action == NP_DETECT_BAN) {
		__u32 doublings = s->strikes < MAX_DOUBLINGS ? s->strikes : MAX_DOUBLINGS;

		ban = p->ban_ticks << doublings;
		s->strikes++;
		s->banned_until = NP_GUARD_TICK(q->now) + ban;
	}
	tell(q, s, attack, action, seen, p->attack_rate[attack], ban);
	return 0;
}

#define FOUND(attack, seen) \
	guard_found(q, s, (__u32)(attack) << 28 | ((seen) > 0xfffffff ? 0xfffffff : (__u32)(seen)))

/* At the end of a second: what it had too much of. */
static __always_inline void judge_second(struct limit_query *q, struct np_guard_source *s,
					 volatile struct np_guard_policy *p, __u32 tick)
{
	__u32 rate = p->attack_rate[NP_ATTACK_SYN_FLOOD], others = s->others - s->others_base;

	/* Whoever opens connections to use them sends more segments than SYNs. */
	if (rate && s->syns > others && s->syns - others > rate)
		FOUND(NP_ATTACK_SYN_FLOOD, s->syns - others);
	rate = p->attack_rate[NP_ATTACK_AMPLIFY];
	/* A resolver answers in a few datagrams each; nobody asked for the rest. */
	if (rate && s->amplified > 4 * s->asked && s->amplified - 4 * s->asked > rate)
		FOUND(NP_ATTACK_AMPLIFY, s->amplified - 4 * s->asked);
	rate = p->attack_rate[NP_ATTACK_UDP_FLOOD];
	if (rate && s->udp > rate)
		FOUND(NP_ATTACK_UDP_FLOOD, s->udp);
	rate = p->attack_rate[NP_ATTACK_ICMP_FLOOD];
	if (rate && s->icmp > rate)
		FOUND(NP_ATTACK_ICMP_FLOOD, s->icmp);
	s->syns = s->udp = s->amplified = s->icmp = s->asked = 0;
	s->others_base = s->others;
	s->window = tick;
}

static __always_inline __u32 mix(__u32 v)
{
	v *= 0x9e3779b1U;
	return v >> 24;
}

/* One more bit of a set of 256; 1 when it is new. */
static __always_inline __u32 bit_set(__u64 *bits, __u32 hash)
{
	__u64 *word = &bits[(hash >> 6) & 3], bit = 1ULL << (hash & 63);

	if (*word & bit)
		return 0;
	*word |= bit;
	return 1;
}

static __always_inline void scan_note(struct limit_query *q, struct np_guard_source *s,
				      volatile struct np_guard_policy *p)
{
	__u32 rate, host;

	__builtin_memcpy(&host, &q->daddr.b[12], 4);
	s->ports_n += bit_set(s->ports, mix(q->dport));
	s->hosts_n += bit_set(s->hosts, mix(host));
	/* Connections that are used: no scan. */
	if (s->others - s->scan_base >= s->scan_syns)
		return;
	rate = p->attack_rate[NP_ATTACK_PORT_SCAN];
	if (rate && s->ports_n >= rate)
		FOUND(NP_ATTACK_PORT_SCAN, s->ports_n);
	rate = p->attack_rate[NP_ATTACK_HOST_SCAN];
	if (rate && s->hosts_n >= rate)
		FOUND(NP_ATTACK_HOST_SCAN, s->hosts_n);
}

static __always_inline void detect(struct limit_query *q, struct np_guard_source *s,
				   volatile struct np_guard_policy *p)
{
	__u32 tick = NP_GUARD_TICK(q->now);
	bool probe = false;

	if (tick - s->window >= WINDOW_TICKS)
		judge_second(q, s, p, tick);
	if (tick - s->scan_window >= SCAN_TICKS) {
		s->scan_window = tick;
		s->scan_syns = s->told = 0;
		s->scan_base = s->others;
		s->ports_n = s->hosts_n = 0;
		__builtin_memset(s->ports, 0, sizeof(s->ports));
		__builtin_memset(s->hosts, 0, sizeof(s->hosts));
	}
	if (q->proto == IPPROTO_TCP) {
		probe = is_syn(q) || q->bad == NP_FRAME_TCP_FLAGS;
		if (probe) {
			s->syns++;
			s->scan_syns++;
		} else {
			s->others++;
		}
	} else if (q->proto == IPPROTO_UDP) {
		s->udp++;
		s->amplified += is_amplifier(q->sport);
		/* Answers go to high ports, as many as there were questions. */
		probe = q->dport && q->dport < SYSTEM_PORTS && !is_amplifier(q->sport);
		s->scan_syns += probe;
	} else if (is_echo(q)) {
		s->icmp++;
	}
	if (probe)
		scan_note(q, s, p);
}

/* Packets of one kind to one address against what is usual there: told, never banned. */
static __always_inline void anomaly_note(struct limit_query *q, volatile struct np_guard_policy *p)
{
	__u64 id, a, b, count, diff, mean;
	struct np_guard_dest *d;
	__u32 slot, tick, rate;

	__builtin_memcpy(&a, &q->daddr.b[0], 8);
	__builtin_memcpy(&b, &q->daddr.b[8], 8);
	id = ((a ^ (b << 1 | b >> 63)) + q->proto) * NP_GUARD_HASH6 | 1;
	slot = (id >> 40) & (NP_GUARD_DESTS - 1);
	d = bpf_map_lookup_elem(&np_dests, &slot);
	if (!d)
		return;
	tick = NP_GUARD_TICK(q->now);
	if (d->id != id) {
		/* The slot's owner keeps it while it is in use. */
		if (d->id && tick - d->window < SCAN_TICKS)
			return;
		d->id = id;
		d->window = tick;
		d->count = d->learned = 0;
		d->mean = d->var = 0;
	}
	d->count++; /* two processors may lose one to each other: what is usual lacks the same */
	if (tick - d->window < WINDOW_TICKS)
		return;
	count = d->count;
	d->count = 0;
	d->window = tick;
	mean = d->mean >> 8;
	diff = count > mean ? count - mean : mean - count;
	if (diff > 0xffffff)
		diff = 0xffffff;
	rate = p->attack_rate[NP_ATTACK_ANOMALY];
	if (rate && d->learned >= NP_GUARD_LEARN && count > mean && count > rate &&
	    diff * diff > SIGMAS_SQUARED * (d->var + 1)) {
		__u64 number = 0;
		struct np_guard_logged *slot = log_begin(&number);

		if (slot) {
			struct np_ev_guard *e = &slot->ev;

			__builtin_memcpy(e->daddr, &q->daddr, 16);
			e->proto = q->proto;
			e->attack = NP_ATTACK_ANOMALY;
			e->action = NP_DETECT_ALERT;
			e->seen = count;
			e->limit = rate;
			e->mean = mean;
			e->dev = d->var;
			log_end(slot, number);
		}
	}
	if (d->learned < NP_GUARD_LEARN)
		d->learned++;
	d->mean = d->mean - (d->mean >> EWMA_SHIFT) + ((count << 8) >> EWMA_SHIFT);
	d->var = d->var - (d->var >> EWMA_SHIFT) + ((diff * diff) >> EWMA_SHIFT);
}

/* NP_DROP_*, or -1: go on. */
static __always_inline int limit_check(struct limit_query *q)
{
	volatile struct np_guard_conf *conf = q ? guard_conf() : NULL;
	volatile struct np_guard_policy *p;
	struct np_guard_source *s;

	if (!conf)
		return -1;
	p = &conf->policy[q->set & 1];
	s = source_get(q, conf->seed, 0, p->limit[q->per & 1]);
	if (!s)
		return -1;
	if (q->per == NP_PER_SOURCE && p->detect) {
		if (unlikely(s->banned_until)) {
			if (s->banned_until > NP_GUARD_TICK(q->now) && p->detect == NP_DETECT_BAN) {
				s->drops++;
				return NP_DROP_DETECT;
			}
			s->banned_until = 0;
			s->window = 0; /* a new second, without what was dropped */
			s->syns = s->udp = s->amplified = s->icmp = 0;
			s->others_base = s->others;
			s->scan_window = 0;
		}
		detect(q, s, p);
		anomaly_note(q, p);
	}
	if ((p->limit_on & (1 << (q->per & 1))) && over_limit(s, q, p->limit[q->per & 1])) {
		s->drops++;
		return NP_DROP_LIMIT;
	}
	return -1;
}

__noinline int guard_limit_check(struct limit_query *q)
{
	return limit_check(q);
}

/* One of the limits of a destination port. */
__noinline int guard_port_take(struct limit_query *q, __u32 which)
{
	volatile struct np_guard_conf *conf = q ? guard_conf() : NULL;
	volatile struct np_guard_port_limit *l;
	struct np_guard_source *s;

	if (!conf)
		return -1;
	l = &conf->policy[q->set & 1].port[which % NP_GUARD_PORT_LIMITS];
	q->per = l->per;
	s = source_get(q, conf->seed, q->dport, l->limit);
	if (!s || !over_limit(s, q, l->limit))
		return -1;
	s->drops++;
	return NP_DROP_LIMIT;
}

/* NP_DROP_LIMIT, or -1: all of them, whatever the first ones say, so that each counts what came. */
__noinline int guard_port_check(struct limit_query *q)
{
	volatile struct np_guard_policy *p = q ? guard_policy(q->set) : NULL;
	int drop = -1;

	if (!p || !q->dport)
		return -1;
	for (__u32 i = 0; i < NP_GUARD_PORT_LIMITS; i++)
		if (p->port[i].port == q->dport && guard_port_take(q, i) == NP_DROP_LIMIT)
			drop = NP_DROP_LIMIT;
	return drop;
}

#endif
