// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The balancer: packets for a virtual service go to one of its backends, those of a flow always to the
 * same one. An XDP program, on the interface that clients' packets come in at, or behind the filter.
 * Answers do not come back this way: backends send them to the client themselves.
 */
#include "lib/lb_forward.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Written by user space, read here; entries die with `guard vip remove`. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LB_VIPS);
	__type(key, struct lb_vip_key);
	__type(value, struct lb_vip);
} lb_vips SEC(".maps");

/* The same; a slot is FREE before it is anybody else's, so nothing half written is used. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_BACKENDS);
	__type(key, __u32);
	__type(value, struct lb_backend);
} lb_backends SEC(".maps");

/* By sizes: 6.1 takes a ring made without type information for none that was made with it. */
struct lb_ring_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct lb_ring));
} lb_no_ring SEC(".maps");

/* By VIP slot. A new ring is a new inner map: a packet sees the old one or the new one, whole. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, LB_VIPS);
	__type(key, __u32);
	__array(values, struct lb_ring_map);
} lb_rings SEC(".maps");

/*
 * The connection table; written and read here, entries die when others need their place. Not one of the
 * kernel's LRU maps: those take 300 ns to push an entry out of a full table and 100 bytes for each, and
 * give each processor its own share (a flow's packets may come in on any, on a veth they do). Mapped
 * memory begins at a page: a set is one cache line.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 131072); /* a power of two */
	__type(key, __u32);
	__type(value, struct lb_set);
} lb_conns SEC(".maps");

/*
 * Written and read here: where the first fragment of a datagram went. The least recently used one makes
 * room; not pinned, because it is over in seconds.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LB_FRAGS);
	__type(key, struct lb_frag_key);
	__type(value, struct lb_frag);
} lb_frags SEC(".maps");

/* Written by user space, read here when a route is asked for. */
struct lb_links_map lb_links SEC(".maps");

const volatile __u8 cfg_frags = 0;
const volatile __u8 cfg_plain =
	1; /* 0: all packets go the long way; for the test that both are the same */
const volatile __u32 cfg_set_mask = 131071; /* max_entries less one */

/* Written and read here, by backend slot; an answer is used for one tick. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_BACKENDS);
	__type(key, __u32);
	__type(value, struct lb_nexthop);
} lb_nexthops SEC(".maps");

/* Written here, read by `guard stats`; cleared when a slot gets a new owner. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_VIPS);
	__type(key, __u32);
	__type(value, struct lb_count);
} lb_vip_count SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_BACKENDS);
	__type(key, __u32);
	__type(value, struct lb_count);
} lb_be_count SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_TOTALS);
	__type(key, __u32);
	__type(value, __u64);
} lb_totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_cpu);
} lb_cpus SEC(".maps");

/* Written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_config);
} lb_config SEC(".maps");

/* Not read here: what user space remembers of VIPs and backends, kept with the maps they belong to. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_VIPS);
	__type(key, __u32);
	__type(value, struct lb_vip_conf);
} lb_vip_conf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_BACKENDS);
	__type(key, __u32);
	__type(value, struct lb_backend_conf);
} lb_be_conf SEC(".maps");

static __always_inline void count_total(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&lb_totals, &what);

	if (n)
		(*n)++;
}

/* The tick it is. The clock is read once a jiffy; each tick allows anew. */
static __always_inline __u32 cpu_tick(struct lb_cpu *c)
{
	__u64 jiffies = bpf_jiffies64();
	__u32 now;

	if (likely(c->jiffies == jiffies))
		return c->tick;
	now = LB_TICK(bpf_ktime_get_coarse_ns());
	if (c->tick != now) {
		c->new_flows = 0;
		c->told = 0;
	}
	c->tick = now;
	c->jiffies = jiffies;
	return now;
}

static __always_inline struct lb_cpu *this_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lb_cpus, &zero);
}

static __always_inline struct lb_config *config(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lb_config, &zero);
}

static __always_inline struct lb_vip *vip_of_key(struct lb_vip_key *key, const struct lb_config *c)
{
	struct lb_vip *vip = bpf_map_lookup_elem(&lb_vips, key);

	if (vip || !c || !c->any_all_ports)
		return vip;
	key->port_be = 0;
	return bpf_map_lookup_elem(&lb_vips, key);
}

static __always_inline struct lb_vip *find_vip(const struct lb_packet *p)
{
	struct lb_vip_key key = { .port_be = p->service_port, .proto = p->proto };

	__builtin_memcpy(key.addr, p->service, sizeof(key.addr));
	return vip_of_key(&key, config());
}

struct flow_hash {
	__u64 key; /* in the connection table */
	__u32 ring; /* its place: the same on every balancer, so without the VIP's number and a seed */
};

/* Multiplications by odd numbers lose nothing; the shifts bring high bits down again. */
static __always_inline struct flow_hash hash_words(__u64 hi, __u64 lo, __u32 ports, __u32 vip_uid)
{
	struct flow_hash ret;
	__u64 h = (hi ^ 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;

	h = (h ^ h >> 32 ^ lo) * 0xc4ceb9fe1a85ec53ULL;
	h = (h ^ h >> 32 ^ ports) * 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	ret.ring = h >> 32;
	ret.key = (h ^ h >> 33 ^ (__u64)vip_uid << 32) * 0xff51afd7ed558ccdULL;
	return ret;
}

static __always_inline struct flow_hash hash_flow(const struct lb_flow *f)
{
	const __u64 *w = (const __u64 *)f;

	return hash_words(w[0], w[1], (__u32)w[2], f->vip_uid);
}

static __always_inline struct lb_backend *backend_of_ring(__u32 vip_slot, __u32 hash, __u32 *slot)
{
	__u32 zero = 0, place = (__u32)((__u64)hash * LB_RING_SIZE >> 32);
	struct lb_ring *ring;
	void *inner;

	inner = bpf_map_lookup_elem(&lb_rings, &vip_slot);
	if (!inner)
		return NULL;
	ring = bpf_map_lookup_elem(inner, &zero);
	if (!ring || place >= LB_RING_SIZE)
		return NULL;
	*slot = ring->slot[place];
	if (!*slot)
		return NULL;
	return bpf_map_lookup_elem(&lb_backends, slot);
}

/* Whether a flow goes on with the backend it was given. */
static __always_inline bool is_kept(__u8 proto, bool syn, __u64 word, const struct lb_backend *b,
				    __u32 now)
{
	__u32 age = (now - LB_WORD_SEEN(word)) & LB_SEEN_MASK;
	struct lb_config *c;

	if (!b || (b->uid & 0xff) != LB_WORD_UID(word))
		return false;
	if (b->state != LB_STATE_UP && (b->state != LB_STATE_DRAIN || syn))
		return false;
	if (proto == IPPROTO_UDP && unlikely(age)) {
		c = config();
		return c && age <= c->udp_idle;
	}
	return true;
}

/* All bits where n is 0, else none. */
static __always_inline __u64 ones_if_zero(__u64 n)
{
	n |= -n;
	asm volatile("" : "+r"(n));
	return (n >> 63) - 1;
}

static __always_inline __u64 larger_of(__u64 a, __u64 b)
{
	__u64 more = a - b;
	__s64 less = (__s64)more;

	less >>= 63;
	asm volatile("" : "+r"(less));
	return b + (more & ~(__u64)less);
}

#define SEEN_BITS (LB_SEEN_MASK << 20) /* where they are in a word */
#define PLACE_FREE (1ULL << 32)	       /* older than any */

/*
 * Its own place, a free one, or that of the flow which is silent for longest. Without a branch: no processor can
 * foretell these, and the verifier would go all ways that eight of them make. is_new: it has no place.
 */
static __always_inline __u32 place_for(const struct lb_set *set, __u32 hash, __u32 now, bool is_new)
{
	__u64 best = 0, word, age, free;
	__u32 i, seen = now << 20;

#pragma unroll
	for (i = 0; i < LB_WAYS; i++) {
		word = set->way[i];
		age = (seen - ((__u32)word & SEEN_BITS)) & SEEN_BITS;
		free = ones_if_zero(word);
		if (!is_new)
			free |= ones_if_zero(LB_WORD_HASH(word) ^ hash);
		age = (age & ~free) | (free & PLACE_FREE);
		best = larger_of(best, age | (LB_WAYS - 1 - i));
	}
	if (best >> 20 < LB_RECENT)
		count_total(LB_TABLE_FULL);
	return LB_WAYS - 1 - (best & (LB_WAYS - 1));
}

/* A flood of new flows must not push the true ones out: the ring alone serves these. */
static __always_inline bool cpu_may_remember(struct lb_cpu *cpu, const struct lb_config *c)
{
	if (c->new_flows_cpu && cpu->new_flows++ >= c->new_flows_cpu) {
		count_total(LB_TABLE_SKIPPED);
		return false;
	}
	return true;
}

static __always_inline bool may_remember(void)
{
	struct lb_cpu *cpu = this_cpu();
	struct lb_config *c = config();

	return !cpu || !c || cpu_may_remember(cpu, c);
}

static __always_inline void remember_at(struct lb_set *set, __u32 hash, __u32 uid, __u32 slot,
					__u32 now, bool is_new)
{
	__u32 at = place_for(set, hash, now, is_new) & (LB_WAYS - 1);

	*(volatile __u64 *)&set->way[at] = LB_WORD(hash, now, uid, slot);
}

static __always_inline void remember(struct lb_set *set, __u32 hash, __u32 uid, __u32 slot,
				     __u32 now)
{
	remember_at(set, hash, uid, slot, now, false);
}

struct choice {
	struct lb_backend *backend;
	__u32 slot;
	bool known;
};

/* What is remembered of the flow in its set; 0: nothing. */
static __always_inline __u64 find_flow(const struct lb_set *set, __u32 hash)
{
	__u64 word;
	__u32 i;

#pragma unroll
	for (i = 0; i < LB_WAYS; i++) {
		word = *(const volatile __u64 *)&set->way[i];
		if (LB_WORD_HASH(word) == hash && word)
			return word;
	}
	return 0;
}

static __always_inline struct lb_set *set_of(const struct flow_hash *hash)
{
	__u32 at = (__u32)hash->key & cfg_set_mask;

	return bpf_map_lookup_elem(&lb_conns, &at);
}

#define KNOWN_NOT 0
#define KNOWN_MOVED 1 /* its backend takes it no more */
#define KNOWN 2

/* Seen again: the entry of a flow or of a client is kept alive, wherever it leads by now. */
static __noinline int touch(const struct flow_hash *hash, __u32 now)
{
	struct lb_set *set = set_of(hash);
	__u32 mark = hash->key >> 32, i;
	__u64 word;

	if (!set)
		return 0;
	for (i = 0; i < LB_WAYS; i++) {
		word = *(volatile __u64 *)&set->way[i];
		if (LB_WORD_HASH(word) == mark && word) {
			*(volatile __u64 *)&set->way[i] =
				LB_WORD(mark, now, LB_WORD_UID(word), LB_WORD_SLOT(word));
			break;
		}
	}
	return 0;
}

/* What the table says of a flow; KNOWN: in ret. fresh: seen in this tick already, or nothing is written. */
static __always_inline int known_flow(const struct lb_packet *p, struct lb_set *set,
				      const struct flow_hash *hash, __u32 now, struct choice *ret,
				      bool *ret_fresh)
{
	__u64 word = find_flow(set, hash->key >> 32);

	if (!word)
		return KNOWN_NOT;
	ret->slot = LB_WORD_SLOT(word);
	ret->backend = bpf_map_lookup_elem(&lb_backends, &ret->slot);
	if (unlikely(!is_kept(p->proto, p->syn, word, ret->backend, now)))
		return KNOWN_MOVED;
	ret->known = true;
	*ret_fresh = LB_WORD_SEEN(word) == (now & LB_SEEN_MASK) || p->icmp;
	if (!*ret_fresh)
		(void)touch(hash, now);
	return KNOWN;
}

static __always_inline void by_ring(const struct lb_vip *vip, __u32 hash, struct choice *ret)
{
	ret->known = false;
	ret->backend = backend_of_ring(vip->slot, hash, &ret->slot);
	if (ret->backend && ret->backend->state == LB_STATE_FREE)
		ret->backend = NULL;
}

static __always_inline void choose(const struct lb_packet *p, const struct lb_vip *vip,
				   const struct flow_hash *hash, __u32 now, struct choice *ret)
{
	struct lb_set *set = set_of(hash);
	__u32 mark = hash->key >> 32;
	bool fresh;
	int known;

	if (!set)
		return;
	known = known_flow(p, set, hash, now, ret, &fresh);
	if (likely(known == KNOWN))
		return;
	/* A connection's first packet is nobody's yet: nothing is moved. */
	if (known == KNOWN_MOVED && !p->syn && p->proto == IPPROTO_TCP)
		count_total(LB_FLOW_MOVED);
	by_ring(vip, hash->ring, ret);
	if (ret->backend && !p->icmp && may_remember())
		remember(set, mark, ret->backend->uid, ret->slot, now);
}

/* Where a client's new flows go, by an entry of its own: those under way stay. 1: this one is to be remembered. */
static __noinline int choose_by_client(const struct lb_packet *p, const struct lb_vip *vip,
				       const struct flow_hash *client, __u32 now,
				       struct choice *ret)
{
	struct lb_set *set = set_of(client);
	__u32 mark = client->key >> 32;
	bool fresh;

	if (!set)
		return 0;
	if (known_flow(p, set, client, now, ret, &fresh) == KNOWN &&
	    /* Datagrams have no first one: of a flow that is not known this is it. */
	    (ret->backend->state == LB_STATE_UP || p->proto == IPPROTO_TCP || p->icmp))
		return !p->icmp && may_remember();
	by_ring(vip, client->ring, ret);
	if (!ret->backend || p->icmp || !may_remember())
		return 0;
	remember(set, mark, ret->backend->uid, ret->slot, now);
	return 1;
}

static __always_inline void choose_source(const struct lb_packet *p, const struct lb_vip *vip,
					  const struct flow_hash *client,
					  const struct flow_hash *flow, __u32 now,
					  struct choice *ret)
{
	struct lb_set *set = set_of(flow);
	__u32 mark = flow->key >> 32;
	bool fresh;
	int known;

	if (!set)
		return;
	known = known_flow(p, set, flow, now, ret, &fresh);
	if (likely(known == KNOWN)) {
		if (!fresh)
			(void)touch(client, now);
		return;
	}
	if (known == KNOWN_MOVED && !p->syn && p->proto == IPPROTO_TCP)
		count_total(LB_FLOW_MOVED);
	if (choose_by_client(p, vip, client, now, ret) && ret->backend && !p->icmp)
		remember(set, mark, ret->backend->uid, ret->slot, now);
}

static __always_inline void count_flow(struct lb_count *c, __u32 bytes, bool icmp, bool known)
{
	if (!c)
		return;
	c->packets++;
	c->bytes += bytes;
	if (known)
		c->table_hits++;
	else if (!icmp)
		c->new_flows++;
	if (unlikely(icmp))
		c->icmp++;
}

/* Not forwarded, and why; the backend is not always known. */
static __noinline int refuse(__u32 why, __u32 vip_slot, __u32 slot)
{
	struct lb_count *c = bpf_map_lookup_elem(&lb_vip_count, &vip_slot);

	if (c)
		c->errors++;
	c = slot ? bpf_map_lookup_elem(&lb_be_count, &slot) : NULL;
	if (c)
		c->errors++;
	count_total(why);
	return XDP_DROP;
}

static __noinline int too_big(struct xdp_md *ctx, struct lb_packet *p, __u32 mtu)
{
	struct lb_cpu *cpu = this_cpu();
	struct lb_config *c = config();

	/* Nobody is told about an ICMP error, and nobody who lets routers cut his packets. */
	if (p->icmp || !p->dont_frag || !cpu || !c || cpu->told >= c->too_big_cpu)
		return LB_TOO_BIG;
	cpu->told++;
	if (p->v6 ? lb_tell_v6(ctx, p->tags, p->frame_bytes, mtu)
		  : lb_tell_v4(ctx, p->tags, p->frame_bytes, mtu))
		return LB_TOO_BIG_TOLD;
	return LB_TOO_BIG;
}

static __always_inline int forward(struct xdp_md *ctx, struct lb_packet *p, __u32 vip_slot,
				   const struct choice *ch, __u32 hash, __u32 now)
{
	__u32 slot = ch->slot, overhead;
	struct lb_backend *b = ch->backend;
	struct lb_nexthop *nh = bpf_map_lookup_elem(&lb_nexthops, &slot);
	int r;

	if (!nh)
		return refuse(LB_NO_ROUTE, vip_slot, slot);
	if (unlikely(nh->seen != now || nh->uid != b->uid)) {
		r = lb_ask_route(ctx, b, nh, now);
		if (r)
			return refuse(r, vip_slot, slot);
	}
	overhead = lb_overhead(b);
	if (unlikely(p->l3_bytes + overhead > nh->mtu)) {
		r = too_big(ctx, p, nh->mtu - overhead);
		(void)refuse(r, vip_slot, slot);
		return r == LB_TOO_BIG_TOLD ? XDP_TX : XDP_DROP;
	}
	r = lb_rewrite(ctx, p, b, nh, hash);
	if (unlikely(r))
		return refuse(r, vip_slot, slot);
	count_flow(bpf_map_lookup_elem(&lb_vip_count, &vip_slot), p->frame_bytes, p->icmp,
		   ch->known);
	count_flow(bpf_map_lookup_elem(&lb_be_count, &slot), p->frame_bytes, p->icmp, ch->known);
	count_total(LB_FORWARDED);
	if (unlikely(p->frag))
		count_total(LB_FRAGMENT_SENT);
	return lb_out(ctx, nh);
}

static __always_inline void frag_key(struct lb_frag_key *key, const struct lb_packet *p)
{
	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->client, p->client, sizeof(key->client));
	__builtin_memcpy(key->service, p->service, sizeof(key->service));
	key->id = p->frag_id;
	key->proto = p->proto;
}

/* The others of this datagram have no ports: they go where this one goes. */
static __noinline void first_fragment(const struct lb_packet *p, const struct choice *ch,
				      __u32 vip_slot, __u32 now)
{
	struct lb_frag frag = { .vip_slot = vip_slot, .slot = ch->slot, .seen = now };
	struct lb_frag_key key;

	if (!ch->backend)
		return;
	frag.uid = ch->backend->uid;
	frag_key(&key, p);
	(void)bpf_map_update_elem(&lb_frags, &key, &frag, BPF_ANY);
}

static __noinline int later_fragment(struct xdp_md *ctx, struct lb_packet *p, __u32 now)
{
	struct choice ch = { .known = true };
	struct lb_frag_key key;
	struct lb_frag *frag;

	frag_key(&key, p);
	frag = bpf_map_lookup_elem(&lb_frags, &key);
	if (!frag || now - frag->seen > LB_FRAG_TICKS) {
		count_total(LB_FRAGMENT);
		return XDP_PASS;
	}
	ch.slot = frag->slot;
	ch.backend = bpf_map_lookup_elem(&lb_backends, &ch.slot);
	if (!ch.backend || ch.backend->uid != frag->uid ||
	    (ch.backend->state != LB_STATE_UP && ch.backend->state != LB_STATE_DRAIN))
		return refuse(LB_NO_BACKEND, frag->vip_slot, 0);
	return forward(ctx, p, frag->vip_slot, &ch, 0, now);
}

/* Any packet. These two have a stack each: one would be too large. */
static __noinline int balance_long(struct xdp_md *ctx)
{
	struct lb_packet p = {};
	struct lb_flow flow = {};
	struct choice ch = {};
	struct lb_vip *vip;
	struct flow_hash hash, flow_own;
	struct lb_cpu *cpu = this_cpu();
	__u32 now;
	int r;

	if (!cpu)
		return XDP_PASS;
	now = cpu_tick(cpu);
	r = lb_parse(ctx, &p);
	if (unlikely(r == LB_FRAGMENT && p.frag == FRAME_LATER))
		return later_fragment(ctx, &p, now);
	if (r) {
		count_total(r);
		return XDP_PASS;
	}
	vip = find_vip(&p);
	if (!vip) {
		count_total(LB_NO_VIP);
		return XDP_PASS;
	}
	__builtin_memcpy(flow.client, p.client, sizeof(flow.client));
	flow.vip_uid = vip->uid;
	if (unlikely(vip->flags & LB_VIP_SOURCE)) {
		hash = hash_flow(&flow);
		flow.client_port_be = p.client_port;
		flow.service_port_be = p.service_port;
		flow_own = hash_flow(&flow);
		choose_source(&p, vip, &hash, &flow_own, now, &ch);
	} else {
		flow.client_port_be = p.client_port;
		flow.service_port_be = p.service_port;
		hash = hash_flow(&flow);
		choose(&p, vip, &hash, now, &ch);
	}
	if (unlikely(!ch.backend))
		return refuse(LB_NO_BACKEND, vip->slot, 0);
	if (unlikely(p.frag))
		first_fragment(&p, &ch, vip->slot, now);
	return forward(ctx, &p, vip->slot, &ch, hash.ring, now);
}

#include "lib/lb_short.h"

static __always_inline int balance(struct xdp_md *ctx)
{
	int r = cfg_plain ? balance_plain(ctx) : -1;

	return likely(r >= 0) ? r : balance_long(ctx);
}

/*
 * Why XDP: before a buffer is allocated; what goes on is the frame itself. Context: softirq, the
 * driver's or the generic one. bpf_fib_lookup tells the MTU since 5.12, bpf_ktime_get_coarse_ns is from
 * 5.11; no other way covers older kernels.
 */
SEC("xdp")
int np_lb(struct xdp_md *ctx)
{
	return balance(ctx);
}
