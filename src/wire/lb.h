/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balancer's half of the contract: what user space tells the kernel half of virtual services and
 * backends, what that keeps of connections, and what it counts. All of it lives in pinned maps, which
 * are the only store there is: whoever opens them next knows everything.
 */
#ifndef NETPROBE_WIRE_LB_H
#define NETPROBE_WIRE_LB_H

#include "types.h"

#define LB_RING_SIZE 65537 /* places of a Maglev table: a prime, 655 for each of 100 backends */
#define LB_VIPS 256
#define LB_BACKENDS 4096 /* of all VIPs together; slot 0 is never used: it means none */
#define LB_PATH_SIZE 64
#define LB_HOST_SIZE 64

/* The balancer's seconds: of 2^30 ns, because a shift is cheaper than a division. */
#define LB_TICK(ns) ((__u32)((ns) >> 30))

/* struct lb_vip.flags */
#define LB_VIP_SOURCE 1	   /* choose by the client's address alone, ports left out */
#define LB_VIP_ALL_PORTS 4 /* its key has port 0; 2 is the library's alone (NETPROBE_VIP_FORCE) */

/* struct lb_backend.state */
#define LB_STATE_FREE 0	 /* nobody's slot; what still points here is chosen anew */
#define LB_STATE_UP 1	 /* takes new flows and keeps its own */
#define LB_STATE_DRAIN 2 /* keeps its own, takes no new ones */
#define LB_STATE_DOWN 3	 /* its flows are chosen anew */

/* struct lb_backend.forward */
#define LB_FORWARD_ENCAP 0 /* IPIP, IP6IP6 and their mixtures, by the two families */
#define LB_FORWARD_MAC \
	1 /* next hop's hardware address only: the VIP is on the backend's loopback */

/* struct lb_backend_conf.check */
#define LB_CHECK_NONE 0
#define LB_CHECK_TCP 1	/* connect() succeeds */
#define LB_CHECK_HTTP 2 /* GET answers with a status of 200 to 399 */

/* struct lb_vip_key: what a packet is looked up by, twice where a VIP takes all ports. */
struct lb_vip_key {
	__u8 addr[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 port_be; /* network order; 0: all ports */
	__u8 proto;    /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 pad;      /* 0 */
};

/* struct lb_vip: what the look-up finds. */
struct lb_vip {
	__u32 slot;  /* index of its ring, its counters, its struct lb_vip_conf */
	__u32 uid;   /* never used twice: flows of an older VIP in this slot are not its flows */
	__u32 flags; /* LB_VIP_* */
	__u32 pad;   /* 0 */
};

/* struct lb_ring: a Maglev table, the whole value of an inner map, exchanged as one. */
struct lb_ring {
	__u16 slot[LB_RING_SIZE]; /* of backends; 0: no backend takes new flows */
	__u16 pad;		  /* 0 */
};

/* struct lb_backend: what forwarding needs of one, written by user space. */
struct lb_backend {
	__u8 addr[16];	/* where packets go; IPv4 as ::ffff:a.b.c.d */
	__u8 src[16];	/* outer source of an encapsulation, in addr's family */
	__u32 uid;	/* never used twice; differs: the flow's backend is gone */
	__u32 vip_slot; /* whose backend it is */
	__u8 state;	/* LB_STATE_* */
	__u8 forward;	/* LB_FORWARD_* */
	__u8 v6;	/* addr is IPv6 */
	__u8 pad[5];	/* 0 */
};

/* struct lb_flow: what a flow is told by, the same for both kinds of addresses. */
struct lb_flow {
	__u8 client[16];      /* IPv4 as ::ffff:a.b.c.d */
	__u16 client_port_be; /* network order; both 0: all that a client has, with LB_VIP_SOURCE */
	__u16 service_port_be; /* network order */
	__u32 vip_uid;
};

/*
 * struct lb_set: eight flows of the connection table, one cache line. A flow's hash tells its set and
 * the upper half of its word; the least recently seen one of a full set makes room. Each word is
 * written as a whole, so processors may share a set without a lock: what a race loses is one flow's
 * entry, which the ring answers for until backends change. Two flows of one set share an entry once in
 * four thousand million times, and then a backend.
 */
#define LB_WAYS 8
struct lb_set {
	__u64 way
		[LB_WAYS]; /* 0: free; else hash:32, LB_TICK last seen:12, uid of backend:8, slot:12 */
};
#define LB_SEEN_MASK 0xfffu /* of LB_TICK: 73 minutes, then it starts again */
#define LB_WORD(hash, seen, uid, slot)                                                       \
	((__u64)(hash) << 32 | ((__u64)((seen)&LB_SEEN_MASK) << 20) | (((uid)&0xff) << 12) | \
	 ((slot)&0xfff))
#define LB_WORD_HASH(word) ((__u32)((word) >> 32))
#define LB_WORD_SEEN(word) ((__u32)((word) >> 20) & LB_SEEN_MASK)
#define LB_WORD_UID(word) ((__u32)((word) >> 12) & 0xff)
#define LB_WORD_SLOT(word) ((__u32)(word)&0xfff)
#define LB_RECENT 64 /* LB_TICKs: who pushes out a flow that was seen since is counted */

/* struct lb_tag: of a VLAN, as it is on the wire but for the byte order. */
struct lb_tag {
	__u16 proto_be; /* network order: 802.1Q or 802.1ad */
	__u16 vid;	/* 12 bits, host order */
};

/*
 * struct lb_link: a VLAN device, by its ifindex: routes lead to it, but XDP sends at the device below,
 * with the tags. Written by user space whenever it looks.
 */
struct lb_link {
	__u32 ifindex; /* the device below all of its VLANs */
	__u16 tags;    /* 1 or 2 */
	__u16 pad;
	struct lb_tag tag[2]; /* outer first */
};
#define LB_LINKS 4096

/*
 * struct lb_frag_key: datagrams that come in pieces. Only the first piece has ports; the others go
 * where it went.
 */
struct lb_frag_key {
	__u8 client[16], service[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u32 id;		      /* of the IP header */
	__u8 proto;		      /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 pad[3];
};
struct lb_frag {
	__u32 vip_slot; /* whose packets these are */
	__u32 slot;	/* backend */
	__u32 uid;	/* of the backend */
	__u32 seen;	/* LB_TICK */
};
#define LB_FRAGS 16384
#define LB_FRAG_TICKS 30 /* as long as pieces are waited for */

/* struct lb_nexthop: the route to a backend as one processor last asked for it. */
struct lb_nexthop {
	__u32 seen;    /* LB_TICK of the look-up; 0 never */
	__u32 uid;     /* of the backend in that slot */
	__u32 ifindex; /* where it goes out */
	__u16 mtu;     /* of the route, at most 65535 */
	__u8 dmac[6];
	__u8 smac[6];
	__u16 tags; /* VLAN tags of frames on that way, at most two; 0: as they came in */
	struct lb_tag tag[2];
};

/* struct lb_count: of a VIP or of a backend, by processor. */
struct lb_count {
	__u64 packets;	  /* forwarded */
	__u64 bytes;	  /* of these, from the Ethernet header on, before encapsulation */
	__u64 new_flows;  /* given a backend by the ring */
	__u64 table_hits; /* that had one in the connection table */
	__u64 icmp;	  /* of packets: ICMP errors about one of its flows */
	__u64 errors;	  /* not forwarded; the reason is in struct lb_total */
};

/* What becomes of packets: index into the totals. Each but the first is a reason not to forward. */
#define LB_FORWARDED 0
#define LB_NO_VIP 1 /* not for a VIP: passed on */
#define LB_VLAN 2   /* more VLAN tags than two, or a session of PPPoE: passed on */
#define LB_FRAGMENT \
	3 /* not the first one, and the first went to no VIP or was not seen: passed on */
#define LB_MALFORMED 4	    /* headers that do not fit: passed on, the stack counts them too */
#define LB_NO_BACKEND 5	    /* the ring is empty: dropped */
#define LB_NO_ROUTE 6	    /* the kernel knows no way to the backend: dropped */
#define LB_NO_NEIGHBOUR 7   /* next hop's hardware address not resolved: dropped */
#define LB_NO_FORWARDING 8  /* forwarding is off at the interface: dropped */
#define LB_TOO_BIG 9	    /* does not fit the way to the backend, may not be told: dropped */
#define LB_TOO_BIG_TOLD 10  /* does not fit, the client was sent the size that does */
#define LB_NO_ROOM 11	    /* no head room for another header: dropped */
#define LB_TABLE_FULL 12    /* beside the above: remembered in place of a flow seen lately */
#define LB_TABLE_SKIPPED 13 /* beside the above: not remembered, too many new flows a tick */
#define LB_FLOW_MOVED 14    /* beside the above: remembered backend is down or gone, chosen anew */
#define LB_FRAGMENT_SENT 15 /* of the forwarded: fragments, first and later */
#define LB_TOTALS 16

/* struct lb_config: one for the balancer. */
struct lb_config {
	__u32 any_all_ports; /* 1: some VIP takes all ports, look twice */
	__u32 udp_idle;	     /* LB_TICKs, at most 4000; a UDP flow silent for longer is a new one */
	__u32 new_flows_cpu; /* a tick and processor; more are not remembered; 0: no limit */
	__u32 gen; /* raised by whoever changes a VIP or backend, that others read again; odd while it is done */
	__u32 too_big_cpu; /* ICMP "too big" a tick and processor */
	__u32 version;	   /* LB_VERSION */
	__u64 netns_inode; /* of the network namespace that the pins are for */
};
#define LB_VERSION 2 /* of all that is pinned; raised when the meaning of any of it changes */

/* struct lb_near: a VIP as one processor found it. */
struct lb_near {
	__u64 hi, lo;  /* address, as it is in struct lb_vip_key */
	__u32 service; /* port in network order | protocol << 16, of the packet */
	__u32 gen;     /* struct lb_config.gen of before: an answer holds as long as that does */
	struct lb_vip vip;
};
#define LB_NEAR_BITS 5

/* struct lb_cpu: of one processor: the time, what it allows itself within a tick, VIPs it found. */
struct lb_cpu {
	__u64 jiffies;	 /* when tick was read */
	__u32 tick;	 /* LB_TICK */
	__u32 new_flows; /* remembered in it */
	__u32 told;	 /* "too big" sent in it */
	__u32 pad;
	struct lb_near near[1 << LB_NEAR_BITS]; /* by a hash */
};

/*
 * What only user space reads. struct lb_vip_conf: one by VIP slot; proto 0: a free slot.
 */
struct lb_vip_conf {
	struct lb_vip_key key;
	__u32 uid;	  /* struct lb_vip.uid; of a free slot: the last one it had */
	__u32 flags;	  /* LB_VIP_* */
	__u32 ring_empty; /* 1: no backend takes new flows */
};

/* struct lb_backend_conf: one by backend slot; uid as in struct lb_backend. */
struct lb_backend_conf {
	__u64 changed_ns;	 /* CLOCK_MONOTONIC of the last change of health */
	__u64 checked_ns;	 /* CLOCK_MONOTONIC of the last check; 0 never */
	__u32 used;		 /* 1: a backend; 0: a free slot */
	__u32 weight;		 /* 1..LB_WEIGHT_MAX, as asked for */
	__u32 interval_ms;	 /* between checks */
	__u32 timeout_ms;	 /* of one check */
	__u32 slow_start_ms;	 /* to reach its weight after coming up; 0 at once */
	__u32 ifindex;		 /* where its neighbour entry is kept alive by us; 0 nowhere */
	__u16 port;		 /* checked; host order */
	__u8 check;		 /* LB_CHECK_* */
	__u8 rise, fall;	 /* checks in a row */
	__u8 drain;		 /* 1: draining was asked for */
	__u8 down;		 /* 1: checks say it is down */
	__u8 streak;		 /* checks in a row that disagree with down */
	char path[LB_PATH_SIZE]; /* of LB_CHECK_HTTP, NUL-terminated */
	char host[LB_HOST_SIZE]; /* the same; empty: the address */
	char why[LB_HOST_SIZE];	 /* what the last failed check met; NUL-terminated */
	__u8 hop[16];		 /* next hop that the neighbour entry is of */
};

#define LB_WEIGHT_MAX 1000

_Static_assert(sizeof(struct lb_vip_key) == 20, "layout");
_Static_assert(sizeof(struct lb_vip) == 16, "layout");
_Static_assert(sizeof(struct lb_ring) == 2 * (LB_RING_SIZE + 1), "layout");
_Static_assert(sizeof(struct lb_backend) == 48, "layout");
_Static_assert(sizeof(struct lb_flow) == 24, "layout");
_Static_assert(sizeof(struct lb_set) == 64, "layout");
_Static_assert(sizeof(struct lb_tag) == 4, "layout");
_Static_assert(sizeof(struct lb_link) == 16, "layout");
_Static_assert(sizeof(struct lb_frag_key) == 40, "layout");
_Static_assert(sizeof(struct lb_frag) == 16, "layout");
_Static_assert(sizeof(struct lb_nexthop) == 36, "layout");
_Static_assert(sizeof(struct lb_count) == 48, "layout");
_Static_assert(sizeof(struct lb_config) == 32, "layout");
_Static_assert(sizeof(struct lb_near) == 40, "layout");
_Static_assert(sizeof(struct lb_cpu) == 24 + (40 << LB_NEAR_BITS), "layout");
_Static_assert(sizeof(struct lb_vip_conf) == 32, "layout");
_Static_assert(sizeof(struct lb_backend_conf) == 256, "layout");

#endif
