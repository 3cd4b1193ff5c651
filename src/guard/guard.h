/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard: XDP and tc programs at the interfaces of this network namespace, which go on after the
 * process ends. Everything is in pinned maps; a handle holds their lock, so handles are short-lived
 * and commands take turns. Nothing here prints: negative errno, and a struct netprobe_error.
 *
 * A handle belongs to one thread.
 */
#ifndef NETPROBE_GUARD_GUARD_H
#define NETPROBE_GUARD_GUARD_H

#include <errno.h>
#include <netprobe/core.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/guard.h"

struct guard;

#define GUARD_CREATE 1 /* make what is not there: for attach */
#define GUARD_SHARED 2 /* only read: others may read at the same time */

/*
 * The guard of this network namespace. -ENOENT: nothing is attached (and no GUARD_CREATE); -EPERM:
 * capabilities are missing; -EPROTO: the pins are of another version. What a change that nobody
 * confirmed left behind is undone here.
 */
int guard_open(unsigned int flags, struct guard **ret_guard, struct netprobe_error *err);
/* Remove the pins of network namespaces that are gone. */
void guard_sweep_folders(void);
struct guard *guard_close(struct guard *g);

struct guard_attach_opts {
	uint8_t mode;	 /* NP_GUARD_* */
	uint8_t xdp;	 /* NETPROBE_XDP_* */
	bool flows;	 /* count flows */
	bool clsact;	 /* not TCX, also where the kernel has it */
	bool no_cookies; /* as if the kernel had no helpers for SYN cookies */
	/* In mode balance: interfaces that frames go out at; ways_n 0: nobody knows any. */
	const uint32_t *ways;
	size_t ways_n;
};

/*
 * Attach to an interface, or change the mode of one that is attached. ret_note: what was not done as
 * wished, in one line; empty. -ENODEV: no such interface; -EBUSY: a foreign program is there, which err
 * names; -EOPNOTSUPP: the wished XDP mode does not work there, err says why and what to do.
 */
int guard_attach(struct guard *g, const char *ifname, const struct guard_attach_opts *opts,
		 char *ret_note, size_t note_size, struct netprobe_error *err);
/* By name, also of an interface that is gone. -ENOENT: not attached. The last one takes all pins. */
int guard_detach(struct guard *g, const char *ifname, struct netprobe_error *err);
/*
 * Put guard on interfaces that came back under their name, as it was on them, and note the names of
 * renamed ones. fn: each that came back; r, err: what attaching said. How many it is on again.
 */
int guard_follow(struct guard *g,
		 void (*fn)(const char *ifname, int r, const struct netprobe_error *err, void *arg),
		 void *arg);
/* The interface of that number has (or had at its end) this name; of others nothing is noted. */
void guard_renamed(struct guard *g, uint32_t ifindex, const char *name);
/*
 * Generic XDP in the place of native where that loses what is sent (SYN cookies, what is balanced): of each interface
 * that has to send now, unless native was insisted on. The filter is off there for a moment. ways: as in struct
 * guard_attach_opts. ret_note: which, in one line; empty. How many, or -errno.
 */
int guard_deliver(struct guard *g, const uint32_t *ways, size_t ways_n, char *ret_note,
		  size_t note_size, struct netprobe_error *err);
/* The program that gets what the filter lets through, in mode balance. -ENOENT: not attached. */
int guard_set_next(struct guard *g, const char *ifname, int prog_fd, struct netprobe_error *err);

/* One attached interface. */
struct guard_if {
	struct np_guard_if at;
	char name[16];		   /* now; as it was where it is gone */
	bool gone;		   /* the interface is no more, or not here */
	bool moved;		   /* it is in another namespace, and the programs go on there */
	bool lost_xdp;		   /* somebody took our XDP program away */
	bool mute;		   /* what it sends does not arrive */
	bool tx_errors_known;	   /* the kernel has the tracepoints */
	struct np_guard_dev count; /* of all processors */
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes; /* the kernel's, since attached */
	uint64_t rx_dropped, tx_dropped, rx_errors, tx_errors;
};
/* All attached interfaces into *ret_ifs (free() it). Number or -errno. */
int guard_ifs(struct guard *g, struct guard_if **ret_ifs);

/* Flows, unordered; fn returns non-zero to stop. */
int guard_flows(struct guard *g,
		int (*fn)(const struct np_guard_flow_key *k, const struct np_guard_flow *f,
			  void *arg),
		void *arg);

/* The panic switch: everything passes until it is on again. */
void guard_switch(struct guard *g, bool on);

struct guard_state {
	bool off;
	uint32_t confirm_s; /* seconds left to confirm a change; 0: none waits */
	uint32_t bans, allows, room;
	uint32_t memory_kib;	/* of the maps, as the kernel says */
	uint8_t cookies;	/* NETPROBE_COOKIES_* */
	int32_t cookie_setting; /* net.ipv4.tcp_syncookies; -1: the kernel has none */
	uint32_t cookie_services;
	struct np_guard_policy policy;
};

/* Whether SYN cookies can protect a service here, and why not. */
/* Whether the kernel has the helpers: 1, 0, -errno where it cannot be asked. */
int guard_cookie_helpers(void);
int32_t guard_cookie_setting(void);
/*
 * Whether connections of this namespace are tracked by netfilter (some are now): those that come by a cookie begin
 * there without a SYN. STRICT: such ones are invalid.
 */
uint8_t guard_tracked(void);
void guard_state(struct guard *g, struct guard_state *ret);
/* -ENOENT: nothing waits. */
int guard_confirm(struct guard *g, struct netprobe_error *err);

/* One entry of a list. */
struct guard_item {
	uint8_t addr[16]; /* IPv4 in the first four */
	uint8_t len;	  /* of 32 or 128 */
	bool v6, allow;
	uint8_t proto; /* IPPROTO_*; 0 any */
	bool dry_run;
	uint16_t port_from, port_to; /* 0..65535: any */
	uint32_t ttl_s;		     /* seconds from now; 0 for ever */
	char reason[48], who[32];
	uint32_t line; /* of the text it was read from; 0: of none */
	/* only told: */
	uint32_t age_s;
	uint64_t hits;
};

#define GUARD_TOLD \
	256 /* entries of one change that watchers are told one by one; more: that there were so many */

#define GUARD_REPLACE_BANS \
	NP_GUARD_PENDING_BANS /* the entries instead of the bans that are there */
#define GUARD_REPLACE_ALLOWED \
	NP_GUARD_PENDING_ALLOWED /* instead of what is allowed; the other list stays as it is */

/*
 * Add entries, all or none; confirm_s: undo it after so many seconds unless guard_confirm follows.
 * -ENOSPC: too many entries; -EINVAL: too many rules for one address; -EBUSY: an earlier change waits
 * to be confirmed.
 */
int guard_add(struct guard *g, const struct guard_item *items, size_t n, unsigned int flags,
	      uint32_t confirm_s, struct netprobe_error *err);
/*
 * Remove entries, and what detection has banned of those sources: all of them, or none. One with a protocol or ports
 * (port_to is 65535 for none) takes only the rule of its address that was made with the same. -ENOENT: *ret_wrong is
 * the first that is not there.
 */
int guard_remove(struct guard *g, const struct guard_item *items, size_t n, size_t *ret_wrong,
		 struct netprobe_error *err);
/* Every entry that has not expired, one call for each of its rules. */
int guard_list(struct guard *g, int (*fn)(const struct guard_item *item, void *arg), void *arg,
	       struct netprobe_error *err);
/* The same of those that hold for all of that address or network; allowances first, then from the smallest on. */
int guard_find(struct guard *g, const struct guard_item *at,
	       int (*fn)(const struct guard_item *item, void *arg), void *arg,
	       struct netprobe_error *err);
/* How many calls guard_list would make. 0 or -errno. */
int guard_count(struct guard *g, uint32_t *ret_bans, uint32_t *ret_allows);
/* Delete what has expired. How many, or -errno. */
int guard_sweep(struct guard *g);

#define GUARD_KEEP UINT64_MAX
/*
 * Limits of each source or prefix (per: NP_PER_*), tokens a second by NP_LIMIT_*; 0: none, GUARD_KEEP:
 * as it is. dry: limits count, and drop nothing. confirm_s as guard_add's.
 */
int guard_set_limits(struct guard *g, unsigned int per, const uint64_t rate[NP_LIMIT_MAX], bool dry,
		     uint32_t confirm_s, struct netprobe_error *err);
/* The same of what goes to a destination port; per: NP_PER_PORT, too. -ENOSPC: too many ports. */
int guard_set_port_limits(struct guard *g, uint16_t port, unsigned int per,
			  const uint64_t rate[NP_LIMIT_MAX], bool dry, uint32_t confirm_s,
			  struct netprobe_error *err);
/* The limit as it was set, tokens a second; 0 none. */
uint64_t guard_limit_value(const struct np_guard_limit *l);
uint64_t guard_limit_rate(const struct np_guard_policy *p, unsigned int per, unsigned int which);

struct guard_detect {
	uint8_t mode;		      /* NP_DETECT_* */
	uint64_t rate[NP_ATTACK_MAX]; /* what is too much; 0 not looked for, GUARD_KEEP: as it is */
	uint32_t ban_s;		      /* the first ban, doubled with each repeat; 0: as it is */
};
int guard_set_detect(struct guard *g, const struct guard_detect *d, uint32_t confirm_s,
		     struct netprobe_error *err);

/*
 * A service to protect: "ADDR:PORT", or "PORT" at every address this machine has now. *ret: free() it.
 * -EINVAL: "'x' is no ...".
 */
int guard_parse_service(const char *text, struct np_guard_service **ret, size_t *ret_n,
			struct netprobe_error *err);

struct guard_cookie_opts {
	uint8_t mode;  /* NP_COOKIE_* */
	bool dry_run;  /* count what would be answered */
	bool sysctl;   /* set net.ipv4.tcp_syncookies to 2; put back with the last service */
	uint32_t rate; /* of NP_COOKIE_AUTO: SYNs a second */
};
/*
 * Answer SYNs to services with cookies. ret_note: what the kernel's settings make of it; empty.
 * -EOPNOTSUPP: the kernel cannot; -EINVAL: guard only counts here; -ENOSPC: too many.
 */
int guard_cookie_add(struct guard *g, const struct np_guard_service *s, size_t n,
		     const struct guard_cookie_opts *o, char *ret_note, size_t note_size,
		     struct netprobe_error *err);
/* -ENOENT: none of them was protected. */
int guard_cookie_remove(struct guard *g, const struct np_guard_service *s, size_t n,
			struct netprobe_error *err);
/* Protected services, unordered; active: SYNs are answered now. fn returns non-zero to stop. */
int guard_cookies(struct guard *g,
		  int (*fn)(const struct np_guard_service *s, const struct np_guard_cookie *c,
			    bool active, void *arg),
		  void *arg);

/*
 * Security events, from the newest of now on; from_start: all that are still there. Any number of
 * watchers see all of them. The handle may be closed.
 */
struct guard_watch;
int guard_watch_open(struct guard *g, bool from_start, struct guard_watch **ret,
		     struct netprobe_error *err);
struct guard_watch *guard_watch_close(struct guard_watch *w);
/* To be polled for input: a tenth of a second later there may be some. */
int guard_watch_fd(const struct guard_watch *w);
/* Whether it watches this guard: the last detach ends one, an attach begins another. */
bool guard_watch_is_of(const struct guard_watch *w, const struct guard *g);
/* What guard calls the interface of that number, from whichever namespace it is asked; "": guard is not on it. */
void guard_watch_name(const struct guard_watch *w, uint32_t ifindex, char ret[16]);
/* Events that were overwritten before this watcher looked. */
uint64_t guard_watch_lost(const struct guard_watch *w);
/* Hand over what waits: how many, or -errno. */
int guard_watch_poll(struct guard_watch *w, void (*fn)(const struct np_ev_guard *ev, void *arg),
		     void *arg);

/* Sources that detection has banned, one call each. */
int guard_detected(struct guard *g,
		   int (*fn)(const uint8_t addr[16], uint32_t left_s, uint32_t strikes,
			     uint64_t drops, void *arg),
		   void *arg);

/* Lift bans by detection of the sources in that network. How many there were, or -errno. */
int guard_lift(struct guard *g, const struct guard_item *net);

/* Parse "CIDR", an address or a network; -EINVAL: "'x' is no ...". */
int guard_parse_cidr(const char *text, struct guard_item *ret, struct netprobe_error *err);
/*
 * A list: one CIDR a line, "#" comments, and behind a blank proto=, port=, for=, reason=. *ret_items:
 * free() it. -EINVAL names the line.
 */
int guard_parse_list(const char *text, size_t len, const struct guard_item *defaults,
		     struct guard_item **ret_items, size_t *ret_n, struct netprobe_error *err);

/*
 * Whether banning it would hurt the machine or its user: GUARD_UNSAFE, err says whom. Our own addresses, the
 * default gateways, the caller's SSH peer, everything.
 */
#define GUARD_UNSAFE (-ECANCELED) /* refused, not misunderstood */
struct guard_safety;
/* Tell the kernel half whom detection must not ban: those guard_safety_check asks for. 0 or -errno. */
int guard_spare(struct guard *g, struct netprobe_error *err);
int guard_safety_new(struct guard_safety **ret, struct netprobe_error *err);
struct guard_safety *guard_safety_free(struct guard_safety *s);
int guard_safety_check(const struct guard_safety *s, const struct guard_item *item,
		       struct netprobe_error *err);
/*
 * The same of a service that is to be taken elsewhere: addr IPv4 as ::ffff:a.b.c.d, port in host order, 0 all of
 * them. GUARD_UNSAFE: it is at an address of this machine, and a server of it listens there, or port is 0.
 */
int guard_safety_service(const struct guard_safety *s, const uint8_t addr[16], uint16_t port,
			 uint8_t proto, struct netprobe_error *err);

#endif
