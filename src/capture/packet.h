/* SPDX-License-Identifier: BSD-2-Clause */
/* A captured packet and what its headers say: Ethernet's payload onwards, VLAN tags, IPv4, IPv6, TCP, UDP, ICMP. Pure. */
#ifndef NETPROBE_CAPTURE_PACKET_H
#define NETPROBE_CAPTURE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_FIN 1
#define PACKET_SYN 2
#define PACKET_RST 4
#define PACKET_ACK 16

#define PACKET_NO_SCALE 255

struct packet {
	/* as captured */
	const uint8_t
		*data;	 /* from the link header on (from the network header where there is none) */
	uint32_t caplen; /* bytes of it that are here */
	uint32_t len;	 /* bytes it had; of a segmented one (GSO, GRO) all of them at once */
	uint32_t net_off; /* network header */
	uint32_t ifindex;
	uint16_t hatype;   /* ARPHRD_* of the interface */
	uint16_t protocol; /* ETH_P_*, host order */
	uint8_t pkttype;   /* PACKET_HOST, PACKET_OUTGOING, ... of linux/if_packet.h */
	bool has_vlan;	   /* vlan_tci was taken off by the kernel */
	uint16_t vlan_tci; /* host order */
	uint16_t gso_size; /* payload of each segment where it stands for several; 0: it is one */
	uint64_t wall_ns;  /* CLOCK_REALTIME */
	uint64_t ktime_ns; /* CLOCK_MONOTONIC of the same moment */

	/* as parsed; valid after packet_parse gave 0 */
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t proto;	/* IPPROTO_* */
	bool fragment;	/* not the first: no ports, no payload counted */
	bool more;	/* others follow it */
	/* of a fragment, the first too: what is common to those of a datagram, where in it this begins, its bytes of it */
	uint32_t frag_id, frag_off, frag_len;
	/* where its bytes begin, and how many of them are IPv6 headers before the transport's (the first only) */
	uint32_t frag_start, frag_skip;
	uint32_t
		udp_len; /* as UDP's header says; nobody but who has all fragments may believe it */
	uint8_t tcp_flags;
	uint8_t src[16], dst[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t sport, dport;	  /* host order; 0 where there are none */
	uint32_t seq, ack;
	uint16_t window;      /* as in the header, not scaled */
	uint8_t scale;	      /* of a SYN: how its end scales windows; PACKET_NO_SCALE */
	uint32_t payload_off; /* of data; may lie beyond caplen */
	uint32_t payload_len; /* bytes of transport payload in this packet, captured or not */
	uint32_t segments;    /* packets on the wire that it stands for */
};

/* Parse p->data from p->net_off on. -EINVAL: no such packet, cut off before its ports, or it lies about its lengths. */
int packet_parse(struct packet *p);

#endif
