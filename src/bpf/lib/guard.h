/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the parts of guard share: maps (defined in guard.bpf.c), knobs set at load, and the state of
 * one packet on its way through them.
 */
#ifndef NETPROBE_BPF_LIB_GUARD_H
#define NETPROBE_BPF_LIB_GUARD_H

#include "frame.h"
#include "guard_maps.h"
#include "wire/guard.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Each interface has programs of its own: what is constant there costs no instruction. */
extern const volatile __u8 cfg_mode;	  /* NP_GUARD_* */
extern const volatile __u8 cfg_frags;	  /* frames may be in several buffers */
extern const volatile __u8 cfg_coarse;	  /* bpf_ktime_get_coarse_ns is there (5.11) */
extern const volatile __u8 cfg_rx_at_xdp; /* XDP counts what comes in, not tc */
extern const volatile __u8 cfg_rt;	  /* the kernel is one with PREEMPT_RT */
extern const volatile __u8 cfg_flows;	  /* flows are counted */
extern const volatile __u8 cfg_cookies;	  /* np_guard_syn is there */
extern const volatile __u8 cfg_plain;	  /* plain packets have a way of their own */
extern const volatile __u32 cfg_slot;	  /* of struct np_guard_if and _dev */
/* Of no branch and no key of an array: an interface that comes back has another one, and the same programs. */
extern volatile __u32 st_ifindex;

/*
 * Mapped by user space, shared by all programs of a network namespace. Arrays: a look-up is a few
 * instructions in place, no call.
 */
struct np_guard_conf_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct np_guard_conf);
};
extern struct np_guard_conf_map np_guard_conf SEC(".maps");

struct np_bits4_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_GUARD_BITS4_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct np_bits4_map np_bits4 SEC(".maps");

struct np_bits6_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_GUARD_BITS6_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct np_bits6_map np_bits6 SEC(".maps");

extern struct np_guard_devs_map np_guard_devs SEC(".maps");

/* Those of this program's interface. */
static __always_inline struct np_guard_dev *guard_dev(void)
{
	__u32 slot = cfg_slot;

	return bpf_map_lookup_elem(&np_guard_devs, &slot);
}

static __always_inline volatile struct np_guard_conf *guard_conf(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&np_guard_conf, &zero);
}

static __always_inline volatile struct np_guard_policy *guard_policy(__u32 set)
{
	volatile struct np_guard_conf *conf = guard_conf();

	return conf ? &conf->policy[set & 1] : NULL;
}

/*
 * Inner maps are told by sizes: the 6.1 kernel takes one that was made without type information for none
 * that was made with it.
 */
struct np_hosts4_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(__be32));
	__uint(value_size, sizeof(struct np_guard_entry));
};

struct np_hosts6_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct np_addr16));
	__uint(value_size, sizeof(struct np_guard_entry));
};

struct np_nets4_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct np_guard_net4));
	__uint(value_size, sizeof(struct np_guard_entry));
};

struct np_nets6_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct np_guard_net6));
	__uint(value_size, sizeof(struct np_guard_entry));
};

/* Two sets of each, see struct np_guard_conf. Bans, and what is allowed whatever is banned. */
#define SETS_OF(inner)                                    \
	{                                                 \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); \
		__uint(max_entries, 2);                   \
		__type(key, __u32);                       \
		__array(values, struct inner);            \
	}
struct np_sets_hosts4 SETS_OF(np_hosts4_map);
struct np_sets_hosts6 SETS_OF(np_hosts6_map);
struct np_sets_nets4 SETS_OF(np_nets4_map);
struct np_sets_nets6 SETS_OF(np_nets6_map);
extern struct np_sets_hosts4 np_hosts4 SEC(".maps");
extern struct np_sets_hosts6 np_hosts6 SEC(".maps");
extern struct np_sets_nets4 np_nets4 SEC(".maps"), np_allow4 SEC(".maps");
extern struct np_sets_nets6 np_nets6 SEC(".maps"), np_allow6 SEC(".maps");

struct np_rules_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_GUARD_RULES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct np_guard_rule);
};
extern struct np_rules_map np_rules SEC(".maps");

extern __u64 st_jiffies, st_now_ns;

/*
 * CLOCK_MONOTONIC to a jiffy. The coarse clock moves no finer, but a call of it takes 14 ns; the count
 * of jiffies is one load. The first packet of a jiffy asks for all processors.
 */
static __always_inline __u64 guard_now(void)
{
	__u64 jiffies = bpf_jiffies64();

	if (unlikely(st_jiffies != jiffies)) {
		st_now_ns = cfg_coarse ? bpf_ktime_get_coarse_ns() : bpf_ktime_get_ns();
		st_jiffies = jiffies;
	}
	return st_now_ns;
}

static __always_inline __u32 guard_tick(void)
{
	return NP_GUARD_TICK(guard_now());
}

/* The policy that holds now. A clock is read only while a change waits to be confirmed. */
static __always_inline __u32 guard_set(volatile struct np_guard_conf *conf)
{
	__u64 state = conf->state;
	__u32 set = state & 1, until = state >> 32;

	if (unlikely(until) && guard_tick() >= until)
		set ^= 1;
	return set & 1;
}

static __always_inline __u32 frame_kind(const struct frame *f)
{
	switch (f->proto) {
	case IPPROTO_TCP:
		return NP_KIND_TCP;
	case IPPROTO_UDP:
		return NP_KIND_UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return NP_KIND_ICMP;
	}
	return f->family ? NP_KIND_OTHER : NP_KIND_NONIP;
}

#endif
