// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Cgroup hooks that see socket addresses: where connect() goes, and the peer of each datagram of an
 * unconnected socket. Attached at the root of the v2 tree. Their programs only look: they always
 * return 1 (proceed).
 */
#define NP_SOCK_ADDR
#include "lib/life.h"

#define SK_OF(sk) ((struct sock *)(sk))

static __always_inline void addr_from_ctx6(__u8 addr[16], struct bpf_sock_addr *ctx)
{
	__u32 ip[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	__builtin_memcpy(addr, ip, 16);
}

static __always_inline int connect_to(struct bpf_sock_addr *ctx, struct np_peer *peer)
{
	struct bpf_sock *sk = ctx->sk;

	if (!sk)
		return 1;
	(void)bpf_get_socket_cookie(ctx);
	connect_begins(SK_OF(sk));
	peer->rport = bpf_ntohs(ctx->user_port);
	peer->family = addr_is_v4(peer->raddr) ? AF_INET : AF_INET6;
	connect_goes_to(SK_OF(sk), peer);
	return 1;
}

/* connect(). Context: process. Since 4.17. */
SEC("cgroup/connect4")
int np_connect4_cg(struct bpf_sock_addr *ctx)
{
	struct np_peer peer = {};

	addr_from_v4(peer.raddr, ctx->user_ip4);
	return connect_to(ctx, &peer);
}

SEC("cgroup/connect6")
int np_connect6_cg(struct bpf_sock_addr *ctx)
{
	struct np_peer peer = {};

	addr_from_ctx6(peer.raddr, ctx);
	return connect_to(ctx, &peer);
}

/*
 * accept() and getpeername() ask for the peer's address: the task holds this connection. Who it was
 * accepted by is news only while it carries its listener's owner. Context: process, socket locked.
 * Since 5.8.
 */
static __always_inline int held(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct np_sock *st;

	prog_hit(NP_PROG_ACCEPT);
	if (!sk)
		return 1;
	st = sock_find(SK_OF(sk));
	if (!st || !is_conn(st))
		return 1;
	if (st->sock_id && !(st->flags & NP_F_OWNID) && bpf_get_socket_cookie(ctx) != st->sock_id)
		conn_missed(st, SK_OF(sk));
	if (st->last.match != NP_MATCH_EXACT)
		(void)sock_claim(SK_OF(sk), NP_PROG_ACCEPT, false);
	return 1;
}

SEC("cgroup/getpeername4")
int np_accept4_cg(struct bpf_sock_addr *ctx)
{
	return held(ctx);
}

SEC("cgroup/getpeername6")
int np_accept6_cg(struct bpf_sock_addr *ctx)
{
	return held(ctx);
}

/* A connected socket speaks with others as well. Which are not connected the hook at the result sees by itself. */
static __noinline int connected_speaks(struct sock *sk)
{
	struct np_sock *st = sock_find(sk);

	/* the call's result takes the slow path, which asks for the peer */
	if (st)
		st->flags |= NP_F_UNCONN;
	return 0;
}

/* Is the address that the call tells the one that this socket is connected to? Of IPv6 sockets IPv4 comes to either hook. */
static __always_inline bool is_connected_there(struct bpf_sock_addr *ctx, struct bpf_sock *sk,
					       bool v6)
{
	__u32 differ = CUT(__u16, ctx->user_port) ^ sk->dst_port; /* both in network order */

	if (v6)
		differ |= (ctx->user_ip6[0] ^ sk->dst_ip6[0]) |
			  (ctx->user_ip6[1] ^ sk->dst_ip6[1]) |
			  (ctx->user_ip6[2] ^ sk->dst_ip6[2]) | (ctx->user_ip6[3] ^ sk->dst_ip6[3]);
	else
		differ |= ctx->user_ip4 ^ sk->dst_ip4;
	return !differ;
}

static __always_inline int peer_seen(struct bpf_sock_addr *ctx, struct np_peer *peer, bool tx,
				     bool v6)
{
	__u32 prog = tx ? NP_PROG_UDP_SEND_PEER : NP_PROG_UDP_RECV_PEER;
	struct bpf_sock *sk = ctx->sk;

	prog_hit(prog);
	if (!sk)
		return 1;
	if (unlikely(sk->state == TCP_ESTABLISHED)) {
		/* the call's result knows that one by itself, and is counted without a thought */
		if (is_connected_there(ctx, sk, v6))
			return 1;
		(void)connected_speaks(SK_OF(sk));
	}
	peer->rport = bpf_ntohs(ctx->user_port);
	peer->family = addr_is_v4(peer->raddr) ? AF_INET : AF_INET6;
	peer_note(SK_OF(sk), peer, tx, prog);
	return 1;
}

/* sendto() and sendmsg() with an address. Context: process. Since 4.18. */
SEC("cgroup/sendmsg4")
int np_sendmsg4_cg(struct bpf_sock_addr *ctx)
{
	struct np_peer peer = {};

	addr_from_v4(peer.raddr, ctx->user_ip4);
	return peer_seen(ctx, &peer, true, false);
}

SEC("cgroup/sendmsg6")
int np_sendmsg6_cg(struct bpf_sock_addr *ctx)
{
	struct np_peer peer = {};

	addr_from_ctx6(peer.raddr, ctx);
	return peer_seen(ctx, &peer, true, true);
}

/* recvfrom() and recvmsg() that ask for the address. Context: process. Since 5.2. */
SEC("cgroup/recvmsg4")
int np_recvmsg4_cg(struct bpf_sock_addr *ctx)
{
	struct np_peer peer = {};

	addr_from_v4(peer.raddr, ctx->user_ip4);
	return peer_seen(ctx, &peer, false, false);
}

SEC("cgroup/recvmsg6")
int np_recvmsg6_cg(struct bpf_sock_addr *ctx)
{
	struct np_peer peer = {};

	addr_from_ctx6(peer.raddr, ctx);
	return peer_seen(ctx, &peer, false, true);
}
