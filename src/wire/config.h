/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the user half tells the kernel half: filters, all of them evaluated in the kernel. A list
 * with count 0 lets everything pass; lists of different kinds must all match, entries of one list
 * are alternatives.
 */
#ifndef NETPROBE_WIRE_CONFIG_H
#define NETPROBE_WIRE_CONFIG_H

#include "types.h"

#define NP_FILTER_SLOTS 16 /* entries of each list: more than anyone types, few enough to unroll */

/* Which end of the socket a host or port list is about: index of the lists below. */
#define NP_END_LOCAL 0	/* --src-host, --src-port */
#define NP_END_REMOTE 1 /* --dst-host, --dst-port */
#define NP_END_ANY 2	/* --host, --port */
#define NP_END_MAX 3

#define NP_PROTO_TCP 1
#define NP_PROTO_UDP 2
#define NP_PROTO_ICMP 4

/* struct np_cidr: addresses that equal addr where mask has ones. */
struct np_cidr {
	__u8 addr[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u8 mask[16]; /* the first len bits */
	__u8 len;      /* bits of the 128, 96..128 for IPv4 */
	__u8 pad[3];
};

/* struct np_port_range: from..to, both included, host byte order. */
struct np_port_range {
	__u16 from;
	__u16 to;
};

/* struct np_filter_cgroup: a cgroup and everything below it. */
struct np_filter_cgroup {
	__u64 id;    /* inode of its directory */
	__u32 level; /* depth below the root of the v2 tree; the root is 0 */
	__u32 pad;
};

/* The kernel half's own. Several processes share a slot: who used a socket last there. */
struct np_user {
	__u64 start_ns; /* of the process that was looked at last */
	__u64 print;	/* of what it was then, see owner_settle */
	__u32 exec;	/* np_filter.exec_gen under which one of the slot used a socket last */
	__u32 tgid;	/* who did so; NP_USER_SEVERAL */
	__u32 swept;	/* sweep that had it looked at again, see sweep_look */
	__u32 pad;
};

#define NP_USER_SEVERAL (~0U)

struct np_filter {
	__u32 gen; /* raised at each change; 0 is never used */
	/* the kernel half's own: raised when a process that uses sockets is not what it was, see bpf/lib/owner.h */
	__u32 exec_gen;
	__u8 enabled;	 /* 0: nothing is recorded */
	__u8 proto_mask; /* NP_PROTO_*; 0: all */
	__u8 family;	 /* AF_INET or AF_INET6; 0: both */
	__u8 n_tgid, n_comm, n_cgroup, n_iface;
	__u8 n_host[NP_END_MAX];
	__u8 n_port[NP_END_MAX];
	__u8 n_user;
	/* 1 flow in so many is recorded, the same ones for the same rate; 0, 1: all */
	__u32 sample_rate;
	__u32 max_events; /* records a second that become a line of their own; 0: no limit */
	__u32 tgid[NP_FILTER_SLOTS];
	__u32 user[NP_FILTER_SLOTS];
	char comm[NP_FILTER_SLOTS][16];
	char iface[NP_FILTER_SLOTS][16];
	struct np_filter_cgroup cgroup[NP_FILTER_SLOTS];
	struct np_cidr host[NP_END_MAX][NP_FILTER_SLOTS];
	struct np_port_range port[NP_END_MAX][NP_FILTER_SLOTS];
};

#endif
