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
	st_parts_made++;
	return sum_lookup(&key);
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
 * rec is that record.
 */
static __noinline __attribute__((unused)) int sum_last(struct np_sock *st, struct np_sock_rec *rec)
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
