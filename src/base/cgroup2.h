/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole cgroup v2 tree of the machine, in whatever namespaces this process is: programs are attached at its root,
 * and names of cgroups are paths from there. A mount shows only a part where it was made in a cgroup namespace.
 */
#ifndef NETPROBE_BASE_CGROUP2_H
#define NETPROBE_BASE_CGROUP2_H

#include <stdbool.h>
#include <stddef.h>

struct cgroup2 {
	int fd;		/* its root */
	char path[288]; /* the same, to open files below */
	char where
		[256]; /* the same, in words: a mount point, one in another mount namespace, or a mount of its own */
};

/*
 * Looked for once, and then kept open until the process ends: what is mounted later, or what the caller gives up, changes
 * nothing. In this order: a mount of this mount namespace; one that the first process, or one above this one, sees; a
 * mount that nobody else sees, made in this cgroup namespace or in theirs, if that is the first one. Any thread.
 *
 * NULL: there is none; why says in one clause what there is instead, and is looked for anew at the next call.
 */
const struct cgroup2 *cgroup2_root(char *why, size_t size);

/*
 * Each cgroup v2 mount of a mountinfo file, in its order: its root in the tree, its mount point, and its file system's
 * options. fn's true ends it. Did fn say so?
 */
bool cgroup2_mounts(const char *mountinfo,
		    bool (*fn)(const char *root, const char *point, const char *options, void *arg),
		    void *arg);

#endif
