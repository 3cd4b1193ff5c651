/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps of packets on their way through the stack, from kernel to user: one record a step. */
#ifndef NETPROBE_WIRE_TRACE_H
#define NETPROBE_WIRE_TRACE_H

#include "drops.h"

#define NP_STEP_QUEUE 0	   /* handed to the device's queue */
#define NP_STEP_TRANSMIT 1 /* handed to the driver */
#define NP_STEP_BACKLOG 2  /* put into a processor's backlog (netif_rx) */
#define NP_STEP_GRO 3	   /* handed over by the driver, before packets are put together */
#define NP_STEP_RECEIVE 4  /* the stack has it (netif_receive_skb) */
#define NP_STEP_IP_RECEIVE 5
#define NP_STEP_IP_DELIVER 6
#define NP_STEP_IP_OUTPUT 7
#define NP_STEP_TRANSPORT 8 /* TCP or UDP receive */
#define NP_STEP_SOCKET 9    /* an established connection takes it (tcp_probe) */
#define NP_STEP_NETFILTER 10
#define NP_STEP_DROP 11
#define NP_STEP_DONE 12 /* used up: read, or sent */
#define NP_STEP_MAX 13

#define NP_HOOK_NONE 0xff

/* struct np_trace_addr: one direction of a connection as conntrack knows it. 40 bytes. */
struct np_trace_addr {
	__u8 src[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u8 dst[16];
	__u16 sport; /* host order */
	__u16 dport;
	__u32 valid; /* 1: conntrack has the packet's connection */
};

struct np_ev_trace {
	struct np_ev_hdr hdr;
	__u64 packet_id; /* number of the packet in this run, from 1 on */
	__u64 since_ns;	 /* since its step before; 0 for the first */
	__u64 sock_id;	 /* cookie; 0 unknown */
	__u32 step;	 /* NP_STEP_* */
	__u32 nth;	 /* of this packet's steps, from 1 on */
	__u32 reason;	 /* DROP: enum skb_drop_reason */
	__s32 verdict; /* NETFILTER: what nf_hook_slow returned: 1 accept, negative dropped, 0 taken away */
	__u8 hook;    /* NETFILTER: NF_INET_*; else NP_HOOK_NONE */
	__u8 has_mac; /* 1: the addresses below were there */
	__u8 mac_src[6], mac_dst[6];
	__u8 pad[2];
	struct np_owner owner;
	struct np_tuple tuple;
	struct np_packet packet;
	struct np_trace_addr other; /* conntrack's tuple of the other direction */
	char function[48];	    /* DROP: where */
};

#define NP_EV_TRACE 1 /* in a ring of its own */

/* struct np_trace_loss: steps. */
struct np_trace_loss {
	__u64 seen; /* of packets that match */
	__u64 submitted;
	__u64 ring_full;
	__u64 limited; /* more steps a second than asked for */
};

NP_WIRE_SIZE(struct np_trace_addr, 40);
NP_WIRE_SIZE(struct np_ev_trace, 328);
NP_WIRE_SIZE(struct np_trace_loss, 32);

#endif
