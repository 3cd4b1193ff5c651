/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libnetprobe: what a loaded manager knows of this machine's sockets, beside its events. The
 * conventions are in netprobe.h.
 */
#ifndef NETPROBE_CAPTURE_H
#define NETPROBE_CAPTURE_H

#include <netprobe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

struct netprobe_manager;

#define NETPROBE_UNKNOWN UINT64_MAX /* a count that this way of capture cannot know */

/* netprobe_flow.owner_match: how the owner is known. */
#define NETPROBE_MATCH_NONE 0
#define NETPROBE_MATCH_EXACT 1	  /* it made the call */
#define NETPROBE_MATCH_LISTENER 2 /* nobody used it yet: its listener's */
#define NETPROBE_MATCH_PROCFS 3	  /* found in /proc */

/* netprobe_flow.verdict, and index of its shares: what limits a connection. */
#define NETPROBE_VERDICT_APPLICATION 0	  /* nothing to send */
#define NETPROBE_VERDICT_RECEIVE_WINDOW 1 /* the peer takes no more */
#define NETPROBE_VERDICT_SEND_BUFFER 2
#define NETPROBE_VERDICT_CONGESTION_WINDOW 3
#define NETPROBE_VERDICT_LOSS 4
#define NETPROBE_VERDICT_PACING 5 /* the rate its process asked for: SO_MAX_PACING_RATE */
#define NETPROBE_VERDICT_MAX 6
#define NETPROBE_VERDICT_NONE 255 /* no TCP, or nothing known */

/* For MPTCP, which is 262 in the kernel and does not fit into 8 bits. */
#define NETPROBE_IPPROTO_MPTCP 252

/*
 * A socket, with one owner and, where it is unconnected, one peer. Strings are empty and numbers 0
 * where unknown, unless it says so; they are good during the call, with netprobe_config.own_intervals until the
 * manager's next poll, tick, finish, update_config or free.
 */
struct netprobe_flow {
	size_t size;
	uint64_t sock;		      /* its cookie */
	uint32_t pid, tid, ppid, uid; /* of the owner; uid is 0 too where pid is */
	uint32_t last_pid;	      /* who used the socket last */
	uint32_t owner_match;	      /* NETPROBE_MATCH_* */
	const char *comm, *exe, *last_comm;
	uint64_t cgroup_id;
	const char *cgroup; /* path below the cgroup mount */
	struct netprobe_container container;
	uint32_t netns; /* inode of its network namespace */
	uint8_t proto;	/* IPPROTO_*, or NETPROBE_IPPROTO_MPTCP */
	bool closed;
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
	const char *rname; /* what the remote address is called (netprobe_config.names) */
	const char *iface, *state;
	/* payload, and as the kernel segments or calls; NETPROBE_UNKNOWN */
	uint64_t tx_bytes, rx_bytes, tx_pkts, rx_pkts;
	/* in the last interval; NETPROBE_UNKNOWN */
	uint64_t tx_bytes_per_s, rx_bytes_per_s;
	uint64_t retransmits; /* segments, SYN-ACKs included; NETPROBE_UNKNOWN: no TCP */
	uint64_t bytes_acked, bytes_received, bytes_retrans; /* the kernel's; 0: no TCP */
	uint32_t srtt_us, min_rtt_us;			     /* 0: unknown */
	uint32_t connect_us;				     /* 0: unknown */
	uint64_t opened_ns, closed_ns;	     /* CLOCK_MONOTONIC; 0: before load; 0: it is open */
	uint64_t stall_ns;		     /* all its stalls */
	uint32_t error;			     /* positive errno that ended it; 0: none */
	uint32_t verdict;		     /* NETPROBE_VERDICT_*, over its life */
	double shares[NETPROBE_VERDICT_MAX]; /* of its time, 0..1, by NETPROBE_VERDICT_* */
	uint32_t cwnd, ssthresh, in_flight, mss; /* segments, the last in bytes */
	uint32_t peer_window, unsent_bytes, unread_bytes, sndbuf_bytes;
	uint64_t delivery_bytes_per_s, pacing_bytes_per_s;
	uint64_t told_ns; /* CLOCK_MONOTONIC of this look */
	/* what netprobe_verdict compares: the kernel's clocks, in microseconds, and marks */
	uint64_t bytes_sent, busy_us, rwnd_limited_us, sndbuf_limited_us, recovery_us;
	uint32_t rttvar_us, limits;
	uint32_t id;	   /* of this entry alone, as long as the manager is loaded */
	uint8_t family;	   /* 4, 6; 0: unknown */
	uint8_t tcp_state; /* TCP_* of the kernel, the number of state; 0: unknown */
	uint8_t ca_state;  /* TCP_CA_* of the kernel */
	bool has_tcp;	   /* the kernel's figures of TCP are there */
	/* of a socket of several owners or peers, beside its main entry; or a sum: sock 0, no ends, closed */
	bool part;
	bool former; /* its socket went on to another owner */
	bool listens;
	bool queue_full; /* more data waits for the reader than the peer may still send */
	/* part of the two above: what no call was seen to move */
	uint64_t tx_unseen_bytes, rx_unseen_bytes;
	uint32_t receive_window, sndbuf_used_bytes; /* bytes */
	/* by cause, which only ebpf sees: segments, SYN-ACKs of a listener; of those, found not needed */
	uint32_t retransmits_timeout, retransmits_fast, retransmits_tail_loss_probe;
	uint32_t retransmits_synack;
	uint32_t retransmits_spurious;
	uint32_t
		taken_us; /* when the kernel's figures were read, by a clock that wraps; 0: told_ns */
	uint32_t
		subflows; /* MPTCP: TCP connections that carry it, or did at last; 0: none, or no MPTCP */
	uint32_t ns_pid; /* of the owner, in its own pid namespace; 0: unknown */
};
typedef int (*netprobe_flow_fn)(const struct netprobe_flow *f, void *arg);

/*
 * Call fn for each socket that is open, or was lately (netprobe_config.keep_closed: since load), in no
 * order; what changed since the last interval is read first, unless intervals are the caller's own
 * (netprobe_config.own_intervals) and netprobe_manager_tick has read it. How many; -ENODEV: nothing is captured (load);
 * -EIO and others where the kernel side failed. Since: 0.1.
 */
int netprobe_manager_flows(struct netprobe_manager *m, netprobe_flow_fn fn, void *arg,
			   struct netprobe_error *err);

/*
 * What limited a connection between two looks at it: NETPROBE_VERDICT_*, shares[NETPROBE_VERDICT_MAX] (NULL: not
 * wanted) of the time between them. NETPROBE_VERDICT_NONE: no TCP, another socket, or no time between. -EINVAL: NULL,
 * or a size that is none. Any thread. Since: 0.1.
 */
int netprobe_verdict(const struct netprobe_flow *was, const struct netprobe_flow *now,
		     double *ret_shares);

/* Time by what limited a connection: several looks summed up. Begin with zeros, and size set. */
struct netprobe_verdict_sum {
	size_t size;
	uint64_t us[NETPROBE_VERDICT_MAX];  /* microseconds, by NETPROBE_VERDICT_* */
	uint64_t bytes_sent, bytes_retrans; /* in that time */
	/* of the application's: less than a segment waited, for Nagle's algorithm, for TCP_CORK */
	uint64_t nagle_us, cork_us;
};

/*
 * Add the time between two looks. The sum's first: NETPROBE_VERDICT_*, or NETPROBE_VERDICT_NONE where no time was looked at.
 * -EINVAL as netprobe_verdict. Any thread. Since: 0.1.
 */
int netprobe_verdict_add(struct netprobe_verdict_sum *sum, const struct netprobe_flow *was,
			 const struct netprobe_flow *now);

/* "receive_window"; NULL for what is none. Borrowed for ever, any thread. Since: 0.1. */
const char *netprobe_verdict_name(uint32_t verdict);

/*
 * "nagle" or "cork": the sum's first is the application, and half of its time or more was that; else NULL. Borrowed
 * for ever, any thread. Since: 0.1.
 */
const char *netprobe_verdict_detail(const struct netprobe_verdict_sum *sum);

/*
 * What to do about it, one English sentence; the second one for an end that mostly receives, whose own sending is
 * no matter: slow, its receive queue was full. NULL for what is none. Borrowed for ever, any thread. Since: 0.1.
 */
const char *netprobe_verdict_advice(uint32_t verdict);
const char *netprobe_verdict_advice_receiver(bool slow);

/* What a dropped packet means. Reasons nobody knows are a loss. */
#define NETPROBE_DROP_LOSS 0
#define NETPROBE_DROP_POLICY 1 /* a rule said so: firewall, filter, authentication */
#define NETPROBE_DROP_BENIGN 2 /* used up, or a copy of what is there already */
#define NETPROBE_DROP_OTHERS 3 /* for another host, or of a protocol nobody here speaks */
/* "loss", "policy", "benign", "others"; NULL for what is none. Borrowed for ever, any thread. Since: 0.1. */
const char *netprobe_drop_kind_name(uint32_t kind);

/* All packets that were dropped for one reason, at one place, of one owner. Strings are NULL where unknown. */
struct netprobe_drop {
	size_t size;
	const char *reason;   /* the kernel's, "NO_SOCKET" */
	const char *location; /* the kernel's function */
	const char *iface;
	uint32_t pid; /* 0: no owner */
	const char *comm;
	uint32_t owner_match; /* NETPROBE_MATCH_* */
	uint32_t netns;	      /* inode; 0: unknown */
	uint8_t proto;	      /* IPPROTO_*; 0: unknown */
	bool benign;	      /* kind is NETPROBE_DROP_BENIGN or NETPROBE_DROP_OTHERS */
	bool counter;	      /* what an interface counts itself: may be among the others as well */
	uint16_t lport;
	uint64_t packets, bytes;
	struct netprobe_container container; /* of the owner */
	uint32_t kind;			     /* NETPROBE_DROP_* */
	bool rest; /* of kinds that are not told apart any more: no owner and port */
};
typedef int (*netprobe_drop_fn)(const struct netprobe_drop *d, void *arg);

/*
 * Call fn for each kind of drops since load. How many; -ENODEV: drops are not watched
 * (netprobe_config.enable_drop_events or count_drops, load). Since: 0.1.
 */
int netprobe_manager_drops(struct netprobe_manager *m, netprobe_drop_fn fn, void *arg,
			   struct netprobe_error *err);

/* Index of netprobe_latency.counts. */
#define NETPROBE_LATENCY_RTT 0 /* round trips, once a connection and interval */
#define NETPROBE_LATENCY_CONNECT 1
#define NETPROBE_LATENCY_RX_WAIT 2 /* in receive queues; with enable_latency */
#define NETPROBE_LATENCY_TX_WAIT 3 /* in send queues; with enable_latency */
#define NETPROBE_LATENCY_STALL 4
#define NETPROBE_LATENCY_MAX 5
#define NETPROBE_LATENCY_SLOTS \
	32 /* slot 0: below 1 us; n: from 2^(n-1) us up to 2^n; the last has no end */

/* Latencies of a process, by length. */
struct netprobe_latency {
	size_t size;
	uint32_t pid;	  /* 0: unknown */
	const char *comm; /* empty: unknown */
	struct netprobe_container container;
	uint64_t counts[NETPROBE_LATENCY_MAX][NETPROBE_LATENCY_SLOTS];
};
typedef int (*netprobe_latency_fn)(const struct netprobe_latency *l, void *arg);

/* Call fn for each process. How many; -ENODEV: nothing is captured (load). Since: 0.1. */
int netprobe_manager_latencies(struct netprobe_manager *m, netprobe_latency_fn fn, void *arg,
			       struct netprobe_error *err);

/* "receive_wait" for NETPROBE_LATENCY_RX_WAIT; NULL for what is none. Borrowed for ever, any thread. Since: 0.1. */
const char *netprobe_latency_name(uint32_t latency);

/* What one program, table or queue did since load: seen = submitted + ring_full + ... + map_full. */
struct netprobe_loss {
	size_t size;
	const char *program;
	uint64_t seen, submitted;
	uint64_t ring_full; /* events lost; their counts are not */
	uint64_t filtered, sampled_out, rate_limited;
	uint64_t map_full;	/* counts lost: lost_*_bytes */
	uint64_t helper_errors; /* of the kernel */
	uint64_t missed;	/* runs the kernel left out */
	uint64_t lost_tx_bytes, lost_rx_bytes;
	uint64_t implausible; /* records with figures that cannot be, not added to anything */
	const char *unit;     /* of what it counts: "events", "packets", ... */
	uint64_t lost;	      /* ring_full + map_full + missed + implausible */
};
typedef int (*netprobe_loss_fn)(const struct netprobe_loss *l, void *arg);

/*
 * The account of losses: call fn for each program, table and queue that is there, also where nothing was lost. How
 * many; -ENODEV: nothing is captured (load). Since: 0.1.
 */
int netprobe_manager_losses(struct netprobe_manager *m, netprobe_loss_fn fn, void *arg,
			    struct netprobe_error *err);

/*
 * What became of the events after they were handed out is the program's to know: put it into the account, as a
 * place of that name (a queue, a file; up to 31 bytes), with what it took and what found no room so far. Where more found
 * none than at the last call, and after netprobe_manager_finish, a probe.loss of it goes to handlers that are set, as of
 * any other. Not from within a handler. -EINVAL: no name, one that is too long, or one of netprobe_manager_losses' own
 * rows; -ENODEV: nothing is captured (load); -ENOMEM, also for the ninth place. Since: 0.1.
 */
int netprobe_manager_tell_loss(struct netprobe_manager *m, const char *place, uint64_t taken,
			       uint64_t lost, struct netprobe_error *err);

/*
 * Whether the program has room for one more record of counts. Called from within the manager, often: it must
 * be quick, and may call no function of the manager (-EDEADLK).
 */
typedef bool (*netprobe_room_fn)(void *arg);

/*
 * Ask fn before each record of what was counted since the one before: transport.bw, error.net RETRANSMIT. Where it
 * says no, the record is not made now: its counts are kept, with their owner, and added to; told at the end of a later
 * interval, with an interval_s as long as all of it. Kept are 65536 owners (by interface) and 8192 sockets that
 * retransmitted; what is beyond, and what still waits after netprobe_manager_finish, is lost, and in probe.loss of `sums` to the byte.
 * fn NULL (the beginning): the program takes everything. arg is handed through. -EDEADLK: from within a list or a
 * direct handler. Since: 0.1.
 */
int netprobe_manager_set_room(struct netprobe_manager *m, netprobe_room_fn fn, void *arg);

/* All that was lost since load; what is not watched lost nothing. */
struct netprobe_loss_stats {
	size_t size;
	/* sums over the programs */
	uint64_t ring_full, map_full, lost_bytes, missed, helper_errors;
	uint64_t flows_dropped;	    /* sockets not kept for want of room */
	uint64_t security_lost;	    /* security.* overwritten before they were read */
	uint64_t waits_unsummed;    /* waits in queues: too many processes */
	uint64_t waits_unowned;	    /* ... without an owner */
	uint64_t waits_missed;	    /* ... not timed */
	uint64_t latencies_dropped; /* in no histogram: too many processes */
	/* DNS: messages that found the ring full, could not be read, were not shown by the kernel */
	uint64_t dns_ring_full, dns_errors, dns_missed;
	uint64_t dns_table_full; /* transactions there was no room for */
	uint64_t dns_streams;	 /* messages over TCP with holes */
	uint64_t drops_unsummed; /* drops of too many kinds */
	uint64_t drops_missed;	 /* ... not shown by the kernel */
	uint64_t drops_netns; /* network namespaces whose counters were not read at the last look */
	uint64_t steps_seen, steps_limited, steps_ring_full; /* of packets that are traced */
	uint64_t implausible;  /* records with figures that cannot be, not added to anything */
	uint64_t cgroups_full; /* owners whose cgroup is not known: there are too many */
	/* of flows_dropped and of what found no room, where keep_closed: rows without ends have their counts */
	uint64_t flows_summed;
	uint64_t flow_sums; /* so many rows: by process, interface, transport and family */
	uint64_t
		flows_unowned; /* of flows_summed: in rows without a process, there are too many of those */
	uint64_t flows_lost, flows_lost_bytes; /* counts of flows that are in no row and no sum */
};

/*
 * Sums of what was lost; the caller sets ret->size. -EINVAL: size; -ENODEV: nothing is captured (load).
 * Since: 0.1.
 */
int netprobe_manager_get_loss_stats(struct netprobe_manager *m, struct netprobe_loss_stats *ret,
				    struct netprobe_error *err);

/* The capture in use. Strings are empty where there is nothing to say. */
struct netprobe_capture {
	size_t size;
	uint32_t capture;		 /* NETPROBE_CAPTURE_* */
	uint32_t programs, programs_off; /* of ebpf: attached; wanted and not attached */
	bool latency;			 /* waits in queues are timed, or were */
	double uptime_s;
	uint64_t flows, open_sockets; /* known now */
	char mode[16];		      /* "ebpf" */
	char family[16];	      /* of hooks: "tracepoint" */
	char host[256];
	char note[512]; /* as netprobe_manager_note */
	/* what this kernel or process lacks for them, where they are asked for */
	char latency_note[192], names_note[192], drops_note[192], trace_note[192];
};

/* The caller sets ret->size. -EINVAL: size; -ENODEV: nothing is captured (load). Since: 0.1. */
int netprobe_manager_get_capture(struct netprobe_manager *m, struct netprobe_capture *ret,
				 struct netprobe_error *err);

/*
 * One line about what the capture in use cannot tell here, and why it is not a higher one; empty where there
 * is nothing to say. Into ret, of that many bytes. -ENODEV: nothing is captured; -EINVAL: no room. Since: 0.1.
 */
int netprobe_manager_note(struct netprobe_manager *m, char *ret, size_t bytes);

/* netprobe_hook.status */
#define NETPROBE_TRIAL_NONE 0
#define NETPROBE_TRIAL_IN_USE 1
#define NETPROBE_TRIAL_WORKS 2 /* but another one is in use */
#define NETPROBE_TRIAL_FAILS 3
#define NETPROBE_TRIAL_SILENT 4 /* attached, and it never fired in the self-test */

/* One way to see one thing in this kernel. Strings are NULL where there is nothing to say. */
struct netprobe_hook {
	size_t size;
	const char *name, *what;     /* "send"; in words */
	const char *family, *kind;   /* "tracepoint"; "tp_btf" */
	const char *target;	     /* "tp_btf/sock_send_length" */
	const char *since, *until;   /* kernel versions */
	const char *lacks;	     /* what it does not see */
	const char *reason, *remedy; /* why it fails, what to do */
	uint32_t status;	     /* NETPROBE_TRIAL_* */
	uint32_t error;		     /* positive errno; 0: none */
	bool required;		     /* capture by ebpf needs the thing it sees */
	bool proven;		     /* the thing was seen to be delivered */
	bool seen;		     /* some way to see the thing is in use */
	bool program;		     /* it has a program; false: something else covers it */
};
typedef int (*netprobe_hook_fn)(const struct netprobe_hook *h, void *arg);

/* What this machine, and this process on it, allow. Strings are empty where unknown. */
struct netprobe_machine {
	size_t size;
	char kernel[65], arch[65];
	/* root of cgroup v2: where it is mounted, also in another mount namespace, or "a mount of its own"; empty: not seen */
	char cgroup_mount[256];
	char lockdown[16];
	char uprobes_missing[160]; /* why who asks a local resolver cannot be told; empty: it can */
	char family[16];	   /* of hooks in use by ebpf; empty: none */
	char note[512];		   /* what ebpf lacks here, and what namespaces hide, in a line */
	bool bpf;		   /* the library was built with it; false: the next are unknown */
	bool btf, cap_bpf, cap_perfmon, cap_net_admin, kprobes;
	bool btf_own;	     /* the kernel carries it itself; with btf alone it is a file's */
	int32_t trampolines; /* for fentry: 1 yes, 0 refused, -1 not tried */
	int32_t unprivileged_bpf_disabled; /* the sysctl; -1 unknown */
	int32_t perf_paranoid;		   /* the sysctl; -1 unknown */
	int32_t seccomp; /* 0 none, 2 a filter decides over system calls; -1 unknown */
	struct netprobe_error ebpf, afpacket, proc; /* ways of capture; code 0: it works */
	int32_t xdp_syncookies; /* helpers for SYN cookies at XDP: 1 yes, 0 none, -1 not tried */
	int32_t tcp_syncookies; /* the sysctl of this network namespace; -1 none */
	uint64_t
		memory_limit_bytes; /* of this process's cgroups; tables fit one below 256 MiB; 0: none */
	uint32_t tracked;	    /* NETPROBE_TRACKED_* of this network namespace; since 0.2 */
	/* a folder of a runtime that may not be read: its containers have ids and no names; empty: none; since 0.2 */
	char names_denied[128];
};

/*
 * Try every way of capture, and of ebpf every way to see everything, one after the other: load, attach,
 * detach. Takes seconds. Without rights it tells what they would add. config (NULL: the defaults): its hook,
 * event_buffer, btf and packet_* are heeded. ret (NULL: not wanted; size set by the caller) is filled before fn
 * (NULL: only counted) is called, things in order and their ways by preference.
 * How many calls; -EINVAL: a field out of its range, a size; -ENOMEM. Any thread. Since: 0.1.
 */
int netprobe_examine(const struct netprobe_config *config, struct netprobe_machine *ret,
		     netprobe_hook_fn fn, void *arg, struct netprobe_error *err);

#ifdef __cplusplus
}
#endif

#endif
