/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups that are sums of other groups: programs and users of processes; units, pods, namespaces and images of
 * containers. They cost the data path nothing: a query adds them up. What processes moved that are no longer
 * kept by name stays with their program and their user.
 */
#ifndef NETPROBE_FLOW_DERIVE_H
#define NETPROBE_FLOW_DERIVE_H

#include "flow/tally.h"

#define DERIVE_TEXT_MAX 4095 /* of what tells a group: a program has a path */

/* The key of the group of a derived kind that a process, or a container, is in; the other one may be NULL. */
void derive_key(struct group_key *key, uint32_t kind, const struct process *proc,
		const struct cgroup *cgroup);
/* What such a group is called; cut where there is no room. */
void derive_name(char *buf, size_t size, const struct group_key *key);
/* The same as a whole, without a NUL at its end; NULL: it has no text, and its name is never cut. */
const char *derive_text(const struct group_key *key, uint32_t *ret_len);

/* A process is no longer kept by name. No memory, or too many: what it moved stays in the rest. */
int former_init(struct former *f);
void former_clear(struct former *f);
void former_done(struct former *f);
void former_add(struct former *f, const struct process *proc, const struct sums *sums);

/* All groups of a derived kind as rows; histories: of them, freed by who frees *ret_histories. -ENOMEM. */
int derive_seed(struct tallies *t, const struct groups *gs, uint32_t kind,
		struct history **ret_histories);

#endif
