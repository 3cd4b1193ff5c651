/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user side of drops.bpf.c: an object beside the main one, whose socket owners it shares.
 * Not here: what a drop means to a reader (engine/drops.c).
 */
#ifndef NETPROBE_PROBE_DROPS_H
#define NETPROBE_PROBE_DROPS_H

#include <stddef.h>

#include "probe/probe.h"
#include "wire/drops.h"

struct probe_drops;

struct probe_drops_opts {
	const struct np_filter *filter; /* NULL: everything */
	bool stack;			/* take kernel stacks */
	bool quiet;			/* tell of what is lost to nobody, too */
	/* Is it that, by its reason? functions: whose drops without a reason are; NULL-terminated. */
	bool (*is_quiet)(const char *reason, const char *function);
	const char *const *functions;
	uint32_t key_events; /* events a second of each kind; 0: 10 */
	uint32_t ring_bytes; /* 0: 1 MiB */
};

/* Load and attach. -EOPNOTSUPP where no hook of the wanted family tells of drops. */
int probe_drops_open(struct probe *p, const struct probe_drops_opts *opts,
		     struct probe_drops **ret_drops, struct netprobe_error *err);
struct probe_drops *probe_drops_close(struct probe_drops *d);
/* Detach: from here on sums stand still. */
void probe_drops_stop(struct probe_drops *d);

void probe_drops_set_filter(struct probe_drops *d, const struct np_filter *filter);
void probe_drops_set_stack(struct probe_drops *d, bool on);

typedef void (*probe_drop_fn)(const struct np_ev_drop *ev, void *arg);
typedef void (*probe_drop_sum_fn)(const struct np_drop_key *key, const struct np_drop_sum *sum,
				  void *arg);
/* Drain the ring. Number of records or -errno. */
int probe_drops_poll(struct probe_drops *d, probe_drop_fn fn, void *arg);
/* Every kind of drop since the last turn. 0 or -errno. */
int probe_drops_sums(struct probe_drops *d, probe_drop_sum_fn fn, void *arg);
/* How many those are. */
uint32_t probe_drops_kinds(const struct probe_drops *d);
/*
 * Let programs count in the other map, and wait for those that still write to this one. Waits some ms. Not again
 * before that map is drained.
 */
void probe_drops_turn(struct probe_drops *d);
/* After a turn: every kind until then, out of its map. On -errno what was not handed over is, by the next call. */
int probe_drops_drain(struct probe_drops *d, probe_drop_sum_fn fn, void *arg);
/* missed: drops the kernel did not show because one was being looked at on that processor. */
int probe_drops_losses(const struct probe_drops *d, struct np_drop_loss *ret_loss,
		       uint64_t *ret_missed);
/* Frames of a stack, innermost first; how many, 0 none. */
unsigned int probe_drops_stack(const struct probe_drops *d, int32_t id,
			       uint64_t ret_frames[NP_DROP_STACK_DEPTH]);

/* "NETFILTER_DROP", as this kernel's BTF names it; a number where it has no name. */
const char *probe_drops_reason(const struct probe_drops *d, uint32_t reason, char *buf,
			       size_t size);
bool probe_drops_has_reasons(const struct probe_drops *d);
const char *probe_drops_note(const struct probe_drops *d); /* what this kernel lacks; empty */

#endif
