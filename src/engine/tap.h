/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of the afpacket rung, for names and --pcap: taken from the threads that read the rings,
 * handed over to the session's. Bounded; what finds it full is counted.
 */
#ifndef NETPROBE_ENGINE_TAP_H
#define NETPROBE_ENGINE_TAP_H

#include "capture/afpacket.h"
#include "wire/packets.h"

struct tap;

struct tap_opts {
	const uint16_t *ports; /* DNS: at either end */
	unsigned int n_ports;  /* 0: none */
	bool first;	       /* what clients say first: a ClientHello, an HTTP request */
	bool all;	       /* and every packet as it was captured */
};

struct tap *tap_new(const struct tap_opts *opts);
struct tap *tap_free(struct tap *t);
/* A packet_fn; arg is the tap. */
void tap_packet(const struct packet *p, bool parsed, void *arg);
/*
 * hdr.type NP_PACKET_DNS: from the payload on, ends and direction as who asks has them. NP_PACKET_FIRST:
 * the same, the local end is the client. NP_PACKET_PCAP:
 * from the link header on (hatype); the local end is the sender's of what goes out, else the receiver's.
 */
typedef void (*tap_fn)(const struct np_ev_packet *ev, uint16_t hatype, const uint8_t *bytes,
		       void *arg);
void tap_drain(struct tap *t, tap_fn fn, void *arg);
uint64_t tap_lost(const struct tap *t);

#endif
