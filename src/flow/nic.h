/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the interfaces of the own network namespace tell of themselves: link, packets, errors, drops; beside the rows of
 * what sockets moved on them. In no sum of anything else.
 */
#ifndef NETPROBE_FLOW_NIC_H
#define NETPROBE_FLOW_NIC_H

#include <netprobe/view.h>

#include "flow/tally.h"

struct nic_counts {
	uint64_t bytes, packets, errors, dropped;
};

struct nic {
	uint32_t netns, ifindex;
	char name[16];
	uint32_t state, mbit, duplex; /* NETPROBE_LINK_*; speed, 0 unknown; NETPROBE_DUPLEX_* */
	struct {
		struct nic_counts all;	  /* since it was there, or the probe: nic_set */
		struct nic_counts before; /* when sums began anew */
		float bytes_s, packets_s; /* in the last interval */
		float unowned; /* share of the bytes of the interval before; negative: not known */
	} side[2];	       /* NETPROBE_RX, NETPROBE_TX */
	bool seen;
};

struct nics {
	struct nic *all;
	uint32_t n, cap;
};

void nics_done(struct nics *s);
/* A round of nics_get() begins, and is over: those that were not asked for are gone. */
void nics_begin(struct nics *s);
void nics_end(struct nics *s);
/* The one of that number, made where there is none, with nothing known. NULL: no memory. */
struct nic *nics_get(struct nics *s, uint32_t netns, uint32_t ifindex, const char *name);
const struct nic *nics_find(const struct nics *s, const struct group_key *key);
/* What one side has counted; less than when sums began anew: it began again, and all of it is new. */
void nic_set(struct nic *n, unsigned int side, const struct nic_counts *all);
/* Sums begin anew. */
void nics_restart(struct nics *s);
struct nic_counts nic_counts(const struct nic *n, unsigned int side);
/* Those that have no row yet, by number or by name, get one. -ENOMEM. */
int nics_seed(const struct nics *s, struct tallies *t);

#endif
