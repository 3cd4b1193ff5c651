/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network namespaces of this machine: which there are, and a socket in one of them. A socket stays
 * in the namespace it was made in, and keeps it alive: whoever holds one for long holds that too.
 */
#ifndef NETPROBE_ENGINE_NETNS_H
#define NETPROBE_ENGINE_NETNS_H

#include <stdbool.h>
#include <stdint.h>

/* Inode number of a namespace's file; 0 where there is none. */
uint32_t netns_inode(const char *path);
/* An rtnetlink socket in the namespace at path, NULL our own; own_fd: of ours, to come back to. -errno. */
int netns_rtnetlink(const char *path, int own_fd);

/* Is there an interface of that name, here or in any namespace that this process may enter? */
bool netns_has_interface(const char *name);

/*
 * Every namespace that a process of /proc is in or that has a name below /run/netns, each once or
 * more often, with a path that leads there as long as that process lives. fn's non-zero return ends it.
 */
int netns_each(int (*fn)(uint32_t inode, const char *path, void *arg), void *arg);

#endif
