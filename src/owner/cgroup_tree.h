/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cgroup v2 tree as the file system shows it: which directory has which id. Remembers nothing; cgroup.c does.
 */
#ifndef NETPROBE_OWNER_CGROUP_TREE_H
#define NETPROBE_OWNER_CGROUP_TREE_H

#include <stddef.h>
#include <stdint.h>

/* Every directory below mount, "/" for mount itself; fn's negative return ends the walk. */
int cgroup_tree_walk(const char *mount, int (*fn)(uint64_t id, const char *path, void *arg),
		     void *arg);
/* Path of one id by file handle, without a walk. Needs CAP_DAC_READ_SEARCH. buf is for the path. */
int cgroup_tree_open_id(const char *mount, uint64_t id, char *buf, size_t size);

#endif
