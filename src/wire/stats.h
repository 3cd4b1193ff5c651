/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probe's account of itself: for each program seen = submitted + ring_full + filtered +
 * sampled_out + rate_limited + map_full. One per-CPU array, one slot a program.
 */
#ifndef NETPROBE_WIRE_STATS_H
#define NETPROBE_WIRE_STATS_H

#include "types.h"

/* Logical programs (hooks); each of a hook's alternatives counts in the same slot. */
#define NP_PROG_SEND 0
#define NP_PROG_RECV 1
#define NP_PROG_SPLICE 2
#define NP_PROG_UDP_SEND_PEER 3
#define NP_PROG_UDP_RECV_PEER 4
#define NP_PROG_STATE 5
#define NP_PROG_CLONE 6
#define NP_PROG_DESTROY 7
#define NP_PROG_RELEASE 8
#define NP_PROG_CREATE 9
#define NP_PROG_BIND 10
#define NP_PROG_CONNECT 11
#define NP_PROG_ACCEPT 12
#define NP_PROG_RETRANSMIT 13
#define NP_PROG_SYNACK 14
#define NP_PROG_RESET_TX 15
#define NP_PROG_RESET_RX 16
#define NP_PROG_EXEC 17
#define NP_PROG_FORK 18
#define NP_PROG_EXIT 19
#define NP_PROG_SEED 20
#define NP_PROG_SWEEP 21
#define NP_PROG_CA_STATE 22
#define NP_PROG_TLP 23
#define NP_PROG_STALL 24
#define NP_PROG_CONNECT_END 25
#define NP_PROG_RENAME 26
#define NP_PROG_MOVE 27
#define NP_PROG_CRED 28
#define NP_PROG_ERROR 29
#define NP_PROG_ARRIVE 30
#define NP_PROG_BORN 31
#define NP_PROG_MAX 32

/* Accounts of the same shape that user space keeps where no program runs. */
#define LOSS_AFPACKET NP_PROG_MAX      /* packets read from a ring */
#define LOSS_DIAG (NP_PROG_MAX + 1)    /* the kernel's notices about sockets that ended */
#define LOSS_FIGURES (NP_PROG_MAX + 2) /* records with figures that cannot be */
#define LOSS_SUMS (NP_PROG_MAX + 3)    /* counts of an interval that nobody took */
#define LOSS_MAX (NP_PROG_MAX + 4)

/*
 * The kernel leaves a program out that would interrupt itself. Where a miss would lose something for
 * good, a second program with the same body is attached: one of the two runs.
 */
#define NP_PROG_SECOND 0x40
#define NP_PROG_MASK 0x3f
#define NP_MARKS (4U << 20) /* thread ids there can be (PID_MAX_LIMIT), see second.h */

/* struct np_loss: one program's account; all since the start. */
struct np_loss {
	__u64 submitted; /* records handed over */
	__u64 ring_full; /* event ring full: the event (or the connection) is lost, its counts are not */
	__u64 filtered;	     /* did not match the filters */
	__u64 sampled_out;   /* left out by --sample-rate */
	__u64 rate_limited;  /* left out by --max-events */
	__u64 map_full;	     /* a map was full or out of memory: see lost_* */
	__u64 lost_tx_bytes; /* bytes counted nowhere else because of map_full */
	__u64 lost_rx_bytes;
	__u64 helper_err; /* a kernel helper failed for another reason */
};

/* struct np_lives: TCP sockets that the kernel half met, and those of them whose end it saw. */
struct np_lives {
	__u64 made;
	__u64 ended;
};

#endif
