/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS over TCP: puts segments together and cuts the stream into messages by their length prefix.
 * Bounded: a few streams, the front of each message. What a capture has cut or lost makes it skip,
 * and count, until it knows again where a message begins.
 */
#ifndef NETPROBE_NAME_STREAM_H
#define NETPROBE_NAME_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_STREAMS 64
#define DNS_STREAM_BYTES 4096 /* kept of a message; the rest is passed over */

struct dns_segment {
	uint64_t key; /* the stream: socket and direction, never 0 */
	uint64_t ts_ns;
	uint32_t seq; /* of its first byte */
	const uint8_t *data;
	size_t len, full; /* bytes at hand, bytes on the wire */
};

struct dns_streams;

typedef void (*dns_stream_fn)(const uint8_t *msg, size_t len, size_t full, void *arg);

struct dns_streams *dns_streams_new(void);
struct dns_streams *dns_streams_free(struct dns_streams *s);
/* fn gets each message that is complete with this segment, as far as it was kept. */
void dns_streams_segment(struct dns_streams *s, const struct dns_segment *seg, dns_stream_fn fn,
			 void *arg);
/* Messages lost to holes in what was captured, or to more streams at a time than there is room for. */
uint64_t dns_streams_lost(const struct dns_streams *s);

#endif
