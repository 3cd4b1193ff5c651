/* SPDX-License-Identifier: BSD-2-Clause */
/* What the session is made of, for its own files alone (session.c, session_ask.c). */
#ifndef NETPROBE_ENGINE_SESSION_PARTS_H
#define NETPROBE_ENGINE_SESSION_PARTS_H

#include "engine/ifrates.h"
#include "engine/latency.h"
#include "engine/route.h"
#include "engine/rungs.h"
#include "engine/sample.h"
#include "engine/session.h"
#include "engine/sight.h"
#include "engine/nics.h"
#include "engine/unowned.h"

struct session {
	struct session_opts opts;
	struct rung rung;
	struct netdevs *netdevs; /* NULL: there are no counters of interfaces */
	struct ifrates *ifrates; /* NULL: the rung counts for every namespace itself */
	struct nic_reader *nics; /* NULL: nothing to be read */
	struct unowned *unowned; /* NULL: the rung does not see all sockets */
	struct ifwatch *ifwatch; /* NULL: the kernel tells of no interfaces */
	char note[1024];
	struct cgroup_table *cgroups;
	struct cgroup_watch *births; /* NULL: the kernel half tells of cgroups that are made */
	struct process_table *procs;
	struct flow_table *flows;
	struct viewer *viewer;
	struct route_cache *routes;
	struct sampler *sampler;
	struct engine_latency *latency;
	struct sight sight;
	struct np_filter parts_filter; /* under which the parts to be drained next were counted */
	bool parts_wait;	       /* parts of before the last change of filters */
	struct engine_events *events;  /* NULL: nobody listens */
	struct flow_watch watch;
	uint64_t start_ns, now_ns, tick_ns, seed_next_ns, full_ns, stall_next_ns;
	uint64_t sight_ns; /* names of packets up to then are known */
	/* an accepted connection nobody used yet was seen in the last sweep */
	bool has_listener_owned;
	uint32_t scan_max;    /* processes looked up in /proc with the next tick */
	bool has_sums;	      /* last records found no room since the last full sweep */
	bool misses_ends;     /* probe_misses_ends */
	bool asks_routes;     /* no rung but ebpf tells the interface of a TCP socket */
	uint64_t implausible; /* records not believed */
	uint64_t spliced_ns;  /* when bytes that no receive call took were last seen; 0 never */
	char host[256];
};

/* The rung's accounts and our own. -errno. */
int session_rung_losses(struct session *s, struct probe_loss ret_losses[LOSS_MAX]);

/*
 * A record whose interface -i does not name: what came last, by another one, the kernel half left out; what it counted
 * before is the row's, which keeps its interface where a record has none. False: there is no such row, nor a kernel half.
 */
bool session_keep(const struct session *s, struct np_sock_rec *rec);

/*
 * Datagrams of an unconnected socket carry no route: the kernel is asked which interface it would
 * take for the peer, once per flow.
 */
void session_learn_iface(struct session *s, struct np_tuple *t, uint32_t tgid);
/*
 * A listener has no route: its SYN-ACKs leave by the interface of the route to who asked. The last one
 * stands for those of an interval.
 */
void session_synack_iface(struct session *s, struct np_sock_rec *rec);

/* Tells what no socket moved, after flow_table_tick. */
void session_unowned(struct session *s);

#endif
