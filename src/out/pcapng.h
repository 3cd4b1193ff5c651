/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pcapng file: one section, an interface for each one that packets came by, packets with a comment.
 * Only whole blocks are ever left in the file; what could not be written is counted. A pipe is not waited
 * for: up to 8 MiB wait for its reader.
 */
#ifndef NETPROBE_OUT_PCAPNG_H
#define NETPROBE_OUT_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>

#define PCAPNG_ETHERNET 1 /* link types of tcpdump.org */
#define PCAPNG_RAW 101	  /* begins with the IP header */
#define PCAPNG_IN 1
#define PCAPNG_OUT 2

struct pcapng_packet {
	uint64_t wall_ns;
	uint32_t netns, ifindex; /* together they tell interfaces apart */
	const char *ifname;	 /* NULL unknown */
	uint16_t linktype;	 /* PCAPNG_* */
	uint8_t dir;		 /* PCAPNG_IN, PCAPNG_OUT, 0 unknown */
	const uint8_t *bytes;
	uint32_t captured, full;
	const char *comment; /* UTF-8; NULL none */
};

struct pcapng_stats {
	uint64_t packets; /* written, or still to be */
	uint64_t lost;	  /* could not be written */
	int err;	  /* the latest errno, positive; 0 none */
};

struct pcapng;

/* Takes fd, which it closes. host, version: for the section's header. NULL: no memory. */
struct pcapng *pcapng_new(int fd, const char *host, const char *version);
/* Writes what waits. */
struct pcapng *pcapng_free(struct pcapng *p);
void pcapng_put(struct pcapng *p, const struct pcapng_packet *pkt);
/* Write what waits, or of a pipe what it takes now: 0 or -errno, and that much is lost. */
int pcapng_flush(struct pcapng *p);
/* The end: a reader that takes nothing for ms loses what waits. */
void pcapng_end(struct pcapng *p, int ms);
void pcapng_stats(const struct pcapng *p, struct pcapng_stats *ret_stats);

#endif
