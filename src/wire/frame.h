/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of what is wrong with a frame, as the parser in bpf/lib/frame.h tells them and as they are
 * counted. Here because user space prints the counters.
 */
#ifndef NETPROBE_WIRE_FRAME_H
#define NETPROBE_WIRE_FRAME_H

#include "types.h"

#define NP_FRAME_GOOD 0
#define NP_FRAME_SHORT_ETH 1   /* no room for the Ethernet header or a VLAN tag */
#define NP_FRAME_MANY_TAGS 2   /* more VLAN tags than two */
#define NP_FRAME_SHORT_IP 3    /* no room for the IP header */
#define NP_FRAME_IP_VERSION 4  /* version does not fit the Ethernet type */
#define NP_FRAME_IP_HEADER 5   /* IPv4 header length below 20 or beyond the packet */
#define NP_FRAME_IP_LENGTH 6   /* IP says more bytes than there are, or less than its header */
#define NP_FRAME_EXT_SHORT 7   /* IPv6 extension header cut short */
#define NP_FRAME_EXT_MANY 8    /* more IPv6 extension headers than are looked through */
#define NP_FRAME_FRAG_END 9    /* fragment that ends beyond 65,535 bytes */
#define NP_FRAME_FRAG_SIZE 10  /* fragment, not the last, that is no multiple of 8 bytes */
#define NP_FRAME_FRAG_TINY 11  /* first fragment without its whole transport header */
#define NP_FRAME_SHORT_L4 12   /* no room for the transport header */
#define NP_FRAME_TCP_HEADER 13 /* TCP header length below 20 or beyond the packet */
#define NP_FRAME_TCP_FLAGS 14  /* flags no stack sends: none, FIN alone, SYN with FIN or RST */
#define NP_FRAME_UDP_LENGTH 15 /* UDP length below 8 or beyond the packet */
#define NP_FRAME_PORT_ZERO 16  /* TCP or UDP to port 0 */
#define NP_FRAME_BAD_MAX 17
#define NP_FRAME_BAD_SLOTS 32 /* of counters by kind: a power of two for the verifier */

#endif
