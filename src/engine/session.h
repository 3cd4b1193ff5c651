/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture session: joins the kernel half with owners, flows and views, and turns what happens
 * into events. Commands run one; each interval they call session_tick. One thread.
 */
#ifndef NETPROBE_ENGINE_SESSION_H
#define NETPROBE_ENGINE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/afpacket.h"
#include "capture/rung.h"
#include "flow/latency.h"
#include "flow/table.h"
#include "engine/names.h"
#include "flow/view.h"
#include "out/event.h"
#include "probe/probe.h"

typedef void (*session_event_fn)(const struct event *ev, void *arg);
/* Whether whoever gets the events has room for one more of counts. */
typedef bool (*session_room_fn)(void *arg);

struct session_opts {
	int mode; /* NETPROBE_CAPTURE_* */
	struct probe_opts probe;
	struct afpacket_opts packets;
	struct np_filter filter; /* gen is set by the session */
	struct flow_table_opts flows;
	session_event_fn event_fn; /* NULL: no events are made */
	session_room_fn room_fn;   /* with event_arg; NULL: there always is */
	void *event_arg;
	/* every socket at every tick, not only what changed: for figures that are times */
	bool full_sweeps;
	struct names_opts names;
	const char *pcap;  /* file for packets; NULL none */
	uint64_t stall_ns; /* what stands still longer is a stall; 0: 100 ms */
	bool latency;	   /* time how long data waits in the queues of sockets */
	bool latency_try;  /* ... where that can be done, else go on without */
};

/* All losses so far, and the sums that views show. */
struct session_losses {
	struct probe_loss prog[LOSS_MAX];
	uint64_t ring_full, map_full, missed, helper_err, lost_bytes; /* sums over the programs */
	uint64_t flows_dropped;
	struct flow_left left;	   /* of those */
	uint64_t cgroups_full;	   /* owners whose cgroup there was no room for */
	struct np_wait_loss waits; /* while they are timed */
	uint64_t figures_dropped;  /* latencies of processes there was no room for */
};

struct session;

/*
 * Opens the rung that opts ask for, or the highest one that works. -EPERM where a capability is
 * missing, -EOPNOTSUPP and others where it cannot run here; err says which and why.
 */
int session_open(const struct session_opts *opts, struct session **ret_session,
		 struct netprobe_error *err);
struct session *session_close(struct session *s);
/* Would that mode work here? Opens it and lets it go; errors as session_open's. */
int session_try_mode(const struct session_opts *opts, int mode, struct netprobe_error *err);
/* Is that a file --btf can take? -EINVAL, err says why not. */
int session_check_btf(const char *path, struct netprobe_error *err);
const char *session_mode_name(int mode); /* NULL past the last */

/* Hand over what waits in the event ring; cheap, to be called when session_fd is readable and now and then. */
int session_poll(struct session *s);
int session_fd(const struct session *s);
/* End of an interval: sweep, parts, rates, events. */
int session_tick(struct session *s);
/* Before the end: a last tick. */
int session_finish(struct session *s);

/* Other filters, sample rate and event rate for all that happens from now on; what was before stays. */
/* From the next tick on, as session_opts.full_sweeps. */
void session_set_full_sweeps(struct session *s, bool on);
void session_set_filter(struct session *s, const struct np_filter *filter);
const struct np_filter *session_filter(const struct session *s); /* with its generation */
void session_set_stall(struct session *s, uint64_t stall_ns);

/* Sockets that changed since the last tick, now: for who asks about one that is younger than that. */
int session_refresh(struct session *s);
/* Waits in queues are timed, or not any more. Errors as probe_waits_open's; false never fails. */
int session_set_latency(struct session *s, bool on, struct netprobe_error *err);
bool session_latency_watched(const struct session *s); /* ever: else waits are unknown */
const struct latencies *session_latencies(const struct session *s);
const char *session_latency_note(const struct session *s); /* what this kernel lacks; empty */

struct flow_table *session_flows(struct session *s);
struct viewer *session_viewer(struct session *s);
struct probe *session_probe(struct session *s); /* NULL unless the rung is ebpf */
/* What is called what; NULL unless session_opts.names asks. */
struct names *session_names(struct session *s);
const char *session_rname(const struct session *s, const struct flow *f); /* NULL unknown */
struct cgroup_table *session_cgroups(struct session *s);
void session_losses(struct session *s, struct session_losses *ret_losses);
/* Its rows of the account of losses. */
void session_account(struct session *s, struct losses *to);
/* Told each delta of the flow table, and those that are drops of listeners are not events of the session's. */
void session_watch_drops(struct session *s, struct flow_watch *w, bool tells);
/* The process of an owner found elsewhere (drops); to be given back. NULL: no memory. */
const struct process *session_owner(struct session *s, const struct np_owner *owner);
/* Of a packet by its ends, where sockets are looked for (afpacket): what is found now. False: nothing. */
bool session_whose(struct session *s, const struct np_tuple *t, struct np_owner *ret_owner,
		   uint64_t *ret_sock_id, bool *ret_wanted);
void session_owner_done(struct session *s, const struct process *owner);
const char *session_mode(const struct session *s); /* "ebpf", "afpacket", "proc" */
/* Are bytes and packets of that protocol (IPPROTO_*) counted here? Else they are unknown, not 0. */
bool session_counts(const struct session *s, uint8_t proto);
/* One line about what this rung cannot tell, and why it is not a higher one; empty. */
const char *session_note(const struct session *s);
const char *session_host(const struct session *s);
double session_uptime(const struct session *s); /* seconds */

uint64_t clock_monotonic_ns(void);
uint64_t clock_wall_ns(void);

#endif
