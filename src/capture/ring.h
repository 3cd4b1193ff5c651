/* SPDX-License-Identifier: BSD-2-Clause */
/* One packet ring (AF_PACKET, TPACKET_V3): opened, filtered, read block by block, its losses. */
#ifndef NETPROBE_CAPTURE_RING_H
#define NETPROBE_CAPTURE_RING_H

#include "base/error.h"
#include "capture/packet.h"
#include "capture/ring_filter.h"

#define RING_MIN_BYTES 4096U
#define RING_MAX_BYTES (256U << 20)
#define RING_BYTES (8U << 20)
#define RING_TIMEOUT_MS 10
#define RING_SNAP 192 /* link, VLAN and network headers with extensions, TCP with all its options */
#define RING_WIDE (RING_SNAP + 2048)

struct ring_opts {
	uint32_t bytes; /* of the ring; 0: RING_BYTES */
	uint32_t block; /* of a block; 0: a share of the ring */
	uint32_t
		timeout_ms; /* after which a block with packets is handed over; 0: RING_TIMEOUT_MS */
	uint32_t snaplen;   /* bytes of each packet; 0: RING_SNAP */
	const uint16_t *wide_ports; /* of packets to and from these: RING_WIDE bytes */
	unsigned int n_wide;
	bool wide_tls, wide_http; /* and of what begins as a ClientHello or an HTTP request */
};

struct ring;

/* Not receiving yet. -EPERM without CAP_NET_RAW, -ENOBUFS where the kernel has no memory for it. */
int ring_open(const struct ring_opts *opts, struct ring **ret, struct netprobe_error *err);
struct ring *ring_close(struct ring *r);
/* Receive from all interfaces; group: share packets with the other rings of it, by flow. */
int ring_start(struct ring *r, bool share, uint16_t group);
/* From these interfaces only; n 0: from all, -1: from none. Losses start anew. */
int ring_filter(struct ring *r, const uint32_t *ifindexes, int n);
int ring_fd(const struct ring *r);

typedef void (*ring_fn)(struct packet *p, void *arg);

/* The packets of the next block that is full or old enough; their number, 0: none. fn parses. */
int ring_read(struct ring *r, ring_fn fn, void *arg);
/* Is there such a block? */
bool ring_is_ready(const struct ring *r);
/* Since the start: taken from the interfaces, and of those without room. */
void ring_stats(struct ring *r, uint64_t *ret_packets, uint64_t *ret_dropped);

/*
 * A socket that gets nothing but what opens a connection (SYN, with and without ACK) and queries to
 * port 53, without waiting for a block: who did that may not live long.
 */
int herald_open(void);
/* The next one, parsed; false: none. buf: at least RING_SNAP bytes. */
bool herald_read(int fd, uint8_t *buf, struct packet *ret);

#endif
