/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of hooks. To add a way to see something: a program in src/bpf and a row here. */
#include "probe/hooks.h"

#include <errno.h>
#include <string.h>

#define TP(...) .family = NETPROBE_HOOK_TRACEPOINT, .kind = KIND_TP_BTF, .progs = { __VA_ARGS__ }
#define CG(...) .family = NETPROBE_HOOK_TRACEPOINT, .kind = KIND_CGROUP, .progs = { __VA_ARGS__ }
#define FE(...) .family = NETPROBE_HOOK_FENTRY, .kind = KIND_FENTRY, .progs = { __VA_ARGS__ }
#define KP(...) .family = NETPROBE_HOOK_KPROBE, .kind = KIND_KPROBE, .progs = { __VA_ARGS__ }
#define NOPROG(fam, why) .family = (fam), .kind = KIND_NONE, .lacks = (why)

#define KRET_LACKS \
	"before 6.3: calls that block at the same time beyond the return probes' slots; TCP's are found by the kernel's own counters"

#define ARRIVE_LACKS \
	"the interface of what comes until a reader that does not ask for the sender was seen: null; from then on it is attached; of what several threads read of one socket: null"

const struct hook hook_table[NP_PROG_MAX] = {
	[NP_PROG_SEND] = {
		.name = "send", .what = "bytes that processes send", .required = true, .proven = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_send_tp"), .second = "np_send2_tp", .since = "6.3" },
			{ FE("np_send4_fx", "np_send6_fx"), .optional = { "np_sendpage_fx" },
			  .second = "np_send2_fx", .since = "5.5" },
			{ KP("np_send4_kp", "np_send4_kr", "np_send6_kp", "np_send6_kr"),
			  .optional = { "np_sendpage_kp", "np_sendpage_kr" }, .second = "np_send2_kp", .since = "4.1",
			  .lacks = KRET_LACKS },
		},
	},
	[NP_PROG_RECV] = {
		.name = "recv", .what = "bytes that processes receive", .required = true, .proven = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_recv_tp"), .second = "np_recv2_tp", .since = "6.3" },
			{ FE("np_recv4_fx", "np_recv6_fx"), .optional = { "np_recvraw_fx" },
			  .second = "np_recv2_fx", .since = "5.5" },
			{ KP("np_recv4_kp", "np_recv4_kr", "np_recv6_kp", "np_recv6_kr"),
			  .optional = { "np_recvraw_kp", "np_recvraw_kr" }, .second = "np_recv2_kp", .since = "4.1",
			  .lacks = KRET_LACKS },
		},
	},
	[NP_PROG_SPLICE] = {
		.name = "splice", .what = "bytes spliced out of TCP sockets", .follows = NP_PROG_RECV,
		.n_alts = 3, .alts = {
			{ TP("np_read_tp"), .since = "4.17", .on_demand = true,
			  .lacks = "how many bytes: those come with the next sweep, from the kernel's own counters; who, until a sweep has found bytes that no call took: from then on it is attached" },
			{ FE("np_splice_fx"), .since = "5.5" },
			{ KP("np_splice_kp", "np_splice_kr"), .since = "4.1" },
		},
	},
	[NP_PROG_UDP_SEND_PEER] = {
		.name = "send peer", .what = "where unconnected datagrams go", .proven = true, .follows = NP_PROG_SEND,
		.n_alts = 3, .alts = {
			{ CG("np_sendmsg4_cg", "np_sendmsg6_cg"), .since = "4.18" },
			{ NOPROG(NETPROBE_HOOK_FENTRY, NULL) },
			{ NOPROG(NETPROBE_HOOK_KPROBE, NULL) },
		},
	},
	[NP_PROG_UDP_RECV_PEER] = {
		.name = "recv peer", .what = "where unconnected datagrams come from", .proven = true,
		.follows = NP_PROG_RECV,
		.n_alts = 3, .alts = {
			{ CG("np_recvmsg4_cg", "np_recvmsg6_cg"), .since = "5.2",
			  .lacks = "the peer of a receive call that does not ask for it" },
			{ NOPROG(NETPROBE_HOOK_FENTRY, "the peer of a receive call that does not ask for it") },
			{ NOPROG(NETPROBE_HOOK_KPROBE, "the peer of a receive call that does not ask for it") },
		},
	},
	[NP_PROG_STATE] = {
		.name = "state", .what = "TCP connections opening, failing, closing", .required = true, .proven = true,
		.follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_state_tp", "np_state2_tp"), .since = "4.16" },
			{ FE("np_state_fe", "np_state2_fe"), .since = "5.5",
			  .optional = { "np_state_m_fe", "np_state2_m_fe", "np_state_n_fe" } },
			{ KP("np_state_kp"), .second = "np_state2_kp", .since = "4.1" },
		},
	},
	[NP_PROG_CLONE] = {
		.name = "clone", .what = "the listener's owner handed to accepted connections", .follows = NP_PROG_SEND,
		.n_alts = 3, .alts = {
			{ NOPROG(NETPROBE_HOOK_TRACEPOINT, NULL) },
			{ NOPROG(NETPROBE_HOOK_FENTRY, NULL) },
			{ KP("np_clone_kp"), .since = "4.4" },
		},
	},
	[NP_PROG_DESTROY] = {
		.name = "destroy", .what = "the last counts of TCP sockets", .required = true, .proven = true,
		.follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_destroy_tp", "np_destroy2_tp"), .since = "4.16" },
			{ FE("np_destroy_fe", "np_destroy2_fe"), .since = "5.5" },
			{ KP("np_destroy_kp"), .second = "np_destroy2_kp", .since = "4.1" },
		},
	},
	[NP_PROG_RELEASE] = {
		.name = "release", .what = "the last counts of other sockets", .required = true, .proven = true,
		.follows = -1,
		.n_alts = 4, .alts = {
			{ CG("np_release_cg"), .since = "5.9" },
			{ FE("np_release_fe"), .second = "np_release2_cg", .since = "5.5" },
			{ KP("np_release_kp"), .second = "np_release2_cg", .since = "4.1" },
			{ NOPROG(NETPROBE_HOOK_TRACEPOINT,
				 "when other sockets than TCP's end: a look at all of them finds it, seconds later"),
			  .last_resort = true },
		},
	},
	[NP_PROG_CREATE] = {
		.name = "create", .what = "who made a socket", .proven = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ CG("np_create_cg"), .since = "4.10" },
			{ FE("np_create_t_fe", "np_create_u_fe"), .since = "5.5" },
			{ KP("np_create_t_kp", "np_create_u_kp"), .since = "4.1" },
		},
	},
	[NP_PROG_BIND] = {
		.name = "bind", .what = "who bound a socket", .proven = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ CG("np_bind4_cg", "np_bind6_cg"), .since = "4.17" },
			{ FE("np_bind4_fx", "np_bind6_fx"), .since = "5.5" },
			{ KP("np_bind4_kp", "np_bind6_kp"), .since = "4.1" },
		},
	},
	[NP_PROG_CONNECT] = {
		.name = "connect", .what = "who connected a socket", .proven = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ CG("np_connect4_cg", "np_connect6_cg"), .since = "4.17" },
			{ FE("np_conn_t4_fe", "np_conn_t6_fe", "np_conn_u4_fx", "np_conn_u6_fx"),
			  .optional = { "np_conn_v4_fx", "np_conn_v6_fx" }, .since = "5.5" },
			{ KP("np_conn_t4_kp", "np_conn_t6_kp", "np_conn_u4_kp", "np_conn_u6_kp"),
			  .optional = { "np_conn_v4_kp", "np_conn_v6_kp" }, .since = "4.1" },
		},
	},
	[NP_PROG_CONNECT_END] = {
		.name = "connect end", .what = "why a connect() failed that sent no SYN", .follows = -1,
		.n_alts = 3, .alts = {
			{ FE("np_connend_t4_fx", "np_connend_t6_fx"), .since = "5.5" },
			{ KP("np_connend_t4_kp", "np_connend_t4_kr", "np_connend_t6_kp", "np_connend_t6_kr"),
			  .since = "4.1" },
			{ NOPROG(NETPROBE_HOOK_TRACEPOINT,
				 "the errno of a connect() that found no route or no port: null, told when the socket is closed") },
		},
	},
	[NP_PROG_ACCEPT] = {
		.name = "accept", .what = "who accepted a connection", .follows = -1,
		.n_alts = 5, .alts = {
			{ FE("np_accept_fx"), .nargs = 2, .since = "6.10" },
			{ FE("np_accept_o_fx"), .nargs = 4, .since = "5.5", .until = "6.9" },
			{ KP("np_accept_kr"), .since = "4.1" },
			{ CG("np_accept4_cg", "np_accept6_cg"), .since = "5.8",
			  .lacks = "accept() without an address: its connection is the listener's (owner_match listener) until its first use, or until the seed iterator finds its holder" },
			{ NOPROG(NETPROBE_HOOK_TRACEPOINT,
				 "until its first use an accepted connection is its listener's (owner_match listener); the seed iterator finds its holder") },
		},
	},
	[NP_PROG_RETRANSMIT] = {
		.name = "retransmit", .what = "TCP retransmits", .required = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_rtx_tp"), .since = "4.16" },
			{ FE("np_rtx_fx"), .since = "5.5" },
			{ KP("np_rtx_kp"), .since = "4.1",
			  .lacks = "the newest retransmit until the next one or the next sweep" },
		},
	},
	[NP_PROG_SYNACK] = {
		.name = "synack", .what = "SYN-ACK retransmits of listeners", .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_synack_tp"), .since = "4.16" },
			{ FE("np_synack_fx"), .since = "5.5" },
			{ KP("np_synack_kp", "np_synack_kr"), .since = "4.1" },
		},
	},
	[NP_PROG_RESET_TX] = {
		.name = "reset sent", .what = "RST segments sent", .proven = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_rst_tx_tp"), .since = "4.16" },
			{ FE("np_rst_tx_fe"), .since = "5.5", .lacks = "RSTs in answer to a segment" },
			{ KP("np_rst_tx_kp"), .since = "4.1", .lacks = "RSTs in answer to a segment" },
		},
	},
	[NP_PROG_RESET_RX] = {
		.name = "reset received", .what = "RST segments received", .proven = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_rst_rx_tp"), .since = "4.16" },
			{ FE("np_rst_rx_fe"), .since = "5.5" },
			{ KP("np_rst_rx_kp"), .since = "4.1" },
		},
	},
	[NP_PROG_ERROR] = {
		.name = "error", .what = "what the network answers to datagrams: refused, unreachable", .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_error_tp"), .since = "5.14" },
			{ FE("np_error_fe"), .since = "5.14" },
			{ KP("np_error_kp"), .since = "5.14" },
		},
	},
	[NP_PROG_ARRIVE] = {
		.name = "arrive", .what = "the interface that unconnected datagrams come in by", .follows = NP_PROG_RECV,
		.n_alts = 4, .alts = {
			{ TP("np_arrive_tp"), .since = "6.3", .on_demand = true, .lacks = ARRIVE_LACKS },
			{ FE("np_arrive_fe"), .since = "5.5", .on_demand = true, .lacks = ARRIVE_LACKS },
			{ KP("np_arrive_kp"), .since = "4.1", .on_demand = true, .lacks = ARRIVE_LACKS },
			{ NOPROG(NETPROBE_HOOK_AUTO, NULL) },
		},
	},
	[NP_PROG_EXEC] = {
		.name = "exec", .what = "programs that processes run", .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_exec_tp"), .since = "5.5" },
			{ FE("np_exec_fe"), .since = "5.8" },
			{ KP("np_exec_kp"), .since = "4.1" },
		},
	},
	[NP_PROG_FORK] = {
		.name = "fork", .what = "processes made", .proven = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_fork_tp"), .since = "5.5" },
			{ FE("np_fork_fe"), .since = "5.5" },
			{ KP("np_fork_kp"), .since = "4.1" },
		},
	},
	[NP_PROG_EXIT] = {
		.name = "exit", .what = "processes gone", .proven = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_exit_tp"), .since = "5.5" },
			{ FE("np_exit_fe"), .since = "5.5" },
			{ KP("np_exit_kp"), .since = "4.1" },
		},
	},
	[NP_PROG_RENAME] = {
		.name = "rename", .what = "names that processes give themselves", .proven = true, .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_rename_tp"), .since = "5.5" },
			{ FE("np_rename_fx"), .since = "5.5" },
			{ KP("np_rename_kr"), .since = "4.1",
			  .lacks = "a name written to another process's comm file, for an interval" },
		},
	},
	[NP_PROG_MOVE] = {
		.name = "cgroup move", .what = "processes moved into another cgroup", .follows = -1,
		.n_alts = 3, .alts = {
			{ TP("np_move_tp"), .since = "5.5" },
			{ FE("np_move_fx"), .since = "5.5" },
			{ KP("np_move_kr"), .since = "4.1" },
		},
	},
	[NP_PROG_BORN] = {
		.name = "cgroup made", .what = "cgroups from their first moment, with the containers they are of", .follows = -1,
		.n_alts = 3, .alts = {
			{ .family = NETPROBE_HOOK_AUTO, .kind = KIND_TP_BTF, .progs = { "np_born_tp" }, .since = "5.5" },
			{ .family = NETPROBE_HOOK_AUTO, .kind = KIND_RAW_TP, .progs = { "np_born_rt" }, .since = "5.1" },
			{ NOPROG(NETPROBE_HOOK_AUTO,
				 "paths and containers of cgroups that are gone before they are looked for in the tree: null") },
		},
	},
	[NP_PROG_CRED] = {
		.name = "user id", .what = "processes that become another user", .follows = -1,
		.n_alts = 3, .alts = {
			{ FE("np_cred_fx"), .since = "5.5" },
			{ KP("np_cred_kr"), .since = "4.1" },
			{ NOPROG(NETPROBE_HOOK_TRACEPOINT, "another user id, for an interval") },
		},
	},
	[NP_PROG_CA_STATE] = {
		.name = "congestion state", .what = "time in loss recovery, retransmits that were not needed",
		.follows = -1,
		.n_alts = 1, .alts = {
			{ .family = NETPROBE_HOOK_AUTO, .kind = KIND_TP_BTF, .progs = { "np_ca_tp" }, .since = "5.16" },
		},
	},
	[NP_PROG_TLP] = {
		.name = "loss probe", .what = "tail loss probes", .follows = NP_PROG_RETRANSMIT,
		.n_alts = 3, .alts = {
			{ NOPROG(NETPROBE_HOOK_TRACEPOINT, NULL) },
			{ FE("np_tlp_fx"), .since = "5.5" },
			{ KP("np_tlp_kp"), .since = "4.1" },
		},
	},
	[NP_PROG_STALL] = {
		.name = "stall", .what = "sends and receives that do not go on", .follows = NP_PROG_SEND,
		.n_alts = 4, .alts = {
			{ .family = NETPROBE_HOOK_TRACEPOINT, .kind = KIND_ITER, .progs = { "np_stall_sk" }, .since = "5.11" },
			{ .family = NETPROBE_HOOK_FENTRY, .kind = KIND_ITER, .progs = { "np_stall_sk" }, .since = "5.11" },
			{ .family = NETPROBE_HOOK_KPROBE, .kind = KIND_ITER, .progs = { "np_stall_hash" }, .since = "5.9" },
			{ .family = NETPROBE_HOOK_KPROBE, .kind = KIND_RUN, .progs = { "np_stall_run" }, .since = "5.13" },
		},
	},
	[NP_PROG_SEED] = {
		.name = "seed", .what = "owners of sockets older than the probe", .follows = -1,
		.n_alts = 1, .alts = {
			{ .family = NETPROBE_HOOK_AUTO, .kind = KIND_ITER, .progs = { "np_seed" }, .since = "5.11" },
		},
	},
	[NP_PROG_SWEEP] = {
		.name = "sweep", .what = "counts of open sockets", .required = true, .follows = NP_PROG_SEND,
		.n_alts = 4, .alts = {
			{ .family = NETPROBE_HOOK_TRACEPOINT, .kind = KIND_ITER, .progs = { "np_sweep_sk" }, .since = "5.11" },
			{ .family = NETPROBE_HOOK_FENTRY, .kind = KIND_ITER, .progs = { "np_sweep_sk" }, .since = "5.11" },
			{ .family = NETPROBE_HOOK_KPROBE, .kind = KIND_ITER, .progs = { "np_sweep_hash" }, .since = "5.9" },
			{ .family = NETPROBE_HOOK_KPROBE, .kind = KIND_RUN, .progs = { "np_sweep_run" }, .since = "5.13" },
		},
	},
};

static const char *const family_names[] = { "auto", "tracepoint", "fentry", "kprobe" };
static const char *const kind_names[] = { "tp_btf", "cgroup", "iter",	"fentry",
					  "kprobe", "run",    "raw_tp", "none" };

const char *family_label(uint8_t family)
{
	return family <= NETPROBE_HOOK_KPROBE ? family_names[family] : "?";
}

const char *kind_label(uint8_t kind)
{
	return kind <= KIND_NONE ? kind_names[kind] : "?";
}

int family_parse(const char *name)
{
	for (int i = 0; i <= NETPROBE_HOOK_KPROBE; i++)
		if (!strcmp(name, family_names[i]))
			return i;
	return -EINVAL;
}
