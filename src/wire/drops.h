/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dropped packets, from kernel to user: one struct np_ev_drop for each that passes the rate limit,
 * and one struct np_drop_sum a kind of drop, which counts all of them. Addresses of kernel code are
 * in here to be turned into names; they are printed only where the user asked for them.
 */
#ifndef NETPROBE_WIRE_DROPS_H
#define NETPROBE_WIRE_DROPS_H

#include "events.h"

#define NP_DROP_STACK_DEPTH 32 /* frames kept of a stack */
#define NP_DROP_STACKS 4096    /* different stacks kept */
#define NP_DROP_KEYS 8192      /* kinds of drops that each of the two maps has room for */
#define NP_DROP_REASONS 512    /* reasons that can be quiet */
#define NP_DROP_QUIET 4	       /* functions whose drops without a reason are */

#define NP_DIR_RX 0
#define NP_DIR_TX 1
#define NP_DIR_UNKNOWN 2

/* struct np_packet: what the headers say. 32 bytes. */
struct np_packet {
	/* bytes from the IP header on, as in the packet; of the buffer where it has none */
	__u32 len;
	__u32 seq;	 /* TCP sequence number */
	__u32 ack;	 /* TCP acknowledgement number */
	__u32 payload;	 /* TCP or UDP payload bytes, as the headers say; 0 unknown */
	__u16 eth_proto; /* ETH_P_*, host order; 0 unknown */
	__u16 vlan_tci;	 /* tag control information, host order; has_vlan says if there is one */
	__u16 ip_id;	 /* IPv4 identification, host order */
	__u8 ttl;	 /* TTL or hop limit */
	__u8 tcp_flags;	 /* FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128 */
	__u8 icmp_type, icmp_code; /* valid where proto is ICMP or ICMPV6 */
	__u8 dir;		   /* NP_DIR_* */
	__u8 has_vlan;		   /* 1: vlan_tci is valid */
	__u8 has_l4;   /* 1: ports, flags, seq, ack or the ICMP fields were there to be read */
	__u8 fragment; /* 1: a fragment that is not the first: no transport header */
	__u8 pad[2];
};

/* struct np_drop_key: one kind of drop. 48 bytes. */
struct np_drop_key {
	/* cookie of the listener, for packets of a connection half open, whose owner is the listener's */
	__u64 listener;
	__u64 location;	      /* address in the function that dropped */
	__u64 owner_start_ns; /* with tgid the owner; 0 unknown */
	__u32 reason;	      /* enum skb_drop_reason of the running kernel */
	__u32 tgid;	      /* owner; 0 unknown */
	__u32 netns;	      /* inode number of the network namespace; 0 unknown */
	__u32 ifindex;	      /* 0 unknown */
	/* local port, host order; 0 none, one the kernel picked for a connection, or left out because there are too many */
	__u16 lport;
	__u8 proto;  /* IPPROTO_*; 0 none */
	__u8 family; /* AF_*; 0 no IP packet */
	__u32 pad;
};

/* struct np_drop_sum: what came of that kind, since the map with it was last drained. */
struct np_drop_sum {
	__u64 packets;	 /* all of them */
	__u64 bytes;	 /* of them, from the IP header on */
	__u64 pending;	 /* packets no event has told of yet */
	__u64 window_ns; /* CLOCK_MONOTONIC at which the second began in which events are counted */
	__u32 window_events;
	__u8 quiet; /* 1: lost to nobody here, by reason or function: told only where all are asked for */
	__u8 dir; /* NP_DIR_* of the first */
	__u8 pad[2];
	struct np_owner owner; /* as it was at the first */
	char ifname[16];
	char function
		[48]; /* name of the function at location, as the kernel prints it; may be cut */
};

/* struct np_ev_drop: one drop. packets: it and those of its kind before it that were not told. */
struct np_ev_drop {
	struct np_ev_hdr hdr; /* type is NP_EV_DROP */
	__u64 location;
	__u64 sock_id; /* cookie; 0 no socket known */
	__u64 packets;
	__u32 reason;
	__s32 stack_id; /* negative: none */
	__u32 cpu_tgid; /* process on the CPU: not the owner */
	__u32 pad;
	char cpu_comm[16];
	struct np_owner owner;
	struct np_tuple tuple; /* local and remote end; state: of the socket */
	struct np_packet packet;
	char function[48];
};

#define NP_EV_DROP 1 /* in a ring of its own: these numbers are not those of events.h */

/* struct np_drop_loss: packets that no sum has, and records that found no room. */
struct np_drop_loss {
	__u64 seen;	 /* packets the tracepoint told of, all of them */
	__u64 counted;	 /* in a sum */
	__u64 filtered;	 /* did not match the filters, or no network packet at all */
	__u64 map_full;	 /* in no sum: too many kinds */
	__u64 submitted; /* records handed over */
	__u64 ring_full; /* records that found the ring full: their packets are told by the next */
	__u64 limited;	 /* packets without a record of their own because of the rate limit */
};

NP_WIRE_SIZE(struct np_packet, 32);
NP_WIRE_SIZE(struct np_drop_key, 48);
NP_WIRE_SIZE(struct np_drop_sum, 176);
NP_WIRE_SIZE(struct np_ev_drop, 288);
NP_WIRE_SIZE(struct np_drop_loss, 56);

#endif
