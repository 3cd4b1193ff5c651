/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of one query while they are made: the sums of groups, and what only the open flows know. */
#ifndef NETPROBE_FLOW_TALLY_H
#define NETPROBE_FLOW_TALLY_H

#include "flow/group.h"

struct tally {
	struct group_key key;
	struct index_node node;
	bool rest; /* key has only its kind */
	uint64_t tx_bytes, rx_bytes, retrans, segs;
	struct trouble trouble;
	struct verdict_times idle, busy; /* of flows that had nothing to send, of the others */
	float tx_rate, rx_rate, retrans_rate, segs_rate;
	const struct history *history;
	uint32_t conns;
	uint32_t rtt_us;	    /* after tallies_finish */
	uint32_t n_rtt;		    /* samples */
	const struct flow *busiest; /* by what it moved in the last interval, then by all it did */
	double busy_bytes;
	uint32_t row; /* place in all */
};

struct rtt_sample {
	uint32_t row;
	uint32_t us;
};

struct tallies {
	struct index by_key;
	struct tally **all;
	uint32_t n, cap;
	struct rtt_sample *rtts;
	uint32_t n_rtts;
};

/* Room for one sample of each of n_flows. */
int tallies_init(struct tallies *t, uint32_t n_flows);
void tallies_done(struct tallies *t);
/* What the groups of a kind have summed up; their rest becomes one more row. */
int tallies_seed(struct tallies *t, const struct group_set *set, uint32_t kind);
/* The row of what is not kept by name. */
int tallies_rest(struct tallies *t, uint32_t kind, struct tally **ret);
struct tally *tallies_find(const struct tallies *t, const struct group_key *key);
int tallies_add(struct tallies *t, const struct group_key *key, struct tally **ret);
void tallies_rtt(struct tallies *t, struct tally *row, uint32_t us);
void tallies_times(struct tally *row, const struct verdict_times *t);
/* What limits the flows of row that did something, or all of them if none did: NETPROBE_VERDICT_*, -1. */
int tally_verdict(const struct tally *row);
/* Medians. */
int tallies_finish(struct tallies *t);

#endif
