/* SPDX-License-Identifier: BSD-2-Clause */
/* Random frames, the same ones for the same seed, and a list that has rules for their sources. */
#ifndef LIVE_GUARD_MAKE_H
#define LIVE_GUARD_MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netns.h"

/* The list, as text for import and as tests understand it. Sources are 192.0.2.n and 2001:db8::n. */
struct guard_rule {
	unsigned int source, proto, from, to; /* proto 0 any; ports 0..65535 any */
	bool allow;
};
#define GUARD_RULES 11
extern const struct guard_rule guard_rules[GUARD_RULES];
void rules_import(const struct netns *ns, bool allow);

void rnd_seed(uint64_t seed);
uint32_t rnd(uint32_t below);

/* A datagram: bytes behind the IP header, and how the header is to be made for a piece of them. */
struct datagram {
	bool v6, pppoe;
	uint8_t first; /* IPv6: next header of what is cut into pieces; IPv4: protocol */
	uint8_t tags, options, source;
	uint8_t hop_options;
	size_t len;
	uint8_t b[1800];
};

void datagram_make(struct datagram *d);
/* The bytes from..to of it in a frame. */
size_t datagram_frame(const struct datagram *d, size_t from, size_t to, bool whole, uint8_t *b);
/* Bits and bytes of a frame, most often of its headers, or its end. */
void frame_change(uint8_t *b, size_t *len);
/* Bytes of a transport header that the stack takes. */
unsigned int l4_least(unsigned int proto);

#endif
