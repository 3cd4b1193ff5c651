/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams of which fragments were seen, and not all: each is delivered as a whole or to nobody. Bounded by number and
 * by age, as the kernel's own are. No system calls; time comes with the packets. One thread.
 */
#ifndef NETPROBE_CAPTURE_FRAGMENTS_H
#define NETPROBE_CAPTURE_FRAGMENTS_H

#include "capture/packet.h"
#include "owner/index.h"

#define FRAGMENTS_MAX \
	2048 /* datagrams at a time: about what 4 MB of fragments are, which the kernel keeps */

struct fragments_one;

struct fragments {
	struct index all;
	/* by the time of their first fragment, the oldest first: IPv4, IPv6 */
	struct fragments_one *first[2], **tail[2];
	uint64_t lost_packets,
		lost_bytes; /* fragments that made room, or for which there was no memory */
};

int fragments_init(struct fragments *f);
void fragments_done(struct fragments *f);
/*
 * One more fragment. True: it was the last that was missing, and *ret_whole is the datagram as one packet. What
 * never comes to its end is delivered to nobody, whatever length its first fragment says.
 */
bool fragments_add(struct fragments *f, const struct packet *p, struct packet *ret_whole);

#endif
