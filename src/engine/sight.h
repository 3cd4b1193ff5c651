/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session does with single packets, whichever rung they come from: names (names.h) and --pcap
 * (pcap.h). Part of the session, and its alone.
 */
#ifndef NETPROBE_ENGINE_SIGHT_H
#define NETPROBE_ENGINE_SIGHT_H

#include "engine/session.h"

typedef void (*sight_event_fn)(const struct event *ev, void *arg);

struct sight {
	struct session *session;
	const struct session_opts *opts;
	const struct rung *rung;
	struct names *names;		 /* NULL: nobody asks for them */
	struct pcap *pcap;		 /* NULL unless --pcap */
	uint16_t ports[NAMES_PORTS + 3]; /* read while the rung opens */
	struct tap *tap;		 /* packets of the afpacket rung; NULL: nobody wants them */
	sight_event_fn fn;		 /* NULL: nobody wants events */
	void *arg;
};

/* Before the rung is chosen: what that of packets has to hand over. -ENOMEM. */
int sight_prepare(struct sight *t, struct session_opts *opts);
/* Once the rung is open. */
int sight_open(struct sight *t, struct probe *probe, struct netprobe_error *err);
/* While the rung is open, and after it is closed. */
void sight_close(struct sight *t);
void sight_done(struct sight *t);
/* Before the rung's events are read, and after. 0 or -errno. */
int sight_poll(struct sight *t, uint64_t now_ns);
void sight_drain(struct sight *t);
void sight_account(const struct sight *t, struct losses *to);
void sight_finish(struct sight *t);
void sight_set_filter(struct sight *t, const struct np_filter *filter);

#endif
