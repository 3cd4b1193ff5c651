/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event stream from kernel to user: every record starts with struct np_ev_hdr. A reader checks
 * len before type and passes over types it does not know.
 */
#ifndef NETPROBE_WIRE_EVENTS_H
#define NETPROBE_WIRE_EVENTS_H

#include "record.h"

#define NP_EV_CONN_OPEN 1  /* TCP connection established */
#define NP_EV_CONN_CLOSE 2 /* TCP connection over, socket gone: final counts */
#define NP_EV_CONN_FAIL 3  /* connect() failed; err says why */
#define NP_EV_SOCK_CLOSE 4 /* any other socket gone: final counts, no line in the event stream */
#define NP_EV_RESET_TX 5   /* RST sent */
#define NP_EV_RESET_RX 6   /* RST received */
#define NP_EV_MAX 7

/* struct np_ev_hdr: in front of every record. 16 bytes. */
struct np_ev_hdr {
	__u16 type; /* NP_EV_* */
	__u16 len;  /* of the whole record, bytes */
	__u32 cpu;  /* processor it was written on */
	__u64 ts_ns; /* CLOCK_MONOTONIC */
};

/* struct np_ev_sock: NP_EV_CONN_*, NP_EV_SOCK_CLOSE, NP_EV_RESET_*. */
struct np_ev_sock {
	struct np_ev_hdr hdr;
	__u32 cpu_tgid;	   /* process that happened to be on the CPU, never the owner by itself */
	__s32 err;	   /* CONN_FAIL: errno, 0 where the kernel tells none */
	char cpu_comm[16]; /* its comm */
	struct np_sock_rec rec;
};

NP_WIRE_SIZE(struct np_ev_hdr, 16);
NP_WIRE_SIZE(struct np_ev_sock, 464);

#endif
