/* SPDX-License-Identifier: BSD-2-Clause */
/* Why the kernel refuses what the lower rungs stand on, in words. */
#ifndef NETPROBE_CAPTURE_REFUSED_H
#define NETPROBE_CAPTURE_REFUSED_H

#include <stdbool.h>

#include "base/error.h"

struct refused_facts {
	bool cap_net_raw;   /* in whatever user namespace */
	bool foreign_netns; /* the network namespace is of a user namespace above */
	bool seccomp;	    /* a filter decides over system calls */
	bool has_packet;    /* the kernel is known to have packet sockets */
};

void refused_facts_init(struct refused_facts *ret);
/* A packet socket was refused with that negative errno: -EPERM for want of CAP_NET_RAW, else -EOPNOTSUPP. */
int refused_packet(int e, const struct refused_facts *facts, struct netprobe_error *err);
/* Sockets cannot be listed. */
int refused_diag(int e, const struct refused_facts *facts, struct netprobe_error *err);

#endif
