/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows beside those of sockets: what an interface moved that no socket did. In no sum of anything else. */
#ifndef NETPROBE_FLOW_BESIDE_H
#define NETPROBE_FLOW_BESIDE_H

#include "flow/tally.h"

/* In the key of such a row: UNOWNED_* above GROUP_INTERFACE, so that it is no socket's row. */
#define BESIDE_WHAT(kind) ((kind) >> 8)

struct beside_row {
	struct group_key key;
	uint64_t tx_bytes, rx_bytes; /* since the start */
	float tx_rate, rx_rate;	     /* of the interval */
};

struct beside {
	struct beside_row *all;
	uint32_t n, cap;
	float seconds; /* of the interval that is told */
};

void beside_done(struct beside *b);
/* An interval of so many seconds: nothing was moved in it so far. */
void beside_begin(struct beside *b, float seconds);
/* No memory, no row. */
void beside_add(struct beside *b, const struct np_tuple *where, uint32_t what, uint64_t tx_bytes,
		uint64_t rx_bytes);
/* Sums begin anew. */
void beside_restart(struct beside *b);
/* All as rows of interfaces. -ENOMEM. */
int beside_seed(const struct beside *b, struct tallies *t);

#endif
