/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling rows of a view from flows and tallies. Chooses nothing: view.c does. */
#ifndef NETPROBE_FLOW_FILL_H
#define NETPROBE_FLOW_FILL_H

#include "flow/past.h"
#include "flow/tally.h"
#include "flow/view.h"

/* Totals of a flow as of the last tick. */
void fill_sums(const struct flow *f, struct flow_delta *d); /* bytes, retransmits, tx_pkts */
/* A flow as a row of its own, but for its trouble. */
void fill_tally(struct tally *row, const struct flow *f, const struct flow_delta *sums,
		float seconds);
/* past NULL: of all its life, whatever began anew. */
void fill_flow(struct view_row *to, const struct healths *h, const struct pasts *past,
	       const struct flow *f, float seconds);
void fill_group(struct view_row *to, const struct tally *row);

#endif
