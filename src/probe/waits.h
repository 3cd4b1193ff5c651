/* SPDX-License-Identifier: BSD-2-Clause */
/* How long data waits in the queues of sockets: loads what times it, beside a probe that runs. */
#ifndef NETPROBE_PROBE_WAITS_H
#define NETPROBE_PROBE_WAITS_H

#include "probe/probe.h"
#include "wire/waits.h"

struct probe_waits;

/* -EOPNOTSUPP where this kernel has no hook for it, err says which. */
int probe_waits_open(struct probe *p, struct probe_waits **ret_waits, struct netprobe_error *err);
struct probe_waits *probe_waits_close(struct probe_waits *w);
/*
 * Hooks that are costly come and go with what they have to tell: at the next poll after it is there, and a minute
 * after it was last. reads: somebody reads without receive calls. What failed first.
 */
int probe_waits_poll(struct probe_waits *w, uint64_t now_ns, bool reads);
/* Every process that waited since the start, with all its waits. */
int probe_waits_each(struct probe_waits *w,
		     void (*fn)(const struct np_wait_key *key, const struct np_wait_hist *h,
				void *arg),
		     void *arg);
/* A process that is gone: its counters are not needed any more. */
void probe_waits_forget(struct probe_waits *w, const struct np_wait_key *key);
int probe_waits_losses(const struct probe_waits *w, struct np_wait_loss *ret_loss);
/* What this kernel lacks; empty. */
const char *probe_waits_note(const struct probe_waits *w);

#endif
