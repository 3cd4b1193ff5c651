/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rung of the ladder, as the session sees it: something that tells of sockets, of what befalls them
 * and of what it lost. The ebpf rung is src/probe, the others are in this folder. One thread.
 */
#ifndef NETPROBE_CAPTURE_RUNG_H
#define NETPROBE_CAPTURE_RUNG_H

#include <netprobe/core.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire/config.h"
#include "wire/events.h"
#include "wire/process.h"
#include "wire/record.h"
#include "wire/stats.h"

typedef void (*probe_sock_fn)(const struct np_sock_rec *rec, void *arg);
typedef void (*probe_part_fn)(const struct np_part_key *key, const struct np_part *part, void *arg);
typedef void (*probe_event_fn)(const struct np_ev_hdr *ev, void *arg);

/* What a program lost; those of the kernel half, and after them the one that reads packets. */
struct probe_loss {
	struct np_loss loss;
	/* runs the kernel left out because the program was running already on that CPU */
	uint64_t missed;
	uint64_t implausible; /* records not believed: LOSS_FIGURES alone */
};

/* Whose a packet is. */
struct rung_whose {
	struct np_owner owner; /* tgid 0: nobody known (yet) */
	uint64_t sock_id;      /* 0 unknown */
	uint32_t netns;
	char ifname[16]; /* of the tuple's ifindex; empty unknown */
	bool local;	 /* its local address is this host's */
	bool wanted;	 /* it matches the filters */
};

/* A NULL function: the rung has nothing of that kind. They return 0 or more, or a negative errno. */
struct rung_ops {
	const char *mode; /* as records carry it */
	bool tcp_only;	  /* bytes of nothing else are known (MPTCP is TCP below) */
	void (*close)(void *rung);
	/* for what happens from now on; returns the filters' generation */
	uint32_t (*set_filter)(void *rung, const struct np_filter *filter);
	/* every socket that changed since the last sweep; full: every socket */
	int (*sweep)(void *rung, bool full, probe_sock_fn fn, void *arg);
	/*
	 * Flows of no socket that is known here: within each sweep fn gets what they moved since the last
	 * one (see flow_table_moved). Their events carry sums, and NP_F_OWNID. NULL: there are none.
	 */
	void (*watch_moved)(void *rung, probe_sock_fn fn, void *arg);
	void (*parts_turn)(void *rung);
	int (*parts)(void *rung, probe_part_fn fn, void *arg);
	int (*events)(void *rung, probe_event_fn fn, void *arg);
	int (*fd)(const void *rung); /* readable when events() has something; -1 never */
	int (*seed)(void *rung);     /* find owners of what has none */
	int (*watch_reads)(void *rung, bool on); /* see probe_watch_reads */
	int (*stalls)(void *rung, uint64_t threshold_ns);
	int (*exec)(const void *rung, uint32_t tgid, struct np_exec *ret_exec);
	int (*losses)(const void *rung, struct probe_loss ret_losses[LOSS_MAX]);
	/* the end is near: what waits for more to come is handed over with the next sweep */
	void (*finish)(void *rung);
	/* Of one packet, seen from its local end: whose socket it is as far as is known now. */
	int (*whose)(void *rung, const struct np_tuple *t, struct rung_whose *ret);
	const char *(*note)(const void *rung); /* one line about what is missing; empty */
};

struct rung {
	const struct rung_ops *ops; /* NULL: none is open */
	void *arg;
};

#endif
