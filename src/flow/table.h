/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All flows of a run: what the kernel half counted, turned into totals and rates. Pure arithmetic:
 * time comes in as a parameter, nothing here makes a system call but through the process table.
 *
 * A flow is (socket, owner, peer). A socket's main record gives one; each part (another owner of
 * the same socket, or one peer of an unconnected datagram socket) gives one more.
 */
#ifndef NETPROBE_FLOW_TABLE_H
#define NETPROBE_FLOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "owner/process.h"
#include "wire/events.h"
#include "wire/record.h"

#define FLOW_HISTORY 60 /* samples of a sparkline: one an interval */

/* Ring of the last FLOW_HISTORY intervals, bytes/s (tx + rx); allocated for active rows only. */
struct history {
	uint32_t next;	/* slot the next sample goes to */
	uint32_t count; /* slots filled so far */
	float rate[FLOW_HISTORY];
};

struct flow {
	uint64_t sock_id;
	struct process *owner; /* owner of the counts */
	struct process *last;  /* last user of the socket, owner of its retransmits from now on */
	struct np_tuple tuple;
	uint8_t owner_match, last_match;
	bool part;	 /* made from a struct np_part */
	bool closed;
	uint32_t connect_us, err, last_tid;
	uint64_t opened_ns, established_ns, closed_ns; /* CLOCK_MONOTONIC, as in np_sock_rec */
	struct np_counts counts;     /* since the probe saw it */
	uint64_t rx_unseen, tx_unseen; /* see np_tcp; settled values */
	uint64_t tx_pkts, rx_pkts;   /* TCP: segments; datagram sockets: calls */
	struct np_tcp *tcp;	     /* NULL unless TCP */
	/* of the last interval (see flow_table_tick) */
	uint64_t d_tx_bytes, d_rx_bytes, d_tx_pkts, d_rx_pkts, d_retrans, d_synack;
	float tx_rate, rx_rate; /* bytes/s */
	uint64_t active_ns;	/* last tick at which it moved */
	struct history *history;
	/* private: the state at the last tick, table links */
	struct np_counts prev;
	uint64_t prev_tx_pkts, prev_rx_pkts, prev_synack, prev_rx_unseen;
	int64_t cand_rx_unseen; /* unseen bytes of the last record: counted once a second record confirms them */
	uint64_t base_tx_pkts, base_rx_pkts;
	bool dirty;
	struct flow *hash_next, *list_next, *list_prev, *sock_next;
};

struct flow_table_opts {
	uint32_t max_flows;	 /* closed flows are dropped first when full; 0: 262144 */
	uint64_t grace_ns;	 /* how long closed flows and exited owners stay; 0: 10 s */
	bool keep_closed;	 /* `flows`: keep closed ones for the whole run (still bounded by max_flows) */
};

struct flow_table;

struct flow_table *flow_table_new(const struct flow_table_opts *opts, struct process_table *procs);
struct flow_table *flow_table_free(struct flow_table *t);

/*
 * Feed. rec is a sweep's or a close's record (NP_F_DEAD: final). A socket whose record's owner changed keeps
 * the old flow (frozen) and gets another. rx_bytes shown = counts.rx_bytes + rx_unseen, where the latter is
 * only believed when two records in a row agree, or the record is final, and never on NP_F_ULP sockets.
 */
int flow_table_sock(struct flow_table *t, const struct np_sock_rec *rec, uint64_t now_ns);
int flow_table_part(struct flow_table *t, const struct np_part_key *key, const struct np_part *part,
		    uint64_t now_ns);
/* End of an interval: d_* and rates of every flow and group, histories, ageing. now_ns CLOCK_MONOTONIC. */
void flow_table_tick(struct flow_table *t, uint64_t now_ns);

uint32_t flow_table_count(const struct flow_table *t);
uint64_t flow_table_dropped(const struct flow_table *t); /* flows not kept for want of room */
/* Every flow; fn returns non-zero to stop, which is returned. */
int flow_table_each(struct flow_table *t, int (*fn)(struct flow *f, void *arg), void *arg);
/* The main flow of a socket (the last one made); NULL. */
struct flow *flow_table_find(struct flow_table *t, uint64_t sock_id);

/* Payload bytes received, as shown: by return values plus what the kernel counted and no hook saw. */
static inline uint64_t flow_rx_bytes(const struct flow *f)
{
	return f->counts.rx_bytes + f->rx_unseen;
}

#endif
