/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Parts: what a socket moved for somebody else than the owner of its own counts, or with one of
 * many peers. There are two maps; user space drains one while programs write the other, so no count
 * is lost between its reading and its deletion.
 */
#ifndef NETPROBE_BPF_LIB_PART_H
#define NETPROBE_BPF_LIB_PART_H

#include "came.h"
#include "filter.h"
#include "owner.h"
#include "scratch.h"
#include "tuple.h"

struct np_parts_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct np_part_key);
	__type(value, struct np_part);
};
extern struct np_parts_map np_parts_a SEC(".maps");
extern struct np_parts_map np_parts_b SEC(".maps");

struct np_part_place {
	struct scratch_head head;
	struct np_part part;
};

struct np_part_scratch_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct np_part_place);
};
extern struct np_part_scratch_map np_part_scratch SEC(".maps");

/*
 * A call for each map, which the compiler may not merge into one: the kernel makes a direct call of the map's own
 * look-up only where the map is known.
 */
static __always_inline struct np_part *part_lookup(const struct np_part_key *key)
{
	struct np_part *part;

	if (unlikely(st_parts_gen)) {
		part = bpf_map_lookup_elem(&np_parts_b, key);
		barrier_var(part);
		return part;
	}
	return bpf_map_lookup_elem(&np_parts_a, key);
}

static __always_inline long part_insert(const struct np_part_key *key, const struct np_part *init)
{
	if (st_parts_gen)
		return bpf_map_update_elem(&np_parts_b, key, init, BPF_NOEXIST);
	return bpf_map_update_elem(&np_parts_a, key, init, BPF_NOEXIST);
}

#define NP_PART_FILTERED 1
#define NP_PART_SAMPLED_OUT 2

/* Of an unconnected socket each peer is a flow, else the socket is. */
static __always_inline __u64 part_flow(const struct np_sock *st, const struct np_peer *peer)
{
	const __u64 *a;

	if (!peer)
		return st->sock_id;
	a = (const __u64 *)peer->raddr;
	return st->sock_id + (a[0] ^ a[1] ^ (__u64)peer->rport << 16) * 0xff51afd7ed558ccdULL;
}

static __always_inline bool part_is_own(const struct np_tuple *t, const struct np_peer *peer)
{
	const __u64 *a = (const __u64 *)t->raddr, *b = (const __u64 *)peer->raddr;

	return t->rport == peer->rport && a[0] == b[0] && a[1] == b[1];
}

/* What a new part begins with; false: it is not wanted (*ret_filtered, NP_PART_*). */
static __always_inline bool part_begin(struct np_part *init, struct np_sock *st,
				       const struct np_owner *owner, const struct np_peer *peer,
				       __u32 *ret_filtered)
{
	sock_ends(&init->tuple, st);
	init->tuple.flags = st->flags;
	if (peer && !peer->family) {
		init->tuple.ifindex = peer->ifindex == CAME_UNKNOWN ? 0 : peer->ifindex;
		__builtin_memcpy(init->tuple.ifname, peer->raddr, sizeof(init->tuple.ifname));
	} else if (peer) {
		/* the interface is that of another peer, or of what came last: user space asks for the route */
		if (!part_is_own(&init->tuple, peer)) {
			init->tuple.ifindex = 0;
			__builtin_memset(init->tuple.ifname, 0, sizeof(init->tuple.ifname));
		}
		__builtin_memcpy(init->tuple.raddr, peer->raddr, 16);
		init->tuple.rport = peer->rport;
		init->tuple.family = peer->family;
	} else if (st->dgram && st->flags & NP_F_UNCONN) {
		/* the socket's own counts may be of a peer that it was connected to */
		__builtin_memset(init->tuple.raddr, 0, 16);
		init->tuple.rport = 0;
	}
	init->owner = *owner;
	__builtin_memset(&init->counts, 0, sizeof(init->counts));
	if (!np_filter.enabled || !filter_cgroup(owner, np_filter.gen) ||
	    !filter_owner(&init->owner) || !filter_tuple(&init->tuple)) {
		*ret_filtered = NP_PART_FILTERED;
		return false;
	}
	if (!sample_hit(part_flow(st, peer))) {
		*ret_filtered = NP_PART_SAMPLED_OUT;
		return false;
	}
	return true;
}

/*
 * The part of owner, with peer (NULL: none); made if it is not there. NULL: no room, or it is not
 * wanted (*ret_filtered, NP_PART_*).
 */
static __noinline struct np_part *part_get(struct np_sock *st, const struct np_owner *owner,
					   const struct np_peer *peer, __u32 *ret_filtered)
{
	struct np_part_key key = {};
	struct np_part_place *place;
	struct np_part *part;

	if (!st || !owner || !ret_filtered)
		return NULL;
	key.sock_id = st->sock_id;
	key.start_ns = owner->start_ns;
	key.tgid = owner->tgid;
	if (peer && peer->family) {
		__builtin_memcpy(key.raddr, peer->raddr, 16);
		key.rport = peer->rport;
		key.family = peer->family;
	} else if (peer) {
		__builtin_memcpy(key.raddr, &peer->ifindex, sizeof(peer->ifindex));
	}
	part = part_lookup(&key);
	if (part)
		return part;
	place = scratch_take(&np_part_scratch);
	if (!place)
		return NULL;
	if (part_begin(&place->part, st, owner, peer, ret_filtered)) {
		/* a lost race leaves the winner's: look up again in both cases */
		(void)part_insert(&key, &place->part);
		__sync_fetch_and_add(&st_parts_made, 1);
	}
	scratch_give(place);
	return *ret_filtered ? NULL : part_lookup(&key);
}

#endif
