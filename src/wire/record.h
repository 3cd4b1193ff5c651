/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel half tells the user half about one socket: who, where, how much, how it fares.
 * These structs cross the kernel boundary; they are fixed-width, padded by hand and checked below.
 * Not here: events (events.h), what user space tells the kernel (config.h), losses (stats.h).
 */
#ifndef NETPROBE_WIRE_RECORD_H
#define NETPROBE_WIRE_RECORD_H

#include "types.h"

/* How sure the owner is. Printed as owner_match. */
#define NP_MATCH_NONE 0	    /* nobody known: tgid is 0 and must be shown as null */
#define NP_MATCH_EXACT 1    /* the task itself was seen using this socket, or holding its file */
#define NP_MATCH_LISTENER 2 /* accepted connection nobody used yet: the listener's owner */
#define NP_MATCH_PROCFS 3   /* joined from /proc by user space, never by the kernel half */

/* struct np_owner: the process a socket belongs to. 72 bytes. */
struct np_owner {
	__u32 tgid; /* process id in the initial pid namespace; 0 unknown */
	__u32 tid;  /* thread that used the socket last; 0 unknown */
	/* start of the thread group leader, CLOCK_BOOTTIME; with tgid it names a process for ever */
	__u64 start_ns;
	__u64 cgroup_id; /* cgroup v2 id (inode of its directory); 0 unknown */
	__u32 uid;	 /* user id in the initial user namespace */
	__u32 ppid;	 /* parent's tgid; 0 unknown */
	/* task_struct.self_exec_id: tells a program from the one it was exec'ed from */
	__u32 exec_id;
	__u8 match;	  /* NP_MATCH_* */
	__u8 cgroup_pass; /* kernel half's own: 1 inside the wanted cgroups */
	/* kernel half's own: low half of np_filter.gen that cgroup_pass was found under */
	__u16 cgroup_gen;
	char comm[16]; /* thread group leader's comm, NUL-terminated; empty unknown */
	/* np_filter.exec_gen when the task was looked at: of two that differ the later one is true; wraps */
	__u32 look;
	/* its number in its own pid namespace; 0: that is the initial one, or unknown */
	__u32 ns_tgid;
	/* of the cgroups it is in elsewhere than in the v2 tree, all of them as one number; 0: none but roots */
	__u64 v1;
};

#define NP_F_UNCONN 0x01  /* datagram socket without a fixed peer: peers come as parts */
#define NP_F_PASSIVE 0x02 /* TCP connection that was accepted */
#define NP_F_SEEDED 0x04  /* older than the probe: counts start when it was found */
#define NP_F_OWNID 0x08	  /* sock_id is netprobe's own number, not the kernel's socket cookie */
#define NP_F_ULP \
	0x10 /* an upper layer protocol (kTLS) sits on it: the kernel's bytes carry its framing */
#define NP_F_DEAD 0x20	 /* last record of this socket */
#define NP_F_LISTEN 0x40 /* listening socket */
#define NP_F_IGNORE 0x80 /* the probe's own self-test; never leaves the kernel half */

/*
 * MPTCP, whose number in the kernel is 262: one that is nobody's stands for it in 8 bits (IANA has 146 to 252
 * to give). What else does not fit, or is that very number, is 0.
 */
#define NP_IPPROTO_MPTCP 252
#define NP_KERNEL_MPTCP 262

/* struct np_tuple: the two ends and where they are. 64 bytes. */
struct np_tuple {
	__u8 laddr[16]; /* local address; IPv4 as ::ffff:a.b.c.d; all zero unknown or wildcard */
	__u8 raddr[16]; /* remote address, same form; all zero where there is none */
	__u16 lport;	/* local port, host byte order; 0 none, as of raw sockets */
	__u16 rport;	/* remote port, host byte order; 0 none */
	/* AF_INET or AF_INET6, as on the wire (a v4-mapped socket is AF_INET); 0 unknown */
	__u8 family;
	/* IPPROTO_* (TCP 6, UDP 17, UDPLITE 136, ICMP 1, ICMPV6 58) or NP_IPPROTO_MPTCP; 0 another one, or a raw socket for TCP */
	__u8 proto;
	/* TCP_* state of the kernel (1 ESTABLISHED .. 12 NEW_SYN_RECV), of MPTCP as well; 0 for others */
	__u8 state;
	__u8 flags;	 /* NP_F_* */
	__u32 netns;	 /* inode number of the network namespace */
	__u32 ifindex;	 /* interface of its route, in that namespace; 0 unknown */
	char ifname[16]; /* name of that interface, NUL-terminated; empty unknown */
};

/* struct np_counts: what the calls of one owner on one socket moved; cumulative. 40 bytes. */
struct np_counts {
	__u64 tx_bytes; /* payload bytes, sum of the positive return values of send calls */
	/* payload bytes, sum of the positive return values of receive calls, no MSG_PEEK */
	__u64 rx_bytes;
	__u64 tx_calls; /* datagrams sent (one per call); 0 for TCP */
	__u64 rx_calls; /* datagrams received (one per call); 0 for TCP */
	__u64 retrans; /* TCP segments (MPTCP: of all subflows) retransmitted while this owner was the socket's last user */
};

/* Why segments went out again. */
#define NP_RTX_UNKNOWN 0 /* counted by the kernel, not seen by a hook */
#define NP_RTX_TIMEOUT 1
#define NP_RTX_FAST 2
#define NP_RTX_TLP 3 /* tail loss probe */
#define NP_RTX_MAX 4

#define NP_TCP_NO_ROOM 0x1 /* a send found the send buffer full, and was not yet told of room */
#define NP_TCP_CWND_LIMITED \
	0x2 /* the congestion window was full at some time of the last round trip */
#define NP_TCP_APP_LIMITED \
	0x4		 /* in the latest sample of delivery_rate the sender had no more to send */
#define NP_TCP_NAGLE 0x8 /* no TCP_NODELAY: less than a segment waits while others are in flight */
#define NP_TCP_CORK 0x10 /* TCP_CORK: less than a segment waits */
#define NP_TCP_ACCEPT_FULL 0x40 /* listener: its accept queue is full */
#define NP_TCP_SYN_FULL 0x80	/* listener: as many connections are half open as may be */
#define NP_TCP_PACED 0x20	/* its rate is the one its process asked for (SO_MAX_PACING_RATE) */

/* struct np_tcp: the kernel's own figures of a TCP connection (struct tcp_sock). 208 bytes. */
struct np_tcp {
	__u64 bytes_acked;    /* payload bytes the peer acknowledged */
	__u64 bytes_received; /* payload bytes received in order */
	__u64 bytes_sent;     /* payload bytes sent, retransmitted ones included */
	__u64 bytes_retrans;  /* payload bytes retransmitted */
	/* bytes taken from the socket that no hook saw (splice, TCP_ZEROCOPY_RECEIVE) */
	__s64 rx_unseen;
	/* bytes put into the socket that no hook saw (kTLS framing, in-kernel senders) */
	__s64 tx_unseen;
	__u64 delivery_rate; /* bytes/s, latest sample of the kernel; 0 unknown */
	__u64 pacing_rate;   /* bytes/s; all ones: unlimited */
	__u32 srtt_us;	     /* smoothed round trip, microseconds; 0 unknown */
	__u32 rttvar_us;     /* mean deviation, microseconds */
	/* least round trip in the kernel's window, microseconds; 0 or ~0 unknown */
	__u32 min_rtt_us;
	__u32 snd_cwnd;	    /* congestion window, segments */
	__u32 snd_ssthresh; /* slow start threshold, segments; 0x7fffffff: not set */
	/* segments sent since the probe met the socket, pure ACKs included; wraps */
	__u32 segs_out;
	__u32 segs_in;		 /* the same, received */
	__u32 snd_wnd;		 /* peer's receive window, bytes */
	__u32 mss;		 /* bytes */
	__u32 in_flight;	 /* segments sent and not yet acknowledged or known lost */
	__u64 taken_us;		 /* when this was read, by the clock of the next three; 0 unknown */
	__u64 busy_us;		 /* time with data to send or in flight, microseconds, up to now */
	__u64 rwnd_limited_us;	 /* of which waiting for the peer's window */
	__u64 sndbuf_limited_us; /* of which waiting for send buffer */
	__u64 recovery_us;	 /* time in fast recovery or loss, since the probe met the socket */
	__u32 rtx_cause[NP_RTX_MAX]; /* segments retransmitted, by cause; index NP_RTX_* */
	__u32 rtx_spurious;	     /* retransmits found not needed (D-SACK, Eifel, F-RTO) */
	/* in the receive queue, not yet taken by the reader; listener: connections that wait to be accepted */
	__u32 unread_bytes;
	__u32 unsent_bytes;   /* in the send queue, not yet sent */
	__u32 ca_state;	      /* 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss */
	__u32 rcv_wnd;	      /* our receive window, bytes */
	__u32 sndbuf_bytes;   /* size of the send buffer; listener: how many of those may wait */
	__u32 wmem_bytes;     /* of which is in use, the kernel's own structures included */
	__u32 limits;	      /* NP_TCP_NO_ROOM and the others above; what is unknown is not set */
	__u64 synack_retrans; /* listener: SYN-ACKs retransmitted; 0 for others */
	/* listener: what sk_drops rose by since the probe met it, less what kfree_skb told of; wraps */
	__u32 listen_drops;
	__u32 pad;
};

/* struct np_sock_rec: one socket, now or at its end. */
struct np_sock_rec {
	__u64 sock_id;	      /* socket cookie, or netprobe's own number where NP_F_OWNID */
	__u64 opened_ns;      /* CLOCK_MONOTONIC when first seen opening; 0: before the probe */
	__u64 established_ns; /* CLOCK_MONOTONIC; 0 never or before the probe */
	__u64 closed_ns;      /* CLOCK_MONOTONIC when the connection ended; 0 open */
	__u32 connect_us;     /* connect() to ESTABLISHED, microseconds; 0 unknown */
	__u32 err;	      /* errno the socket died of (sk_err); 0 none */
	struct np_tuple tuple;
	struct np_owner owner; /* owner of the counts below */
	struct np_owner last;  /* last user: owner of what happens in softirq */
	struct np_counts counts;
	__u64 tx_parts; /* bytes of this socket that are counted in parts, not in counts */
	__u64 rx_parts;
	__u64 stall_ns; /* time in stalls that are over, nanoseconds */
	/* all zero unless proto is TCP; of MPTCP only rtx_cause and synack_retrans, the sums of its subflows */
	struct np_tcp tcp;
	/* process on the CPU at the latest retransmit: not the owner; 0 none or idle */
	__u32 rtx_cpu_tgid;
	__u32 sample_rate;     /* this flow stands for so many; 0, 1: for itself */
	char rtx_cpu_comm[16]; /* its comm */
	/* TCP listener: where the SYN-ACK went that was retransmitted last; datagram socket: whose error came last */
	__u8 synack_raddr[16];
	__u32 subflows; /* MPTCP: TCP connections that carry it, the last number that was not 0; 0 for others */
	__u32 pad;
};

/*
 * One part: what one owner moved through a socket that is not its own, or exchanged with one peer
 * of an unconnected datagram socket. Drained, so each reading is what came since the last.
 */
struct np_part_key {
	__u64 sock_id;
	__u64 start_ns; /* of the process; with tgid, that of another one that has its number now */
	__u32 tgid;
	__u16 rport; /* host byte order; 0: no peer (the part only tells owners apart) */
	__u8 family; /* AF_*; 0: no peer */
	__u8 pad;
	/* without a peer, what was read of one interface alone: its ifindex in the first 4 bytes, all ones unknown */
	__u8 raddr[16];
};

/*
 * Of what a sum is, in place of a socket: what sockets of one owner moved whose last records (or parts) found
 * no room. Its value is a struct np_part whose tuple has no ends. Handed to readers of parts with NP_SUM_ID
 * and a number of its own for sock_id.
 */
#define NP_SUM_ID (1ULL << 63)

struct np_sum_key {
	__u64 start_ns;
	__u64 cgroup_id;
	__u32 tgid;
	__u32 netns;
	__u32 ifindex;
	__u8 proto;
	__u8 family;
	__u8 pad[2];
};

struct np_part {
	struct np_tuple tuple; /* peer in raddr/rport where the key has one */
	struct np_owner owner;
	struct np_counts counts;
};

/*
 * What user space was not told yet of a TCP socket that no process holds any more: a value like a sum's, kept until
 * a hook sees the socket's end. Should none, user space takes it from here.
 */
#define NP_LEFT_BITS 13
#define NP_LEFT_SLOTS (1 << NP_LEFT_BITS)

struct np_left {
	__u64 sock_id; /* 0 free, all ones: being written */
	__u32 gen;     /* st_left_gen when it was put here, or when a walk met its socket */
	__u32 pad;
	struct np_part part;
};

#define NP_WIRE_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " changed size")
NP_WIRE_SIZE(struct np_owner, 72);
NP_WIRE_SIZE(struct np_tuple, 64);
NP_WIRE_SIZE(struct np_counts, 40);
NP_WIRE_SIZE(struct np_tcp, 208);
NP_WIRE_SIZE(struct np_sock_rec, 568);
NP_WIRE_SIZE(struct np_part_key, 40);
NP_WIRE_SIZE(struct np_sum_key, 32);
NP_WIRE_SIZE(struct np_part, 176);
NP_WIRE_SIZE(struct np_left, 192);

#endif
