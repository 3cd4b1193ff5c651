/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard, from user to kernel and back: what its pinned maps hold. The maps are the only store there
 * is; whoever opens them next, after a `kill -9` too, knows everything.
 */
#ifndef NETPROBE_WIRE_GUARD_H
#define NETPROBE_WIRE_GUARD_H

#include "frame.h"
#include "types.h"

#define NP_GUARD_VERSION 7 /* of everything here; other pins are not adopted */
#define NP_GUARD_IFS 64	   /* interfaces of one network namespace */
/* Slots of programs that are called: by interface, the balancer's, and those for SYN cookies. */
#define NP_GUARD_NEXT_COOKIE NP_GUARD_IFS
#define NP_GUARD_NEXT_MAX (2 * NP_GUARD_IFS)
#define NP_GUARD_RULES 16384
#define NP_GUARD_CLAUSES 4
#define NP_GUARD_ENTRIES 1048576 /* bans at most, addresses and networks together */
#define NP_GUARD_NEST 16	 /* networks within networks that are looked through */
#define NP_GUARD_FLOWS 65536
#define NP_GUARD_WAYS 4 /* places for a source: where its hash says, and three more */
#define NP_GUARD_SOURCE_SETS 16384
#define NP_GUARD_SOURCES (NP_GUARD_WAYS * NP_GUARD_SOURCE_SETS)

/* Time in what is stored: CLOCK_MONOTONIC in units of 2^26 ns (67 ms), enough for nine years. */
#define NP_GUARD_TICK_SHIFT 26
#define NP_GUARD_TICK(ns) ((__u32)((ns) >> NP_GUARD_TICK_SHIFT))

#define NP_GUARD_MONITOR 0
#define NP_GUARD_FILTER 1
#define NP_GUARD_BALANCE 2

#define NP_GUARD_XDP_NONE 0
#define NP_GUARD_XDP_NATIVE 1
#define NP_GUARD_XDP_GENERIC 2

#define NP_GUARD_TC_NONE 0
#define NP_GUARD_TC_TCX 1
#define NP_GUARD_TC_CLSACT 2

/* struct np_guard_clause: one thing that is let in or kept out. 16 bytes. */
struct np_guard_clause {
	__u32 expires;	 /* tick; 0: with its entry */
	__u16 port_from; /* of the destination, host order; 0..65535: any, fragments too */
	__u16 port_to;
	__u8 proto;   /* IPPROTO_*; 0 any */
	__u8 dry_run; /* 1: counted, not dropped */
	__u8 pad[6];
};

/* struct np_guard_rule: what many entries share. Rule 0: everything, for no reason given. */
struct np_guard_rule {
	struct np_guard_clause clause[NP_GUARD_CLAUSES];
	__u32 n;	 /* clauses; 0: a free slot, matches everything */
	__u32 pad;	 /* 0 */
	char reason[48]; /* NUL-terminated; empty: none */
	char who[32];	 /* user that added it, NUL-terminated */
};

/* struct np_guard_entry: value of an address or network. */
struct np_guard_entry {
	__u32 expires; /* tick; 0 never */
	__u32 added;   /* tick */
	__u32 rule;    /* index into the rules */
	__u8 len;      /* prefix length, of 32 or of 128 */
	__u8 pad[3];
	__u64 hits; /* packets that matched, by all processors */
};

/*
 * struct np_guard_hot: a source that was looked up in this jiffy, by processor, and found banned whatever it
 * sends: what else comes from it until the next one is dropped without another look. Hits wait here until then.
 */
struct np_guard_hot {
	__u64 hi, lo;  /* as it is in memory, IPv4 as ::ffff:a.b.c.d */
	__u64 jiffies; /* when it was looked up */
	__u64 hits;    /* not yet added to its entry */
	__u32 set;     /* NP_GUARD_HOT_SET() */
	__u32 len;     /* prefix length of its entry, of 32 or of 128 */
};
#define NP_GUARD_HOTS_SHIFT 8
#define NP_GUARD_HOTS (1U << NP_GUARD_HOTS_SHIFT) /* by hash */
/* A set as it was built: what waits for it is not added to another one in its place. */
#define NP_GUARD_HOT_SET(set, build) ((__u32)(set) | (__u32)(build) << 8)

/* Keys of the tries; of full-length entries the key is the address itself. */
struct np_addr16 {
	__u8 b[16];
};
struct np_guard_net4 {
	__u32 len;
	__u8 addr[4];
};
struct np_guard_net6 {
	__u32 len;
	__u8 addr[16];
};

/*
 * First look at an address: one bit for each /24 that has an entry, allowed or banned. IPv6 has a
 * hashed bit for each /48, and bits for the first 16 bits of shorter networks. Bits stay set when
 * entries go: a set bit costs a look-up, no more.
 */
#define NP_GUARD_BITS4_WORDS (1U << 18)
#define NP_GUARD_BITS6_SHIFT 22 /* of the hashed bits */
#define NP_GUARD_BITS6_WORDS (1U << (NP_GUARD_BITS6_SHIFT - 6))
#define NP_GUARD_SHORT6_WORDS (1U << 10)
#define NP_GUARD_SHORT6_LEN 48 /* networks shorter than that go by their first 16 bits */
#define NP_GUARD_HASH6 0x9e3779b97f4a7c15ULL

/* The hashed bit of an IPv6 address, by its first 48 bits as one number in host order. */
static inline __attribute__((always_inline)) __u32 np_guard_bit6(__u64 top48)
{
	return (__u32)((top48 * NP_GUARD_HASH6) >> (64 - NP_GUARD_BITS6_SHIFT));
}

/* Words of two arrays: of set 0, of set 1; of IPv6 then those for shorter networks, 0 and 1. */
#define NP_GUARD_BITS4_MAX (2 * NP_GUARD_BITS4_WORDS)
#define NP_GUARD_BITS6_MAX (2 * NP_GUARD_BITS6_WORDS + 2 * NP_GUARD_SHORT6_WORDS)

/* Token buckets of one source. */
#define NP_LIMIT_PPS 0
#define NP_LIMIT_BYTES 1
#define NP_LIMIT_SYN 2
#define NP_LIMIT_ICMP 3
#define NP_LIMIT_FLOWS 4 /* TCP SYN, and the first datagram of a flow not in the flow table */
#define NP_LIMIT_MAX 5
#define NP_PER_SOURCE 0
#define NP_PER_PREFIX 1 /* /24, /64 */
#define NP_PER_MAX 2
#define NP_PER_PORT 2 /* all sources of a port together; only of a port's limits */
#define NP_LIMIT_ON_PORTS (1U << NP_PER_PORT)

struct np_guard_limit {
	__u64 rate;  /* tokens a nanosecond, << 32; 0: no limit */
	__u64 burst; /* tokens << 16 */
};

/* struct np_guard_port_limit: what goes to one destination port, besides the limits of a source. */
struct np_guard_port_limit {
	struct np_guard_limit limit[NP_LIMIT_MAX];
	__u16 port; /* host order; 0: a free place */
	__u8 per;   /* NP_PER_* */
	__u8 pad[5];
};
#define NP_GUARD_PORT_LIMITS 32
#define NP_GUARD_PORT_BIT(port) (1ULL << ((port)&63))

#define NP_DETECT_OFF 0
#define NP_DETECT_DRY_RUN 1
#define NP_DETECT_ALERT 2
#define NP_DETECT_BAN 3

#define NP_ATTACK_SYN_FLOOD 0
#define NP_ATTACK_UDP_FLOOD 1
#define NP_ATTACK_AMPLIFY 2
#define NP_ATTACK_ICMP_FLOOD 3
#define NP_ATTACK_PORT_SCAN 4
#define NP_ATTACK_HOST_SCAN 5
#define NP_ATTACK_ANOMALY 6
#define NP_ATTACK_MAX 7

/* The six maps of a set. */
#define NP_SET_HOSTS4 0
#define NP_SET_HOSTS6 1
#define NP_SET_NETS4 2
#define NP_SET_NETS6 3
#define NP_SET_ALLOW4 4
#define NP_SET_ALLOW6 5
#define NP_SET_MAX 6

/* struct np_guard_policy: everything that one change may change; two of them, see np_guard_conf. */
struct np_guard_policy {
	__u32 n[NP_SET_MAX];	/* entries, by user space; the kernel half only asks for 0 */
	__u32 room[NP_SET_MAX]; /* entries its map was made for */
	__u8 detect;		/* NP_DETECT_* */
	__u8 limit_on;		/* bit NP_PER_*: some limit is set; NP_PER_PORT: of a port */
	__u8 limit_dry;		/* limits count, and drop nothing */
	__u8 build; /* number of this list, counted round: each one built anew has the next */
	__u32 zero; /* 0, which the verifier does not know */
	struct np_guard_limit limit[NP_PER_MAX][NP_LIMIT_MAX];
	__u32 attack_rate[NP_ATTACK_MAX]; /* packets a second, or ports or hosts in 8 s; 0: off */
	__u32 ban_ticks;		  /* of the first ban by detection; doubles with repeats */
	__u32 ban_mask;			  /* bit NP_ATTACK_*: bans, not only tells */
	__u32 plain; /* user space: no entry ends or has several rules, so that n counts rules */
	__u64 limit_ports; /* those that have limits: a bit for each port's last six */
	struct np_guard_port_limit port[NP_GUARD_PORT_LIMITS];
};

/* struct np_guard_dest: packets of one kind to one address, and what is usual there. */
struct np_guard_dest {
	__u64 id;      /* hash of address and kind that owns the slot; 0 free */
	__u32 window;  /* tick */
	__u32 count;   /* in it */
	__u64 mean;    /* of packets a second, << 8 */
	__u64 var;     /* of packets a second, squared */
	__u32 learned; /* windows */
	__u32 pad;
};
#define NP_GUARD_DESTS 1024
#define NP_GUARD_LEARN 30 /* windows before a deviation is told */

/*
 * struct np_guard_conf: one for each network namespace, mapped by user space. The policy in use is
 * that of the state's set; while a change waits to be confirmed only until the deadline, and from then
 * on the other one: a change nobody confirms ends by itself, whoever is still alive.
 */
#define NP_GUARD_LIST_BANS 0
#define NP_GUARD_LIST_ALLOWED 1
#define NP_GUARD_LIST_BOTH 3
#define NP_GUARD_PENDING_BANS (1 << NP_GUARD_LIST_BANS)	      /* it changes the ban list */
#define NP_GUARD_PENDING_ALLOWED (1 << NP_GUARD_LIST_ALLOWED) /* it changes what is allowed */
#define NP_GUARD_SPARED 256
struct np_guard_conf {
	__u64 state; /* bit 0: the set; upper half: tick of the deadline, 0 nothing waits. One word: read at once */
	__u64 netns_cookie; /* of the namespace these pins are for; 0 unknown */
	__u32 version;
	__u32 off;	    /* 1: everything passes */
	__u32 n_rules;	    /* slots ever used; rule 0 always is */
	__u32 seed;	    /* of hashes, random: nobody can choose addresses that meet */
	__u64 cookie_ports; /* of services that SYN cookies protect: a bit for each port's last six */
	__u8 cookie_ts;	    /* 1: timestamps are offered, and with them SACK and the scale */
	__u8 cookie_wscale; /* of our windows, as the kernel will choose it */
	__u8 sysctl_was;    /* 1 + tcp_syncookies before we set it; 0: we did not */
	__u8 pending;	    /* user space: NP_GUARD_PENDING_*, of a change that waits */
	__u8 pad[4];
	struct np_guard_policy policy[2];
	__u64 events; /* security events so far: the number of the newest */
	/*
	 * Whom detection never bans, for anybody can send in their name: gateways, SSH peers, own addresses; high and
	 * low half as they are in memory, IPv4 as ::ffff:a.b.c.d.
	 */
	__u32 n_spared;
	__u32 pad1;
	struct {
		__u64 hi, lo;
	} spared[NP_GUARD_SPARED];
};
#define NP_GUARD_SPARED_MASK (NP_GUARD_SPARED - 1)
#define NP_GUARD_STATE(set, until) ((__u64)(until) << 32 | (set))

#define NP_GUARD_IF_OWN_CLSACT 1 /* the clsact qdisc is ours, and goes with us */
#define NP_GUARD_IF_FLOWS 2	 /* flows are counted */
#define NP_GUARD_IF_COOKIES 4	 /* the kernel has the helpers for SYN cookies */
#define NP_GUARD_IF_NATIVE 8	 /* native XDP was insisted on */

/* struct np_guard_if: an interface that guard is attached to, written by user space. */
struct np_guard_if {
	__u32 ifindex; /* 0: a free slot */
	__u8 mode;     /* NP_GUARD_* */
	__u8 xdp;      /* NP_GUARD_XDP_* */
	__u8 tc;       /* NP_GUARD_TC_* */
	__u8 flags;    /* NP_GUARD_IF_* */
	char name[16]; /* when it was attached */
	__u32 added;   /* tick */
	__u32 xdp_id;  /* of the program */
	/* the kernel's own counters at that moment */
	__u64 base_rx_packets, base_rx_bytes, base_tx_packets, base_tx_bytes;
	__u64 base_rx_dropped, base_tx_dropped, base_rx_errors, base_tx_errors;
};

#define NP_KIND_TCP 0
#define NP_KIND_UDP 1
#define NP_KIND_ICMP 2	/* of both families */
#define NP_KIND_OTHER 3 /* IP, another protocol */
#define NP_KIND_NONIP 4
#define NP_KIND_MAX 5

/*
 * struct np_guard_way: one direction of an interface, by processor. The kernel half counts as little
 * as it can; the four sums are made by who reads.
 */
struct np_guard_way {
	struct {
		__u64 packets; /* as the hook is given them; merged or not yet cut ones are one */
		__u64 bytes;   /* of these, from the Ethernet header on */
	} kind[NP_KIND_MAX];
	__u64 v6_packets;	    /* of all */
	__u64 more_segments;	    /* on the wire, beyond one for each packet */
	__u64 more_bytes;	    /* on the wire, headers of those segments */
	__u64 packets, bytes;	    /* of all kinds; 0 in the map */
	__u64 segments, wire_bytes; /* as they are on the wire; 0 in the map */
};

#define NP_DROP_BAN 0	 /* by an entry of the ban list */
#define NP_DROP_LIMIT 1	 /* beyond a limit */
#define NP_DROP_DETECT 2 /* source banned by detection */
#define NP_DROP_COOKIE 3 /* an acknowledgement of no connection, without a SYN cookie of ours */
#define NP_DROP_MAX 4

/* struct np_guard_dev: counters of one interface, by processor, since it was attached. */
struct np_guard_dev {
	struct np_guard_way rx, tx;
	__u64 drops[NP_DROP_MAX];      /* NP_DROP_* */
	__u64 drop_bytes;	       /* of all drops */
	__u64 dry_drops[NP_DROP_MAX];  /* what would have been dropped */
	__u64 allowed;		       /* matched the allow list */
	__u64 bad[NP_FRAME_BAD_SLOTS]; /* malformed, by kind; only rx */
	__u64 flows_lost;	       /* packets that no flow entry could be made for */
	__u64 sources_lost; /* sources forgotten within a second of their last packet, or not looked up (query_take) */
	__u64 cookies_sent; /* SYNs answered here with a cookie */
	__u64 nest_lost;    /* look-ups given up: too many networks within networks */
	__u64 unfinished; /* dropped by a ban that could hold for what the parser did not get to */
	__u64 tx_errors;  /* frames a driver did not take, which were handed to it from here */
};

/* struct np_guard_flow_key: local is our end, whatever the direction. */
struct np_guard_flow_key {
	__u8 laddr[16], raddr[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 lport, rport;	   /* host order; 0 none */
	__u8 proto;		   /* IPPROTO_* */
	__u8 pad[3];
	__u32 ifindex;
};

struct np_guard_flow {
	__u64 rx_packets, rx_bytes, tx_packets, tx_bytes; /* as in struct np_guard_way */
	__u32 first, last;				  /* ticks */
	__u32 flags;					  /* TCP flags seen, all together */
	__u32 pad;
};

/*
 * struct np_guard_source: what is known of an address or prefix. In a table of sets instead of an LRU
 * hash, whose look-up takes longer than all the rest; of four places the one goes that was silent longest.
 */
struct np_guard_source {
	/* What most packets touch: one cache line. */
	__u64 hi,
		lo; /* the address as it is in memory, IPv4 as ::ffff:a.b.c.d; a prefix has zeros behind it */
	__u64 refilled_ns; /* coarse clock */
	__u64 tokens[2];   /* << 16; NP_LIMIT_PPS, NP_LIMIT_BYTES */
	__u32 per; /* 1 + NP_PER_*, and << 16 the port whose limits these are; 0: a free place */
	__u32 banned_until; /* tick; 0 not */
	__u32 window;	    /* tick: begin of a second */
	__u32 scan_window;  /* tick: begin of 8 s */
	__u32 others;	    /* TCP segments but SYN, ever */
	__u32 udp;	    /* since window */
	/* The rest. */
	__u64 more_tokens[NP_LIMIT_MAX - 2]; /* of the other limits */
	__u64 drops;			     /* of its packets, by limits and detection */
	__u32 strikes;			     /* bans so far */
	/* since window: */
	__u32 syns, amplified, icmp;
	__u32 others_base; /* what others was at its begin */
	__u32 asked;	   /* datagrams of ours to it, to ports that amplify */
	/* since scan_window: one bit for each port or host that a SYN or datagram went to */
	__u32 scan_base; /* others at its begin */
	__u32 scan_syns;
	__u32 told;		/* bit NP_ATTACK_*: told in it */
	__u32 ports_n, hosts_n; /* bits set in the next two */
	__u32 pad0;
	__u64 ports[4], hosts[4];
	__u64 pad[6];
};

/* struct np_guard_source_set: the places of one hash, found by one look-up. */
struct np_guard_source_set {
	struct np_guard_source way[NP_GUARD_WAYS];
};

/* struct np_guard_service: where a server listens, as SYNs to be answered name it. */
struct np_guard_service {
	__u8 addr[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 port;    /* host order */
	__u8 pad[2];
};
#define NP_GUARD_SERVICES 1024

#define NP_COOKIE_AUTO 0   /* while more SYNs come than its rate, and 10 s longer */
#define NP_COOKIE_ALWAYS 1 /* every SYN is answered with a cookie */

/* struct np_guard_cookie: SYN cookies of one service. */
struct np_guard_cookie {
	__u8 mode;    /* NP_COOKIE_* */
	__u8 dry_run; /* 1: counts what it would answer */
	__u8 pad[2];
	__u32 rate;	    /* SYNs a second */
	__u32 window;	    /* tick */
	__u32 syns;	    /* in it, a second */
	__u32 active_until; /* tick: under attack */
	__u32 check_until;  /* tick: cookies that were sent hold */
	__u64 sent;	    /* SYNs answered */
	__u64 accepted;	    /* segments with a good cookie, handed to the listener */
	__u64 refused;	    /* those without, dropped */
	__u64 passed; /* SYNs the kernel wanted itself: its queue had room, or nobody listens */
	__u64 dry;    /* what a dry run would have answered */
};

/*
 * struct np_ev_guard: a security event. The kernel half tells attacks; the user half what was done to lists, whoever
 * did it: ADDED, REMOVED one rule (seen 1, or all of the network: 0), LIFTED a ban by detection, CHANGED: more than
 * is told one by one, of `seen` entries; action 1: others may be gone. There saddr is the network, dport and port_to
 * are its ports.
 */
#define NP_GUARD_EV_ATTACK 1
#define NP_GUARD_EV_ADDED 2
#define NP_GUARD_EV_REMOVED 3
#define NP_GUARD_EV_LIFTED 4
#define NP_GUARD_EV_CHANGED 5
struct np_ev_guard {
	__u64 ktime_ns;
	__u32 kind; /* NP_GUARD_EV_* */
	__u32 ifindex;
	__u8 saddr[16], daddr[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 dport;		   /* host order; 0 none */
	__u8 proto;		   /* IPPROTO_* */
	__u8 attack;		   /* NP_ATTACK_* */
	__u8 action;		   /* NP_DETECT_* */
	__u8 len;		   /* of the network's 128 bits; but for attacks */
	__u8 allow;		   /* the allow list's, but for attacks; CHANGED: NP_GUARD_LIST_* */
	__u8 dry_run;		   /* but for attacks */
	__u64 seen;		   /* packets a second, ports or hosts: the figure that fired */
	__u64 limit;		   /* the one it was compared with */
	__u64 mean,
		dev; /* of an anomaly: learned mean and standard deviation squared, packets a second */
	__u32 ban_ticks; /* length of the ban; 0 none; of a list: no end */
	__u32 strikes;
	__u16 port_to;
	__u8 pad[6];
	char reason[48], who[32]; /* of a list's entry */
};

/* struct np_guard_logged: a slot of the log; event n is in slot (n - 1) % NP_GUARD_LOG. */
#define NP_GUARD_LOG 2048 /* a power of two */
struct np_guard_logged {
	__u64 number; /* of the event in it, from 1 on; 0: none, or being written */
	struct np_ev_guard ev;
};

_Static_assert(sizeof(struct np_guard_clause) == 16, "np_guard_clause");
_Static_assert(sizeof(struct np_guard_rule) == 152, "np_guard_rule");
_Static_assert(sizeof(struct np_guard_entry) == 24, "np_guard_entry");
_Static_assert(sizeof(struct np_guard_hot) == 40, "np_guard_hot");
_Static_assert(sizeof(struct np_guard_net4) == 8, "np_guard_net4");
_Static_assert(sizeof(struct np_guard_net6) == 20, "np_guard_net6");
_Static_assert(sizeof(struct np_guard_if) == 96, "np_guard_if");
_Static_assert(sizeof(struct np_guard_flow_key) == 44, "np_guard_flow_key");
_Static_assert(sizeof(struct np_guard_flow) == 48, "np_guard_flow");
_Static_assert(sizeof(struct np_guard_source) == 256, "np_guard_source");
_Static_assert(__builtin_offsetof(struct np_guard_source, more_tokens) == 64,
	       "its first cache line");
_Static_assert(sizeof(struct np_guard_port_limit) == 88, "np_guard_port_limit");
_Static_assert(__builtin_offsetof(struct np_guard_policy, detect) % 2 == 0 &&
		       __builtin_offsetof(struct np_guard_policy, limit_on) ==
			       __builtin_offsetof(struct np_guard_policy, detect) + 1,
	       "read as one word");
_Static_assert(sizeof(struct np_guard_service) == 20, "np_guard_service");
_Static_assert(sizeof(struct np_guard_cookie) == 64, "np_guard_cookie");
_Static_assert(sizeof(struct np_ev_guard) == 184, "np_ev_guard");
_Static_assert(sizeof(struct np_guard_logged) == 192, "np_guard_logged");

#endif
