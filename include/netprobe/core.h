/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libnetprobe: managers, their configuration, events and counters. The conventions are in netprobe.h.
 */
#ifndef NETPROBE_CORE_H
#define NETPROBE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NETPROBE_NOTE \
	1 /* netprobe_error.code: it was done, and msg and hint say what not as wished */

/* What failed in words; pass one wherever a function takes it, or NULL. */
struct netprobe_error {
	int code;	/* negative errno; NETPROBE_NOTE; 0: nothing to say */
	char msg[256];	/* what failed, which kernel thing or input */
	char hint[256]; /* what to do about it; empty where there is nothing to say */
};

#define NETPROBE_NO_END UINT32_MAX /* of what lasts so many seconds: for ever */

/* netprobe_config.capture, and the answer of netprobe_is_supported. */
#define NETPROBE_CAPTURE_AUTO 0	    /* the highest that works */
#define NETPROBE_CAPTURE_EBPF 1	    /* everything, with exact owners */
#define NETPROBE_CAPTURE_AFPACKET 2 /* from packets; owners by /proc */
#define NETPROBE_CAPTURE_PROC 3	    /* sockets and interfaces, by sampling */
#define NETPROBE_CAPTURE_NONE 4	    /* guard alone */

/* netprobe_config.hook: of ebpf, which family of kernel hooks. */
#define NETPROBE_HOOK_AUTO 0 /* the most stable that works, hook by hook */
#define NETPROBE_HOOK_TRACEPOINT 1
#define NETPROBE_HOOK_FENTRY 2
#define NETPROBE_HOOK_KPROBE 3

/* netprobe_config.event_buffer: of ebpf, how events leave the kernel. */
#define NETPROBE_BUFFER_AUTO 0
#define NETPROBE_BUFFER_RINGBUF 1
#define NETPROBE_BUFFER_PERF 2

/* netprobe_config.names: where names of remote addresses come from; a mask. */
#define NETPROBE_NAMES_DNS 1	 /* what processes are answered */
#define NETPROBE_NAMES_SNI 2	 /* what TLS clients call their server */
#define NETPROBE_NAMES_HTTP 4	 /* what HTTP clients call it */
#define NETPROBE_NAMES_RESOLVE 8 /* the library itself asks name servers for the rest */
#define NETPROBE_NAMES_ASKED 16	 /* with enable_dns_events: who asked a local resolver */

/* netprobe_config.formats: other spellings of an event beside its JSON; a mask. */
#define NETPROBE_FORMAT_TEXT 1	  /* one readable line */
#define NETPROBE_FORMAT_COLOR 2	  /* and that with a terminal's colours */
#define NETPROBE_FORMAT_XCTL 4	  /* JSON as older collectors read it */
#define NETPROBE_FORMAT_NO_JSON 8 /* only those that are asked for: json is NULL */

/* netprobe_config.optional: what load goes on without where it cannot be had; a mask. */
#define NETPROBE_OPTIONAL_DNS 1	    /* enable_dns_events */
#define NETPROBE_OPTIONAL_LATENCY 2 /* enable_latency */

/* netprobe_config.xdp_mode */
#define NETPROBE_XDP_AUTO 0 /* in the driver, else generic */
#define NETPROBE_XDP_NATIVE 1
#define NETPROBE_XDP_GENERIC 2

/* netprobe_config.mode */
#define NETPROBE_MODE_MONITOR 0 /* count */
#define NETPROBE_MODE_FILTER 1	/* and drop what is banned */
#define NETPROBE_MODE_BALANCE 2 /* and balance what is left */

/* Kinds of events; bits of a mask for netprobe_manager_set_event_handler. */
#define NETPROBE_EVENT_SECURITY \
	1 /* security.*: attacks, and what is banned and allowed, whoever did it */
#define NETPROBE_EVENT_BALANCING 2  /* stats.lb, balance.health */
#define NETPROBE_EVENT_STATISTICS 4 /* stats.global, stats.iface, probe.loss */
#define NETPROBE_EVENT_FLOW 8	    /* transport.*, error.net, conn.* */
#define NETPROBE_EVENT_DNS 16	    /* dns.query; with enable_dns_events */
#define NETPROBE_EVENT_DROP \
	32 /* transport.drop with a reason, packet.trace; with enable_drop_events, trace_packets */
#define NETPROBE_EVENT_ALL 63

/* netprobe_manager_get_device_stats */
#define NETPROBE_RX 0
#define NETPROBE_TX 1

/* netprobe_filter.key: by what capture is filtered, and what the value is. */
#define NETPROBE_FILTER_PID 1	    /* "1234", a running process */
#define NETPROBE_FILTER_COMM 2	    /* "nginx" */
#define NETPROBE_FILTER_CGROUP 3    /* a path below the cgroup mount */
#define NETPROBE_FILTER_CONTAINER 4 /* its name, its id, or the beginning of that */
#define NETPROBE_FILTER_HOST 5	    /* "192.0.2.1", "2001:db8::/32"; either end */
#define NETPROBE_FILTER_SRC_HOST 6  /* the local end */
#define NETPROBE_FILTER_DST_HOST 7
#define NETPROBE_FILTER_PORT 8 /* "443", "8000-8100", "https"; either end */
#define NETPROBE_FILTER_SRC_PORT 9
#define NETPROBE_FILTER_DST_PORT 10
#define NETPROBE_FILTER_PROTO 11     /* "tcp", "udp", "icmp" */
#define NETPROBE_FILTER_INTERFACE 12 /* "eth0" */
#define NETPROBE_FILTER_FAMILY 13    /* "ipv4", "ipv6" */
#define NETPROBE_FILTER_POD \
	14 /* its name, NAMESPACE/NAME, or its UID; of those that run now, as the next two */
#define NETPROBE_FILTER_NAMESPACE 15 /* of Kubernetes */
#define NETPROBE_FILTER_UNIT 16	     /* "nginx.service", "nginx" */
#define NETPROBE_FILTER_USER 17	     /* a name of /etc/passwd, or a number */
#define NETPROBE_FILTER_MAX 18

struct netprobe_filter {
	uint32_t key; /* NETPROBE_FILTER_*; 0 ends a list of them */
	const char *value;
};

/* What a manager does. Start from netprobe_config_default. */
struct netprobe_config {
	size_t size;	   /* sizeof(struct netprobe_config) */
	uint32_t capture;  /* NETPROBE_CAPTURE_*; default AUTO */
	uint32_t mode;	   /* NETPROBE_MODE_* of interfaces attached from now on; default FILTER */
	uint32_t xdp_mode; /* NETPROBE_XDP_*; default AUTO */
	bool enable_xdp_events; /* false: interfaces are attached in mode MONITOR, whatever mode says; default true */
	bool enable_tc_events; /* stats.iface of attached interfaces, counted at tc; default true */
	bool enable_detailed_events; /* conn.* and stalls too, not only sums of an interval; default true */
	bool enable_security_alerts; /* security.*; default true */
	bool enable_health_checks; /* ask the balancer's backends whether they serve; default true */
	uint32_t
		batch_size; /* events that a handler is given at most at once; 1..65536, default 64 */
	uint32_t
		batch_timeout; /* how long an event waits for others at most, ms; 0..60000, default 100 */
	uint32_t
		stats_report_interval; /* between two stats.* and transport.bw, ms; 10..3600000, default 1000 */
	uint32_t sample_rate; /* record 1 socket in so many; from 1 on, default 1 */
	uint32_t max_events;  /* of sockets a second, the rest is counted; 0 (default): no limit */
	uint32_t
		workers; /* 0 (default): handlers run in netprobe_manager_poll; up to 16: in so many threads of the library's, shared by sockets */
	/*
	 * What is captured, up to one with key 0. Of one key any, of different keys all must match. NULL (default):
	 * everything.
	 */
	const struct netprobe_filter *filters;
	bool enable_dns_events;	 /* follow DNS, for dns.query; default false */
	bool enable_drop_events; /* packets the kernel drops; takes ebpf; default false */
	bool drop_stacks;	 /* with the kernel's stack, as names; default false */
	bool drop_benign;	 /* also packets that are no loss; default false */
	bool drop_addresses;	 /* kernel addresses in stacks, too; default false */
	bool trace_packets; /* packet.trace: steps through the stack; takes ebpf, and filters of hosts or ports; default false */
	bool enable_latency; /* time how long data waits in sockets' queues; takes ebpf; default false */
	bool keep_closed; /* flows that are over stay listed until the manager is freed; default false */
	bool paused;	  /* record nothing for now; default false */
	bool no_syn_cookies; /* as where the kernel has none for XDP; default false */
	bool use_clsact; /* guard counts by a clsact qdisc also where the kernel has TCX; default false */
	uint32_t hook;	       /* NETPROBE_HOOK_*; default AUTO */
	uint32_t event_buffer; /* NETPROBE_BUFFER_*; default AUTO */
	/* mask of NETPROBE_NAMES_*; default 0: addresses have none, DNS events tell who asked */
	uint32_t names;
	uint32_t
		dns_timeout_ms; /* a query without an answer has timed out; 10..300000, default 5000 */
	uint32_t
		stall_threshold_ms; /* what stands still longer is a stall; 1..3600000, default 100 */
	uint32_t formats;	    /* mask of NETPROBE_FORMAT_*; default 0, JSON alone */
	uint32_t count_flows; /* guard's flows: 0 (default) in mode MONITOR, 1 always, 2 never */
	uint32_t
		balancer_flows; /* room of the balancer's table; told with the first VIP; 0: 1048576 */
	const char *btf;  /* file or folder of BTF where the kernel carries none; NULL (default) */
	const char *pcap; /* pcapng file for packets with their owners; NULL (default): none */
	uint16_t dns_ports[16]; /* where DNS servers listen, up to the first 0; default: 53 */
	uint32_t packet_ring_bytes,
		packet_block_bytes;		  /* of afpacket; 0 (default): 8 MiB, 256 KiB */
	uint32_t packet_timeout_ms, packet_rings; /* of afpacket; 0 (default): 10, 1 */
	uint32_t optional;			  /* mask of NETPROBE_OPTIONAL_*; default 0 */
	bool no_flow_events; /* none of NETPROBE_EVENT_FLOW are made, nor probe.loss of their programs: costs less; default false */
	bool count_drops; /* netprobe_manager_drops as with enable_drop_events, without an event each; default false */
	bool own_intervals; /* they end with netprobe_manager_tick instead of by the clock; default false */
	bool read_idle; /* each interval reads all sockets, not only those that changed: for figures that are times; default false */
	bool direct; /* handlers get each event as it happens, alone and without a copy of it; they may then call no function of their manager (-EDEADLK); default false */
	bool only_moved; /* stats.* at the end of an interval only where packets moved in it; default false */
	uint32_t
		event_ring_bytes; /* of ebpf, a power of two; 0 (default): 8 MiB, 256 KiB with no_flow_events */
	uint32_t
		shared_sockets; /* of ebpf, room for those of several processes or peers; 0 (default): 65536 */
	uint32_t fail_at; /* for tests: where the start of ebpf breaks; default 0, nowhere */
	uint32_t
		text_columns; /* of the terminal that lines of NETPROBE_FORMAT_TEXT are shortened for; 0 (default): they are whole */
	uint32_t reserved;    /* 0 */
	bool follow_interfaces; /* put guard on interfaces that come back under their name; default true; since 0.2 */
};

/* A DNS transaction: netprobe_event.dns. Strings are NULL where unknown. */
struct netprobe_dns_query {
	size_t size;
	const char *qname, *qtype; /* "example.net", "AAAA"; never NULL */
	const char *rcode;	   /* "NOERROR"; NULL: nobody answered */
	bool timed_out;
	uint8_t proto;	/* IPPROTO_* */
	uint16_t rport; /* of the server */
	uint32_t retries;
	double latency_ms;     /* negative: nobody answered */
	uint32_t asked_by_pid; /* who asked the resolver that sent this; 0: unknown, or the owner */
	const char *asked_by_comm;
	double waited_ms; /* how long it waited for its answer; negative: unknown */
	const char *const *answers;
	size_t n_answers;
};

/* netprobe_security.by */
#define NETPROBE_BY_DETECTION 0
#define NETPROBE_BY_LIST 1 /* somebody, by a call or command of this machine */

/* Lists of guard: netprobe_security.list, and what guard's calls take. */
#define NETPROBE_LIST_BANS 0
#define NETPROBE_LIST_ALLOWED 1
#define NETPROBE_LIST_DETECTED 2 /* banned by detection; told only */
#define NETPROBE_LIST_BOTH 3	 /* bans and allowed; told only, by security.list */

/*
 * What security.* is about: netprobe_event.security. One shape for each type, whichever way it came about: of its
 * fields those that a type has not are NULL and 0. Strings are NULL where unknown.
 */
struct netprobe_security {
	size_t size;
	/* "192.0.2.1", "2001:db8::/32", as the lists take it; NULL: of no one source (security.anomaly, security.list) */
	const char *source;
	const char *iface; /* NULL: all of them */
	uint32_t by;	   /* NETPROBE_BY_* */
	uint32_t ttl_s;	   /* security.ban, security.allow: how long, or NETPROBE_NO_END; else 0 */
	/* of detection */
	const char *rule;     /* "syn_flood"; NULL: not of detection */
	uint64_t seen, limit; /* the figure that fired, and what it was compared with */
	uint32_t strikes;     /* bans of this source so far */
	uint16_t target_port; /* 0 none */
	uint8_t target[16];   /* whom it went to */
	/* of an entry of a list, as in netprobe_ban */
	uint8_t proto; /* of detection too: of the packets */
	bool dry_run;
	uint16_t port_from, port_to;
	const char *reason, *who;
	/*
	 * security.list: more entries of one change than are told one by one (256), one that replaced a list or waits to
	 * be confirmed, or the undoing of that. The list is to be read anew.
	 */
	uint64_t entries; /* in the change */
	bool replaced;	  /* others may be gone, without an event */
	uint8_t list;	  /* NETPROBE_LIST_*: which one; 0 for other types */
};

/* The container of an owner. Strings are empty where not known; all of them: in none. */
struct netprobe_container {
	const char *id, *name, *runtime; /* what people call it; "docker" */
	const char *pod, *pod_namespace; /* of Kubernetes: the UID of its pod */
	const char *image, *pod_name;
	const char *project, *service; /* of Compose */
};

/* An event, as netprobe's commands print it. Strings are never NULL unless it says so. */
struct netprobe_event {
	size_t size;	       /* of this structure in the library; check before newer fields */
	uint32_t family;       /* one NETPROBE_EVENT_* */
	uint32_t pid;	       /* of the owner; 0 unknown */
	uint64_t wall_ns;      /* CLOCK_REALTIME of the happening */
	uint64_t ktime_ns;     /* CLOCK_MONOTONIC of the same moment */
	const char *type;      /* "conn.open", "security.ban" */
	const char *entity_id; /* "socket-1234", "eth0", a VIP; empty unknown */
	const char *value;     /* as text */
	double num;	       /* the same as a number, in unit */
	const char *unit;      /* "ms", "Mbit/s", "count" */
	const char *comm;      /* name of the owner; empty unknown */
	const char *
		json; /* all of it, one JSON object without a newline; NULL with NETPROBE_FORMAT_NO_JSON */
	const char *text,
		*xctl; /* the same otherwise spelled, without a newline; NULL unless in config.formats */
	struct netprobe_container container;	  /* of the owner */
	const struct netprobe_dns_query *dns;	  /* of dns.query; else NULL */
	const struct netprobe_security *security; /* of security.*; else NULL */
};

/* n events of one call, oldest first. arg is the one of netprobe_manager_set_event_handler. */
typedef void (*netprobe_event_fn)(const struct netprobe_event *events, size_t n, void *arg);

/* All interfaces together, and the manager itself. */
struct netprobe_global_stats {
	size_t size;
	uint64_t rx_pkts, rx_bytes, tx_pkts,
		tx_bytes;	   /* at attached interfaces, as guard counted them */
	uint64_t dropped;	   /* by guard */
	uint64_t malformed;	   /* packets with headers that do not fit */
	uint64_t events_delivered; /* to handlers */
	uint64_t
		events_lost; /* lost between the kernel and the handlers, by full rings or memory */
	uint64_t flows;	     /* sockets known to the capture now */
	uint32_t interfaces; /* attached */
	uint32_t capture;    /* NETPROBE_CAPTURE_* in use; NONE: not loaded */
};

/* What protocols the packets at attached interfaces have. */
struct netprobe_network_stats {
	size_t size;
	uint64_t tcp_packets, tcp_bytes, udp_packets, udp_bytes, icmp_packets, icmp_bytes;
	uint64_t other_packets, other_bytes; /* other protocols over IP, and what is no IP */
	uint64_t ipv6_packets;		     /* of all of these */
};

/* One direction of one interface. */
struct netprobe_device_stats {
	size_t size;
	uint64_t packets, bytes;       /* as the hook saw them: merged segments are one */
	uint64_t segments, wire_bytes; /* as they are on the wire */
	uint64_t tcp_packets, udp_packets, icmp_packets, other_packets, ipv6_packets;
	uint64_t dropped; /* by guard; 0 for NETPROBE_TX */
	uint64_t device_packets, device_bytes, device_dropped, device_errors; /* the kernel's own */
	uint64_t tcp_bytes, udp_bytes, icmp_bytes, other_bytes; /* of these protocols */
	/* 0 for NETPROBE_TX from here on */
	uint64_t dropped_banned, dropped_limited, dropped_detected, dropped_bytes;
	uint64_t would_drop;	  /* by rules of a dry run */
	uint64_t allowed;	  /* packets of the allow list */
	uint64_t malformed;	  /* packets with headers that do not fit */
	uint64_t dropped_cookies; /* acknowledgements without a SYN cookie of ours */
	/* packets in no flow, sources forgotten while active, look-ups given up */
	uint64_t lost_flows, lost_sources, lost_nested;
};

struct netprobe_security_stats {
	size_t size;
	uint64_t dropped_banned, dropped_limited, dropped_detected; /* packets */
	uint64_t would_drop;					    /* by rules of a dry run */
	uint64_t allowed;					    /* packets of the allow list */
	uint64_t malformed;
	uint32_t bans, allows;	/* rules now, as netprobe_manager_banned and _allowed call for */
	uint32_t bans_max;	/* entries there may be */
	uint32_t off;		/* 1: the panic switch lets everything pass */
	uint32_t detection;	/* NETPROBE_DETECT_* */
	uint32_t confirm_s;	/* left to confirm a change; 0: none waits */
	uint32_t memory_kib;	/* of guard's maps, as the kernel says */
	uint32_t syn_cookies;	/* NETPROBE_COOKIES_*: whether they can protect a service */
	int32_t tcp_syncookies; /* the sysctl of this network namespace; -1: the kernel has none */
	uint32_t syn_cookie_services; /* protected now */
	uint32_t
		entries; /* of the ban list: an address or network is one, whatever its rules; those that just ended too */
	uint32_t tracked; /* NETPROBE_TRACKED_*; since 0.2 */
	uint32_t reserved;
};

/* netprobe_security_stats.tracked: whether netfilter tracks connections here, which cookies begin without a SYN */
#define NETPROBE_TRACKED_NO \
	0 /* no connection at this moment: rules may begin to track the next one */
#define NETPROBE_TRACKED_YES 1
#define NETPROBE_TRACKED_STRICT 2 /* and such ones are invalid (nf_conntrack_tcp_loose is 0) */

/* netprobe_security_stats.syn_cookies */
#define NETPROBE_COOKIES_NO_FILTER 0 /* guard only counts here */
#define NETPROBE_COOKIES_NO_KERNEL 1 /* the kernel has no helpers for XDP (since 6.0) */
#define NETPROBE_COOKIES_LEFT_OUT 2  /* attached without them, or the kernel refused the program */
#define NETPROBE_COOKIES_READY 3

struct netprobe_balancer_stats {
	size_t size;
	uint64_t packets; /* forwarded to backends */
	uint64_t bytes;	  /* of these, as they came in */
	uint64_t new_flows, table_hits;
	uint64_t errors; /* for a VIP and not forwarded */
	uint32_t vips, backends, backends_up, backends_draining, backends_down;
};

struct netprobe_manager;

/*
 * The library's version, "0.2.0", between releases "0.2.0+12.g1a2b3c4". Never fails, borrowed for ever. Since: 0.1.
 */
const char *netprobe_version(void);
/*
 * The types that netprobe_event.type may have: the name of number index from 0 on, NULL behind the last. The string is
 * static. Callable from any thread. Since: 0.2.
 */
const char *netprobe_event_type(unsigned int index);

/*
 * Whether this machine and this user allow a way of capture, by trying it: takes up to a second.
 * capture: NETPROBE_CAPTURE_*; AUTO asks for the highest.
 * Returns the way that works (NETPROBE_CAPTURE_EBPF, ...); -EPERM: a capability is missing, err names it;
 * -EOPNOTSUPP: the kernel cannot, err says why; -EINVAL: no such way. Any thread. Since: 0.1.
 */
int netprobe_is_supported(uint32_t capture, struct netprobe_error *err);

/*
 * Fill *config with the defaults, config->size included. Never fails. Since: 0.1.
 */
void netprobe_config_default(struct netprobe_config *config);

/*
 * Whether that could stand in netprobe_config.filters now: 0; -EINVAL, -ESRCH, -ENOENT, -ENODEV: it could not, err says
 * what it takes; -ENOMEM. Any thread. Since: 0.2.
 */
int netprobe_check_filter(const struct netprobe_filter *filter, struct netprobe_error *err);
/* "src-host" for NETPROBE_FILTER_SRC_HOST; NULL for what is none. Borrowed for ever, any thread. Since: 0.2. */
const char *netprobe_filter_name(uint32_t key);

/*
 * A manager with the default configuration, or with *config, which is copied. Nothing of the kernel is
 * touched yet. *ret_manager is the caller's, to be freed by netprobe_manager_free.
 * -EINVAL: a field out of its range, err names it; -ENOENT, -ENODEV: the cgroup, container or interface of a filter is
 * not there; -ENOMEM. Since: 0.1.
 */
int netprobe_manager_new(struct netprobe_manager **ret_manager, struct netprobe_error *err);
int netprobe_manager_new_with_config(const struct netprobe_config *config,
				     struct netprobe_manager **ret_manager,
				     struct netprobe_error *err);

/*
 * Stop capture and workers, hand out what still waits, wait for calls of other threads, and free. Interfaces
 * stay attached, bans stay: they are the network namespace's. NULL and a manager that was freed already are
 * allowed. Returns NULL; m where it does nothing, called from within what a call of it calls back. Since: 0.1.
 */
struct netprobe_manager *netprobe_manager_free(struct netprobe_manager *m);

/*
 * Start capturing, as the configuration says; with NETPROBE_CAPTURE_NONE only the workers.
 * -EPERM, -EOPNOTSUPP as netprobe_is_supported; -EALREADY: it runs; -ENOMEM. Since: 0.1.
 */
int netprobe_manager_load(struct netprobe_manager *m, struct netprobe_error *err);

/*
 * Counters now; the caller sets ret->size, newer fields than it has room for are left out. Without any
 * attached interface all are 0. get_device_stats: direction is NETPROBE_RX or NETPROBE_TX.
 * -EINVAL: size or direction; -ENOENT: the interface is not attached; -EPERM; -EPROTO: what is attached is
 * of another version. Since: 0.1.
 */
int netprobe_manager_get_global_stats(struct netprobe_manager *m, struct netprobe_global_stats *ret,
				      struct netprobe_error *err);
int netprobe_manager_get_network_stats(struct netprobe_manager *m,
				       struct netprobe_network_stats *ret,
				       struct netprobe_error *err);
int netprobe_manager_get_device_stats(struct netprobe_manager *m, const char *ifname,
				      uint32_t direction, struct netprobe_device_stats *ret,
				      struct netprobe_error *err);
int netprobe_manager_get_security_stats(struct netprobe_manager *m,
					struct netprobe_security_stats *ret,
					struct netprobe_error *err);
int netprobe_manager_get_balancer_stats(struct netprobe_manager *m,
					struct netprobe_balancer_stats *ret,
					struct netprobe_error *err);

/*
 * Another configuration, from now on. After load these must be what they were (-EBUSY, err names one):
 * capture, workers, hook, event_buffer, btf, pcap, names, dns_*, keep_closed, packet_*,
 * enable_dns_events, enable_drop_events, count_drops, drop_benign, drop_addresses, trace_packets, optional,
 * no_flow_events, own_intervals, direct, only_moved, event_ring_bytes, shared_sockets, fail_at. An error leaves
 * the old one in force. -EINVAL: a field out of its range, err names it; -EOPNOTSUPP, -EPERM: waits in
 * queues cannot be timed (enable_latency). get_config copies the one in force; config->size is set by
 * the caller, filters and strings stay the manager's and are good until the next update. Since: 0.1.
 */
int netprobe_manager_update_config(struct netprobe_manager *m, const struct netprobe_config *config,
				   struct netprobe_error *err);
int netprobe_manager_get_config(struct netprobe_manager *m, struct netprobe_config *ret);

/*
 * Who gets events of these families (NETPROBE_EVENT_* in a mask); one handler for each family, the last
 * one set. fn NULL: nobody, they are not made then. arg is handed through. When it returns, the handler before
 * is not called again and its arg is not used, wherever its events wait; but called from within a handler it
 * does not wait for those that other workers run at that moment. -EINVAL: a family that there is not;
 * -EDEADLK: from within a list or a direct handler. Since: 0.1.
 */
int netprobe_manager_set_event_handler(struct netprobe_manager *m, uint32_t families,
				       netprobe_event_fn fn, void *arg);

/*
 * Wait up to timeout_ms for something to happen, and call handlers with what did, in this thread: 0
 * does not wait, -1 waits without end for at least one batch. To be called again and again; between calls
 * events wait in the kernel, whose room for them is finite. With workers it only waits.
 * Returns events handed out (with workers 0), or -errno: -EBUSY from within a handler; -EBADF: another thread
 * frees the manager meanwhile; -EALREADY: it was finished and nothing waits any more; -EIO and others where
 * the kernel side failed.
 * Since: 0.1.
 */
int netprobe_manager_poll(struct netprobe_manager *m, int timeout_ms);

/*
 * For an event loop of one's own: a descriptor that is readable when netprobe_manager_poll has something to do, with a
 * timeout of 0: also where a manager has guard alone, and before load. No other timer is needed; where nobody wants
 * events and nothing is captured it only tells of interfaces that come and go. The manager's, good until it is freed;
 * to be waited for, not read. -EBUSY: the manager has workers, which look themselves; -EMFILE, -ENFILE, -ENOMEM, -ENOSPC. Since: 0.1.
 */
int netprobe_manager_fd(struct netprobe_manager *m);

/*
 * End an interval (netprobe_config.own_intervals): read the sockets, make the records of the interval, hand out
 * what waits. Events handed out, or as netprobe_manager_poll; -EINVAL: intervals end by the clock;
 * -ENODEV: nothing is captured. Since: 0.1.
 */
int netprobe_manager_tick(struct netprobe_manager *m);

/*
 * The last interval: what only the end tells is told, probe.loss of the whole run with it, and handed out. Figures
 * can be asked for until the manager is freed; nothing new comes. netprobe_manager_free does this where the
 * caller has not. Workers hand out all that waits before it returns, and end with the manager. Errors as
 * netprobe_manager_tick's; -EALREADY. Since: 0.1.
 */
int netprobe_manager_finish(struct netprobe_manager *m);

/*
 * Look, and hand out all that waits, whatever its batch: when it returns handlers have returned, in this thread or,
 * with workers, in theirs. Events handed out meanwhile; -EBUSY: from within a handler; -EBADF: another thread frees
 * the manager meanwhile; -EIO and others where the kernel side failed. Any thread. Since: 0.2.
 */
int netprobe_manager_flush(struct netprobe_manager *m);

/*
 * Make the records of these families now (NETPROBE_EVENT_STATISTICS, NETPROBE_EVENT_BALANCING) instead of at
 * the end of the interval, and hand them to their handlers in this thread before it returns.
 * How many records, 0 where guard and the balancer are nowhere; -EINVAL: another family; -EPERM, -EPROTO as
 * netprobe_manager_get_global_stats. Since: 0.1.
 */
int netprobe_manager_report(struct netprobe_manager *m, uint32_t families,
			    struct netprobe_error *err);

#ifdef __cplusplus
}
#endif

#endif
