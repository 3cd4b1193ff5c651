/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The peer of a call on a raw or ping socket, whose addresses no cgroup hook sees, or of one that fexit was left out of, where
 * the hook at the call has no argument but the result: by the system call's registers. What is sent to is in the caller's memory. What was received from
 * goes there only when the hook is over: till then the kernel's copy is on the task's stack, in the call's message, which
 * is known by the caller's buffer. What is not found as expected is no peer, never a wrong one: neither that which the socket is connected to. Lacks:
 * sendmmsg(), recvmmsg(), several buffers, io_uring, 32-bit programs.
 */
#ifndef NETPROBE_BPF_LIB_NAMED_H
#define NETPROBE_BPF_LIB_NAMED_H

#include "answer.h"
#include "traffic.h"

#define STACK_LOOKS \
	112 /* words from the program's arguments upwards: what is below them, or was left by other calls, is stale */
#define NAME_NEAR \
	192 /* recvfrom() has both in one function, recvmsg() more than that apart (6.3 to 6.18) */

/* The head of struct msghdr; of its iterator the words in one of which the buffer is (6.3 to 6.18). */
struct call_message {
	__u64 name;
	__u32 len;
	__u32 inq;
	__u64 iter[4];
};

struct call_regs {
	__u64 at; /* where they are, the end of the stack */
	__u64 second;
	/* 0 but of sendto() and recvfrom(): where read() and write() take nothing is what another call left */
	__u64 fifth, sixth;
};

/* Numbers of system calls are ABI. */
static __always_inline __u32 call_regs(struct task_struct *task, struct call_regs *ret)
{
	__u64 typed;

	ret->fifth = ret->sixth = 0;
#if defined(__TARGET_ARCH_x86)
	struct pt_regs___x86 *regs = (struct pt_regs___x86 *)bpf_task_pt_regs(task);

	if (regs->orig_ax == 44 || regs->orig_ax == 45) {
		ret->fifth = regs->r8;
		ret->sixth = regs->r9;
	}
#elif defined(__TARGET_ARCH_arm64)
	struct pt_regs___aarch64 *regs = (struct pt_regs___aarch64 *)bpf_task_pt_regs(task);

	if (regs->syscallno == 206 || regs->syscallno == 207) {
		ret->fifth = regs->regs[4];
		ret->sixth = regs->regs[5];
	}
#endif
	typed = (__u64)bpf_task_pt_regs(task);
	(void)bpf_probe_read_kernel(&ret->at, sizeof(ret->at), &typed); /* as a number */
	return buffer_kind(task, &ret->second);
}

/* False: there is a name, and it cannot be read. */
static __always_inline bool peer_of_user(struct np_peer *peer, __u64 name, __u64 len)
{
	struct sockaddr_in6 sa = {};

	if (!name || !len)
		return true;
	if (len > sizeof(sa))
		len = sizeof(sa);
	if (len < sizeof(struct sockaddr_in) ||
	    bpf_probe_read_user(&sa, sizeof(struct sockaddr_in), (void *)name))
		return false;
	if (sa.sin6_family == AF_INET6 &&
	    (len < SIN6_LEN_LEAST || bpf_probe_read_user(&sa, SIN6_LEN_LEAST, (void *)name)))
		return false;
	peer_of_address(peer, &sa);
	return peer->family;
}

/* False where it is not known whether the call names one. */
static __always_inline bool peer_sent_to(struct np_peer *peer, const struct call_regs *regs,
					 __u32 kind)
{
	__u64 head[2]; /* of the caller's struct msghdr */

	if (kind == BUFFER_PLAIN)
		return peer_of_user(peer, regs->fifth, regs->sixth);
	if (kind == BUFFER_MSG && !bpf_probe_read_user(head, sizeof(head), (void *)regs->second))
		return peer_of_user(peer, head[0], (__u32)head[1]);
	return kind == BUFFER_IOV || kind == BUFFER_FILE;
}

/* Is that a message of a call of this kind, with that buffer, and its name where such calls have it? */
static __always_inline bool is_message(const struct call_message *m, __u64 at, __u32 kind,
				       __u64 buf, __u64 low, __u64 high)
{
	bool near = m->name - at + NAME_NEAR < 2 * NAME_NEAR;

	if (m->name <= low || m->name >= high || near != (kind == BUFFER_PLAIN))
		return false;
	if (m->len != sizeof(struct sockaddr_in) && m->len != sizeof(struct sockaddr_in6))
		return false;
	return m->iter[2] == buf || m->iter[3] == buf;
}

/* The same of what is there; negative: nothing can be read. A global function: the walk below would go through it for each word. */
__weak __noinline int message_at(__u64 at, __u32 kind, __u64 buf, __u64 low, __u64 high)
{
	struct call_message m;

	if (at + sizeof(m) > high || bpf_probe_read_kernel(&m, sizeof(m), (void *)at))
		return -EFAULT;
	return is_message(&m, at, kind, buf, low, high);
}

static __always_inline void peer_received_from(struct np_peer *peer, const struct call_regs *regs,
					       __u32 kind, __u64 low)
{
	__u64 room = 1, name = regs->fifth, at = low & ~7ULL, buf, found = 0;
	struct call_message m;

	if (kind == BUFFER_MSG && bpf_probe_read_user(&name, sizeof(name), (void *)regs->second))
		return;
	buf = kind == BUFFER_PLAIN || kind == BUFFER_MSG ? buffer_of(kind, regs->second, &room) : 0;
	if (!buf || !name)
		return; /* it did not ask */
	for (int i = 0; i < STACK_LOOKS; i++, at += sizeof(__u64)) {
		int r = message_at(at, kind, buf, low, regs->at);

		if (r < 0)
			return;
		if (r) {
			found = at;
			break;
		}
	}
	if (found && !bpf_probe_read_kernel(&m, sizeof(m), (void *)found))
		peer_of_name(peer, (void *)m.name, (int)m.len);
}

/*
 * low: where the program's arguments are, on the task's stack. 1 where a peer that was sent to may be named and is not
 * found, else 0. Context: process, in the call. A global function: see filter.h.
 */
__weak __noinline int peer_of_call(struct np_peer *peer, __u32 tx, __u64 low)
{
	struct task_struct *task;
	struct call_regs regs;
	__u32 kind;

	if (!peer || !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return !!tx;
	task = bpf_get_current_task_btf();
	if (task->flags & (PF_KTHREAD | PF_IO_WORKER))
		return !!tx;
	kind = call_regs(task, &regs);
	if (tx)
		return !peer_sent_to(peer, &regs, kind);
	peer_received_from(peer, &regs, kind, low);
	return 0;
}

#endif
