/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libnetprobe: what a loaded manager knows, summed up by process, connection, container, remote host or
 * interface, sorted and filtered, as `netprobe top` shows it. The conventions are in netprobe.h.
 */
#ifndef NETPROBE_VIEW_H
#define NETPROBE_VIEW_H

#include <netprobe/capture.h>

#ifdef __cplusplus
extern "C" {
#endif

/* netprobe_view_query.kind: what a row is. */
#define NETPROBE_VIEW_PROCESS 0
#define NETPROBE_VIEW_CONNECTION 1
#define NETPROBE_VIEW_CONTAINER 2
#define NETPROBE_VIEW_REMOTE 3
#define NETPROBE_VIEW_INTERFACE 4
#define NETPROBE_VIEW_PROGRAM 5 /* all processes of one program */
#define NETPROBE_VIEW_USER 6
#define NETPROBE_VIEW_UNIT 7 /* of systemd */
#define NETPROBE_VIEW_POD 8
#define NETPROBE_VIEW_NAMESPACE 9 /* of pods */
#define NETPROBE_VIEW_LISTEN 10	  /* sockets that wait for whoever comes, idle or not */
#define NETPROBE_VIEW_IMAGE 11	  /* all containers made of one */
#define NETPROBE_VIEW_MAX 12

/* netprobe_view_query.sort: the most first, names from A. */
#define NETPROBE_SORT_TX 0
#define NETPROBE_SORT_RX 1
#define NETPROBE_SORT_RATE 2 /* both */
#define NETPROBE_SORT_TOTAL 3
#define NETPROBE_SORT_CONNECTIONS 4
#define NETPROBE_SORT_RTT 5
#define NETPROBE_SORT_RETRANS 6
#define NETPROBE_SORT_NAME 7
#define NETPROBE_SORT_STALL 8
#define NETPROBE_SORT_MAX 9

#define NETPROBE_ROW_RATES 60 /* intervals that rates of rows go back */
#define NETPROBE_OF_MAX 4

/* Which rows are wanted. Begin with zeros, and size set. */
struct netprobe_view_query {
	size_t size;
	uint32_t kind, sort; /* NETPROBE_VIEW_*, NETPROBE_SORT_* */
	bool reverse;
	bool idle;	    /* rows that moved nothing since load, or sums began anew, too */
	const char *match;  /* an expression (expr.h) about rows of that view; NULL, empty: all */
	uint64_t process;   /* key of a row of that view: only what is of it; 0: all */
	uint64_t container; /* the same */
	const uint8_t *remote; /* only of this remote address, 16 bytes; NULL: all */
	const char *iface;     /* only by this interface; NULL: all */
	uint32_t netns;	       /* of this network namespace; 0: any */
	size_t limit;	       /* most rows wanted; 0: all */
	bool live;	       /* without rows of what ended */
	/* only what is of these rows, of views of groups, all of them; key 0 ends the list */
	struct {
		uint32_t kind; /* NETPROBE_VIEW_* */
		uint64_t key;
	} of[NETPROBE_OF_MAX];
};

#define NETPROBE_LINK_UNKNOWN 0
#define NETPROBE_LINK_OFF 1  /* not switched on */
#define NETPROBE_LINK_DOWN 2 /* on, and no signal */
#define NETPROBE_LINK_UP 3

#define NETPROBE_DUPLEX_UNKNOWN 0
#define NETPROBE_DUPLEX_HALF 1 /* one end sends at a time */
#define NETPROBE_DUPLEX_FULL 2

/* What an interface of the own network namespace tells of itself: bytes with all headers. Since 0.2. */
struct netprobe_link {
	size_t size;
	uint32_t state;					       /* NETPROBE_LINK_* */
	uint32_t speed_mbit;				       /* Mbit/s; 0: it does not tell */
	uint64_t tx_bytes, rx_bytes, tx_packets, rx_packets;   /* since load, or sums began anew */
	uint64_t tx_errors, rx_errors, tx_dropped, rx_dropped; /* packets, as well */
	double tx_bytes_per_s, rx_bytes_per_s, tx_packets_per_s,
		rx_packets_per_s; /* last interval */
	/* share (0..1) of the bytes of the interval before that no socket here moved and that were not forwarded; negative: not known */
	double tx_unowned, rx_unowned;
	uint32_t duplex; /* NETPROBE_DUPLEX_* */
};

/*
 * A row. One more, rest, stands for all that is not kept by name any more, so that rows add up to the totals. Strings
 * are empty and numbers 0 where unknown, unless it says so; all is good during the call.
 */
struct netprobe_row {
	size_t size;
	uint64_t key;	   /* the same row has the same one as long as the manager is loaded */
	const char *group; /* "nginx", "10.0.0.1:443 > ...", end of a cgroup's path, "eth0" */
	const char *rname; /* what the remote address is called: connection and remote view */
	uint32_t pid;	   /* process view, owner of a connection */
	const char *comm;
	/* of the process, or the row's own: path below the cgroup mount, empty: none known; id, what people call it, "docker" */
	const char *cgroup;
	struct netprobe_container container;
	uint8_t addr[16]; /* remote view */
	uint32_t netns;	  /* interface view */
	/* in the last interval; negative: of a socket whose bytes this way of capture does not count */
	double tx_bytes_per_s, rx_bytes_per_s;
	/* since load, or sums began anew; NETPROBE_UNKNOWN: of such a socket */
	uint64_t tx_bytes, rx_bytes;
	uint64_t retransmits;							     /* segments */
	uint64_t retransmits_timeout, retransmits_fast, retransmits_tail_loss_probe; /* by cause */
	uint64_t retransmits_synack;   /* SYN-ACKs of a listener */
	uint64_t retransmits_spurious; /* of those by cause, found not needed */
	uint64_t stall_ns;	       /* in stalls that are over */
	uint32_t verdict;	       /* NETPROBE_VERDICT_* of the last few intervals */
	uint64_t verdict_us[NETPROBE_VERDICT_MAX]; /* connection view: of these, what limited it */
	uint32_t
		connections; /* open sockets that do not listen; remote view: and unconnected peers */
	uint32_t srtt_us;    /* smoothed, or the median of its connections */
	bool exited;	     /* owner gone or connection closed, and still shown for a while */
	bool rest;
	bool has_drops; /* drops are watched, and told apart by rows of that kind */
	uint64_t drops; /* packets */
	const float
		*rates; /* bytes a second of both directions, an interval each, the oldest first */
	uint32_t n_rates;
	const struct netprobe_flow *flow;	/* connection view; else NULL */
	const struct netprobe_latency *latency; /* of the process; NULL: nothing was timed */
	/* interface view: "unowned", "forwarded": bytes on the wire that no socket moved, in no sum; else empty */
	const char *what;
	uint32_t uid;	  /* of the process or the user; UINT32_MAX: unknown, or several */
	const char *user; /* its name, by this machine's /etc/passwd */
	uint32_t ppid;
	const char *exe;   /* path of the program: of a process, an owner, all of a program */
	uint64_t start_ns; /* of the process: CLOCK_BOOTTIME; 0: unknown */
	/* TCP segments sent since load, or sums began anew, what was sent again among them; a second, in the last interval: again, and all */
	uint64_t tx_segments;
	double retransmit_rate, segment_rate;
	uint8_t peer
		[16]; /* the other end of its busiest connection in the last interval, or else of all; zeroes: none */
	uint16_t peer_port;
	/* of a TCP socket that listens: connections that wait to be accepted, and how many may; else has_queue is false */
	bool has_queue;
	uint32_t queue, backlog;
	const struct netprobe_link
		*link; /* interface view: what it tells of itself; NULL: not known; since 0.2 */
};
typedef int (*netprobe_row_fn)(const struct netprobe_row *row, void *arg);

/* All rows together. */
struct netprobe_view {
	size_t size;
	size_t n_total;			       /* rows that matched, whatever the limit */
	double tx_bytes_per_s, rx_bytes_per_s; /* of all sockets, whatever was asked for */
	uint64_t tx_bytes, rx_bytes, retransmits;
	uint32_t connections; /* open sockets that do not listen */
	uint32_t processes;   /* that run, and have a socket or moved something */
	uint32_t n_rates;
	float rates[NETPROBE_ROW_RATES]; /* as a row's */
	/*
	 * Of all that match: rows of what is there now, of what ended (asked for or not), and what has no row because
	 * idle was not asked for. With no match and no drill n_live + n_idle is processes in the view of processes,
	 * and connections in the view of connections.
	 */
	size_t n_live, n_ended, n_idle;
	uint64_t undecided; /* as netprobe_expr_undecided's, of match; since 0.2 */
	double retransmit_rate, segment_rate; /* as a row's, of all */
	/*
	 * Of all sockets: what is sent to other hosts, received from them, and sent to addresses that sockets of this
	 * host have, bytes a second; and an interval each, the oldest first, since views are asked for.
	 */
	double up_rate, down_rate, inside_rate;
	uint32_t n_directions;
	float up_rates[NETPROBE_ROW_RATES], down_rates[NETPROBE_ROW_RATES],
		inside_rates[NETPROBE_ROW_RATES];
};

/*
 * Call fn for each row, as of the last interval, in the order asked for. ret (NULL: not wanted; size set by the caller) is
 * filled before. How many calls; -EINVAL: no such kind or sort, a size, no such match; -ESRCH: process or container is not there
 * any more; -ENODEV: nothing is captured (load); -ENOMEM. Since: 0.1.
 */
int netprobe_manager_view(struct netprobe_manager *m, const struct netprobe_view_query *query,
			  netprobe_row_fn fn, void *arg, struct netprobe_view *ret,
			  struct netprobe_error *err);

/*
 * Call fn for the connection whose row has that key, with sums since load, whatever began anew. What fn returns; -ENOENT: it is not kept any more; -ENODEV.
 * Since: 0.1.
 */
int netprobe_manager_connection(struct netprobe_manager *m, uint64_t key, netprobe_row_fn fn,
				void *arg, struct netprobe_error *err);

/*
 * Whether rows have verdicts: every interval then looks at each connection. Where packets dropped can be watched they
 * are from the first time on, for rows' drops. -ENODEV: nothing is captured (load). Since: 0.1.
 */
int netprobe_manager_watch_health(struct netprobe_manager *m, bool on, struct netprobe_error *err);

/*
 * All sums of rows and views begin anew: bytes, segments, retransmits and their causes, stalls, drops; not those of
 * netprobe_flow, nor losses. -EOPNOTSUPP: of flows that are over the sums are kept (netprobe_config.keep_closed);
 * -ENODEV: nothing is captured (load); -ENOMEM: nothing was changed. Since: 0.2.
 */
int netprobe_manager_restart_sums(struct netprobe_manager *m, struct netprobe_error *err);

/*
 * At least share (0..1) of what is in these slots (netprobe_latency.counts[...]) was shorter than so many microseconds: the
 * end of a slot, so at most twice the truth; UINT64_MAX: it has no end. 0: there is nothing. Any thread. Since: 0.1.
 */
uint64_t netprobe_latency_quantile(const uint64_t slots[NETPROBE_LATENCY_SLOTS], double share);

#ifdef __cplusplus
}
#endif

#endif
