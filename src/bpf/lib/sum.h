/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Sums by owner: the last resort for counts that found every other place full. The connection or the peer
 * is lost then, never a byte of a process, a container or an interface. Two maps, as with parts, switched
 * and drained with them.
 */
#ifndef NETPROBE_BPF_LIB_SUM_H
#define NETPROBE_BPF_LIB_SUM_H

#include "part.h"
#include "sock.h"

struct np_sums_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct np_sum_key);
	__type(value, struct np_part);
};
extern struct np_sums_map np_sums_a SEC(".maps");
extern struct np_sums_map np_sums_b SEC(".maps");

static __always_inline struct np_part *sum_lookup(const struct np_sum_key *key)
{
	if (st_parts_gen)
		return bpf_map_lookup_elem(&np_sums_b, key);
	return bpf_map_lookup_elem(&np_sums_a, key);
}

static __always_inline long sum_insert(const struct np_sum_key *key, const struct np_part *init)
{
	if (st_parts_gen)
		return bpf_map_update_elem(&np_sums_b, key, init, BPF_NOEXIST);
	return bpf_map_update_elem(&np_sums_a, key, init, BPF_NOEXIST);
}

static __always_inline void sum_begin(struct np_part *init, const struct np_tuple *t,
				      const struct np_owner *owner)
{
	__builtin_memset(init, 0, sizeof(*init));
	init->owner = *owner;
	init->tuple.netns = t->netns;
	init->tuple.ifindex = t->ifindex;
	init->tuple.proto = t->proto;
	init->tuple.family = t->family;
	init->tuple.flags = NP_F_OWNID;
	__builtin_memcpy(init->tuple.ifname, t->ifname, sizeof(init->tuple.ifname));
}

/* The sum that this owner's counts on a socket at t go to; made if it is not there. NULL: no room. */
static __noinline __attribute__((unused)) struct np_part *sum_get(const struct np_tuple *t,
								  const struct np_owner *owner)
{
	struct np_part_place *place;
	struct np_sum_key key = {};
	struct np_part *sum;

	if (!t || !owner)
		return NULL;
	/* User space cannot tell of what is unknown whether it is wanted. */
	if (np_filter.n_iface && !t->ifname[0])
		return NULL;
	key.start_ns = owner->start_ns;
	key.cgroup_id = owner->cgroup_id;
	key.tgid = owner->tgid;
	key.netns = t->netns;
	key.ifindex = t->ifindex;
	key.proto = t->proto;
	key.family = t->family;
	sum = sum_lookup(&key);
	if (sum)
		return sum;
	place = scratch_take(&np_part_scratch);
	if (!place)
		return NULL;
	sum_begin(&place->part, t, owner);
	/* a lost race leaves the winner's: look up again in both cases */
	(void)sum_insert(&key, &place->part);
	scratch_give(place);
	__sync_fetch_and_add(&st_parts_made, 1);
	return sum_lookup(&key);
}

struct np_lefts_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_LEFT_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct np_left);
};
extern struct np_lefts_map np_lefts SEC(".maps");

#define LEFT_BUSY (~0ULL)
#define LEFT_TRIES 4

/* Where left_take() put it; NULL: nowhere. */
static __always_inline struct np_left *left_slot(const struct np_sock *st)
{
	__u32 slot = st->released - 1;

	return bpf_map_lookup_elem(&np_lefts, &slot);
}

/*
 * A free slot, marked busy; NULL: none of the few that are tried. Ends are missed in rows, of sockets with numbers in a
 * row, and those that wait for their slots come in rows as well: so the slots of neighbours are far apart.
 */
static __always_inline struct np_left *left_take(struct np_sock *st)
{
	__u64 h = st->sock_id * 0x9e3779b97f4a7c15ULL;

	for (int i = 0; i < LEFT_TRIES; i++, h <<= NP_LEFT_BITS) {
		__u32 slot = CUT(__u32, h >> (64 - NP_LEFT_BITS));
		struct np_left *left = bpf_map_lookup_elem(&np_lefts, &slot);

		if (left && !__sync_val_compare_and_swap(&left->sock_id, 0, LEFT_BUSY)) {
			st->released = CUT(__u16, slot + 1);
			return left;
		}
	}
	st_left_refused++;
	return NULL;
}

static __always_inline void left_counts(struct np_counts *c, const struct np_sock *st)
{
	c->tx_bytes = told_rest(st->counts.tx_bytes, st->told.tx_bytes);
	c->rx_bytes = told_rest(st->counts.rx_bytes, st->told.rx_bytes);
	c->retrans = told_rest(st->counts.retrans, st->told.retrans);
}

/*
 * close() of a TCP socket that the kernel has not done with yet. What it moved is left in a slot, so that it is not
 * lost should its end be unseen (see sock_made); where others have all slots that are tried, it may be.
 */
static __noinline __attribute__((unused)) int left_note(struct np_sock *st, struct sock *sk)
{
	struct tcp_sock *tp;
	struct np_left *left;

	if (!st || cfg_store_hash || !st->sock_id || st->released || (st->flags & NP_F_IGNORE) ||
	    !(st->pass & NP_PASS_ANY) || (np_filter.n_iface && !st->tuple.ifname[0]))
		return 0;
	left = left_take(st);
	if (!left)
		return 0;
	tp = tcp_of(sk);
	left->gen = st_left_gen;
	sum_begin(&left->part, &st->tuple, st->acct_tgid ? &st->acct : &st->last);
	left_counts(&left->part.counts, st);
	if (tp && !(st->pass & NP_PASS_HELD)) {
		left->part.counts.tx_calls =
			told_rest(segs_since(BPF_CORE_READ(tp, segs_out), st->segs_out_base),
				  st->told.tx_calls);
		left->part.counts.rx_calls =
			told_rest(segs_since(BPF_CORE_READ(tp, segs_in), st->segs_in_base),
				  st->told.rx_calls);
	}
	/* a full barrier: who sees the number sees the rest */
	(void)__sync_lock_test_and_set(&left->sock_id, st->sock_id);
	return 0;
}

/* A sweep or an event tells of the socket: of what it left nothing is new any more. A global function: see filter.h. */
__weak __noinline int left_told(struct np_sock *st)
{
	struct np_left *left = st && st->released ? left_slot(st) : NULL;

	if (!left || left->sock_id != st->sock_id)
		return 0;
	left->part.counts.tx_calls = left->part.counts.rx_calls = 0;
	left_counts(&left->part.counts, st);
	return 0;
}

/* A hook sees its end: its last record has all. counted: it is its own that is in st->counted. A global function. */
__weak __noinline int left_ended(struct np_sock *st, __u32 counted)
{
	struct np_left *left = st && st->released ? left_slot(st) : NULL;
	struct np_lives *lives;
	__u32 zero = 0;

	if (!st)
		return 0;
	if (left)
		(void)__sync_val_compare_and_swap(&left->sock_id, st->sock_id, 0);
	lives = counted ? bpf_map_lookup_elem(&np_lives, &zero) : NULL;
	if (lives)
		__sync_fetch_and_add(&lives->ended, 1);
	st->gone = 1;
	return 0;
}

static __always_inline void sock_ended(struct np_sock *st, struct sock *sk)
{
	(void)left_ended(st, !st->dgram && st->counted == (__u64)sk_raw(sk));
}

/* True where the sweep that writes this socket's record now will tell the rest. */
static __always_inline bool sum_by_sweep(struct np_sock *st)
{
	return __sync_val_compare_and_swap(&st->teller, 0, NP_TELL_SUM) == NP_TELL_SWEEP &&
	       (__sync_val_compare_and_swap(&st->teller, NP_TELL_SWEEP, NP_TELL_SUM) ==
			NP_TELL_SWEEP ||
		__sync_val_compare_and_swap(&st->teller, 0, NP_TELL_SUM) == NP_TELL_SWEEP);
}

/*
 * What user space was not told of a socket whose last record it will not get; 0 where the sum has it now.
 * rec is that record. A global function: see filter.h.
 */
__weak __noinline int sum_last(struct np_sock *st, struct np_sock_rec *rec)
{
	struct np_counts *c, all;
	struct np_part *sum;

	if (!st || !rec)
		return -EINVAL;
	if (sum_by_sweep(st))
		return 0;
	told_counts(&all, rec);
	sum = sum_get(&rec->tuple, &rec->owner);
	if (!sum)
		return -ENOSPC;
	c = &sum->counts;
	__sync_fetch_and_add(&c->tx_bytes, told_rest(all.tx_bytes, st->told.tx_bytes));
	__sync_fetch_and_add(&c->rx_bytes, told_rest(all.rx_bytes, st->told.rx_bytes));
	__sync_fetch_and_add(&c->tx_calls, told_rest(all.tx_calls, st->told.tx_calls));
	__sync_fetch_and_add(&c->rx_calls, told_rest(all.rx_calls, st->told.rx_calls));
	__sync_fetch_and_add(&c->retrans, told_rest(all.retrans, st->told.retrans));
	return 0;
}

#endif
