/* SPDX-License-Identifier: BSD-2-Clause */
/* What an event says of one packet, or of packets an interface lost: beside struct event. */
#ifndef NETPROBE_OUT_DROP_H
#define NETPROBE_OUT_DROP_H

#include "base/buf.h"
#include "wire/drops.h"

struct event_drop {
	const char *reason;		/* "NETFILTER_DROP", "DRIVER_RX" */
	const char *location;		/* function that dropped; NULL unknown */
	const char *const *stack;	/* symbols, innermost first */
	unsigned int n_stack;		/* 0: null */
	const struct np_packet *packet; /* NULL: a counter moved, no packet was seen */
	uint64_t packets;		/* of its kind since the last event of that kind */
	uint64_t suppressed;		/* of them, those without an event of their own */
	const char *kind;		/* "loss", "policy", "benign", "others" */
	bool quiet;			/* lost to nobody here */
};

/* The fields of the packet alone, each with its comma: shared by all that tell of packets. */
void packet_put_json(struct buf *b, const struct np_packet *p, const struct np_tuple *t);
/* "SYN,ACK"; buf: 40 bytes. */
const char *tcp_flags_str(uint8_t flags, char *buf);
void drop_put_json(struct buf *b, const struct event_drop *d, const struct np_tuple *t);
void drop_put_text(struct buf *b, const struct event_drop *d, const struct np_tuple *t);

#endif
