/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `top` and the tables draw: flows summed up by process, connection, container, remote host
 * or interface, sorted and filtered. A view owns its rows; drawing code only reads them.
 */
#ifndef NETPROBE_FLOW_VIEW_H
#define NETPROBE_FLOW_VIEW_H

#include <netprobe/view.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/dropped.h"
#include "flow/health.h"
#include "flow/latency.h"
#include "flow/nic.h"
#include "flow/table.h"

/*
 * One more row, REST, stands for what is not kept by name any more (hosts beyond the bound,
 * processes gone for longer than the grace time), so that the rows of a view add up to its totals:
 * its proc and cgroup are NULL, its name says what it is.
 */
struct view_row {
	uint64_t key;	/* the same row has the same key as long as the table lives */
	char name[112]; /* "nginx", "10.0.0.1:443 > ...", end of a cgroup path, "eth0" */
	const struct process *proc; /* process view, owner of a connection; NULL: several or none */
	const struct flow *flow;    /* connection view only */
	const struct cgroup *cgroup; /* container view, NULL unknown */
	/* what the remote end is called: connection and remote view; NULL unknown. Valid as the view is */
	const char *rname;
	uint8_t addr[16];	       /* remote view */
	uint32_t netns;		       /* interface view: its namespace */
	float tx_rate, rx_rate;	       /* bytes/s */
	uint64_t tx_bytes, rx_bytes;   /* totals since the start */
	uint64_t retrans;	       /* segments since the start, SYN-ACKs included */
	uint64_t segs;		       /* TCP segments sent since the start, those sent again too */
	float retrans_rate, segs_rate; /* the same of the last interval, a second */
	uint32_t uid;		       /* user view; UINT32_MAX: not known */
	const struct flow *busiest;    /* of its flows; NULL: it has none that moved anything */
	const char *program;	       /* program view: its path, or its name; NULL: not known */
	const char *text; /* all of a name that may be cut, without a NUL; NULL: name */
	uint32_t text_len;
	struct trouble trouble;	    /* of sockets; a group's: since the start, its owner's */
	struct verdict_times times; /* connection view: what limited it lately */
	int verdict;		    /* VERDICT_* of the last few intervals; -1 not looked at */
	uint32_t conns;		    /* that do not listen; remote view: and unconnected peers */
	uint32_t rtt_us;	    /* srtt, or the median over its TCP connections; 0 unknown */
	bool exited;		    /* owner gone or connection closed, still in its grace time */
	bool rest;		    /* see above */
	uint32_t what;		    /* interface view: UNOWNED_*; of no socket */
	const struct nic *nic;	    /* interface view: what it tells of itself; NULL: not known */
	const struct history *history; /* NULL: no traffic lately, too many rows, or drilled */
	uint64_t drops;		       /* packets of it that were dropped, since they are watched */
	bool has_drops; /* false: not watched, or not told apart by rows of that kind */
	const struct latency *latency; /* of proc; NULL: nothing was timed, or no proc */
};

struct view_query {
	uint8_t kind; /* NETPROBE_VIEW_* */
	uint8_t sort; /* NETPROBE_SORT_* */
	bool reverse; /* ascending; by name: from Z on */
	/* whether a row is wanted, asked before limit; NULL: all are */
	bool (*match)(const struct view_row *row, void *arg);
	void *match_arg;
	const struct process *proc;  /* drill: only flows of this process; NULL all */
	const struct cgroup *cgroup; /* drill: only this container; NULL all */
	const uint8_t *remote;	     /* drill: only this remote address (16 bytes); NULL all */
	const char *iface;	     /* drill: only this interface; NULL all */
	uint32_t netns;		     /* ... of this network namespace; 0 any */
	size_t limit;		     /* most rows wanted; 0 all */
	bool idle;		     /* rows without any traffic since the start as well */
	bool live;		     /* without those that ended */
	/* drill: only flows of the group with that key, of GROUP_*; key 0 ends them */
	struct {
		uint32_t group;
		uint64_t key;
	} of[NETPROBE_OF_MAX];
};

struct view {
	struct view_row *rows;
	size_t n_rows;	/* rows made (after limit) */
	size_t n_total; /* rows that matched */
	/*
	 * Of all that match: rows of what is there now (processes, open connections, groups), of what ended, and
	 * what would have a row if idle ones were asked for. Without match and drill n_live + n_idle is processes
	 * in the view of processes, and conns in the view of connections.
	 */
	size_t n_live, n_ended, n_idle;
	float tx_rate, rx_rate; /* of all flows, filter or not */
	uint64_t tx_bytes, rx_bytes, retrans;
	uint32_t conns;	    /* open sockets that do not listen */
	uint32_t processes; /* that run, and have a socket or moved something */
	/* connection view: of connections not kept any more; within the totals */
	uint64_t gone_tx_bytes, gone_rx_bytes;
	const struct history *history; /* of all flows */
	const struct inside *inside;   /* of what goes where */
	float retrans_rate, segs_rate; /* TCP segments a second: sent again, sent at all */
};

/* GROUP_* of NETPROBE_VIEW_*; negative: it is of sockets. */
int view_group(uint8_t kind);

struct viewer; /* groups with their histories: lives beside the flow table */

/* Made right after the table, before its first record; freed before it. */
struct viewer *viewer_new(struct flow_table *flows);
struct viewer *viewer_free(struct viewer *v);
/* Where rows find what was timed; borrowed. */
void viewer_set_latencies(struct viewer *v, const struct latencies *l);
/* What an address is called, for something that began at_ns (0: now); NULL unknown. */
typedef const char *(*viewer_name_fn)(const void *arg, const uint8_t addr[16], uint64_t at_ns);
void viewer_set_names(struct viewer *v, viewer_name_fn fn, const void *arg);
/* Where rows find what was dropped; borrowed. NULL: it is not watched. */
void viewer_set_dropped(struct viewer *v, const struct dropped *d);
/*
 * All sums of rows begin anew: bytes, segments, retransmits and their causes, stalls, drops. Rates and histories go on.
 * Not for a table that keeps closed flows as sums. -ENOMEM: nothing was changed.
 */
int viewer_restart(struct viewer *v);
/* Whether rows need verdicts. Off at first: they cost a look at every flow each tick. */
void viewer_watch_health(struct viewer *v, bool on);
/* One connection by the key of its row, as of the last tick; its sums never begin anew. -ENOENT: no longer kept. */
int viewer_connection(struct viewer *v, uint64_t key, struct view_row *ret_row);
/* What interfaces moved that no socket did: an interval, then each that did so in it. what: UNOWNED_*. */
void viewer_unowned_begin(struct viewer *v, float seconds);
void viewer_unowned(struct viewer *v, const struct np_tuple *where, uint32_t what,
		    uint64_t tx_bytes, uint64_t rx_bytes);
/* What interfaces tell of themselves: each of them between begin and end, to be filled. NULL: no memory. */
void viewer_nics_begin(struct viewer *v);
struct nic *viewer_nic(struct viewer *v, uint32_t netns, uint32_t ifindex, const char *name);
void viewer_nics_end(struct viewer *v);
/* ... and the shares of their bytes that nobody owns; negative: not known. Of the one of that number, if there is one. */
void viewer_nic_unowned(struct viewer *v, uint32_t ifindex, double tx, double rx);
/* After each flow_table_tick: rates and histories of the groups. */
void viewer_tick(struct viewer *v, uint64_t now_ns);
/*
 * Build ret_view (freed by view_done), as of the last tick. Pointers in it stay valid until the
 * next call that changes table, viewer or processes. Drilled down, rows are summed from the flows
 * still kept. -ENOMEM, -EINVAL.
 */
int viewer_query(struct viewer *v, const struct view_query *q, struct view *ret_view);
void view_done(struct view *view);

#endif
