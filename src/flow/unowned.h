/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an interface moved that no socket did: its own counters against what sockets' bytes take on the wire. Both
 * are of slightly different moments and headers are estimated, so what that explains is never told. Pure arithmetic.
 */
#ifndef NETPROBE_FLOW_UNOWNED_H
#define NETPROBE_FLOW_UNOWNED_H

#include "flow/table.h"

#define UNOWNED_NONE 0	  /* a row of sockets */
#define UNOWNED_ANY 1	  /* moved by no socket, and not forwarded */
#define UNOWNED_FORWARD 2 /* came in by one interface and went out by another */

/* What sockets moved in one direction of an interval. */
struct wire_load {
	uint64_t bytes; /* on the wire: payload with headers by segments */
	uint64_t slack; /* ... and so many more at most */
	uint64_t calls; /* of datagram sockets */
	uint64_t datagram_bytes;
};

/* One direction of an interface in one interval. */
struct wire_side {
	uint64_t bytes, packets; /* by its counters */
	uint64_t blurred;	 /* of bytes: it is not known in which interval sockets have them */
	struct wire_load own;	 /* by sockets on it */
	int64_t over; /* wire_over: beyond what sockets may explain; negative: less than they moved */
	uint64_t forward; /* of that, what another interface may have had the other way */
};

/* What was found lately in one direction; all zero at first. */
struct wire_carry {
	uint64_t
		waits; /* found in the last interval: told unless this one has as much too little */
	uint64_t least; /* ... and no less than this */
	int64_t debt; /* sockets counted in the last interval what the wire had not yet; 0 or less */
};

/* Add what a flow moved. opened: it began or ended in the interval, some segments of it are in no record. */
void wire_add(struct wire_load *tx, struct wire_load *rx, const struct flow *f,
	      const struct flow_delta *d, bool opened);
/* Makes side->over. more: bytes that may be on the interface besides (of unknown sockets). */
void wire_over(struct wire_side *side, uint64_t more);
/*
 * Splits off side->forward where others had others_over the other way; less: what sockets of other namespaces moved,
 * which may have come by here.
 */
void wire_split(struct wire_side *side, uint64_t others_over, uint64_t less);
/* Is so much worth a row: 2 % of what the interface moved, and 10 kB/s? */
bool wire_tells(const struct wire_side *side, uint64_t bytes, double seconds);
/* Can that many forwarded packets have been side->forward? Receivers merge up to 64 KiB into one. */
bool wire_forwarded(const struct wire_side *side, uint64_t packets);
/* After wire_split: bytes that no socket moved, known an interval later. 0: nothing to tell. */
uint64_t wire_settle(struct wire_carry *c, const struct wire_side *side, double seconds);

#endif
