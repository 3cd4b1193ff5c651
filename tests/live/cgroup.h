/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cgroup v2 directory of the test's own. A process outside of the test's reach removes it once
 * the test has ended, however it ended.
 */
#ifndef LIVE_CGROUP_H
#define LIVE_CGROUP_H

#include <limits.h>
#include <stdint.h>

struct cgroup_dir {
	char path[PATH_MAX]; /* in the file system */
	char name[256];	     /* below the root of the v2 tree: "/netprobe-live-123" */
	uint64_t id;	     /* its inode: cgroup_id */
	int procs;	     /* cgroup.procs, open for writing "0" into it */
};

/* Skips the test where there is no cgroup v2 tree to write to. */
struct cgroup_dir cgroup_dir_new(void);
/* As systemd makes that of a service. */
struct cgroup_dir cgroup_dir_service(const char *name);
/* The same, as Docker would name that of its container; id: 65 bytes. */
struct cgroup_dir cgroup_dir_container(char *ret_id);
/* As Docker names it, in the hierarchy of version 1 of the pids controller: in the v2 tree nothing is made. */
struct cgroup_dir cgroup_dir_pids(char *ret_id);
/* The same, as LXC would name that of its container. */
struct cgroup_dir cgroup_dir_lxc(const char *name);

#endif
