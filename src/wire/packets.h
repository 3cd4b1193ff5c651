/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single packets, from kernel to user: DNS with its payload, and headers for --pcap. Each record is
 * followed by the bytes it says.
 */
#ifndef NETPROBE_WIRE_PACKETS_H
#define NETPROBE_WIRE_PACKETS_H

#include "drops.h"

#define NP_PACKET_DNS 1	  /* bytes: the transport's payload */
#define NP_PACKET_FIRST 3 /* bytes: payload that begins as TLS and HTTP clients begin */
#define NP_PACKET_PCAP 2  /* bytes: the packet from its IP header on */

#define NP_PACKET_BYTES 2048 /* of one packet, at most */
#define NP_PCAP_BYTES 160  /* of the headers of one, at most: IPv6 and TCP with options take 100 */
#define NP_PORT_WORDS 1024 /* a bit for each port */

/* struct np_ev_packet: one packet at a socket. */
struct np_ev_packet {
	struct np_ev_hdr hdr; /* type: NP_PACKET_*; len without the bytes */
	struct np_tuple tuple;
	struct np_owner owner;
	__u64 sock_id;	/* socket cookie; 0 unknown */
	__u32 seq;	/* TCP sequence number of the payload; else 0 */
	__u32 full;	/* bytes there were */
	__u32 captured; /* bytes that follow */
	__u8 dir;	/* NP_DIR_RX, NP_DIR_TX */
	__u8 wanted;	/* 1: matches the filters */
	__u8 pad[2];
};

/* struct np_packet_loss: the account of one of the programs; per CPU, all since the start. */
struct np_packet_loss {
	__u64 seen;	  /* packets that were to be handed up */
	__u64 submitted;  /* of which were */
	__u64 ring_full;  /* of which found the ring full */
	__u64 filtered;	  /* of which the filters left out */
	__u64 helper_err; /* of which could not be read */
};

NP_WIRE_SIZE(struct np_ev_packet, 176);
NP_WIRE_SIZE(struct np_packet_loss, 40);

#endif
