/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the network answers to datagrams. Bodies for the hooks of tcp.bpf.c.
 */
#ifndef NETPROBE_BPF_LIB_ERROR_H
#define NETPROBE_BPF_LIB_ERROR_H

#include "life.h"

#define ERROR_WANTED 1
#define ERROR_SAMPLED_OUT 2

/*
 * What the filters say of the error: its ends are those that the socket has now, and that is not the peer of the socket's
 * own counts where it is connected again. A global function: see filter.h.
 */
__weak __noinline int error_wanted(const struct np_sock *st, const struct np_peer *peer)
{
	struct np_tuple t;

	if (!st || !peer)
		return 0;
	sock_ends(&t, st);
	t.rport = peer->rport;
	__builtin_memcpy(t.raddr, peer->raddr, sizeof(t.raddr));
	if (!np_filter.enabled || !filter_cgroup(&st->last, np_filter.gen) ||
	    !filter_owner(&st->last) || !filter_tuple(&t))
		return 0;
	return sample_hit(st->sock_id) ? ERROR_WANTED : ERROR_SAMPLED_OUT;
}

/*
 * sk_err of a datagram socket was set. TCP tells its errors by its states; timestamps of what was sent come
 * this way too, without an error, and so does one that another processor has handed to its reader already.
 */
static __always_inline int dgram_error(void *ctx, struct sock *sk)
{
	struct np_peer peer = {};
	struct np_rare *rare;
	struct np_sock *st;
	int wanted;
	__s32 err;

	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
		return 0;
	err = BPF_CORE_READ(sk, sk_err);
	if (!err)
		return 0;
	prog_hit(NP_PROG_ERROR);
	st = sock_find(sk);
	if (!st || !st->dgram || sock_is_other(st, sk)) {
		count_one(NP_PROG_ERROR, filtered); /* nobody used it since the probe began */
		return 0;
	}
	if (st->flags & NP_F_IGNORE)
		return 0;
	sock_where(st, sk); /* it may have connected since its last call, again too */
	(void)peer_of_sock(sk, &peer);
	rare = sock_rare_make(st, sk, NP_PROG_ERROR);
	if (rare) {
		rare->error_rport = peer.rport;
		__builtin_memcpy(rare->synack_raddr, peer.raddr, 16);
	}
	wanted = error_wanted(st, &peer);
	if (wanted == ERROR_WANTED)
		(void)emit_sock(ctx, st, sk, EMIT_WHAT(NP_PROG_ERROR, NP_EV_ERROR) | EMIT_JUDGED,
				err);
	else if (wanted == ERROR_SAMPLED_OUT)
		count_one(NP_PROG_ERROR, sampled_out);
	else
		count_one(NP_PROG_ERROR, filtered);
	return 0;
}

#endif
