/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a process sends to and reads from a port of DNS, handed up from its own buffer: names of addresses without a
 * look at every packet. Only where a call has to be thought about anyway. Lacks: messages over TCP,
 * recvmmsg(), io_uring, 32-bit programs; dns.bpf.c sees those.
 */
#ifndef NETPROBE_BPF_LIB_ANSWER_H
#define NETPROBE_BPF_LIB_ANSWER_H

#include "emit.h"

#define DNS_HEADER 12

struct np_answer {
	struct scratch_head head;
	struct np_ev_answer ev;
	__u8 bytes[NP_ANSWER_BYTES];
};

struct np_answer_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct np_answer);
};
extern struct np_answer_map np_answers SEC(".maps");

static __always_inline bool answer_port(__u16 port)
{
	return st_answer_ports[(port / 64) & (NP_PORT_WORDS - 1)] & (1ULL << (port % 64));
}

#define BUFFER_PLAIN 1 /* read, recvfrom, write, sendto: the buffer is the second argument */
#define BUFFER_IOV 2   /* readv, writev: a vector of buffers is */
#define BUFFER_MSG 3   /* recvmsg, sendmsg: a struct msghdr is, which points to one */
#define BUFFER_MMSG 4  /* sendmmsg: a vector of these is */
#define BUFFER_FILE 5  /* sendfile, splice: there is none, and no name */
#define MMSG_BYTES 64  /* of one of them */
#define MMSG_LOOKS 4   /* glibc sends two, for A and AAAA */

/* Numbers of system calls are ABI. */
static __always_inline __u32 buffer_kind(struct task_struct *task, __u64 *ret_arg)
{
#if defined(__TARGET_ARCH_x86)
	struct pt_regs___x86 *regs = (struct pt_regs___x86 *)bpf_task_pt_regs(task);

	*ret_arg = regs->si;
	switch (regs->orig_ax) {
	case 0:
	case 1:
	case 44:
	case 45:
		return BUFFER_PLAIN;
	case 19:
	case 20:
		return BUFFER_IOV;
	case 46:
	case 47:
		return BUFFER_MSG;
	case 307:
		return BUFFER_MMSG;
	case 40:
	case 275:
		return BUFFER_FILE;
	}
#elif defined(__TARGET_ARCH_arm64)
	struct pt_regs___aarch64 *regs = (struct pt_regs___aarch64 *)bpf_task_pt_regs(task);

	*ret_arg = regs->regs[1];
	switch (regs->syscallno) {
	case 63:
	case 64:
	case 206:
	case 207:
		return BUFFER_PLAIN;
	case 65:
	case 66:
		return BUFFER_IOV;
	case 211:
	case 212:
		return BUFFER_MSG;
	case 269:
		return BUFFER_MMSG;
	case 71:
	case 76:
		return BUFFER_FILE;
	}
#endif
	return 0;
}

/*
 * Where the call's bytes are, and how much has room there; 0 unknown. Of several messages of one call it is not known which
 * is sent now: any as long as that.
 */
static __always_inline __u64 buffer_of(__u32 kind, __u64 arg, __u64 *room)
{
	__u64 iov[2];

	if (kind == BUFFER_PLAIN)
		return arg;
	if (kind != BUFFER_IOV && bpf_probe_read_user(&arg, sizeof(arg), (void *)(arg + 16)))
		return 0;
	if (bpf_probe_read_user(iov, sizeof(iov), (void *)arg))
		return 0;
	if (kind == BUFFER_MMSG && iov[1] != *room)
		return 0;
	if (*room > iov[1])
		*room = iov[1];
	return iov[0];
}

static __always_inline void answer_send(struct np_answer *a, __u64 at, __u32 n, __u32 full,
					__u32 prog)
{
	barrier_var(n);
	if (n < DNS_HEADER || n > NP_ANSWER_BYTES)
		return;
	if (bpf_probe_read_user(a->bytes, n, (void *)at)) {
		count_one(prog, helper_err);
		return;
	}
	a->ev.hdr.type = NP_EV_ANSWER;
	a->ev.hdr.len = CUT(__u16, sizeof(a->ev) + n); /* n was bounded */
	a->ev.hdr.cpu = bpf_get_smp_processor_id();
	a->ev.hdr.ts_ns = bpf_ktime_get_ns();
	a->ev.full = full;
	a->ev.captured = n;
	if (bpf_ringbuf_output(&np_events, &a->ev, sizeof(a->ev) + n, BPF_RB_NO_WAKEUP))
		count_one(prog, ring_full);
	else
		count_one(prog, submitted);
}

/*
 * The current task sent to or received from a port of DNS so many bytes. peer: NULL the socket's own. Context: process, in the call.
 * Since 5.15. A global function: see filter.h. Inside its callers each of their ways there would go through all of it.
 */
__weak __noinline int answer_take(const struct np_sock *st, const struct np_peer *peer, __u32 full,
				  __u32 tx, __u32 prog)
{
	struct task_struct *task;
	struct np_answer *a;
	__u64 arg = 0;
	__u32 kind;

	if (!st || cfg_use_perf || full < DNS_HEADER ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return 0;
	task = bpf_get_current_task_btf();
	if (task->flags & (PF_KTHREAD | PF_IO_WORKER))
		return 0;
	kind = buffer_kind(task, &arg);
	if (!kind || kind == BUFFER_FILE)
		return 0;
	a = scratch_take(&np_answers);
	if (!a) {
		count_one(prog, ring_full);
		return 0;
	}
	a->ev.tuple = st->tuple;
	if (peer) {
		a->ev.tuple.rport = peer->rport;
		__builtin_memcpy(a->ev.tuple.raddr, peer->raddr, 16);
	}
	a->ev.sock_id = st->sock_id;
	a->ev.dir = tx ? NP_DIR_TX : NP_DIR_RX;
	for (int i = 0; i < MMSG_LOOKS; i++, arg += MMSG_BYTES) {
		__u64 room = full, at = buffer_of(kind, arg, &room);

		if (at)
			answer_send(a, at, room < NP_ANSWER_BYTES ? (__u32)room : NP_ANSWER_BYTES,
				    full, prog);
		if (kind != BUFFER_MMSG)
			break;
	}
	scratch_give(a);
	return 0;
}

#endif
