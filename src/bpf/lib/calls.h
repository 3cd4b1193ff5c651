/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Calls under way, for kretprobe programs: the return probe sees the result but no argument, so the
 * entry probe leaves them here. One entry per task and kind of call.
 */
#ifndef NETPROBE_BPF_LIB_CALLS_H
#define NETPROBE_BPF_LIB_CALLS_H

#include "sock.h"

struct np_call_key {
	__u64 task; /* pid_tgid; the idle task runs on every processor at once: ~cpu instead */
	__u64 kind; /* NP_PROG_* */
};

struct np_call_args {
	__u64 sk;
	__u64 msg;
	__u64 extra; /* flags */
};

/* Written by entry probes, deleted by return probes. LRU: a missed return must not fill it for ever. */
struct np_calls_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct np_call_key);
	__type(value, struct np_call_args);
};
extern struct np_calls_map np_calls SEC(".maps");

static __always_inline struct np_call_key call_key(__u64 kind)
{
	__u64 task = bpf_get_current_pid_tgid();

	return (struct np_call_key){ .task = task ? task : ~(__u64)bpf_get_smp_processor_id(),
				     .kind = kind };
}

static __always_inline void call_enter(__u64 kind, struct sock *sk, struct msghdr *msg, __u64 extra)
{
	struct np_call_key key = call_key(kind);
	struct np_call_args args = { .sk = (__u64)sk, .msg = (__u64)msg, .extra = extra };

	if (bpf_map_update_elem(&np_calls, &key, &args, BPF_ANY))
		count_one(CUT(__u32, kind & NP_PROG_MASK),
			  map_full); /* the rest tells calls of a task apart */
}

/* False where the entry was not seen. */
static __always_inline bool call_leave(__u64 kind, struct np_call_args *ret_args)
{
	struct np_call_key key = call_key(kind);
	struct np_call_args *args = bpf_map_lookup_elem(&np_calls, &key);

	if (!args)
		return false;
	*ret_args = *args;
	(void)bpf_map_delete_elem(&np_calls, &key);
	return true;
}

#endif
