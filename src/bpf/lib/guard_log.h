/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The log of security events: the newest NP_GUARD_LOG of them, in memory that any number of readers map.
 * A ring buffer has one reader; here nobody takes an event from anybody, and who is too slow knows by
 * the numbers what he missed.
 *
 *	struct np_guard_logged *slot = log_begin(&number);
 *	if (slot) { ... slot->ev ...; log_end(slot, number); }
 */
#ifndef NETPROBE_BPF_LIB_GUARD_LOG_H
#define NETPROBE_BPF_LIB_GUARD_LOG_H

#include "guard.h"

struct np_guard_log_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_GUARD_LOG);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct np_guard_logged);
};
extern struct np_guard_log_map np_guard_log SEC(".maps");

/* The exchanges are full barriers: a reader sees no event under a number that is not its own. */
static __always_inline struct np_guard_logged *log_begin(__u64 *ret_number)
{
	struct np_guard_conf *conf = (struct np_guard_conf *)guard_conf();
	struct np_guard_logged *slot;
	__u32 at;

	if (!conf)
		return NULL;
	*ret_number = __sync_fetch_and_add(&conf->events, 1) + 1;
	at = (*ret_number - 1) & (NP_GUARD_LOG - 1);
	slot = bpf_map_lookup_elem(&np_guard_log, &at);
	if (!slot)
		return NULL;
	(void)__sync_lock_test_and_set(&slot->number, 0);
	__builtin_memset(&slot->ev, 0, sizeof(slot->ev));
	slot->ev.ktime_ns = bpf_ktime_get_ns();
	slot->ev.kind = NP_GUARD_EV_ATTACK;
	slot->ev.ifindex = st_ifindex;
	return slot;
}

static __always_inline void log_end(struct np_guard_logged *slot, __u64 number)
{
	(void)__sync_lock_test_and_set(&slot->number, number);
}

#endif
