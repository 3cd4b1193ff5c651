/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's network types, only the fields netprobe reads. Offsets come from the running
 * kernel's BTF (CO-RE); widths here must equal the kernel's, which the core-check test compares.
 * UAPI types are included, never written again.
 */
#ifndef NETPROBE_BPF_KERNEL_NET_H
#define NETPROBE_BPF_KERNEL_NET_H

#include <stdbool.h>
#include <linux/in6.h>
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
	__u64 net_cookie; /* a plain number since 5.12 */
};

typedef struct {
	struct net *net;
} possible_net_t;

typedef struct {
	long long counter;
} atomic64_t;

struct net_device {
	char name[16];
	int ifindex;
	possible_net_t nd_net;
};

struct dst_entry {
	struct net_device *dev; /* since 6.18 in a union with dev_rcu, same place */
};

typedef struct {
	int counter;
} atomic_t;

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport; /* network order */
	__u16 skc_num;	  /* host order; 0 once TCP_CLOSE was reached */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
	refcount_t skc_refcnt;
};

struct rb_node;
struct socket;

struct rb_root {
	struct rb_node *rb_node;
};

typedef struct {
	int owned; /* 1: a task holds the socket's lock */
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	struct socket *sk_socket; /* NULL once the process closed it */
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
	int sk_err;
	atomic_t sk_drops;
	__u32 sk_ack_backlog,
		sk_max_ack_backlog; /* of a listener: to be accepted, at most so many */
	int sk_sndbuf;
	int sk_wmem_queued;
	__u16 sk_protocol; /* a whole u16 since 5.6 */
	__u16 sk_type;
	__u8 sk_shutdown;
	__u8 sk_userlocks : 4;
	struct dst_entry *sk_dst_cache;
	int sk_rcvlowat;	 /* SO_RCVLOWAT: readers are told of no less */
	struct socket_wq *sk_wq; /* who waits for the socket; NULL once the process closed it */
};

struct inet_sock {
	struct sock sk;
	__be32 inet_saddr;
	__be16 inet_sport; /* network order */
};

struct tcp_ulp_ops;

struct request_sock_queue {
	atomic_t qlen; /* connections half open */
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct request_sock_queue icsk_accept_queue;
	const struct tcp_ulp_ops *icsk_ulp_ops;
	void *icsk_ulp_data; /* of a subflow its struct mptcp_subflow_context */
	__u8 icsk_ca_state : 5;
	__u8 icsk_pending; /* which timer is set: 5 is the loss probe's (ICSK_TIME_LOSS_PROBE) */
};

struct minmax_sample {
	__u32 t;
	__u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_acked;
	__u64 bytes_retrans;
	__u32 segs_in;
	__u32 segs_out;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 write_seq;
	__u32 total_retrans;
	__u32 dsack_dups; /* segments its peer told to have had twice (D-SACK); since 5.4 */
	__u32 srtt_us;	  /* eight times the smoothed RTT */
	__u32 mdev_us;	  /* four times the deviation */
	__u32 rttvar_us;
	__u32 snd_cwnd;
	__u32 snd_ssthresh;
	__u32 snd_wnd;
	__u32 mss_cache;
	__u32 packets_out;
	__u32 sacked_out;
	__u32 lost_out;
	__u32 retrans_out;
	__u32 rate_delivered;
	__u32 rate_interval_us;
	__u8 chrono_type : 2; /* a whole byte in 7.3; read as a bit field, which fits both */
	__u8 is_cwnd_limited : 1;
	__u8 rate_app_limited : 1; /* of the sample in the two above; since 4.9 */
	__u8 nonagle : 4;   /* 1 TCP_NODELAY, 2 TCP_CORK (include/linux/tcp.h, 5.14 to 6.18) */
	__u32 chrono_start; /* jiffies at which chrono_type began, low half */
	__u32 snd_nxt;
	__u32 snd_una;
	struct rb_root out_of_order_queue;
	__u32 rcv_wnd;
	__u32 undo_marker; /* 0 once the kernel took its slow-down back */
	bool is_mptcp; /* carries (part of) an MPTCP connection; since 5.6, where that is built in */

	__u32 chrono_stat[3]; /* jiffies: busy, receive window limited, send buffer limited */
	struct minmax rtt_min;
};

/* sk_pacing_rate is an unsigned long: read apart, since its width is the machine's. */
struct sock___pacing {
	unsigned long sk_pacing_rate;
	unsigned long sk_max_pacing_rate; /* SO_MAX_PACING_RATE; all ones: none asked for */
};

struct request_sock {
	struct sock_common __req_common;
};

struct list_head {
	struct list_head *next;
};

struct wait_queue_entry {
	void *private; /* the task, where one sleeps in a call; else the waker's own */
	struct list_head entry;
};

typedef struct wait_queue_head {
	struct list_head head;
} wait_queue_head_t;

struct socket_wq {
	wait_queue_head_t wait;
};

struct socket {
	unsigned long flags; /* SOCK_NOSPACE among them */
	struct sock *sk;
};

struct mptcp_subflow_context {
	struct sock *conn; /* the connection it belongs to */
};

struct mptcp_pm_data {
	__u8 extra_subflows; /* beside the first; since 6.18 */
};

struct mptcp_pm_data___6_17 {
	__u8 subflows; /* the same before */
};

/* Begins as every connection's socket does, and is no tcp_sock. Since 5.6. */
struct mptcp_sock {
	struct mptcp_pm_data pm;
	struct list_head conn_list;
	struct sock *first;
};

struct mptcp_sock___6_17 {
	struct mptcp_pm_data___6_17 pm;
};

struct msghdr {
	/* kernel copy of the address; NULL when the caller did not ask or give one */
	void *msg_name;
	int msg_namelen;
	unsigned int msg_flags;
};

struct sk_buff {
	int skb_iif; /* interface it came in by */
	__u16 transport_header;
	__u16 network_header;
	unsigned char *head;
};

struct udp_sock {
	struct inet_sock inet;
};

#pragma clang attribute pop

#endif
