/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What tests/check-core has to find, so that it is known to look: fields and a type no kernel has, one that is
 * asked for after its use, a width that is wrong, hooks with other arguments, a helper that is new, and frames of a call that
 * are deeper than all may be. The same missing things, asked for before use, are allowed. Never loaded.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock_common {
	int skc_missing;
	int skc_asked_for;
	int skc_asked_late;
	__u32 skc_family; /* 2 bytes in truth */
};

struct sock {
	struct sock_common __sk_common;
};

struct missing_type {
	int field;
};

struct asked_for_type {
	int field;
};

#pragma clang attribute pop

struct socket;
struct msghdr;

static __noinline int deep_below(__u32 at)
{
	volatile char frame[260] = {};

	return frame[at & 255];
}

SEC("raw_tp/sock_rcvqueue_full")
int core_deep(struct bpf_raw_tracepoint_args *ctx)
{
	volatile char frame[260] = {};

	return frame[ctx->args[0] & 255] + deep_below((__u32)ctx->args[1]);
}

SEC("raw_tp/sock_rcvqueue_full")
int core_wrong(struct bpf_raw_tracepoint_args *ctx)
{
	struct sock *sk = (void *)ctx->args[0];
	struct missing_type *missing = (void *)ctx->args[1];
	struct asked_for_type *asked_for = (void *)ctx->args[1];
	int sum = 0;

	sum += BPF_CORE_READ(sk, __sk_common.skc_missing);
	sum += (int)BPF_CORE_READ(sk, __sk_common.skc_family);
	sum += BPF_CORE_READ(missing, field);
	sum += BPF_CORE_READ(sk, __sk_common.skc_asked_late);
	if (bpf_core_field_exists(sk->__sk_common.skc_asked_late))
		sum++;
	if (bpf_core_field_exists(sk->__sk_common.skc_asked_for))
		sum += BPF_CORE_READ(sk, __sk_common.skc_asked_for);
	if (bpf_core_type_exists(struct asked_for_type))
		sum += BPF_CORE_READ(asked_for, field);
	return sum;
}

SEC("fentry/inet_release")
int BPF_PROG(core_other_struct, struct sock *sk)
{
	return sk ? 0 : 1;
}

SEC("fexit/inet_sendmsg")
int BPF_PROG(core_late_result, struct socket *sock, struct msghdr *msg, unsigned long size,
	     int flags, int ret)
{
	return ret;
}

/* The two numbers the other way round; no verifier looks at what a kprobe reads. */
SEC("kprobe/inet_recvmsg")
int BPF_KPROBE(core_other_order, struct socket *sock, struct msghdr *msg, int flags,
	       unsigned long size)
{
	return flags + (int)size;
}

SEC("kretprobe/tcp_set_state")
int BPF_KRETPROBE(core_no_result, int ret)
{
	return ret;
}

SEC("raw_tp/inet_sock_set_state")
int BPF_PROG(core_other_argument, struct sock *sk, struct msghdr *msg)
{
	return sk && msg && bpf_ktime_get_tai_ns(); /* since 6.1 */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
