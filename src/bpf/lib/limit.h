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
#include "query.h"

#define WINDOW_TICKS 15 /* 1 s */
#define SCAN_TICKS 120	/* 8 s */
#define REFILL_MAX_NS (1ULL << 30)
#define MAX_DOUBLINGS 10
#define BAN_TICKS_MAX (1U << 30) /* 2.3 years: a tick of now and this do not wrap */
#define SYSTEM_PORTS 1024
#define SIGMAS_SQUARED 36 /* 6 standard deviations */
#define EWMA_SHIFT 4

struct np_sources_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_GUARD_SOURCE_SETS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct np_guard_source_set);
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

static __always_inline struct np_guard_source_set *source_set(__u64 hi, __u64 lo, __u32 per,
							      __u32 seed)
{
	__u64 h = (hi ^ seed) * NP_GUARD_HASH6 ^ (lo + per);
	__u32 slot;

	h = (h ^ (h >> 32)) * NP_GUARD_HASH6;
	slot = (h >> 40) % NP_GUARD_SOURCE_SETS;
	return bpf_map_lookup_elem(&np_sources, &slot);
}

static __always_inline struct np_guard_source *source_find(struct np_guard_source_set *set,
							   __u64 hi, __u64 lo, __u32 per)
{
#pragma unroll
	for (__u32 i = 0; i < NP_GUARD_WAYS; i++) {
		struct np_guard_source *s = &set->way[i];

		if (s->lo == lo && s->hi == hi && s->per == per)
			return s;
	}
	return NULL;
}

static __always_inline __u64 *bucket(struct np_guard_source *s, int which)
{
	return which < 2 ? &s->tokens[which] : &s->more_tokens[which - 2];
}

/* A banned source keeps its place before all others, then who was heard of last. */
static __always_inline __u64 source_worth(const struct np_guard_source *s, __u32 tick)
{
	if (!s->per)
		return 0;
	return s->banned_until > tick ? ~0ULL : s->refilled_ns + 1;
}

/* Whose limits: of the policy of a set, or of one of its ports. In one number, for a call. */
#define LIMITS_OF(set, per) ((set) | (per) << 1)
#define LIMITS_OF_PORT(set, which) ((set) | 1 << 3 | (which) << 4)

static __always_inline volatile struct np_guard_limit *
limits_of(volatile struct np_guard_conf *conf, __u32 whose)
{
	volatile struct np_guard_policy *p = &conf->policy[whose & 1];

	if (whose & 1 << 3)
		return p->port[(whose >> 4) % NP_GUARD_PORT_LIMITS].limit;
	return p->limit[whose >> 1 & 1];
}

#define NEW_LOST NP_GUARD_WAYS /* bit: who made room was heard of within a second */

/* The place of a new source in its set, with NEW_LOST; who was silent longest makes room. */
__noinline int guard_source_new(__u64 hi, __u64 lo, __u32 per, __u64 now, __u32 whose)
{
	volatile struct np_guard_conf *conf = guard_conf();
	__u32 tick = NP_GUARD_TICK(now), worst = 0;
	volatile struct np_guard_limit *limit;
	struct np_guard_source_set *set;
	struct np_guard_source *s;
	__u64 least = ~0ULL;
	int lost;

	set = conf ? source_set(hi, lo, per, conf->seed) : NULL;
	if (!set)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < NP_GUARD_WAYS; i++) {
		__u64 worth = source_worth(&set->way[i], tick);

		if (worth < least) {
			least = worth;
			worst = i;
		}
	}
	s = &set->way[worst % NP_GUARD_WAYS];
	lost = s->per && least + REFILL_MAX_NS > now ? NEW_LOST : 0;
	/* Two processors at once may mix two addresses: a place nobody finds, until it is the oldest. */
	__builtin_memset(s, 0, sizeof(*s));
	s->refilled_ns = now;
	s->window = s->scan_window = tick;
	limit = limits_of(conf, whose);
	for (int i = 0; i < NP_LIMIT_MAX; i++)
		*bucket(s, i) = limit[i].burst;
	s->hi = hi;
	s->lo = lo;
	s->per = per;
	return (int)(worst % NP_GUARD_WAYS) | lost;
}

/* port: whose limits they are, 0 none. */
static __always_inline struct np_guard_source *source_get(struct limit_query *q, __u32 seed,
							  __u32 port, __u32 whose)
{
	__u32 per = (1 + q->per) | port << 16;
	__u64 hi = q->shi, lo = q->slo;
	struct np_guard_source_set *set;
	struct np_guard_source *s;
	__u32 place;

	if (q->per == NP_PER_PREFIX) {
		/* hi is 0, and d comes last */
		if (!hi && (__u32)lo == bpf_htonl(0xffff))
			lo &= bpf_cpu_to_be64(~0xffULL);
		else
			lo = 0;
	} else if (q->per == NP_PER_PORT) {
		hi = lo = 0;
	}
	set = source_set(hi, lo, per, seed);
	if (!set)
		return NULL;
	s = source_find(set, hi, lo, per);
	if (likely(s))
		return s;
	place = guard_source_new(hi, lo, per, q->now, whose);
	if (place & NEW_LOST)
		q->source_lost = 1;
	return &set->way[place % NP_GUARD_WAYS];
}

/* A question of ours went there. */
__noinline int guard_asked(struct np_addr16 *addr)
{
	volatile struct np_guard_conf *conf = guard_conf();
	struct np_guard_source_set *set;
	struct np_guard_source *s;
	__u64 hi, lo;

	if (!addr || !conf || !conf->policy[conf->state & 1].detect)
		return 0;
	__builtin_memcpy(&hi, &addr->b[0], 8);
	__builtin_memcpy(&lo, &addr->b[8], 8);
	set = source_set(hi, lo, 1 + NP_PER_SOURCE, conf->seed);
	s = set ? source_find(set, hi, lo, 1 + NP_PER_SOURCE) : NULL;
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
		__u64 tokens = *bucket(s, i) + ((elapsed * limit[i].rate) >> 16);
		__u64 burst = limit[i].burst;

		*bucket(s, i) = tokens > burst ? burst : tokens;
	}
}

static __always_inline bool take(struct np_guard_source *s, volatile struct np_guard_limit *limit,
				 int which, __u64 cost)
{
	__u64 *tokens = bucket(s, which);

	if (!limit[which].rate)
		return true;
	if (*tokens < cost << 16)
		return false;
	*tokens -= cost << 16;
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

static __always_inline void log_addr(__u8 to[16], __u64 hi, __u64 lo)
{
	__builtin_memcpy(to, &hi, 8);
	__builtin_memcpy(to + 8, &lo, 8);
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
	log_addr(e->saddr, q->shi, q->slo);
	log_addr(e->daddr, q->dhi, q->dlo);
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

/* Asked only where a ban would begin. */
__noinline int guard_spares(__u64 hi, __u64 lo)
{
	volatile struct np_guard_conf *conf = guard_conf();

	if (!conf)
		return 0;
	for (__u32 i = 0; i < NP_GUARD_SPARED; i++) {
		if (i >= conf->n_spared)
			break;
		if (conf->spared[i].hi == hi && conf->spared[i].lo == lo)
			return 1;
	}
	return 0;
}

/* The first ban, doubled with each repeat, up to the longest there can be. */
static __always_inline __u32 ban_of(__u32 ticks, __u32 strikes)
{
	__u64 ban = (__u64)ticks << (strikes < MAX_DOUBLINGS ? strikes : MAX_DOUBLINGS);

	return ban < BAN_TICKS_MAX ? (__u32)ban : BAN_TICKS_MAX;
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
	if (action == NP_DETECT_BAN && guard_spares(q->shi, q->slo))
		action = NP_DETECT_ALERT;
	if (action == NP_DETECT_BAN) {
		ban = ban_of(p->ban_ticks, s->strikes);
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

/* What a source does once in a second. */
__noinline int guard_windows(struct limit_query *q, struct np_guard_source *s)
{
	volatile struct np_guard_policy *p = q ? guard_policy(q->set) : NULL;
	__u32 tick;

	if (!p || !s)
		return 0;
	tick = NP_GUARD_TICK(q->now);
	judge_second(q, s, p, tick);
	if (tick - s->scan_window >= SCAN_TICKS) {
		s->scan_window = tick;
		s->scan_syns = s->told = 0;
		s->scan_base = s->others;
		s->ports_n = s->hosts_n = 0;
		__builtin_memset(s->ports, 0, sizeof(s->ports));
		__builtin_memset(s->hosts, 0, sizeof(s->hosts));
	}
	return 0;
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

/* A SYN, or a datagram to a port below 1024. */
__noinline int guard_scan(struct limit_query *q, struct np_guard_source *s)
{
	volatile struct np_guard_policy *p = q ? guard_policy(q->set) : NULL;
	__u32 rate;

	if (!p || !s)
		return 0;
	s->ports_n += bit_set(s->ports, mix(q->dport));
	s->hosts_n += bit_set(s->hosts, mix(q->dlo >> 32));
	/* Connections that are used: no scan. */
	if (s->others - s->scan_base >= s->scan_syns)
		return 0;
	rate = p->attack_rate[NP_ATTACK_PORT_SCAN];
	if (rate && s->ports_n >= rate)
		FOUND(NP_ATTACK_PORT_SCAN, s->ports_n);
	rate = p->attack_rate[NP_ATTACK_HOST_SCAN];
	if (rate && s->hosts_n >= rate)
		FOUND(NP_ATTACK_HOST_SCAN, s->hosts_n);
	return 0;
}

/* Count it; whether guard_scan has a look at it. */
static __always_inline bool detect_count(const struct limit_query *q, struct np_guard_source *s)
{
	if (likely(q->proto == IPPROTO_TCP)) {
		if (likely(!is_syn(q) && q->bad != NP_FRAME_TCP_FLAGS)) {
			s->others++;
			return false;
		}
		s->syns++;
		s->scan_syns++;
		return true;
	}
	if (q->proto == IPPROTO_UDP) {
		bool amplified = is_amplifier(q->sport), probe;

		s->udp++;
		s->amplified += amplified;
		/* Answers go to high ports, as many as there were questions. */
		probe = q->dport && q->dport < SYSTEM_PORTS && !amplified;
		s->scan_syns += probe;
		return probe;
	}
	if (is_echo(q))
		s->icmp++;
	return false;
}

static __always_inline void anomaly_tell(const struct limit_query *q, const struct np_guard_dest *d,
					 __u64 count, __u32 rate)
{
	__u64 number = 0;
	struct np_guard_logged *slot = log_begin(&number);
	struct np_ev_guard *e;

	if (!slot)
		return;
	e = &slot->ev;
	log_addr(e->daddr, q->dhi, q->dlo);
	e->proto = q->proto;
	e->attack = NP_ATTACK_ANOMALY;
	e->action = NP_DETECT_ALERT;
	e->seen = count;
	e->limit = rate;
	e->mean = d->mean >> 8;
	e->dev = d->var;
	log_end(slot, number);
}

/* At the end of a second: packets of one kind to one address against what is usual there. */
__noinline int guard_usual(struct limit_query *q, struct np_guard_dest *d)
{
	volatile struct np_guard_policy *p = q ? guard_policy(q->set) : NULL;
	__u64 count, diff, mean;
	__u32 rate;

	if (!p || !d)
		return 0;
	count = d->count;
	d->count = 0;
	d->window = NP_GUARD_TICK(q->now);
	mean = d->mean >> 8;
	diff = count > mean ? count - mean : mean - count;
	if (diff > 0xffffff)
		diff = 0xffffff;
	rate = p->attack_rate[NP_ATTACK_ANOMALY];
	if (rate && d->learned >= NP_GUARD_LEARN && count > mean && count > rate &&
	    diff * diff > SIGMAS_SQUARED * (d->var + 1))
		anomaly_tell(q, d, count, rate);
	if (d->learned < NP_GUARD_LEARN)
		d->learned++;
	d->mean = d->mean - (d->mean >> EWMA_SHIFT) + ((count << 8) >> EWMA_SHIFT);
	d->var = d->var - (d->var >> EWMA_SHIFT) + ((diff * diff) >> EWMA_SHIFT);
	return 0;
}

/* An address and a kind of packets to it. */
static __always_inline __u64 dest_id(__u64 hi, __u64 lo, __u32 proto)
{
	return ((hi ^ (lo << 1 | lo >> 63)) + proto) * NP_GUARD_HASH6 | 1;
}

static __always_inline __u32 dest_slot(__u64 id)
{
	return (id >> 40) & (NP_GUARD_DESTS - 1);
}

/* The place of the address and kind a packet goes to; NULL: another one has it. Counts the packet. */
static __always_inline struct np_guard_dest *dest_count(const struct limit_query *q, __u32 tick)
{
	__u64 id = dest_id(q->dhi, q->dlo, q->proto);
	__u32 slot = dest_slot(id);
	struct np_guard_dest *d = bpf_map_lookup_elem(&np_dests, &slot);

	if (!d)
		return NULL;
	if (unlikely(d->id != id)) {
		/* The slot's owner keeps it while it is in use. */
		if (d->id && tick - d->window < SCAN_TICKS)
			return NULL;
		d->id = id;
		d->window = tick;
		d->count = d->learned = 0;
		d->mean = d->var = 0;
	}
	d->count++; /* two processors may lose one to each other: what is usual lacks the same */
	return d;
}

static __always_inline void detect(struct limit_query *q, struct np_guard_source *s)
{
	__u32 tick = NP_GUARD_TICK(q->now);
	struct np_guard_dest *d;

	/* The longer window ends with one of these. */
	if (unlikely(tick - s->window >= WINDOW_TICKS))
		guard_windows(q, s);
	if (unlikely(detect_count(q, s)))
		guard_scan(q, s);
	d = dest_count(q, tick);
	if (d && unlikely(tick - d->window >= WINDOW_TICKS))
		guard_usual(q, d);
}

/* NP_DROP_*, or -1: go on. */
__noinline int guard_limit_check(struct limit_query *q)
{
	volatile struct np_guard_conf *conf = q ? guard_conf() : NULL;
	volatile struct np_guard_policy *p;
	struct np_guard_source *s;

	if (!conf)
		return -1;
	p = &conf->policy[q->set & 1];
	s = source_get(q, conf->seed, 0, LIMITS_OF(q->set & 1, q->per & 1));
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
		detect(q, s);
	}
	if ((p->limit_on & (1 << (q->per & 1))) && over_limit(s, q, p->limit[q->per & 1])) {
		s->drops++;
		return NP_DROP_LIMIT;
	}
	return -1;
}

/* One of the limits of a destination port. */
__noinline int guard_port_take(struct limit_query *q, __u32 which)
{
	volatile struct np_guard_conf *conf = q ? guard_conf() : NULL;
	volatile struct np_guard_port_limit *l;
	struct np_guard_source *s;

	if (!conf)
		return -1;
	which %= NP_GUARD_PORT_LIMITS;
	l = &conf->policy[q->set & 1].port[which];
	q->per = l->per;
	s = source_get(q, conf->seed, q->dport, LIMITS_OF_PORT(q->set & 1, which));
	if (!s || !over_limit(s, q, l->limit))
		return -1;
	s->drops++;
	return NP_DROP_LIMIT;
}

/* 1 + the place of a port's limits of one kind; 0: it has none. what: port | set << 16. */
__noinline int guard_port_find(__u32 what, __u32 per)
{
	volatile struct np_guard_policy *p = guard_policy(what >> 16);
	__u16 port = what;

	if (!p)
		return 0;
	for (__u32 i = 0; i < NP_GUARD_PORT_LIMITS; i++)
		if (p->port[i].port == port && p->port[i].per == per)
			return (int)i + 1;
	return 0;
}

/*
 * NP_DROP_LIMIT, or -1: all of them, whatever the first ones say, so that each counts what came. No loop:
 * one that ends with a call is none to 6.1.
 */
__noinline int guard_port_check(struct limit_query *q)
{
	int drop = -1, place;
	__u32 what;

	if (!q || !q->dport)
		return -1;
	what = q->dport | (q->set & 1) << 16;
	place = guard_port_find(what, NP_PER_SOURCE);
	if (place && guard_port_take(q, (__u32)place - 1) == NP_DROP_LIMIT)
		drop = NP_DROP_LIMIT;
	place = guard_port_find(what, NP_PER_PREFIX);
	if (place && guard_port_take(q, (__u32)place - 1) == NP_DROP_LIMIT)
		drop = NP_DROP_LIMIT;
	place = guard_port_find(what, NP_PER_PORT);
	if (place && guard_port_take(q, (__u32)place - 1) == NP_DROP_LIMIT)
		drop = NP_DROP_LIMIT;
	return drop;
}

#endif
