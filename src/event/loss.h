/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The account of losses: one list of everything that can lose something, whoever keeps its counters. probe.loss, the
 * library, ctl, the view and stderr all show this list.
 */
#ifndef NETPROBE_EVENT_LOSS_H
#define NETPROBE_EVENT_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/stats.h"

/* All since the start. */
struct loss {
	const char *program; /* "send", "dns", "output"; not copied */
	const char *unit;    /* of what it counts: "events", "packets" */
	struct np_loss count;
	uint64_t missed;      /* runs that the kernel left out */
	uint64_t implausible; /* records that were not believed */
};

#define LOSSES_MAX (LOSS_MAX + 32)

struct losses {
	struct loss of[LOSSES_MAX];
	unsigned int n;
};

void losses_add(struct losses *to, const struct loss *l);
/* NULL: it is not in it. */
const struct loss *losses_find(const struct losses *all, const char *program);
/* Is it the name of a row that is made here, in whatever capture? Of programs of the kernel half out/event.h knows. */
bool loss_is_own(const char *program);
/* submitted + all it was not */
uint64_t loss_seen(const struct np_loss *l);
/* What was lost, of all kinds but failed helpers, which come on top of one of them. */
uint64_t loss_lost(const struct loss *l);
/* Was something lost since before? NULL: since the start. */
bool loss_grew(const struct loss *l, const struct loss *before);

#endif
