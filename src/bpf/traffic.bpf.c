// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Hooks that see send and receive calls with their return values. Three families, one body
 * (lib/traffic.h). Not here: where datagrams go when only the address hooks know (addr.bpf.c).
 */
#include "lib/calls.h"
#include "lib/named.h"
#include "lib/second.h"
#include "lib/traffic.h"

static __always_inline bool is_icmp_or_raw(struct sock *sk)
{
	__u16 protocol = BPF_CORE_READ(sk, sk_protocol), type = BPF_CORE_READ(sk, sk_type);

	return type == SOCK_RAW || protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/*
 * The call needs thought. What that needs is made only now. args: where a tracepoint's arguments are; 0 where nothing is
 * to be read from there. again: by a second program.
 */
static __always_inline int sock_slow(struct sock *sk, struct np_sock *st, struct msghdr *msg,
				     long ret, __u64 key, bool tx, __u32 exec, __u64 args,
				     bool again)
{
	struct np_call call = {
		.key = key,
		.ret = ret,
		.exec = exec,
		.prog = tx ? NP_PROG_SEND : NP_PROG_RECV,
		.tx = tx,
		.again = CUT(__u8, unknown(again)),
	};
	struct np_peer peer = {};

	if (msg && ret >= 0 && BPF_CORE_READ(sk, sk_type) != SOCK_STREAM)
		peer_of_name(&peer, BPF_CORE_READ(msg, msg_name), BPF_CORE_READ(msg, msg_namelen));
	else if (args && ret >= 0)
		call.unnamed = CUT(__u8, peer_of_call(&peer, tx, args)); /* 0 or 1 */
	if (args && is_icmp_or_raw(sk))
		peer.rport = 0; /* they have none, whatever is written there */
	return traffic(sk, st, &call, &peer);
}

/* args: as above, where no message is seen */
static __always_inline int sock_msg_at(struct sock *sk, struct msghdr *msg, long ret, int flags,
				       bool tx, __u32 exec, __u64 args, bool again)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct np_sock *st;
	bool named = false;

	/* What is peeked at or comes off the error queue was not received. */
	if (!tx && (flags & (MSG_PEEK | MSG_ERRQUEUE)))
		return 0;
	st = sock_find(sk);
	/* No hook sees addresses here: one that is connected no more, or may speak with another than it is connected to. */
	if (st && st->dgram && !(st->flags & NP_F_UNCONN)) {
		if (BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_ESTABLISHED)
			st->flags |= NP_F_UNCONN;
		named = tx && msg && BPF_CORE_READ(msg, msg_name);
	}
	if (!(args && st && st->dgram) && !named && likely(traffic_fast(st, key, exec, ret, tx)))
		return 0;
	return sock_slow(sk, st, msg, ret, key, tx, exec, args, again);
}

static __always_inline int sock_msg(struct sock *sk, struct msghdr *msg, long ret, int flags,
				    bool tx, __u32 exec)
{
	return sock_msg_at(sk, msg, ret, flags, tx, exec, 0, false);
}

/* A datagram socket that is not connected, or no more: the hook that saw the address of this call does not look for it. */
static __always_inline void dgram_settle(struct np_sock *st, struct sock *sk)
{
	if (sk->__sk_common.skc_state != TCP_ESTABLISHED && !(st->flags & NP_F_UNCONN))
		st->flags |= NP_F_UNCONN;
}

/*
 * Sockets of other families have no entry: they are told apart where one is missing. No tracepoint program
 * runs where entries live in the hash (fits_store), so nothing asks for that either.
 */
static __always_inline int sock_tp(void *ctx, struct sock *sk, int ret, int flags, bool tx)
{
	__u64 key = bpf_get_current_pid_tgid();
	__u32 exec = exec_now();
	struct np_sock *st;
	__u64 args = 0;
	__u16 family;
	bool again;

	again = mark_seen(key, tx ? NP_PROG_SEND : NP_PROG_RECV);
	if (!tx && (flags & (MSG_PEEK | MSG_ERRQUEUE))) {
		(void)peer_forget(key, false);
		return 0;
	}
	st = bpf_sk_storage_get(&np_socks, sk, NULL, 0);
	if (st && st->dgram)
		dgram_settle(st, sk);
	if (likely(traffic_fast(st, key, exec, ret, tx)))
		return 0;
	if (traffic_has_peers(st, key, exec) && traffic_peer(sk, st, key, ret, tx))
		return 0;
	family = sk->__sk_common.skc_family;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	if (is_icmp_or_raw(sk))
		(void)bpf_probe_read_kernel(&args, sizeof(args),
					    &ctx); /* its address as a number */
	return sock_slow(sk, st, NULL, ret, key, tx, exec, args, again);
}

/*
 * What else is to be done at the two hooks below, by tail call: a second program there would cost the kernel's
 * call of it, which is more than all it does, and turn the direct call of the first into one by pointer.
 * Written by user space (probe/waits.c), empty but with --latency.
 */
struct np_after_map {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
};
struct np_after_map np_after_send SEC(".maps");
struct np_after_map np_after_recv SEC(".maps");

/*
 * Family 1: sock_send_length and sock_recv_length fire for every socket call of every family with
 * its return value. Context: process. Since 6.3. Lacks: splice from a socket, TCP_ZEROCOPY_RECEIVE
 * (found by the kernel's own counters), addresses (addr.bpf.c).
 */
SEC("tp_btf/sock_send_length")
int BPF_PROG(np_send_tp, struct sock *sk, int ret, int flags)
{
	(void)sock_tp(ctx, sk, ret, flags, true);
	bpf_tail_call(ctx, &np_after_send, 0);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(np_recv_tp, struct sock *sk, int ret, int flags)
{
	(void)sock_tp(ctx, sk, ret, flags, false);
	bpf_tail_call(ctx, &np_after_recv, 0);
	return 0;
}

/* The programs above, for the second ones, see second.h. Written by user space. */
struct np_after_map np_first_send SEC(".maps");
struct np_after_map np_first_recv SEC(".maps");

/* Attached behind the first ones, which makes them run after those. Context: process. Since 7.0, where it takes them. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(np_send2_tp)
{
	if (mark_missing(NP_PROG_SEND))
		bpf_tail_call(ctx, &np_first_send, 0);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(np_recv2_tp)
{
	if (mark_missing(NP_PROG_RECV))
		bpf_tail_call(ctx, &np_first_recv, 0);
	return 0;
}

/*
 * A reader takes data out of a TCP socket: the only stable hook that sees splice() and
 * TCP_ZEROCOPY_RECEIVE, and so the first use of a connection whose process never calls recv(). It
 * settles whose the bytes are; how many the kernel's own counters tell. Context: process, or softirq
 * when the kernel itself reads (strparser): only a task that holds the socket's lock is its user.
 * Since 4.17.
 */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(np_read_tp, struct sock *sk)
{
	struct np_sock *st = sock_find(sk);
	__u64 key = bpf_get_current_pid_tgid();
	struct np_owner me;

	prog_hit(NP_PROG_SPLICE);
	if (!st || hot_is(st, key) || (st->flags & NP_F_IGNORE))
		return 0;
	if (st->last.tgid == key >> 32 && st->last.match == NP_MATCH_EXACT)
		return 0;
	if (!sk->sk_lock.owned || bpf_get_current_task_btf()->flags & PF_KTHREAD)
		return 0;
	sock_check_copy(st, sk);
	sock_use(st, sk, &me);
	return 0;
}

/*
 * Family 2: exit of the inet protocol operations, with arguments and return value. Context:
 * process. Since 5.5 where the kernel has trampolines. Lacks: TCP_ZEROCOPY_RECEIVE.
 */
static __always_inline int sock_fx(struct socket *sock, struct msghdr *msg, long ret, int flags,
				   bool tx)
{
	(void)mark_seen(bpf_get_current_pid_tgid(), tx ? NP_PROG_SEND : NP_PROG_RECV);
	return sock_msg(sock->sk, msg, ret, flags, tx, exec_now());
}

SEC("fexit/inet_sendmsg")
int BPF_PROG(np_send4_fx, struct socket *sock, struct msghdr *msg, size_t size, int ret)
{
	return sock_fx(sock, msg, ret, 0, true);
}

SEC("fexit/inet6_sendmsg")
int BPF_PROG(np_send6_fx, struct socket *sock, struct msghdr *msg, size_t size, int ret)
{
	return sock_fx(sock, msg, ret, 0, true);
}

/*
 * inet_sendpage() of what has no such call of its own (raw and ping sockets, MPTCP) goes by inet_sendmsg(), whose programs
 * count it (5.5 to 6.4).
 */
static __always_inline bool page_by_msg(struct sock *sk)
{
	__u16 protocol = BPF_CORE_READ(sk, sk_protocol), type = BPF_CORE_READ(sk, sk_type);

	return type == SOCK_RAW ||
	       (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_UDPLITE);
}

/* The tracepoint behind a call of sendpage is its caller's, which the kernel's own threads are not (6.3, 6.4). */
static __always_inline void page_seen(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (cfg_second && !(BPF_CORE_READ(task, flags) & PF_KTHREAD))
		(void)mark_seen(bpf_get_current_pid_tgid(), NP_PROG_SEND);
}

/* sendfile and splice to a socket before 6.5; later they come as sendmsg with MSG_SPLICE_PAGES. */
SEC("fexit/inet_sendpage")
int BPF_PROG(np_sendpage_fx, struct socket *sock, void *page, int offset, size_t size, int flags,
	     long ret)
{
	page_seen();
	return page_by_msg(sock->sk) ? 0 : sock_msg(sock->sk, NULL, ret, 0, true, exec_now());
}

SEC("fexit/inet_recvmsg")
int BPF_PROG(np_recv4_fx, struct socket *sock, struct msghdr *msg, size_t size, int flags, int ret)
{
	return sock_fx(sock, msg, ret, flags, false);
}

SEC("fexit/inet6_recvmsg")
int BPF_PROG(np_recv6_fx, struct socket *sock, struct msghdr *msg, size_t size, int flags, int ret)
{
	return sock_fx(sock, msg, ret, flags, false);
}

/* Calls of other protocols (SCTP, L2TP, SMC) need not come by the first programs' functions: none was left out of them. */
static __always_inline bool comes_by_inet(struct sock *sk)
{
	switch (BPF_CORE_READ(sk, sk_protocol)) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case NP_KERNEL_MPTCP:
		return true;
	}
	return BPF_CORE_READ(sk, sk_type) == SOCK_RAW;
}

/*
 * The second ones: tracepoints that fire in the same call when those functions have returned. What the cgroup hooks would
 * tell of the peer is read from the call's registers. Context: process. Since 6.3.
 */
static __always_inline int sock_fx_second(void *ctx, struct sock *sk, int ret, int flags, bool tx)
{
	__u8 prog = tx ? NP_PROG_SEND : NP_PROG_RECV;
	__u16 family = sk->__sk_common.skc_family;
	__u64 key = bpf_get_current_pid_tgid();
	struct np_sock *st;
	__u64 args = 0;

	if (!mark_take(prog, 0) || (family != AF_INET && family != AF_INET6))
		return 0;
	if (comes_by_inet(sk))
		second_saw(prog | NP_PROG_SECOND);
	if (!tx && (flags & (MSG_PEEK | MSG_ERRQUEUE)))
		return 0;
	st = bpf_sk_storage_get(&np_socks, sk, NULL, 0);
	/* a datagram's other end is its call's, whomever the socket is connected to */
	if (!(st && st->dgram) && traffic_fast(st, key, exec_now(), ret, tx))
		return 0;
	if (sk->sk_type != SOCK_STREAM)
		(void)bpf_probe_read_kernel(&args, sizeof(args),
					    &ctx); /* its address as a number */
	return sock_slow(sk, st, NULL, ret, key, tx, exec_now(), args, true);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(np_send2_fx, struct sock *sk, int ret, int flags)
{
	return sock_fx_second(ctx, sk, ret, flags, true);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(np_recv2_fx, struct sock *sk, int ret, int flags)
{
	return sock_fx_second(ctx, sk, ret, flags, false);
}

/* Sockets of other families come here as well, and those above to none of the two. */
static __always_inline int common_msg(struct socket *sock, struct msghdr *msg, long ret, int flags)
{
	struct sock *sk = sock->sk;
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	return family == AF_INET || family == AF_INET6 ? sock_fx(sock, msg, ret, flags, false) : 0;
}

/* Raw and ping sockets of IPv6 (inet6_sockraw_ops, 5.10 to 6.18). */
SEC("fexit/sock_common_recvmsg")
int BPF_PROG(np_recvraw_fx, struct socket *sock, struct msghdr *msg, size_t size, int flags,
	     int ret)
{
	return common_msg(sock, msg, ret, flags);
}

/* Splice from a TCP socket. */
SEC("fexit/tcp_splice_read")
int BPF_PROG(np_splice_fx, struct socket *sock, void *ppos, void *pipe, size_t len,
	     unsigned int flags, long ret)
{
	prog_hit(NP_PROG_SPLICE);
	return sock_msg(sock->sk, NULL, ret, 0, false, exec_now());
}

/*
 * Family 3: kprobe at entry, kretprobe at exit of the same functions. Context: process. Needs
 * CONFIG_KPROBES. Lacks: a return probe has few slots for calls that block at the same time, and no probe is run that
 * interrupts a bpf(2) call on a map; what is missed the second programs see, before 6.3 of TCP the kernel's own counters.
 */
static __always_inline int enter(struct socket *sock, struct msghdr *msg, int flags, __u32 kind)
{
	struct sock *sk = BPF_CORE_READ(sock, sk);
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (family != AF_INET && family != AF_INET6) { /* of sock_common_recvmsg */
		struct np_call_args missed;

		/* of a call whose return was missed: the return of this one is not that one's */
		(void)call_leave(kind, &missed);
		return 0;
	}
	call_enter(kind, sk, msg, flags);
	return 0;
}

static __always_inline int leave(long ret, __u32 kind, bool tx)
{
	struct np_call_args args;

	if (!call_leave(kind, &args))
		return 0;
	if (kind != NP_PROG_SPLICE)
		(void)mark_seen(bpf_get_current_pid_tgid(), CUT(__u8, kind)); /* NP_PROG_* */
	return sock_msg((struct sock *)args.sk, (struct msghdr *)args.msg, ret, (int)args.extra, tx,
			exec_now());
}

SEC("kprobe/inet_sendmsg")
int BPF_KPROBE(np_send4_kp, struct socket *sock, struct msghdr *msg)
{
	return enter(sock, msg, 0, NP_PROG_SEND);
}

SEC("kprobe/inet6_sendmsg")
int BPF_KPROBE(np_send6_kp, struct socket *sock, struct msghdr *msg)
{
	return enter(sock, msg, 0, NP_PROG_SEND);
}

/* Of a call that goes by inet_sendmsg() the entry has a place of its own: the two are in each other. */
#define PAGE_BY_MSG (NP_PROG_SEND | NP_PROG_SECOND)

SEC("kprobe/inet_sendpage")
int BPF_KPROBE(np_sendpage_kp, struct socket *sock)
{
	return enter(sock, NULL, 0,
		     page_by_msg(BPF_CORE_READ(sock, sk)) ? PAGE_BY_MSG : NP_PROG_SEND);
}

SEC("kretprobe/inet_sendmsg")
int BPF_KRETPROBE(np_send4_kr, int ret)
{
	return leave(ret, NP_PROG_SEND, true);
}

SEC("kretprobe/inet6_sendmsg")
int BPF_KRETPROBE(np_send6_kr, int ret)
{
	return leave(ret, NP_PROG_SEND, true);
}

SEC("kretprobe/inet_sendpage")
int BPF_KRETPROBE(np_sendpage_kr, long ret)
{
	struct np_call_args args;

	if (call_leave(PAGE_BY_MSG, &args)) {
		page_seen();
		return 0;
	}
	if (!call_leave(NP_PROG_SEND, &args))
		return 0;
	page_seen();
	return sock_msg((struct sock *)args.sk, NULL, ret, 0, true, exec_now());
}

SEC("kprobe/inet_recvmsg")
int BPF_KPROBE(np_recv4_kp, struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	return enter(sock, msg, flags, NP_PROG_RECV);
}

SEC("kprobe/inet6_recvmsg")
int BPF_KPROBE(np_recv6_kp, struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	return enter(sock, msg, flags, NP_PROG_RECV);
}

SEC("kretprobe/inet_recvmsg")
int BPF_KRETPROBE(np_recv4_kr, int ret)
{
	return leave(ret, NP_PROG_RECV, false);
}

SEC("kretprobe/inet6_recvmsg")
int BPF_KRETPROBE(np_recv6_kr, int ret)
{
	return leave(ret, NP_PROG_RECV, false);
}

/* See np_recvraw_fx. */
SEC("kprobe/sock_common_recvmsg")
int BPF_KPROBE(np_recvraw_kp, struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	return enter(sock, msg, flags, NP_PROG_RECV);
}

SEC("kretprobe/sock_common_recvmsg")
int BPF_KRETPROBE(np_recvraw_kr, int ret)
{
	return leave(ret, NP_PROG_RECV, false);
}

/*
 * The second ones, as those of fexit; by their names, since a kernel without BTF has them as well. Where the entry of the
 * call was seen its message tells the peer. Context: process. Since 6.3.
 */
static __always_inline int sock_kp_second(void *ctx, struct sock *sk, int ret, int flags, bool tx)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u8 prog = tx ? NP_PROG_SEND : NP_PROG_RECV;
	struct np_call_args call = {};
	__u64 args = 0;

	if (!mark_take(prog, 0) || (family != AF_INET && family != AF_INET6))
		return 0;
	if (comes_by_inet(sk))
		second_saw(prog | NP_PROG_SECOND);
	if (!call_leave(prog, &call) || call.sk != (__u64)sk || !call.msg) {
		call.msg = 0;
		if (BPF_CORE_READ(sk, sk_type) != SOCK_STREAM)
			(void)bpf_probe_read_kernel(&args, sizeof(args), &ctx);
	}
	return sock_msg_at(sk, (struct msghdr *)call.msg, ret, flags, tx, exec_now(), args, true);
}

SEC("raw_tp/sock_send_length")
int BPF_PROG(np_send2_kp, struct sock *sk, int ret, int flags)
{
	return sock_kp_second(ctx, sk, ret, flags, true);
}

SEC("raw_tp/sock_recv_length")
int BPF_PROG(np_recv2_kp, struct sock *sk, int ret, int flags)
{
	return sock_kp_second(ctx, sk, ret, flags, false);
}

SEC("kprobe/tcp_splice_read")
int BPF_KPROBE(np_splice_kp, struct socket *sock)
{
	return enter(sock, NULL, 0, NP_PROG_SPLICE);
}

SEC("kretprobe/tcp_splice_read")
int BPF_KRETPROBE(np_splice_kr, long ret)
{
	prog_hit(NP_PROG_SPLICE);
	return leave(ret, NP_PROG_SPLICE, false);
}
