// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Hooks on the life of TCP connections and on what the kernel does for them in softirq:
 * retransmits, resets, errors of datagram sockets. Bodies are in lib/life.h, lib/subflow.h and lib/error.h. Not here: calls of
 * processes (life, traffic).
 */
#define NP_SOCK_TYPED
#include "lib/calls.h"
#include "lib/error.h"
#include "lib/subflow.h"

/* Every change of state. Context: process or softirq. tp since 4.16; function since ever. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(np_state_tp, struct sock *sk, int oldstate, int newstate)
{
	return tcp_state(ctx, sk, oldstate, newstate, NP_PROG_STATE);
}

/*
 * The kernel leaves a program out that would interrupt itself: in the middle of connect(), say, the
 * softirq that brings a connection to a listener. Then the second program at the hook sees it.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(np_state2_tp, struct sock *sk, int oldstate, int newstate)
{
	return tcp_state(ctx, sk, oldstate, newstate, NP_PROG_STATE | NP_PROG_SECOND);
}

/* Lacks: LISTEN and the first state of accepted sockets, which are stored without this function. */
SEC("fentry/tcp_set_state")
int BPF_PROG(np_state_fe, struct sock *sk, int state)
{
	return tcp_state(ctx, sk, BPF_CORE_READ(sk, __sk_common.skc_state), state, NP_PROG_STATE);
}

SEC("fentry/tcp_set_state")
int BPF_PROG(np_state2_fe, struct sock *sk, int state)
{
	return tcp_state(ctx, sk, BPF_CORE_READ(sk, __sk_common.skc_state), state,
			 NP_PROG_STATE | NP_PROG_SECOND);
}

static __always_inline int main_stored(void *ctx, struct sock *sk, int state, __u32 prog)
{
	if (BPF_CORE_READ(sk, sk_protocol) != NP_KERNEL_MPTCP)
		return 0;
	return tcp_state(ctx, sk, BPF_CORE_READ(sk, __sk_common.skc_state), state, prog);
}

/* MPTCP's sockets, whose states are stored without tcp_set_state. Since 4.16. */
SEC("fentry/inet_sk_state_store")
int BPF_PROG(np_state_m_fe, struct sock *sk, int state)
{
	return main_stored(ctx, sk, state, NP_PROG_STATE);
}

SEC("fentry/inet_sk_state_store")
int BPF_PROG(np_state2_m_fe, struct sock *sk, int state)
{
	return main_stored(ctx, sk, state, NP_PROG_STATE | NP_PROG_SECOND);
}

/* The first subflow of an accepted one, which is made a moment later. Since 4.16. */
SEC("fentry/inet_sk_set_state")
int BPF_PROG(np_state_n_fe, struct sock *sk, int state)
{
	__u64 addr = (__u64)sk_raw(sk);
	__u32 zero = 0;

	if (state == TCP_SYN_RECV && sock_is_subflow(sk))
		(void)bpf_map_update_elem(&np_newest, &zero, &addr, BPF_ANY);
	return 0;
}

SEC("kprobe/tcp_set_state")
int BPF_KPROBE(np_state_kp, struct sock *sk, int state)
{
	return tcp_state(ctx, sk, BPF_CORE_READ(sk, __sk_common.skc_state), state, NP_PROG_STATE);
}

/*
 * The second one: the tracepoint in that function. States that are stored without it are left to the hooks that the first one
 * leaves them to. Since 4.16.
 */
SEC("raw_tp/inet_sock_set_state")
int BPF_PROG(np_state2_kp, struct sock *sk, int oldstate, int newstate)
{
	if (newstate == TCP_LISTEN || newstate == TCP_SYN_RECV ||
	    BPF_CORE_READ(sk, sk_protocol) == NP_KERNEL_MPTCP)
		return 0;
	return tcp_state(ctx, sk, oldstate, newstate, NP_PROG_STATE | NP_PROG_SECOND);
}

/*
 * Listener meets child. Only where entries live in a hash: socket storage is cloned by the kernel.
 * Context: softirq. Function since 4.4.
 */
SEC("kprobe/inet_csk_complete_hashdance")
int BPF_KPROBE(np_clone_kp, struct sock *sk, struct sock *child)
{
	struct np_sock *from, *st;
	bool fresh = false;

	prog_hit(NP_PROG_CLONE);
	if (!child)
		return 0;
	sock_born(child);
	from = sock_find(sk);
	if (!from && sock_is_subflow(sk)) {
		sk = subflow_main(sk);
		from = sk ? sock_find(sk) : NULL;
	}
	st = sock_see(child, NP_PROG_CLONE, &fresh);
	if (!st)
		return 0;
	if (from) {
		st->last = from->last;
		st->flags |= from->flags & NP_F_IGNORE;
	}
	conn_child(st, child, from != NULL);
	return 0;
}

/* The last moment of every TCP socket, after close() and TCP_CLOSE. Context: any. tp since 4.16. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(np_destroy_tp, struct sock *sk)
{
	return tcp_gone(ctx, sk, NP_PROG_DESTROY);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(np_destroy2_tp, struct sock *sk)
{
	return tcp_gone(ctx, sk, NP_PROG_DESTROY | NP_PROG_SECOND);
}

SEC("fentry/tcp_v4_destroy_sock")
int BPF_PROG(np_destroy_fe, struct sock *sk)
{
	return tcp_gone(ctx, sk, NP_PROG_DESTROY);
}

SEC("fentry/tcp_v4_destroy_sock")
int BPF_PROG(np_destroy2_fe, struct sock *sk)
{
	return tcp_gone(ctx, sk, NP_PROG_DESTROY | NP_PROG_SECOND);
}

SEC("kprobe/tcp_v4_destroy_sock")
int BPF_KPROBE(np_destroy_kp, struct sock *sk)
{
	return tcp_gone(ctx, sk, NP_PROG_DESTROY);
}

SEC("raw_tp/tcp_destroy_sock")
int BPF_PROG(np_destroy2_kp, struct sock *sk)
{
	return tcp_gone(ctx, sk, NP_PROG_DESTROY | NP_PROG_SECOND);
}

/*
 * After the kernel counted the retransmit; before 6.17 (ad892e912b84) only where it could be sent, later also where it was
 * not even counted. tp since 4.16.
 */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(np_rtx_tp, struct sock *sk)
{
	return tcp_retransmit(sk, true);
}

SEC("fexit/tcp_retransmit_skb")
int BPF_PROG(np_rtx_fx, struct sock *sk)
{
	return tcp_retransmit(sk, true);
}

/*
 * At entry: what is counted is what went before; the rest is settled by the sweep or the end. A
 * return probe would have to carry the socket over, from softirq, on a machine that is losing packets.
 */
SEC("kprobe/tcp_retransmit_skb")
int BPF_KPROBE(np_rtx_kp, struct sock *sk)
{
	return tcp_retransmit(sk, false);
}

/* Loss probes call __tcp_retransmit_skb themselves and so pass by the two above. Since 3.10. */
SEC("fexit/tcp_send_loss_probe")
int BPF_PROG(np_tlp_fx, struct sock *sk)
{
	return tcp_loss_probe(sk, true);
}

SEC("kprobe/tcp_send_loss_probe")
int BPF_KPROBE(np_tlp_kp, struct sock *sk)
{
	return tcp_loss_probe(sk, false);
}

/* Congestion state, before it is written. Context: softirq mostly. Since 5.16. */
SEC("tp_btf/tcp_cong_state_set")
int BPF_PROG(np_ca_tp, struct sock *sk, __u8 state)
{
	return conn_ca_state(sk, state);
}

/* Listener repeats a SYN-ACK; sk is the listener. Context: softirq (timer). tp since 4.16. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(np_synack_tp, struct sock *sk, struct request_sock *req)
{
	return tcp_synack(sk, req);
}

SEC("fexit/tcp_rtx_synack")
int BPF_PROG(np_synack_fx, struct sock *sk, struct request_sock *req, int ret)
{
	return ret ? 0 : tcp_synack(sk, req);
}

SEC("kprobe/tcp_rtx_synack")
int BPF_KPROBE(np_synack_kp, struct sock *sk, struct request_sock *req)
{
	call_enter(NP_PROG_SYNACK, sk, NULL, (__u64)req);
	return 0;
}

SEC("kretprobe/tcp_rtx_synack")
int BPF_KRETPROBE(np_synack_kr, int ret)
{
	struct np_call_args args;

	if (!call_leave(NP_PROG_SYNACK, &args) || ret)
		return 0;
	return tcp_synack((struct sock *)args.sk, (struct request_sock *)args.extra);
}

/*
 * RST out: in answer to a segment (sk may be NULL, and since 6.10 (19822a980e19) no full socket) or because the connection is
 * aborted. tp since 4.16.
 */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(np_rst_tx_tp, struct sock *sk)
{
	return tcp_rst(ctx, sk, NP_PROG_RESET_TX, NP_EV_RESET_TX);
}

SEC("fentry/tcp_send_active_reset")
int BPF_PROG(np_rst_tx_fe, struct sock *sk)
{
	return tcp_rst(ctx, sk, NP_PROG_RESET_TX, NP_EV_RESET_TX);
}

SEC("kprobe/tcp_send_active_reset")
int BPF_KPROBE(np_rst_tx_kp, struct sock *sk)
{
	return tcp_rst(ctx, sk, NP_PROG_RESET_TX, NP_EV_RESET_TX);
}

/* RST in. Context: softirq. tp since 4.16. */
SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(np_rst_rx_tp, struct sock *sk)
{
	return tcp_rst(ctx, sk, NP_PROG_RESET_RX, NP_EV_RESET_RX);
}

SEC("fentry/tcp_reset")
int BPF_PROG(np_rst_rx_fe, struct sock *sk)
{
	return tcp_rst(ctx, sk, NP_PROG_RESET_RX, NP_EV_RESET_RX);
}

SEC("kprobe/tcp_reset")
int BPF_KPROBE(np_rst_rx_kp, struct sock *sk)
{
	return tcp_rst(ctx, sk, NP_PROG_RESET_RX, NP_EV_RESET_RX);
}

/* An ICMP error for a datagram socket: its process will see it. Context: softirq, or the sender. Since 5.14. */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(np_error_tp, struct sock *sk)
{
	return dgram_error(ctx, sk);
}

SEC("fentry/sk_error_report")
int BPF_PROG(np_error_fe, struct sock *sk)
{
	return dgram_error(ctx, sk);
}

SEC("kprobe/sk_error_report")
int BPF_KPROBE(np_error_kp, struct sock *sk)
{
	return dgram_error(ctx, sk);
}
