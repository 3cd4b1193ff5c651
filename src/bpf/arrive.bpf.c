// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Packets come to sockets whose readers wait and do not ask for the sender: see lib/came.h. It fires for each packet that
 * wakes a reader, of TCP as well: attached only while there are such readers (st_need_arrive, moved in traffic.h;
 * probe/load.c).
 */
#include "lib/came.h"

static __always_inline int arrives(struct sock *sk)
{
	struct np_sock *st;

	prog_hit(NP_PROG_ARRIVE);
	st = sock_find(sk);
	/* a connected one has its route */
	if (st && st->dgram && !has_remote(&st->tuple) && !sock_is_other(st, sk))
		(void)came_note(st, sock_number(sk));
	return 0;
}

/* Context: softirq, or process. Since 6.3. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(np_arrive_tp, struct sock *sk)
{
	return sk->sk_type == SOCK_STREAM ? 0 : arrives(sk);
}

SEC("fentry/sock_def_readable")
int BPF_PROG(np_arrive_fe, struct sock *sk)
{
	return sk->sk_type == SOCK_STREAM ? 0 : arrives(sk);
}

SEC("kprobe/sock_def_readable")
int BPF_KPROBE(np_arrive_kp, struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_type) == SOCK_STREAM ? 0 : arrives(sk);
}
