/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of the flow table, shared by the files that make it up: store.c keeps the flows,
 * feed.c turns records into them, table.c closes intervals. Nobody else includes this.
 */
#ifndef NETPROBE_FLOW_STORE_H
#define NETPROBE_FLOW_STORE_H

#include "flow/pool.h"
#include "flow/table.h"

/* First in, first out, linked through flow.queue_next. */
struct flow_queue {
	struct flow *head;
	struct flow *tail;
	uint64_t in, out; /* how many ever */
};

/* The flows of a socket beside its current main one; there only for sockets that have such. */
struct flow_home {
	uint64_t sock_id;
	struct index_node node;
	struct flow_part *parts; /* open ones and those its end closed */
	struct flow *frozen;	 /* former main flows, linked through queue_next */
};

/* Main flow of a TCP socket. */
struct flow_main_tcp {
	struct flow flow;
	struct flow_tcp tcp;
};

/* A sum of flows. */
struct flow_summed {
	struct flow flow;
	struct flow_tcp tcp;
	struct flow_rare rare;
};

/* Flow of a part. */
struct flow_part {
	struct flow flow;
	struct flow_part *next, *prev;
	struct flow_home *home; /* NULL: taken out, it idled too long */
	bool has_peer;		/* told apart by its peer; else the tuple has its socket's */
	uint32_t came; /* told apart by the interface it came in by, see np_part_key; 0: not */
};

/* A socket whose flow went: a record of it that comes late tells what was told already. */
struct flow_gone {
	uint64_t sock_id; /* 0 none */
	uint64_t opened_ns, closed_ns;
	struct flow_counts told; /* rx_bytes with those that no call took */
	bool heir;		 /* of the record not all was its own */
};

struct flow_table {
	struct flow_table_opts opts;
	struct process_table *procs;
	struct index flows;
	struct index homes;
	struct flow **all; /* every flow once, at its slot */
	uint32_t all_cap;
	struct flow **active; /* those with a flow_recent, at its slot */
	uint32_t n_active, active_cap;
	struct flow_queue closed; /* main flows and parts, in the order their end was noticed */
	struct flow_queue parts;  /* parts not in closed, looked after in turn */
	uint32_t n_parts;	  /* in that queue */
	uint64_t trimmed;	  /* closed.out when memory was given back last */
	uint64_t closed_told;	  /* of those ever closed: noticed before the last tick */
	uint32_t n_open, serial;
	uint64_t n_dropped, n_refused; /* refused, of those: found only open ones; each once */
	uint64_t *refused;	       /* which: a hash; NULL: none yet */
	uint32_t refused_mask, n_refused_ids;
	struct index by_sum; /* what flows moved that made room, see sum.c */
	struct flow **sums;
	uint32_t sums_cap, max_sums;
	struct flow_left left;
	uint64_t tick_ns; /* of the last tick, or of the first record */
	float seconds;	  /* between the last two */
	struct history_budget histories;
	struct pool tcp_flows, recents; /* of what there are very many */
	struct flow_gone *gone;		/* the latest, by sock_id; NULL: none went yet */
	bool turned;			/* the interval is over, its tick not yet done */
	struct flow_watch *watches;
};

static inline bool part_has_peer(const struct np_part_key *key)
{
	return key->family || key->rport;
}

/* store.c */
int store_init(struct flow_table *t);
void store_done(struct flow_table *t);
/*
 * Room for one more, by dropping what matters least; where closed flows are kept its counts join a sum. -ENOSPC
 * (not for the last that will be heard of a socket: it is the next to make room), -ENOMEM.
 * who: a number of the socket, or of the part, by which it is refused once however often it comes.
 */
int store_make_room(struct flow_table *t, bool last, uint64_t who);
uint64_t store_part_id(const struct np_part_key *key);
/* An array of flow pointers gets room for one more than n. -ENOMEM. */
int store_reserve(struct flow ***array, uint32_t *cap, uint32_t n);
/* Main flows go by socket alone: the one of its latest life, frozen ones left out. NULL. */
struct flow *store_find_main(const struct flow_table *t, uint64_t sock_id);
struct flow *store_find_part(const struct flow_table *t, const struct np_part_key *key,
			     uint64_t start_ns);
/* Flows get their key fields and owners (references are taken over) before they are added. */
void store_add(struct flow_table *t, struct flow *f);
/* Settles, unlinks and frees one that is in no queue any more. */
void store_drop(struct flow_table *t, struct flow *f);
/* What was told of the socket rec is of, where its flow went; NULL: not known, or it began anew since. */
struct flow_gone *store_gone(const struct flow_table *t, const struct np_sock_rec *rec);
struct flow_home *store_home(const struct flow_table *t, uint64_t sock_id);
struct flow_home *store_home_get(struct flow_table *t, uint64_t sock_id); /* NULL: no memory */
void store_home_put(struct flow_table *t, struct flow_home *h);		  /* freed when empty */
void store_part_unlink(struct flow_table *t, struct flow_part *p);
void store_queue_push(struct flow_queue *q, struct flow *f);
struct flow *store_queue_pop(struct flow_queue *q);
/* f gets a flow_recent if it has none, and room for what it moves now. -ENOMEM. */
int store_activate(struct flow_table *t, struct flow *f);
/* What an activated flow moves now goes in there. */
struct flow_delta *store_pending(struct flow_table *t, struct flow *f);
void store_rare_free(struct flow_rare *rare); /* NULL: nothing */
void store_deactivate(struct flow_table *t, struct flow *f);
/* What is pending becomes d and the watchers are told. True: something moved. */
bool store_settle(struct flow_table *t, struct flow *f);
bool delta_is_zero(const struct flow_delta *d);

/* The socket is gone, f its main flow: closes it and all its parts and frozen flows. */
void store_close(struct flow_table *t, struct flow *f, uint64_t closed_ns);

/* sum.c */
int store_sums_init(struct flow_table *t);
void store_sums_done(struct flow_table *t);
/* f has to go: its counts join their sum, or are counted as lost. */
void store_sum(struct flow_table *t, const struct flow *f);
/* What moved has no flow and gets none: the watchers are told, and where closed flows are kept it joins a sum. */
void store_spill(struct flow_table *t, const struct np_owner *owner, const struct np_tuple *tuple,
		 const struct flow_delta *d, uint64_t now_ns);

/* feed.c: the candidate of unseen bytes stands, no record came to say otherwise. */
void feed_confirm_unseen(struct flow_table *t, struct flow *f);

static inline struct flow_part *flow_part_of(struct flow *f)
{
	return (struct flow_part *)(void *)((char *)f - offsetof(struct flow_part, flow));
}

#endif
