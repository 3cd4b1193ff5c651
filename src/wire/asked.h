/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of libc's resolver, from kernel to user: one record when a call begins, one when it returns. */
#ifndef NETPROBE_WIRE_ASKED_H
#define NETPROBE_WIRE_ASKED_H

#include "events.h"

#define NP_ASKED_NAME 256 /* bytes of a name, NUL included */

/* struct np_ev_asked: one call of getaddrinfo or of the gethostbyname family. */
struct np_ev_asked {
	struct np_ev_hdr hdr; /* type 0; ts_ns: when this record was made */
	struct np_owner owner;
	__u64 begin_ns;		  /* CLOCK_MONOTONIC at its begin */
	__u64 end_ns;		  /* CLOCK_MONOTONIC at its return; 0 it is under way */
	char name[NP_ASKED_NAME]; /* what was asked for, as given; NUL-terminated */
};

/* struct np_asked_loss: per CPU, all since the start. */
struct np_asked_loss {
	__u64 seen;	 /* calls and returns */
	__u64 submitted; /* of which were handed up */
	__u64 ring_full;
	__u64 map_full;	  /* calls under way that had no room */
	__u64 helper_err; /* names that could not be read */
};

NP_WIRE_SIZE(struct np_ev_asked, 360);
NP_WIRE_SIZE(struct np_asked_loss, 40);

#endif
