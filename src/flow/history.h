/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last minute of a row, for its sparkline. Histories are what would make many rows expensive,
 * so they come out of a budget; a row without one is drawn without one.
 */
#ifndef NETPROBE_FLOW_HISTORY_H
#define NETPROBE_FLOW_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define FLOW_HISTORY 60 /* samples of a sparkline: one an interval */

/* Ring of the last FLOW_HISTORY intervals, bytes/s (tx + rx); allocated for active rows only. */
struct history {
	uint32_t next;	/* slot the next sample goes to */
	uint32_t count; /* slots filled so far */
	float rate[FLOW_HISTORY];
};

struct history_budget {
	uint32_t used;
	uint32_t max;
};

/*
 * first: the row moves for the first time. A quarter of the budget is open to those, the rest is
 * kept for rows that come back, so that a burst of short connections leaves some for the long ones.
 * NULL: none left.
 */
struct history *history_new(struct history_budget *b, bool first);
struct history *history_free(struct history_budget *b, struct history *h);
/* h may be NULL. */
void history_push(struct history *h, float rate);

#endif
