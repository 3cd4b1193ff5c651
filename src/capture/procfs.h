/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which process holds a socket: its file's inode number among the links of /proc/PID/fd. Only where
 * those may be read; what nobody is seen to hold has no owner. A socket that several processes hold
 * goes to none of them at first (one of them has just been forked, or is about to close it), and to
 * the eldest when that lasts.
 */
#ifndef NETPROBE_CAPTURE_PROCFS_H
#define NETPROBE_CAPTURE_PROCFS_H

#include <stdbool.h>
#include <stdint.h>

#include "owner/cgroup.h"
#include "wire/record.h"

struct procfs;

/* root: "/proc" but in tests. cgroups is borrowed. NULL: no memory. */
struct procfs *procfs_new(const char *root, struct cgroup_table *cgroups);
struct procfs *procfs_free(struct procfs *p);

/* From now on scans look for its holder. -ENOMEM. Asking twice is asking once. */
int procfs_want(struct procfs *p, uint32_t inode);
void procfs_forget(struct procfs *p, uint32_t inode);
/* Sockets that are looked for and not found yet. */
uint32_t procfs_missing(const struct procfs *p);

/* Walk over every process. Number of them, or a negative errno (no /proc here). */
int procfs_scan(struct procfs *p, uint64_t now_ns);
/*
 * Only where a new socket most likely is: processes that had one lately, and those that were started
 * since the last look. Cheap.
 */
void procfs_look(struct procfs *p, uint64_t now_ns);
/* The process that holds it, with NP_MATCH_PROCFS; NULL where none is known. */
const struct np_owner *procfs_owner(const struct procfs *p, uint32_t inode);
/* Does its owner still hold it? If not it is looked for anew. */
bool procfs_check(struct procfs *p, uint32_t inode);

#endif
