/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libnetprobe: XDP and tc at interfaces of the caller's network namespace. What is done here belongs
 * to the namespace: it stays when the manager and the process are gone, and other managers and
 * commands see it. The conventions are in netprobe.h.
 */
#ifndef NETPROBE_GUARD_H
#define NETPROBE_GUARD_H

#include <netprobe/core.h>

#ifdef __cplusplus
extern "C" {
#endif

struct netprobe_manager;

/*
 * Attach guard to an interface by name, or change the mode of one that is attached. It stays until
 * netprobe_manager_detach or `netprobe guard detach`. On success err->code is 0, or NETPROBE_NOTE: err->msg says
 * in a line what was not done as wished (generic XDP where AUTO asked) and, of a change between native and generic
 * XDP, for how long nothing was filtered; err->hint says which forwarding is off where packets are to be balanced.
 * -ENODEV: no such interface; -EBUSY: a foreign XDP program is there, which stays; -EOPNOTSUPP: its driver
 * does not take XDP and the configuration insists; -EPERM. Since: 0.1.
 */
int netprobe_manager_attach(struct netprobe_manager *m, const char *ifname,
			    struct netprobe_error *err);

/*
 * Take guard off an interface. With the last one go its lists and counters, with the last in mode BALANCE the
 * balancer. -ENOENT: it is not attached; -EPERM. Since: 0.1.
 */
int netprobe_manager_detach(struct netprobe_manager *m, const char *ifname,
			    struct netprobe_error *err);

/* netprobe_interface.tc */
#define NETPROBE_TC_NONE 0
#define NETPROBE_TC_TCX 1
#define NETPROBE_TC_CLSACT 2

/* netprobe_interface.state */
#define NETPROBE_STATE_ON 0
#define NETPROBE_STATE_GONE 1		/* the interface is no more */
#define NETPROBE_STATE_LOST 2		/* somebody took guard's XDP program off */
#define NETPROBE_STATE_NOT_DELIVERING 3 /* what it sends is lost at the driver; since 0.2 */
#define NETPROBE_STATE_MOVED 4 /* in another network namespace, where guard goes on; since 0.2 */

/* An interface guard is attached to. */
struct netprobe_interface {
	size_t size;
	char name[16];
	uint32_t ifindex;
	uint32_t mode;				     /* NETPROBE_MODE_* */
	uint32_t xdp;				     /* NETPROBE_XDP_NATIVE, _GENERIC; 0: none */
	uint32_t tc;				     /* NETPROBE_TC_* */
	uint32_t program_id;			     /* of the XDP program; 0: none */
	uint32_t state;				     /* NETPROBE_STATE_* */
	const struct netprobe_device_stats *rx, *tx; /* good during the call */
};

/* fn returns 0 to go on, anything else to stop. What it is handed is good during the call. */
typedef int (*netprobe_interface_fn)(const struct netprobe_interface *i, void *arg);

/*
 * Call fn for each interface guard is attached to. How many were told; -ENOENT: it is nowhere; -EPERM;
 * -EPROTO. Since: 0.1.
 */
int netprobe_manager_interfaces(struct netprobe_manager *m, netprobe_interface_fn fn, void *arg,
				struct netprobe_error *err);

/* A flow as guard counts it; local is this machine's end, whatever the direction. */
struct netprobe_guard_flow {
	size_t size;
	uint8_t laddr[16], raddr[16];
	uint16_t lport, rport; /* 0: none */
	uint8_t proto;	       /* IPPROTO_* */
	uint8_t tcp_flags;     /* all that were seen */
	uint32_t ifindex;
	uint64_t rx_pkts, rx_bytes, tx_pkts, tx_bytes;
};
typedef int (*netprobe_guard_flow_fn)(const struct netprobe_guard_flow *f, void *arg);

/*
 * Call fn for each flow, in no order, where flows are counted (netprobe_config.count_flows). How many;
 * -ENOENT: guard is nowhere; -EPERM. Since: 0.1.
 */
int netprobe_manager_guard_flows(struct netprobe_manager *m, netprobe_guard_flow_fn fn, void *arg,
				 struct netprobe_error *err);

#define NETPROBE_TTL_MAX 31622400 /* seconds: 366 days */
#define NETPROBE_REASON_MAX 47	  /* bytes */
#define NETPROBE_WHO_MAX 31	  /* bytes */

/*
 * An entry of the ban list or the allow list, or what is told of one. Zero is the default but for size, cidr and
 * ttl_s. Strings are the caller's, or good during the call that tells of it.
 */
struct netprobe_ban {
	size_t size;
	const char *cidr; /* "192.0.2.0/24", "2001:db8::1" */
	uint32_t ttl_s;	  /* seconds from now on, 1 to NETPROBE_TTL_MAX, or NETPROBE_NO_END */
	uint32_t age_s;	  /* since it was added; told only */
	uint64_t hits;	  /* packets it matched; told only */
	uint32_t list;	  /* NETPROBE_LIST_*; told only */
	uint8_t proto;	  /* IPPROTO_*; 0 any */
	bool dry_run;	  /* count what it would drop, and let it pass */
	bool force; /* also where it would cut off this machine's user or gateway; asked only */
	uint16_t port_from, port_to; /* of the destination; 0 and 0: any */
	const char *reason;	     /* up to NETPROBE_REASON_MAX; NULL: none */
	const char *
		who; /* up to NETPROBE_WHO_MAX; NULL: when asked the program's user, when told unknown */
};

/*
 * Whether that is an address or network as lists take it: 0, or -EINVAL and err says what is taken. Any thread.
 * Since: 0.1.
 */
int netprobe_check_cidr(const char *cidr, struct netprobe_error *err);

/* fn returns 0 to go on, anything else to stop. */
typedef int (*netprobe_ban_fn)(const struct netprobe_ban *ban, void *arg);

/*
 * Drop packets from an address or network; allow: let them in, whatever bans, limits and detection say.
 * ban->size is set.
 * -EINVAL: no address or network, no time, a text that is too long, err says which; -ECANCELED: refused, because it
 * would cut this machine off (see force), err says from whom; -ENOENT: nothing is attached; -ENOSPC: the list is full;
 * -EBUSY: an earlier change waits to be confirmed; -EPERM. In force when it returns. Since: 0.1.
 */
int netprobe_manager_ban(struct netprobe_manager *m, const struct netprobe_ban *ban,
			 struct netprobe_error *err);
int netprobe_manager_allow(struct netprobe_manager *m, const struct netprobe_ban *entry,
			   struct netprobe_error *err);

/*
 * Forget a ban, those of detection within it too, or an allowance, by its address or network. -ENOENT: there is
 * none; -EINVAL; -EPERM. Since: 0.1.
 */
int netprobe_manager_unban(struct netprobe_manager *m, const char *cidr,
			   struct netprobe_error *err);
int netprobe_manager_unallow(struct netprobe_manager *m, const char *cidr,
			     struct netprobe_error *err);

/*
 * Lift the bans by detection of the sources in an address or network; lists stay as they are. How many there were;
 * -ENOENT: none, or guard is nowhere; -EINVAL; -EPERM. Any thread. Since: 0.2.
 */
int netprobe_manager_lift(struct netprobe_manager *m, const char *cidr, struct netprobe_error *err);

/*
 * What holds for all of an address or network: call fn (NULL: only count) for each rule that does, first those that
 * allow, then bans, of each the smallest network first, then bans by detection; ban->list says which. What allows
 * wins. How many there were, 0: nothing; -EINVAL: no address or network; -ENOENT: guard is nowhere; -EPERM. Takes as
 * long for a long list as for a short one. Any thread. Since: 0.2.
 */
int netprobe_manager_lookup(struct netprobe_manager *m, const char *cidr, netprobe_ban_fn fn,
			    void *arg, struct netprobe_error *err);

/*
 * Call fn (NULL: only count) for each rule of a ban, of an allowance, or each source detection has banned (cidr,
 * ttl_s, hits and reason are told), in no order; the entry is good during the call. How many there were, or what
 * netprobe_manager_ban returns. Since: 0.1.
 */
int netprobe_manager_banned(struct netprobe_manager *m, netprobe_ban_fn fn, void *arg,
			    struct netprobe_error *err);
int netprobe_manager_allowed(struct netprobe_manager *m, netprobe_ban_fn fn, void *arg,
			     struct netprobe_error *err);
int netprobe_manager_detected(struct netprobe_manager *m, netprobe_ban_fn fn, void *arg,
			      struct netprobe_error *err);

/* How a list is changed as a whole: all of it or nothing. Zero is the default but for size. */
struct netprobe_change {
	size_t size;
	uint32_t list; /* NETPROBE_LIST_* */
	uint32_t
		confirm_s; /* undone after so many seconds unless netprobe_manager_confirm; 0: it stays */
	bool replace; /* instead of what is there, at once */
	bool force;   /* as netprobe_ban.force, for all entries */
};

/*
 * Add n entries (each as long as the first one's size says), or those of a text of that many bytes: a CIDR or a
 * range "a-b" a line, behind it proto=, port=, for=, dry-run=1, who=, reason= where wanted, texts in quotes where
 * they need it; "#" begins a comment. Entries of one address add up. entry (NULL: the defaults) has
 * what lines do not say, and ttl_s for them; its cidr is not looked at.
 * How many were added, at most INT_MAX; errors as netprobe_manager_ban's, and nothing is changed then. import
 * names the line. Since: 0.1.
 */
int netprobe_manager_change_list(struct netprobe_manager *m, const struct netprobe_change *how,
				 const struct netprobe_ban *entries, size_t n,
				 struct netprobe_error *err);
int netprobe_manager_import_list(struct netprobe_manager *m, const struct netprobe_change *how,
				 const struct netprobe_ban *entry, const char *text, size_t bytes,
				 struct netprobe_error *err);

/*
 * Take n entries (each as long as the first one's size says) out of a list (NETPROBE_LIST_*): all of them, or none.
 * One without proto and ports takes all that its address or network has, bans by detection too; with them the rule
 * that was made with the same. Of the rest of an entry nothing is looked at.
 * How many were taken, at most INT_MAX; -ENOENT: err names the first one that is not there; -EINVAL; -EBUSY as
 * netprobe_manager_ban; -EPERM. err may be NULL. Takes turns with other callers, in any thread. Since: 0.2.
 */
int netprobe_manager_remove_list(struct netprobe_manager *m, uint32_t list,
				 const struct netprobe_ban *entries, size_t n,
				 struct netprobe_error *err);

/*
 * Keep a change made with confirm_s, which else is undone by the kernel half itself when its time is over,
 * whoever is still alive. -ENOENT: none waits; -EPERM. Since: 0.1.
 */
int netprobe_manager_confirm(struct netprobe_manager *m, struct netprobe_error *err);

/*
 * The panic switch: false lets everything pass on all interfaces of this network namespace, at once, true
 * filters again. -ENOENT: guard is nowhere; -EPERM. Since: 0.1.
 */
int netprobe_manager_set_filtering(struct netprobe_manager *m, bool on, struct netprobe_error *err);

#define NETPROBE_KEEP UINT64_MAX /* a figure that stays what it is */

/* netprobe_limits.per */
#define NETPROBE_PER_SOURCE 0
#define NETPROBE_PER_PREFIX 1 /* /24 of IPv4, /64 of IPv6 */
#define NETPROBE_PER_PORT 2   /* all sources together; of a port alone */

/*
 * So many a second of each source or prefix, with a burst of one second; 0: no limit, NETPROBE_KEEP: as it
 * is. With a port: what goes to that destination port, limited apart from the rest.
 */
struct netprobe_limits {
	size_t size;
	uint32_t per;	    /* NETPROBE_PER_* */
	uint16_t port;	    /* 0: of all ports */
	bool dry_run;	    /* count what limits would drop, drop nothing; one for all limits */
	uint32_t confirm_s; /* as in netprobe_change; asked only */
	uint64_t packets, bytes; /* of frames */
	uint64_t syns, icmp,
		new_flows; /* new_flows: SYNs, and first datagrams where flows are counted */
};
typedef int (*netprobe_limits_fn)(const struct netprobe_limits *l, void *arg);

/*
 * Set limits, read those of a per and a port (the caller sets size, per and port), or call fn for all that are
 * set, which returns how many there are.
 * -EINVAL: no such per, a rate beyond 1e11 (of detection: 2^32 - 1), icmp of a port, seconds beyond NETPROBE_TTL_MAX; -ENOENT: guard is nowhere; -ENOSPC: limits of 32
 * ports; -EBUSY as netprobe_manager_ban; -EPERM. Since: 0.1.
 */
int netprobe_manager_set_limits(struct netprobe_manager *m, const struct netprobe_limits *limits,
				struct netprobe_error *err);
int netprobe_manager_get_limits(struct netprobe_manager *m, struct netprobe_limits *ret,
				struct netprobe_error *err);
int netprobe_manager_limits(struct netprobe_manager *m, netprobe_limits_fn fn, void *arg,
			    struct netprobe_error *err);

/* netprobe_detection.mode */
#define NETPROBE_DETECT_OFF 0
#define NETPROBE_DETECT_DRY_RUN 1
#define NETPROBE_DETECT_ALERT 2 /* tell, by security.* events */
#define NETPROBE_DETECT_BAN 3	/* and ban the source for a time */

/* Bits of netprobe_detection.bans, in the order of its figures. */
#define NETPROBE_ATTACK_SYN_FLOOD 1
#define NETPROBE_ATTACK_UDP_FLOOD 2
#define NETPROBE_ATTACK_AMPLIFICATION 4
#define NETPROBE_ATTACK_ICMP_FLOOD 8
#define NETPROBE_ATTACK_PORT_SCAN 16
#define NETPROBE_ATTACK_HOST_SCAN 32
#define NETPROBE_ATTACK_ANOMALY 64

/* What is too much: 0 is not looked for, NETPROBE_KEEP stays as it is (at first: the default in brackets). */
struct netprobe_detection {
	size_t size;
	uint32_t mode;	    /* NETPROBE_DETECT_* */
	uint32_t confirm_s; /* as in netprobe_change; asked only */
	uint32_t ban_s; /* of a first ban, twice as long with each repeat; asked: 0 as it is [60] */
	uint32_t bans;	/* told: mask of NETPROBE_ATTACK_*, which ban where mode says so */
	uint64_t syn_flood;	/* SYNs a second of a source beyond its other segments [1000] */
	uint64_t udp_flood;	/* datagrams a second of a source [200000, told only] */
	uint64_t amplification; /* answers a second nobody asked for [2000] */
	uint64_t icmp_flood;	/* echo requests and replies a second [2000] */
	uint64_t port_scan;	/* ports in 8 seconds, up to 256 [64] */
	uint64_t host_scan;	/* addresses in 8 seconds, up to 256 [64] */
	uint64_t
		anomaly; /* packets a second to an address, 6 sigmas beyond the usual [1000, told only] */
};

/* Set or read detection; get: the caller sets size. Errors as netprobe_manager_set_limits's. Since: 0.1. */
int netprobe_manager_set_detection(struct netprobe_manager *m,
				   const struct netprobe_detection *detection,
				   struct netprobe_error *err);
int netprobe_manager_get_detection(struct netprobe_manager *m, struct netprobe_detection *ret,
				   struct netprobe_error *err);

/* netprobe_syncookies.mode */
#define NETPROBE_COOKIE_AUTO 0	 /* while more SYNs come than the rate, and 10 s longer */
#define NETPROBE_COOKIE_ALWAYS 1 /* every SYN */

/* How a service is protected. Zero is the default but for size. */
struct netprobe_syncookies {
	size_t size;
	uint32_t mode; /* NETPROBE_COOKIE_* */
	uint32_t rate; /* SYNs a second, of AUTO; 0: 1000 */
	bool dry_run;  /* count what would be answered */
	bool sysctl;   /* set net.ipv4.tcp_syncookies to 2, and back when the last service goes */
};

/*
 * Answer SYNs to a service ("ADDR:PORT", or "PORT" at every address this machine has now) with cookies, before
 * they cost its server memory; or no more. On success of add err->code is 0, or NETPROBE_NOTE: err->msg says what
 * the kernel's settings make of it.
 * -EINVAL: no service, or guard only counts here; -EOPNOTSUPP: the kernel has no SYN cookies for XDP; -ENOSPC: 1024
 * services; -ENOENT: guard is nowhere, or none of them was protected; -EPERM. Since: 0.1.
 */
int netprobe_manager_syncookies_add(struct netprobe_manager *m, const char *service,
				    const struct netprobe_syncookies *how,
				    struct netprobe_error *err);
int netprobe_manager_syncookies_remove(struct netprobe_manager *m, const char *service,
				       struct netprobe_error *err);

/* A protected service, and what was done there. */
struct netprobe_syncookies_stats {
	size_t size;
	const char *service; /* "192.0.2.1:443", "[2001:db8::1]:443" */
	uint32_t mode, rate;
	bool dry_run;
	bool active;	   /* SYNs are answered now */
	uint64_t sent;	   /* SYNs answered */
	uint64_t accepted; /* acknowledgements with a good cookie, handed to the server */
	uint64_t refused;  /* those without, dropped */
	uint64_t passed;   /* SYNs the kernel wanted itself */
	uint64_t dry;	   /* what a dry run would have answered */
};
typedef int (*netprobe_syncookies_fn)(const struct netprobe_syncookies_stats *s, void *arg);

/* Call fn for each protected service. How many; -ENOENT: guard is nowhere; -EPERM. Since: 0.1. */
int netprobe_manager_syncookies(struct netprobe_manager *m, netprobe_syncookies_fn fn, void *arg,
				struct netprobe_error *err);

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
	const char *addr;    /* "10.0.0.10", "2001:db8::10" */
	uint32_t weight;     /* share of new flows, up to 1000; 0: 1 */
	uint32_t forward;    /* NETPROBE_FORWARD_* */
	uint32_t check;	     /* NETPROBE_CHECK_* */
	uint16_t check_port; /* 0: the VIP's */
	uint16_t rise, fall; /* checks in a row that change its state, up to 100; 0: 2 and 3 */
	uint32_t interval_ms, timeout_ms; /* of checks; 0: 2000 and 1000 */
	uint32_t slow_start_ms;		  /* to reach its weight after coming up */
	/* up to 63 bytes each */
	const char *path; /* of NETPROBE_CHECK_HTTP; NULL: "/" */
	const char *host; /* the Host named there; NULL: its address */
};

/* Flags of netprobe_manager_vip_add. */
#define NETPROBE_VIP_BY_SOURCE 1 /* all flows of a client together */
#define NETPROBE_VIP_FORCE 2	 /* also where it takes a server of this machine from its clients */

/*
 * Virtual services ("192.0.2.1:80/tcp", "[2001:db8::1]:443/udp", * as the port for all) and their
 * backends, balanced at interfaces attached in mode BALANCE. flags: NETPROBE_VIP_*. Without FORCE an address of
 * this machine is -ECANCELED for all ports, and for a port where a server of it listens.
 * drain: keep flows, take no new ones; false takes them again. weight: 1 to 1000.
 * -EINVAL: no VIP, no backend, a field out of its range; -EEXIST, -ENOENT: it is, or is not there;
 * -ENOSPC: 256 VIPs, 4095 backends; -ENETUNREACH: no route to the backend; -EADDRINUSE: it is this host;
 * -EPERM. In force when it returns. On success of backend_add err->code is 0, or NETPROBE_NOTE: err->msg says which
 * interface has generic XDP from now on, or cannot have it, because frames to the backend are lost otherwise. Since: 0.1.
 */
int netprobe_manager_vip_add(struct netprobe_manager *m, const char *vip, uint32_t flags,
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
int netprobe_manager_backend_weight(struct netprobe_manager *m, const char *vip, const char *addr,
				    uint32_t weight, struct netprobe_error *err);

/* netprobe_backend_stats.state */
#define NETPROBE_BACKEND_UP 1
#define NETPROBE_BACKEND_DRAINING 2
#define NETPROBE_BACKEND_DOWN 3

/* What a VIP or one of its backends counted. Errors: packets for it that were not forwarded. */
struct netprobe_backend_stats {
	size_t size;
	const char *vip;
	const char *
		addr; /* of the backend; NULL: the VIP's own sums, the rest but the counters is 0 */
	uint32_t state;	  /* NETPROBE_BACKEND_* */
	uint32_t weight;  /* as asked for */
	uint32_t forward; /* NETPROBE_FORWARD_* */
	uint32_t check;	  /* NETPROBE_CHECK_* */
	const char *why;  /* what the last failed check met; empty: none failed */
	uint64_t packets, bytes, new_flows, table_hits, errors;
};
typedef int (*netprobe_backend_fn)(const struct netprobe_backend_stats *s, void *arg);

/*
 * Call fn for each VIP, and after it for each of its backends. How many calls, 0 where nothing is
 * balanced; -EPERM; -EPROTO. Since: 0.1.
 */
int netprobe_manager_backends(struct netprobe_manager *m, netprobe_backend_fn fn, void *arg,
			      struct netprobe_error *err);

#ifdef __cplusplus
}
#endif

#endif
