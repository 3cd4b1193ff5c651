/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cgroups of the v2 tree as they are made, by inotify, where the kernel half tells of none. Into a table, which then
 * knows them and their containers also when they are gone. Lacks: one that is gone before a poll has its id.
 */
#ifndef NETPROBE_OWNER_CGROUP_WATCH_H
#define NETPROBE_OWNER_CGROUP_WATCH_H

#include "owner/cgroup.h"

#define CGROUP_WATCH_MAX 16384 /* folders */

struct cgroup_watch;

/* NULL: there is no tree, no memory, or no inotify. Outlived by t. */
struct cgroup_watch *cgroup_watch_new(struct cgroup_table *t);
struct cgroup_watch *cgroup_watch_free(struct cgroup_watch *w);
/* What was made since the last call; what takes longer than 20 ms waits for the next one. NULL may be given. */
void cgroup_watch_poll(struct cgroup_watch *w, uint64_t now_ns);
/* Times that more were made than the kernel keeps for a poll: what was there afterwards was looked for, what was gone was not seen. */
uint64_t cgroup_watch_overflows(const struct cgroup_watch *w);

#endif
