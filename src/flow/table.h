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

#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/history.h"
#include "owner/index.h"
#include "owner/process.h"
#include "wire/record.h"

/* What a flow moved in one interval. */
struct flow_delta {
	uint64_t tx_bytes, rx_bytes; /* payload; rx with the unseen ones that were settled */
	uint64_t tx_pkts, rx_pkts;
	/* TCP: payload in segments, what was sent again among it; not before, and not by whom, calls moved it */
	uint64_t tx_wire, rx_wire;
	uint64_t retrans; /* of the flow's owner */
	uint32_t synack;  /* SYN-ACKs of a listener, retransmitted: of the flow's last user */
	/* of the socket's retransmits, whoever owns them; NP_RTX_* */
	uint32_t rtx_cause[NP_RTX_MAX];
	uint32_t rtx_spurious; /* retransmits that were not needed */
	/* SYNs that a listener dropped: of the last user; limits: NP_TCP_ACCEPT_FULL, NP_TCP_SYN_FULL at either look */
	uint32_t listen_drops;
	uint32_t listen_limits;
};

/*
 * What the looks at a connection saw of its busy time, in 65535ths of that (see verdict.h). Small,
 * since every connection has one.
 */
struct verdict_past {
	uint16_t window; /* waiting for nothing else, and the window was full */
	uint16_t room;	 /* the same, and its buffer was */
	uint16_t queued; /* all of it, behind a queue on the way */
	uint16_t pacing; /* waiting for nothing else, at the rate its process asked for */
};

/* The kernel's figures of a TCP connection: struct np_tcp (see there) but for what flow settles. */
struct flow_tcp {
	uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans;
	uint64_t delivery_rate, pacing_rate;
	uint32_t srtt_us, rttvar_us, min_rtt_us;
	uint32_t snd_cwnd, snd_ssthresh;
	uint32_t segs_out, segs_in; /* the kernel's: those before the probe too, and they wrap */
	uint32_t snd_wnd, in_flight;
	uint16_t mss;
	uint8_t ca_state, limits;
	uint64_t busy_us, rwnd_limited_us, sndbuf_limited_us, recovery_us;
	uint32_t unread_bytes, unsent_bytes, rcv_wnd, sndbuf_bytes, wmem_bytes;
	uint32_t taken_us; /* wraps: only differences mean something; 0 unknown */
	struct verdict_past past;
};

/*
 * The rest of what the kernel half says of a TCP or MPTCP socket, all of it 0 for most: a flow has it from its first
 * on. Of MPTCP only this is told, and none of flow_tcp.
 */
struct flow_rare {
	uint64_t rx_unseen, tx_unseen; /* see np_tcp; rx_unseen is settled, tx_unseen the latest */
	uint64_t cand_rx_unseen;       /* private: of the last record, not yet confirmed */
	uint64_t stall_ns;
	uint32_t rtx_cause[NP_RTX_MAX], rtx_spurious;
	uint32_t synack_retrans, listen_drops;
	uint32_t subflows;	    /* of MPTCP */
	struct flow_former *former; /* NULL: it had no owner before this one */
};

/* What only flows that move have, so that 100,000 idle ones stay small. */
struct flow_recent {
	struct flow_delta d;	 /* of the last interval (see flow_table_tick) */
	struct history *history; /* NULL: too many others have one */
	struct flow_delta
		*early; /* private: what came after the last interval was over; NULL: nothing */
	uint32_t slot;	/* private: place among the active ones */
	uint16_t idle;	/* private: ticks without any movement */
	bool turned;	/* private: d is of the interval that ends now */
	bool first; /* private: d is of the one under way, before which nothing moved; early is NULL */
};

/* What the calls of the owner moved, since the probe saw it. */
struct flow_counts {
	uint64_t tx_bytes, rx_bytes; /* payload, by return values of calls */
	uint64_t retrans;
};

/* Sums of the kernel's that a socket had when it went on to another owner: its former owners'. */
struct flow_former {
	uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans, stall_ns;
	uint32_t rtx_cause[NP_RTX_MAX], rtx_spurious, synack_retrans;
};

struct flow {
	uint64_t sock_id;
	struct process *owner;	    /* owner of the counts; never NULL */
	struct process *last;	    /* last user of the socket; never NULL */
	struct flow_recent *recent; /* NULL: nothing moved lately */
	struct flow_tcp *tcp;	    /* NULL unless it is a TCP (or MPTCP) socket's main flow */
	struct flow_rare *rare;	    /* NULL: nothing of it; see flow_rare() */
	struct np_tuple tuple;
	uint8_t owner_match, last_match;
	bool part; /* made from a struct np_part */
	bool closed;
	bool frozen; /* its socket went on to another owner: no open socket, still in the totals */
	bool fresh : 1; /* private: a record came since the last tick */
	bool heir : 1;	/* private: its socket's counts are also those of former owners */
	bool moved : 1; /* private: of flow_table_moved, and no sweep's */
	bool dead : 1;	/* private: it had its socket's last record */
	uint16_t err;
	uint32_t connect_us, last_tid;
	uint64_t opened_ns, established_ns, closed_ns; /* CLOCK_MONOTONIC, as in np_sock_rec */
	struct flow_counts counts;
	uint64_t tx_pkts, rx_pkts; /* TCP: segments; datagram sockets: calls */
	uint64_t active_ns;	   /* last tick at which it moved; 0 never */
	uint32_t serial;	   /* of this flow alone, for the life of the table */
	uint32_t slot;		   /* private: place among all flows */
	struct index_node node;	   /* private: by socket, or by socket, owner and peer */
	struct flow *queue_next;   /* private: closed ones by age, parts to look after */
};

/* Are the kernel's figures of TCP there? */
static inline bool flow_is_tcp(const struct flow *f)
{
	return f->tcp && f->tuple.proto != NP_IPPROTO_MPTCP;
}

struct flow_table_opts {
	uint32_t max_flows; /* full: closed flows are dropped, then idle parts; 0: 262144 */
	uint64_t grace_ns;  /* how long closed flows and exited owners stay; 0: 10 s */
	/* `flows`: for the whole run instead, still bounded by max_flows: the counts of what is dropped join sums */
	bool keep_closed;
};

struct flow_table;

struct flow_table *flow_table_new(const struct flow_table_opts *opts, struct process_table *procs);
struct flow_table *flow_table_free(struct flow_table *t);

/*
 * Feed. rec is a sweep's or a close's record (NP_F_DEAD: final). A socket whose record's owner
 * changed keeps the old flow (frozen) and gets another, which starts from the difference; one that
 * moved nothing yet just changes hands. Late and repeated records of a closed flow can only raise
 * its counts, not reopen it.
 *
 * rx_bytes shown = counts.rx_bytes + rare->rx_unseen. The latter is believed as far as two records in a
 * row agree (an interval without a record counts as one: nothing changed), or the record is final,
 * never on NP_F_ULP sockets; where it turns out to have been a call under way it is taken back, but
 * the sum never falls.
 *
 * 0, -ENOMEM (nothing changed), -ENOSPC (table full of open flows; counted; a last record still finds room).
 * A part that fails has no flow, but its counts are told to watchers, and join a sum where closed flows are kept.
 */
int flow_table_sock(struct flow_table *t, const struct np_sock_rec *rec, uint64_t now_ns);
int flow_table_part(struct flow_table *t, const struct np_part_key *key, const struct np_part *part,
		    uint64_t now_ns);
/*
 * A flow that has no socket. Its counts, segments and causes of retransmits are what came since its last
 * record, each told once, so that it may be forgotten and come back. No sweep has to bring it: only a record
 * with NP_F_DEAD ends it. As flow_table_sock; its counts fare as a part's on failure.
 */
int flow_table_moved(struct flow_table *t, const struct np_sock_rec *rec, uint64_t now_ns);
/*
 * The interval ends: what is fed until the tick belongs to it and takes the place of the last one's
 * deltas, which nobody may look at any more. May be left out; then each flow that is fed takes more memory.
 */
void flow_table_turn(struct flow_table *t);
/*
 * End of an interval: deltas and rates of what moved, histories, ageing. Costs the flows that moved
 * lately, not those that are there. now_ns CLOCK_MONOTONIC. The caller scans the process table
 * itself.
 */
void flow_table_tick(struct flow_table *t, uint64_t now_ns);

/*
 * Told of every delta exactly once: in flow_table_tick, or when a flow is dropped for want of room
 * before it. Sums made here are exact whatever becomes of the flows. fn must not change the table.
 * w is the caller's memory and stays until flow_table_unwatch.
 */
struct flow_watch {
	void (*fn)(const struct flow *f, const struct flow_delta *d, void *arg);
	void *arg;
	struct flow_watch *next; /* private */
};
void flow_table_watch(struct flow_table *t, struct flow_watch *w);
void flow_table_unwatch(struct flow_table *t, struct flow_watch *w);

/*
 * Around a sweep that brings every socket: what is open and was not brought has ended without a last
 * record (the kernel left the hook out, or the record was lost), and is closed with the counts it has.
 */
void flow_table_expect_all(struct flow_table *t);
uint32_t flow_table_close_missing(struct flow_table *t, uint64_t now_ns);

uint32_t flow_table_count(const struct flow_table *t);	 /* sums among them */
uint32_t flow_table_open(const struct flow_table *t);	 /* open sockets among them */
uint64_t flow_table_dropped(const struct flow_table *t); /* not kept for want of room */
/*
 * What of it is lost. Where closed flows are kept it is what found no sum, and sockets that were refused since all others
 * are open: what these move is in sums from their ends on.
 */
uint64_t flow_table_no_room(const struct flow_table *t);
/* What became of the counts of those where closed flows are kept; lost: no memory, or too many sums. */
struct flow_left {
	uint64_t summed;  /* flows, and parts that found no room */
	uint64_t sums;	  /* they are in so many */
	uint64_t unowned; /* of summed: in one without owner, there are too many */
	uint64_t lost;	  /* in no sum */
	uint64_t lost_tx_bytes, lost_rx_bytes;
};
void flow_table_left(const struct flow_table *t, struct flow_left *ret);
float flow_table_seconds(const struct flow_table *t); /* length of the last interval */
uint64_t flow_table_grace(const struct flow_table *t);
struct process_table *flow_table_processes(const struct flow_table *t);
/*
 * Every flow, then the sums: parts that are closed, without a socket and ends. fn returns non-zero to stop, which is returned. fn must
 * not change the table.
 */
int flow_table_each(struct flow_table *t, int (*fn)(struct flow *f, void *arg), void *arg);
/* The same for those that moved in the last interval. */
int flow_table_each_active(struct flow_table *t, int (*fn)(struct flow *f, void *arg), void *arg);
/*
 * Is it the main flow of a datagram socket that moved nothing by itself, with the peer of one of its parts? Then that part
 * is the row of socket, owner and peer. The socket counts as before. While it is open the row of a part that is over is not.
 */
bool flow_table_is_double(const struct flow_table *t, const struct flow *f);
/* The main flow of a socket (the last one made); NULL. */
struct flow *flow_table_find(struct flow_table *t, uint64_t sock_id);

/* Never NULL: all zero where the flow has none. */
static inline const struct flow_rare *flow_rare(const struct flow *f)
{
	static const struct flow_rare none;

	return f->rare ?: &none;
}

/* Payload bytes received, as shown: by return values plus what only the kernel counted. */
static inline uint64_t flow_rx_bytes(const struct flow *f)
{
	return f->counts.rx_bytes + flow_rare(f)->rx_unseen;
}

/* Of the socket's figures what is this owner's: *f->tcp and *f->rare, their sums without the former owners'. */
void flow_tcp_own(const struct flow *f, struct flow_tcp *ret, struct flow_rare *ret_rare);
/* What it moved in the last interval; never NULL, all zero for idle flows. */
const struct flow_delta *flow_delta(const struct flow *f);
/* What of its counts came since that interval was over; never NULL. */
const struct flow_delta *flow_early(const struct flow *f);

/* Bytes/s in it. */
static inline float flow_tx_rate(const struct flow *f, float seconds)
{
	return seconds > 0 ? (float)flow_delta(f)->tx_bytes / seconds : 0;
}

static inline float flow_rx_rate(const struct flow *f, float seconds)
{
	return seconds > 0 ? (float)flow_delta(f)->rx_bytes / seconds : 0;
}

/* A socket counted as one connection: parts share their socket's. */
static inline bool flow_is_open_socket(const struct flow *f)
{
	return !f->part && !f->closed && !f->frozen;
}

/* The same without sockets that only listen: what a user takes for a connection. */
static inline bool flow_is_connection(const struct flow *f)
{
	return flow_is_open_socket(f) && f->tuple.state != TCP_LISTEN;
}

#endif
