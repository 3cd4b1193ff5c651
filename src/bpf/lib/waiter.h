/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who sleeps in a call on a socket, and what that call is to bring: by its system call's registers, which the
 * kernel keeps at the top of the task's stack. No data-path hook, and no helper: programs that walk sockets
 * have no task. What is not found as expected is no answer, never a wrong one.
 */
#ifndef NETPROBE_BPF_LIB_WAITER_H
#define NETPROBE_BPF_LIB_WAITER_H

#include "sock.h"

#define WAITERS 4 /* looked at; more sleep on one socket hardly ever */

#if defined(__TARGET_ARCH_x86)
#define STACK_BYTES 16384 /* THREAD_SIZE of x86-64 without KASAN */
#define REG_FIRST 7 /* words of struct pt_regs, which are ABI: r10 is the first that is read */
#define REG_WORDS 21
#define REG_DX (12 - REG_FIRST)
#define REG_CALL (15 - REG_FIRST)
#define REG_CS (17 - REG_FIRST)
#define REG_SS (20 - REG_FIRST)
#define USER_CS 0x33
#define USER_SS 0x2b

/* Flags of the receive call the task is in; 0: it is in none that takes any, or it cannot be told. */
static __always_inline __u64 recv_flags(struct task_struct *task)
{
	char *stack = BPF_CORE_READ(task, stack);
	__u64 regs[REG_WORDS - REG_FIRST];

	/* two words are left free above them since 6.9, where the kernel knows FRED */
	for (int pad = 0; pad <= 16; pad += 16) {
		if (bpf_probe_read_kernel(regs, sizeof(regs),
					  stack + STACK_BYTES - pad - sizeof(regs)))
			return 0;
		/* the upper bits are FRED's own */
		if ((__u16)regs[REG_CS] != USER_CS || (__u16)regs[REG_SS] != USER_SS)
			continue;
		switch (regs[REG_CALL]) {
		case 45:  /* recvfrom */
		case 299: /* recvmmsg */
			return regs[0];
		case 47: /* recvmsg */
			return regs[REG_DX];
		}
		return 0;
	}
	return 0;
}
#else
static __always_inline __u64 recv_flags(struct task_struct *task)
{
	return 0;
}
#endif

/* Does a task sleep on this socket in a receive call that is to return with all it was asked for? */
static __always_inline bool waits_for_all(struct sock *sk)
{
	struct socket_wq *wq = BPF_CORE_READ(sk, sk_wq);
	struct list_head *head, *at;

	if (!wq)
		return false;
	head = (void *)wq + bpf_core_field_offset(wq->wait.head);
	at = BPF_CORE_READ(head, next);
	for (int i = 0; i < WAITERS && at && at != head; i++) {
		struct wait_queue_entry *e = (void *)at;
		void *task;

		e = (void *)at - bpf_core_field_offset(e->entry);
		task = BPF_CORE_READ(e, private);
		if (task && recv_flags(task) & MSG_WAITALL)
			return true;
		at = BPF_CORE_READ(at, next);
	}
	return false;
}

#endif
