// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Hooks on what processes do to sockets besides moving bytes: create, bind, connect, accept, close.
 * They settle who owns a socket before its first use, and see datagram sockets end. Cgroup programs
 * (attached at the root of the v2 tree) come first, functions after.
 */
#include "lib/calls.h"
#include "lib/life.h"

/* Cgroup programs get a checked view of the socket; its address is the kernel's own. */
#define SK_OF(ctx) ((struct sock *)(ctx))

/* socket(). Context: process. Since 4.10. */
SEC("cgroup/sock_create")
int np_create_cg(struct bpf_sock *ctx)
{
	if (ctx->family == AF_INET || ctx->family == AF_INET6)
		(void)sock_claim(SK_OF(ctx), NP_PROG_CREATE, false);
	return 1;
}

SEC("fentry/tcp_init_sock")
int BPF_PROG(np_create_t_fe, struct sock *sk)
{
	return sock_claim(sk, NP_PROG_CREATE, false);
}

SEC("fentry/udp_init_sock")
int BPF_PROG(np_create_u_fe, struct sock *sk)
{
	return sock_claim(sk, NP_PROG_CREATE, false);
}

SEC("kprobe/tcp_init_sock")
int BPF_KPROBE(np_create_t_kp, struct sock *sk)
{
	sock_born(sk);
	return sock_claim(sk, NP_PROG_CREATE, false);
}

SEC("kprobe/udp_init_sock")
int BPF_KPROBE(np_create_u_kp, struct sock *sk)
{
	sock_born(sk);
	return sock_claim(sk, NP_PROG_CREATE, false);
}

/* bind(), when it succeeded. Context: process. Since 4.17. */
SEC("cgroup/post_bind4")
int np_bind4_cg(struct bpf_sock *ctx)
{
	(void)sock_claim(SK_OF(ctx), NP_PROG_BIND, true);
	return 1;
}

SEC("cgroup/post_bind6")
int np_bind6_cg(struct bpf_sock *ctx)
{
	(void)sock_claim(SK_OF(ctx), NP_PROG_BIND, true);
	return 1;
}

SEC("fexit/inet_bind")
int BPF_PROG(np_bind4_fx, struct socket *sock)
{
	return sock_claim(sock->sk, NP_PROG_BIND, true);
}

SEC("fexit/inet6_bind")
int BPF_PROG(np_bind6_fx, struct socket *sock)
{
	return sock_claim(sock->sk, NP_PROG_BIND, true);
}

SEC("kprobe/inet_bind")
int BPF_KPROBE(np_bind4_kp, struct socket *sock)
{
	return sock_claim(BPF_CORE_READ(sock, sk), NP_PROG_BIND, true);
}

SEC("kprobe/inet6_bind")
int BPF_KPROBE(np_bind6_kp, struct socket *sock)
{
	return sock_claim(BPF_CORE_READ(sock, sk), NP_PROG_BIND, true);
}

/* Whose connection it is: of a subflow that of MPTCP. For programs of the function families, process context. */
static __always_inline struct sock *user_sock(struct sock *sk)
{
	struct sock *main = sock_is_subflow(sk) ? subflow_main(sk) : NULL;

	return main ? main : sk;
}

/* connect() of TCP: before the route is looked for. The cgroup hooks are in addr.bpf.c. */
static __always_inline int connect_named(struct sock *tcp, void *uaddr, int len)
{
	struct sock *sk = user_sock(tcp);
	struct np_peer peer = {};

	connect_begins(sk);
	peer_of_name(&peer, uaddr, len); /* not yet looked at by the kernel */
	connect_goes_to(sk, &peer);
	return 0;
}

SEC("fentry/tcp_v4_connect")
int BPF_PROG(np_conn_t4_fe, struct sock *sk, void *uaddr, int len)
{
	return connect_named(sk, uaddr, len);
}

SEC("fentry/tcp_v6_connect")
int BPF_PROG(np_conn_t6_fe, struct sock *sk, void *uaddr, int len)
{
	return connect_named(sk, uaddr, len);
}

/* connect() of TCP returned: without a route or a port it never sends a SYN. */
SEC("fexit/tcp_v4_connect")
int BPF_PROG(np_connend_t4_fx, struct sock *sk, void *uaddr, int len, int ret)
{
	return connect_failed(ctx, user_sock(sk), ret);
}

SEC("fexit/tcp_v6_connect")
int BPF_PROG(np_connend_t6_fx, struct sock *sk, void *uaddr, int len, int ret)
{
	return connect_failed(ctx, user_sock(sk), ret);
}

/* udp_connect() and udpv6_connect() since 6.13: the two above are of ping and raw sockets then */
SEC("fexit/udp_connect")
int BPF_PROG(np_conn_v4_fx, struct sock *sk)
{
	return sock_claim(sk, NP_PROG_CONNECT, true);
}

SEC("fexit/udpv6_connect")
int BPF_PROG(np_conn_v6_fx, struct sock *sk)
{
	return sock_claim(sk, NP_PROG_CONNECT, true);
}

SEC("kprobe/tcp_v4_connect")
int BPF_KPROBE(np_connend_t4_kp, struct sock *sk)
{
	call_enter(NP_PROG_CONNECT_END, user_sock(sk), NULL, 0);
	return 0;
}

/* Calls tcp_v4_connect for v4-mapped addresses: what that leaves is gone when this one returns. */
SEC("kprobe/tcp_v6_connect")
int BPF_KPROBE(np_connend_t6_kp, struct sock *sk)
{
	call_enter(NP_PROG_CONNECT_END, user_sock(sk), NULL, 0);
	return 0;
}

static __always_inline int connect_ended(void *ctx, int ret)
{
	struct np_call_args args;

	return call_leave(NP_PROG_CONNECT_END, &args)
		       ? connect_failed(ctx, (struct sock *)args.sk, ret)
		       : 0;
}

SEC("kretprobe/tcp_v4_connect")
int BPF_KRETPROBE(np_connend_t4_kr, int ret)
{
	return connect_ended(ctx, ret);
}

SEC("kretprobe/tcp_v6_connect")
int BPF_KRETPROBE(np_connend_t6_kr, int ret)
{
	return connect_ended(ctx, ret);
}

SEC("fexit/ip4_datagram_connect")
int BPF_PROG(np_conn_u4_fx, struct sock *sk)
{
	return sock_claim(sk, NP_PROG_CONNECT, true);
}

SEC("fexit/ip6_datagram_connect")
int BPF_PROG(np_conn_u6_fx, struct sock *sk)
{
	return sock_claim(sk, NP_PROG_CONNECT, true);
}

SEC("kprobe/tcp_v4_connect")
int BPF_KPROBE(np_conn_t4_kp, struct sock *sk, void *uaddr, int len)
{
	return connect_named(sk, uaddr, len);
}

SEC("kprobe/tcp_v6_connect")
int BPF_KPROBE(np_conn_t6_kp, struct sock *sk, void *uaddr, int len)
{
	return connect_named(sk, uaddr, len);
}

SEC("kprobe/ip4_datagram_connect")
int BPF_KPROBE(np_conn_u4_kp, struct sock *sk)
{
	return sock_claim(sk, NP_PROG_CONNECT, true);
}

SEC("kprobe/ip6_datagram_connect")
int BPF_KPROBE(np_conn_u6_kp, struct sock *sk)
{
	return sock_claim(sk, NP_PROG_CONNECT, true);
}

SEC("kprobe/udp_connect")
int BPF_KPROBE(np_conn_v4_kp, struct sock *sk)
{
	return sock_claim(sk, NP_PROG_CONNECT, true);
}

SEC("kprobe/udpv6_connect")
int BPF_KPROBE(np_conn_v6_kp, struct sock *sk)
{
	return sock_claim(sk, NP_PROG_CONNECT, true);
}

/*
 * accept() returned a socket. Context: process. No tracepoint or cgroup hook sees it: there the
 * connection stays its listener's until its first use, or until the seed iterator finds its holder.
 */
SEC("fexit/inet_csk_accept")
int BPF_PROG(np_accept_fx, struct sock *sk, void *arg, struct sock *child)
{
	return child ? sock_claim(user_sock(child), NP_PROG_ACCEPT, true) : 0;
}

/* Before 6.10 (92ef0fd55ac8) it had four arguments; the return value stands after them. */
SEC("fexit/inet_csk_accept")
int BPF_PROG(np_accept_o_fx, struct sock *sk, int flags, int *err, bool kern, struct sock *child)
{
	return child ? sock_claim(user_sock(child), NP_PROG_ACCEPT, true) : 0;
}

SEC("kretprobe/inet_csk_accept")
int BPF_KRETPROBE(np_accept_kr, struct sock *child)
{
	if (!child)
		return 0;
	return sock_claim(user_sock(child), NP_PROG_ACCEPT, true);
}

/* Last close of a socket. Context: process. Since 5.9. */
SEC("cgroup/sock_release")
int np_release_cg(struct bpf_sock *ctx)
{
	(void)sock_released(ctx, SK_OF(ctx), NP_PROG_RELEASE);
	return 1;
}

/*
 * Behind those at the function, a moment later in the same call; it is never left out. Beside kprobe programs the
 * socket is an address, as it is for them: functions that take either do not take this program's context there.
 */
SEC("cgroup/sock_release")
int np_release2_cg(struct bpf_sock *ctx)
{
	struct sock *sk = SK_OF(ctx);

	if (cfg_store_hash)
		(void)bpf_probe_read_kernel(&sk, sizeof(sk), &ctx);
	(void)sock_released(ctx, sk, NP_PROG_RELEASE | NP_PROG_SECOND);
	return 1;
}

SEC("fentry/inet_release")
int BPF_PROG(np_release_fe, struct socket *sock)
{
	struct sock *sk = sock->sk;

	return sk ? sock_released(ctx, sk, NP_PROG_RELEASE) : 0;
}

SEC("kprobe/inet_release")
int BPF_KPROBE(np_release_kp, struct socket *sock)
{
	struct sock *sk = BPF_CORE_READ(sock, sk);

	return sk ? sock_released(ctx, sk, NP_PROG_RELEASE) : 0;
}
