/* SPDX-License-Identifier: BSD-2-Clause */
/* A viewer, and one query of it under way. Internal to view.c and list.c. */
#ifndef NETPROBE_FLOW_LIST_H
#define NETPROBE_FLOW_LIST_H

#include "flow/beside.h"
#include "flow/group.h"
#include "flow/inside.h"
#include "flow/nic.h"
#include "flow/past.h"
#include "flow/rank.h"
#include "flow/tally.h"
#include "flow/view.h"

struct viewer {
	struct flow_table *flows;
	struct groups groups;
	struct healths healths;
	struct beside beside;
	struct pasts pasts;
	struct nics nics;
	struct flow_watch watch;
	const struct latencies *latencies; /* NULL: none */
	viewer_name_fn name_fn;		   /* NULL: nobody knows names */
	const void *name_arg;
	const struct dropped *dropped; /* NULL: not watched */
	struct dropped *
		dropped_before; /* when sums began anew; NULL: they did not, or nothing was watched */
	uint32_t queries;
	struct inside inside;
	struct history *derived; /* of the rows of a derived kind, until the next query */
};

/* One query under way. */
struct pass {
	const struct viewer *viewer;
	const struct view_query *q;
	const struct healths *healths;
	bool drilled;
	uint32_t kind; /* of groups */
	float seconds; /* of the last interval */
	struct ranked *ranked;
	size_t n;
	struct tallies tallies;
	uint64_t tx_bytes, rx_bytes; /* of all flows met */
	uint32_t conns, processes;   /* of all as well: see struct view */
	size_t n_live, n_ended, n_idle;
};

/* What an address is called; NULL. */
const char *viewer_name(const struct viewer *v, const uint8_t addr[16], uint64_t at_ns);

/* Fill row from what is listed: a flow, or a tally. */
void pass_row(const struct pass *p, const void *item, struct view_row *row);

/* Is it a list of sockets? */
static inline bool lists_flows(uint8_t kind)
{
	return kind == NETPROBE_VIEW_CONNECTION || kind == NETPROBE_VIEW_LISTEN;
}

/* Of flow_table_each: each flow as a row, or into the row of its group. */
int pass_connection(struct flow *f, void *arg);
int pass_group(struct flow *f, void *arg);
/* Whether that group is shown; counts it either way. */
bool pass_shows(struct pass *p, const struct tally *row);
/* Processes whose flows are not kept any more run as well. */
void pass_count_groups(struct pass *p);
double pass_rank(uint8_t sort, const struct tally *row);

#endif
