/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user side of the kernel half: chooses hooks, loads and attaches them, proves that they
 * deliver, hands over what they counted. Not thread-safe: one thread at a time per probe.
 */
#ifndef NETPROBE_PROBE_PROBE_H
#define NETPROBE_PROBE_PROBE_H

#include <netprobe/capture.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/rung.h"
#include "probe/hooks.h"
#include "wire/config.h"
#include "wire/events.h"
#include "wire/process.h"
#include "wire/record.h"
#include "wire/stats.h"

/* For tests of what happens then: where the start breaks. */
#define FAIL_NOWHERE 0
#define FAIL_VERIFIER 1 /* the verifier rejects every program of a hook that is needed */
#define FAIL_ATTACH 2	/* loaded, and one does not attach */
#define FAIL_PROVE 3	/* attached, and a needed one is silent */
#define FAIL_RING 5	/* afpacket gets no ring */
#define FAIL_DEATH 6	/* the hash keeps the entries of sockets that are gone */
/* few last records that find the ring full have a place, and opts.parts is for sums as well */
#define FAIL_FULL 7
#define FAIL_TABLE 8 /* the flow table has room for FAIL_TABLE_FLOWS */
#define FAIL_TABLE_FLOWS 64
/* second programs, as where those at tracepoints may be preempted; then the first ones left out; then both at sends */
#define FAIL_SECOND 9
#define FAIL_FIRST 10
#define FAIL_SENDS 11
#define FAIL_ENDS 12   /* no program is called where a TCP socket ends */
#define FAIL_SILENT 13 /* as FAIL_FIRST, and nobody knows of it */
#define FAIL_RARE \
	14 /* the hash has room for what one socket needs at first need (struct np_rare) */
#define FAIL_REFUSE \
	15 /* the second program of the first way to see sends is refused, and the first one silent */
#define FAIL_PAUSE \
	16 /* as FAIL_ENDS, and every other look for what sockets left is one that leaves all of them out */
#define FAIL_FIGURES \
	17 /* sockets that received anything tell 4 GiB more, as of a failed call whose error is taken for a length */
#define FAIL_READ 4 /* attached and proven, and there is no memory for the ring */

struct probe_opts {
	uint8_t fail_at;  /* FAIL_* */
	uint8_t family;	  /* NETPROBE_HOOK_*: force one */
	bool perf_buffer; /* events by perf buffer */
	bool check_all;	  /* doctor: try every alternative, keep nothing attached */
	bool quiet;	  /* of events only the ends of sockets are read */
	/* size of the event ring; 0: 8 MiB, quiet: 256 KiB. A power of two, at least a page */
	uint32_t ring_bytes;
	uint32_t closed;		/* entries for ends that find the ring full; 0: 65536 */
	uint32_t parts;			/* entries of each part map; 0: 65536 */
	const char *btf_path;		/* BTF of this kernel where it carries none; NULL */
	const struct np_filter *filter; /* NULL: everything */
};

struct hook_alt_status {
	uint8_t status;	  /* NETPROBE_TRIAL_* */
	bool second;	  /* and what its programs are left out of a second one sees */
	int err;	  /* errno, positive; 0 none */
	char reason[160]; /* the true cause, one sentence; empty where there is none */
	char remedy[160]; /* what to do; empty */
};

struct hook_status {
	int8_t used; /* index of the alternative in use, -1 none */
	bool proven; /* seen to deliver in the self-test */
	struct hook_alt_status alts[HOOK_ALTS];
};

struct probe;

/*
 * Load and attach. 0 and *ret_probe, or a negative errno: -EPERM when a capability is missing (err
 * names it), -EOPNOTSUPP when a required hook has no alternative that works here.
 */
int probe_open(const struct probe_opts *opts, struct probe **ret_probe, struct netprobe_error *err);
/* detaches and frees everything; NULL-safe; returns NULL */
struct probe *probe_close(struct probe *p);

/* Filters for what happens from now on; takes effect at each socket's next call or event. */
uint32_t probe_set_filter(struct probe *p, const struct np_filter *filter); /* its generation */

/* Every socket that changed since the last sweep (full: every socket). Number of records or -errno. */
int probe_sweep(struct probe *p, bool full, probe_sock_fn fn, void *arg);
/* Parts are counted anew from here on; what was before waits for probe_parts. Cheap. */
void probe_parts_turn(struct probe *p);
/* Drain the parts: those before the last turn, if they still wait. */
int probe_parts(struct probe *p, probe_part_fn fn, void *arg);
/* Drain the event ring, then last records that found it full. Number of events or -errno. */
int probe_events(struct probe *p, probe_event_fn fn, void *arg);
/* readable when the ring gets full: to be polled beside a timer */
int probe_event_fd(const struct probe *p);
/* Give sockets without an exact owner the task that holds them. Costs a walk over all open files. */
int probe_seed(struct probe *p);
/*
 * Attach or detach the hook that tells who takes bytes out of sockets without receive calls, where
 * such a hook costs every receive call of everybody. Nothing where the family has a cheaper one.
 * 0 or negative errno: what it would tell stays with the socket's last known user.
 */
int probe_watch_reads(struct probe *p, bool on);
/*
 * From now on probe_events brings an NP_EV_ANSWER for each datagram that a process sends to or reads from these
 * remote ports. -EOPNOTSUPP: this kernel, processor or way of events cannot.
 */
int probe_answers(struct probe *p, const uint16_t *ports, size_t n);
/*
 * Look once at every socket for what stands still; stalls longer than threshold_ns come as events. To be
 * called several times within the threshold.
 */
int probe_stalls(struct probe *p, uint64_t threshold_ns);
/* The program a process runs, as the exec hook saw it. -ENOENT. */
int probe_exec(const struct probe *p, uint32_t tgid, struct np_exec *ret_exec);

/* Where a process is in cgroup hierarchies of version 1, by np_owner.v1. -ENOENT. */
int probe_v1(struct probe *p, uint64_t key, struct np_v1 *ret_v1);

int probe_losses(const struct probe *p, struct probe_loss ret_losses[NP_PROG_MAX]);

/* The ladder as it came out; n entries of NP_PROG_*. */
const struct hook_status *probe_hooks(const struct probe *p);
uint8_t probe_family(const struct probe *p); /* family of the send hook */
bool probe_store_is_hash(const struct probe *p);
/* The ends of other sockets than TCP's are not seen: only a full sweep finds them gone. */
bool probe_misses_ends(const struct probe *p);
bool probe_tells_births(const struct probe *p); /* of cgroups: NP_EV_BORN */
/* One line about what is missing, and about what namespaces hide; empty. */
const char *probe_note(const struct probe *p);

struct probe_sweep_stats {
	uint64_t sockets; /* sockets with an entry at the last sweep */
	uint64_t records; /* records of the last sweep */
	uint64_t passes;
	uint64_t ns; /* time it took */
};
void probe_last_sweep(const struct probe *p, struct probe_sweep_stats *ret_stats);

#endif
