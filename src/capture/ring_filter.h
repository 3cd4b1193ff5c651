/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket filter of a packet ring: which packets, and how many bytes of each. Pure. */
#ifndef NETPROBE_CAPTURE_RING_FILTER_H
#define NETPROBE_CAPTURE_RING_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#define RING_PORTS 24
#define RING_IFS 16
#define RING_INSNS (72 + RING_IFS + 2 * RING_PORTS)

struct sock_filter;

struct ring_want {
	const uint32_t *ifs; /* from these interfaces */
	int n_if;	     /* 0: from all, -1: nothing at all */
	uint32_t snap;	     /* bytes of a packet */
	uint32_t wide;	     /* of those to and from ports, and of what clients say first */
	const uint16_t *ports;
	unsigned int n_ports;
	bool tls, http; /* a ClientHello, an HTTP request */
};

/* Writes the program to insns (room for RING_INSNS); how many instructions it has. */
unsigned short ring_filter_make(const struct ring_want *w, struct sock_filter *insns);

#endif
