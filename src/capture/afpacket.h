/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The middle rung: packets from a ring, joined with sockets (socks.h) by their ends. Needs CAP_NET_RAW
 * to open and nothing after that; owners of other users' sockets need what reading their descriptors
 * in /proc needs.
 */
#ifndef NETPROBE_CAPTURE_AFPACKET_H
#define NETPROBE_CAPTURE_AFPACKET_H

#include "base/error.h"
#include "capture/packet.h"
#include "capture/rung.h"

/*
 * One packet, parsed, for whoever wants more than flows: data holds the headers and of the payload
 * what snaplen allows. Valid during the call. Calls come one at a time, but from the threads that read
 * the rings, not the session's; fn must not block. parsed false: no IP packet, or it lies.
 */
typedef void (*packet_fn)(const struct packet *p, bool parsed, void *arg);

struct afpacket_opts {
	uint32_t ring_bytes;  /* 4 KiB to 256 MiB, of each ring; 0: 8 MiB */
	uint32_t block_bytes; /* 0: 256 KiB, less in a small ring */
	uint32_t timeout_ms;  /* after which a block is read though it is not full; 0: 10 */
	uint32_t rings;	      /* fanout: rings and threads that share the packets; 0: 1 */
	bool fail_ring;	      /* for tests: as if the kernel had no memory for it */
	packet_fn fn;	      /* NULL: nobody wants packets */
	void *arg;
	const uint16_t
		*wide_ports; /* fn wants some payload to and from these; valid while opening */
	unsigned int n_wide;
	bool wide_tls, wide_http; /* and of what clients of these say first */
	uint32_t snaplen;	  /* bytes of each packet fn wants; 0: headers */
};

#define AFPACKET_RINGS_MAX 16

/* -EPERM without CAP_NET_RAW. */
int afpacket_open(const struct afpacket_opts *opts, const struct np_filter *filter,
		  struct rung *ret_rung, struct netprobe_error *err);

#endif
