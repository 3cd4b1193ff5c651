/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums by process, container, remote host and interface that outlive the flows they are made of.
 * Fed with every delta of the flow table, so each kind adds up to the total to the byte. Knows
 * nothing of sorting and showing: view.c does.
 */
#ifndef NETPROBE_FLOW_GROUP_H
#define NETPROBE_FLOW_GROUP_H

#include "flow/health.h"
#include "flow/table.h"

#define GROUP_PROCESS 0
#define GROUP_CONTAINER 1
#define GROUP_REMOTE 2
#define GROUP_INTERFACE 3
#define GROUP_MAX 4 /* kinds that are kept; those behind are sums of them (see derive.h) */
#define GROUP_PROGRAM 4
#define GROUP_USER 5
#define GROUP_UNIT 6
#define GROUP_POD 7
#define GROUP_NAMESPACE 8
#define GROUP_IMAGE 9

/* What makes a row of a kind; unused bytes zero. */
struct group_key {
	struct process *proc;	     /* process */
	const struct cgroup *cgroup; /* container; NULL unknown */
	const char *text; /* of derived kinds: what tells it, somebody else's; NULL: none */
	uint8_t addr[16]; /* remote; all zero: no peer. Derived kinds: a hash of text */
	/* interface: its latest name, "?" unknown; it is the number that tells it, where that is known */
	char ifname[16];
	uint32_t netns, ifindex; /* interface; of users the number, and whether it is known */
	uint32_t kind, text_len;
};

struct sums {
	uint64_t tx_bytes, rx_bytes, retrans, segs;
	struct trouble trouble;
	uint64_t now_tx, now_rx, now_retrans, now_segs; /* since the last tick */
	float tx_rate, rx_rate, retrans_rate, segs_rate;
	struct history *history;
};

struct group {
	struct group_key key; /* holds a reference on its process, or its cgroup */
	struct sums sums;
	uint32_t active_tick; /* the last one it moved in */
	struct index_node node;
	struct group *newer, *older; /* by last activity */
};

/* All groups of one kind. */
struct group_set {
	struct index groups;
	struct group *newest, *oldest;
	struct sums rest; /* of those not kept: forgotten hosts, processes long gone */
};

/* Of processes not kept by name any more, by program and user, as far as there is room: all of it is in the rest, too. */
struct former {
	struct index groups;
};

struct groups {
	struct process_table *procs;
	struct former former;
	struct group_set sets[GROUP_MAX];
	struct sums total;
	struct history_budget histories;
	uint32_t max; /* groups of a kind; the least recently active go into rest */
	uint32_t tick;
};

#define GROUPS_MAX 65536

int groups_init(struct groups *g, struct process_table *procs);
void groups_done(struct groups *g);
/* No memory, no group: the bytes go to the rest. */
void groups_add(struct groups *g, const struct flow *f, const struct flow_delta *d);
/* What the socket of f met with: its owner's, whoever used it last. */
void groups_trouble(struct groups *g, const struct flow *f, const struct trouble *t);
/* Rates and histories; processes gone for grace_ns, with no flow left, go into the rest. */
void groups_tick(struct groups *g, uint64_t now_ns, float seconds, uint64_t grace_ns);

/* Sums begin anew; what moved since the last tick is in them. */
void groups_restart(struct groups *g);

/* The key of the group that what owner moves on flow f belongs to. */
void group_key_of(struct group_key *key, uint32_t kind, const struct flow *f,
		  struct process *owner);
bool group_key_equal(const struct group_key *a, const struct group_key *b);
uint64_t group_key_hash(const struct group_key *key);

#endif
