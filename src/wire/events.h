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
#define NP_EV_STALL 7	   /* a send or receive does not go on: cause, since_ns, ended */
#define NP_EV_ERROR 8	   /* the network told a datagram socket an error: err */
#define NP_EV_MAX 9
#define NP_EV_ANSWER \
	64 /* a message a process sent to or read from a port of DNS: struct np_ev_answer */

#define NP_EV_BORN 65 /* a cgroup was made: struct np_ev_born */

#define NP_STALL_SEND_BUFFER 1	 /* the process waits for room in the send buffer */
#define NP_STALL_ZERO_WINDOW 2	 /* the peer takes nothing: its window is closed */
#define NP_STALL_RECEIVE_QUEUE 3 /* data waits in the receive queue, the process does not take it */
#define NP_STALL_RECEIVE_WAIT 4	 /* a part of what the reader waits for is here, the rest is not */

/* struct np_ev_hdr: in front of every record. 16 bytes. */
struct np_ev_hdr {
	__u16 type;  /* NP_EV_* */
	__u16 len;   /* of the whole record, bytes */
	__u32 cpu;   /* processor it was written on */
	__u64 ts_ns; /* CLOCK_MONOTONIC */
};

/* struct np_ev_sock: NP_EV_CONN_*, NP_EV_SOCK_CLOSE, NP_EV_RESET_*, NP_EV_STALL, NP_EV_ERROR. */
struct np_ev_sock {
	struct np_ev_hdr hdr;
	__u32 cpu_tgid;	   /* process that happened to be on the CPU, never the owner by itself */
	__s32 err;	   /* CONN_FAIL, ERROR: errno, 0 where the kernel tells none */
	char cpu_comm[16]; /* its comm */
	__u64 since_ns;	   /* STALL: CLOCK_MONOTONIC at which it was first seen; else 0 */
	__u32 cause;	   /* STALL: NP_STALL_*; else 0 */
	__u32 ended;	   /* STALL: 1 it is over, 0 it goes on */
	/* ERROR: port that the datagram socket was connected to then, at rec.synack_raddr, 0 of sockets without ports; its own counts need not be about that */
	__u16 rport;
	__u8 pad[6];
	struct np_sock_rec rec;
};

#define NP_ANSWER_BYTES 1536 /* of one message, at most */

/* struct np_ev_answer: NP_EV_ANSWER. */
struct np_ev_answer {
	struct np_ev_hdr hdr;  /* len: with the bytes */
	struct np_tuple tuple; /* of the socket, remote end: whom it was sent to, or came from */
	__u64 sock_id;	       /* socket cookie; 0 unknown */
	__u32 full;	       /* bytes that were sent or read */
	__u32 captured;	       /* bytes that follow */
	__u8 dir;	       /* NP_DIR_RX, NP_DIR_TX */
	__u8 pad[7];
};

#define NP_BORN_PATH 928
#define NP_BORN_SLOTS 64 /* users by their number modulo this */

/* struct np_ev_born: NP_EV_BORN. A longer path is not told: its cgroup is found in the tree, as long as it is there. */
struct np_ev_born {
	struct np_ev_hdr hdr; /* len: up to the end of the path */
	__u64 id;	      /* of the cgroup in its hierarchy */
	__u32 hierarchy;      /* 0 the v2 tree; else the number of one of version 1 */
	__u32 pad;
	char path[NP_BORN_PATH]; /* below the hierarchy's root; with a NUL behind it */
};

/* struct np_born: bytes of such records, since user space looked or at most until then. */
struct np_born {
	__u32 host;  /* of what the initial user namespace's root makes */
	__u32 users; /* of what all others make */
	__u32 user[NP_BORN_SLOTS];
};

NP_WIRE_SIZE(struct np_born, 264);
NP_WIRE_SIZE(struct np_ev_born, 960);
NP_WIRE_SIZE(struct np_ev_answer, 104);
NP_WIRE_SIZE(struct np_ev_hdr, 16);
NP_WIRE_SIZE(struct np_ev_sock, 632);

#endif
