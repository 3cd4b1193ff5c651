/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libnetprobe: who sends and receives what on this machine, and XDP programs that count, filter and
 * balance at its interfaces. The only header that is installed.
 *
 * Conventions, for all functions:
 *
 * - 0 or positive is success, a negative errno is failure. What is written through a pointer stays
 *   untouched on failure. Nothing is printed; errno is not part of the interface.
 * - Structures whose first field is `size` grow with new versions: set it to their sizeof (the
 *   functions that fill defaults do). A library that is older or newer than the caller's header then
 *   knows which fields there are; unknown ones are left alone.
 * - Strings are UTF-8 and NUL-terminated. Those handed to a handler are good during its call; those
 *   handed in are copied.
 * - Counters are since the interface was attached, or since load for what is captured; they never go
 *   back while that lasts. Bytes and packets are whole numbers, times are in the unit of their name.
 * - Threads: a manager may be used from any thread, its functions take turns. Handlers run in the
 *   thread that calls netprobe_manager_poll, or in the library's own where workers are asked for, one
 *   at a time; they may call functions of their manager, but not free it. Two managers are
 *   independent, but both see the same guard: that belongs to the network namespace.
 * - A manager uses the network namespace that the calling thread is in, at each call.
 */
#ifndef NETPROBE_NETPROBE_H
#define NETPROBE_NETPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What failed in words; pass one wherever a function takes it, or NULL. */
struct netprobe_error {
	int code;	/* negative errno */
	char msg[256];	/* what failed, which kernel thing or input */
	char hint[256]; /* what to do about it; empty where there is nothing to say */
};

/* netprobe_config.capture, and the answer of netprobe_is_supported. */
#define NETPROBE_CAPTURE_AUTO 0	    /* the highest that works */
#define NETPROBE_CAPTURE_EBPF 1	    /* everything, with exact owners */
#define NETPROBE_CAPTURE_AFPACKET 2 /* from packets; owners by /proc */
#define NETPROBE_CAPTURE_PROC 3	    /* sockets and interfaces, by sampling */
#define NETPROBE_CAPTURE_NONE 4	    /* guard alone */

/* netprobe_config.xdp_mode */
#define NETPROBE_XDP_AUTO 0 /* in the driver, else generic */
#define NETPROBE_XDP_NATIVE 1
#define NETPROBE_XDP_GENERIC 2

/* netprobe_config.mode */
#define NETPROBE_MODE_MONITOR 0 /* count */
#define NETPROBE_MODE_FILTER 1	/* and drop what is banned */
#define NETPROBE_MODE_BALANCE 2 /* and balance what is left */

/* Kinds of events; bits of a mask for netprobe_manager_set_event_handler. */
#define NETPROBE_EVENT_SECURITY 1   /* security.*: attacks, bans and unbans */
#define NETPROBE_EVENT_BALANCING 2  /* stats.lb, balance.health */
#define NETPROBE_EVENT_STATISTICS 4 /* stats.global, stats.iface, probe.loss */
#define NETPROBE_EVENT_FLOW 8	    /* transport.*, error.net, conn.* */
#define NETPROBE_EVENT_ALL 15

/* netprobe_manager_get_device_stats */
#define NETPROBE_RX 0
#define NETPROBE_TX 1

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
		batch_timeout_ms; /* how long an event waits for others at most; 0..60000, default 100 */
	uint32_t stats_report_interval_ms; /* between two stats.*; 10..3600000, default 1000 */
	uint32_t sample_rate;		   /* record 1 socket in so many; from 1 on, default 1 */
	uint32_t max_events; /* of sockets a second, the rest is counted; 0 (default): no limit */
	uint32_t
		workers; /* 0 (default): handlers run in netprobe_manager_poll; 1: in a thread of the library's */
	/*
	 * What is captured, NULL-terminated "KEY=VALUE" as the commands' options: proto, host, src-host,
	 * dst-host, port, src-port, dst-port, pid, comm. Of one key any, of different keys all must
	 * match. NULL (default): everything.
	 */
	const char *const *filters;
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
	const char *json;      /* all of it, one JSON object without a newline */
};

/* n events of one call, oldest first. arg is the one of netprobe_manager_set_event_handler. */
typedef void (*netprobe_event_fn)(const struct netprobe_event *events, size_t n, void *arg);

/* All interfaces together, and the manager itself. */
struct netprobe_global_stats {
	size_t size;
	uint64_t rx_packets, rx_bytes, tx_packets,
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
};

struct netprobe_security_stats {
	size_t size;
	uint64_t dropped_banned, dropped_limited, dropped_detected; /* packets */
	uint64_t would_drop;					    /* by rules in dry-run */
	uint64_t allowed;					    /* packets of the allow list */
	uint64_t malformed;
	uint32_t bans, allows; /* entries now */
	uint32_t bans_max;
	uint32_t off; /* 1: the panic switch lets everything pass */
};

struct netprobe_balancer_stats {
	size_t size;
	uint64_t packets; /* forwarded to backends */
	uint64_t bytes;	  /* of these, as they came in */
	uint64_t new_flows, table_hits;
	uint64_t errors; /* for a VIP and not forwarded */
	uint32_t vips, backends, backends_up, backends_draining, backends_down;
};

/* A ban, or what netprobe_manager_banned tells of one. */
struct netprobe_ban {
	size_t size;
	char cidr[64];	/* "192.0.2.0/24", "2001:db8::1" */
	uint32_t ttl_s; /* seconds from now on; 0 for ever */
	uint32_t age_s; /* since it was added; told only */
	uint64_t hits;	/* packets it matched; told only */
	uint8_t proto;	/* IPPROTO_*; 0 any */
	bool dry_run;	/* count what it would drop, and let it pass */
	bool force;	/* also where it would cut off this machine's user or gateway; asked only */
	uint16_t port_from, port_to; /* of the destination; 0 and 0: any */
	char reason[48];
	char who[32]; /* told; empty when asked: the program's user */
};

/* netprobe_backend.forward */
#define NETPROBE_FORWARD_ENCAP 0 /* IPIP, IP6IP6, or either in the other */
#define NETPROBE_FORWARD_MAC 1	 /* by hardware address alone: same network, same kind of address */

/* netprobe_backend.check */
#define NETPROBE_CHECK_NONE 0 /* it is up */
#define NETPROBE_CHECK_TCP 1  /* a connect succeeds */
#define NETPROBE_CHECK_HTTP 2 /* a status of 200 to 399 */

/* A backend to be added; zero is the default of every field but size and addr. */
struct netprobe_backend {
	size_t size;
	char addr[64];	     /* "10.0.0.10", "2001:db8::10" */
	uint32_t weight;     /* share of new flows, up to 1000; 0: 1 */
	uint32_t forward;    /* NETPROBE_FORWARD_* */
	uint32_t check;	     /* NETPROBE_CHECK_* */
	uint16_t check_port; /* 0: the VIP's */
	uint16_t rise, fall; /* checks in a row that change its state, up to 100; 0: 2 and 3 */
	uint32_t interval_ms, timeout_ms; /* of checks; 0: 2000 and 1000 */
	uint32_t slow_start_ms;		  /* to reach its weight after coming up */
	char path[64];			  /* of NETPROBE_CHECK_HTTP; empty: "/" */
	char host[64];			  /* the Host named there; empty: its address */
};

/* fn returns 0 to go on, anything else to stop. */
typedef int (*netprobe_ban_fn)(const struct netprobe_ban *ban, void *arg);

struct netprobe_manager;

/*
 * The library's version, "0.1.0". Never fails, borrowed for ever. Since: 0.1.
 */
const char *netprobe_version(void);

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
 * A manager with the default configuration, or with *config, which is copied. Nothing of the kernel is
 * touched yet. *ret_manager is the caller's, to be freed by netprobe_manager_free.
 * -EINVAL: a field out of its range, err names it; -ENOMEM. Since: 0.1.
 */
int netprobe_manager_new(struct netprobe_manager **ret_manager, struct netprobe_error *err);
int netprobe_manager_new_with_config(const struct netprobe_config *config,
				     struct netprobe_manager **ret_manager,
				     struct netprobe_error *err);

/*
 * Stop capture and workers, hand out what still waits, and free. Interfaces stay attached, bans stay:
 * they are the network namespace's. NULL is allowed. Returns NULL. Not from a handler. Since: 0.1.
 */
struct netprobe_manager *netprobe_manager_free(struct netprobe_manager *m);

/*
 * Start capturing, as the configuration says; with NETPROBE_CAPTURE_NONE only the workers.
 * -EPERM, -EOPNOTSUPP as netprobe_is_supported; -EALREADY: it runs; -ENOMEM. Since: 0.1.
 */
int netprobe_manager_load(struct netprobe_manager *m, struct netprobe_error *err);

/*
 * Attach guard to an interface by name, or change the mode of one that is attached. It stays when the
 * manager and the process are gone, until netprobe_manager_detach or `netprobe guard detach`.
 * -ENODEV: no such interface; -EBUSY: a foreign XDP program is there, which stays; -EOPNOTSUPP: its driver
 * does not take XDP and the configuration insists; -EPERM. Since: 0.1.
 */
int netprobe_manager_attach(struct netprobe_manager *m, const char *ifname,
			    struct netprobe_error *err);

/*
 * Take guard off an interface. With the last one go its lists and counters, and the balancer.
 * -ENOENT: it is not attached; -EPERM. Since: 0.1.
 */
int netprobe_manager_detach(struct netprobe_manager *m, const char *ifname,
			    struct netprobe_error *err);

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
 * Drop packets from an address or network. ban->size is set; zero is the default of all fields but cidr.
 * -EINVAL: no address or network, or one that would cut this machine off (see force), err says which;
 * -ENOENT: nothing is attached; -ENOSPC: the list is full; -EBUSY: an earlier change waits to be confirmed;
 * -EPERM. In force when it returns. Since: 0.1.
 */
int netprobe_manager_ban(struct netprobe_manager *m, const struct netprobe_ban *ban,
			 struct netprobe_error *err);

/*
 * Forget a ban by its address or network. -ENOENT: there is none; -EINVAL; -EPERM. Since: 0.1.
 */
int netprobe_manager_unban(struct netprobe_manager *m, const char *cidr,
			   struct netprobe_error *err);

/*
 * Call fn for each ban, in no order; the ban is good during the call. Returns how many there were, or what
 * netprobe_manager_ban returns. fn may not call functions of the manager. Since: 0.1.
 */
int netprobe_manager_banned(struct netprobe_manager *m, netprobe_ban_fn fn, void *arg,
			    struct netprobe_error *err);

/*
 * Virtual services ("192.0.2.1:80/tcp", "[2001:db8::1]:443/udp", * as the port for all) and their
 * backends, balanced at interfaces attached in mode BALANCE. They stay when the manager is gone, as the
 * interfaces do. by_source: all flows of a client together. drain: keep flows, take no new ones; false
 * takes them again.
 * -EINVAL: no VIP, no backend, a field out of its range; -EEXIST, -ENOENT: it is, or is not there;
 * -ENOSPC: 256 VIPs, 4095 backends; -ENETUNREACH: no route to the backend; -EADDRINUSE: it is this host;
 * -EPERM. In force when it returns. Since: 0.1.
 */
int netprobe_manager_vip_add(struct netprobe_manager *m, const char *vip, bool by_source,
			     struct netprobe_error *err);
int netprobe_manager_vip_remove(struct netprobe_manager *m, const char *vip,
				struct netprobe_error *err);
int netprobe_manager_backend_add(struct netprobe_manager *m, const char *vip,
				 const struct netprobe_backend *backend,
				 struct netprobe_error *err);
int netprobe_manager_backend_remove(struct netprobe_manager *m, const char *vip, const char *addr,
				    struct netprobe_error *err);
int netprobe_manager_backend_drain(struct netprobe_manager *m, const char *vip, const char *addr,
				   bool drain, struct netprobe_error *err);

/*
 * Another configuration, from now on, of all but capture and workers, which must be those it has
 * (-EBUSY). An error leaves the old one in force. -EINVAL: a field out of its range, err names it. get_config
 * copies the one in force; config->size is set by the caller, filters stay the manager's and are good
 * until the next update. Since: 0.1.
 */
int netprobe_manager_update_config(struct netprobe_manager *m, const struct netprobe_config *config,
				   struct netprobe_error *err);
int netprobe_manager_get_config(struct netprobe_manager *m, struct netprobe_config *ret);

/*
 * Who gets events of these families (NETPROBE_EVENT_* in a mask); one handler for each family, the last
 * one set. fn NULL: nobody, they are not made then. arg is handed through. -EINVAL: a family that there is not.
 * Since: 0.1.
 */
int netprobe_manager_set_event_handler(struct netprobe_manager *m, uint32_t families,
				       netprobe_event_fn fn, void *arg);

/*
 * Wait up to timeout_ms for something to happen, and call handlers with what did, in this thread: 0
 * does not wait, -1 waits without end for at least one batch. To be called again and again; between calls
 * events wait in the kernel, whose room for them is finite. With workers it only waits.
 * Returns events handed out (with workers 0), or -errno: -EIO and others where the kernel side failed.
 * Since: 0.1.
 */
int netprobe_manager_poll(struct netprobe_manager *m, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
