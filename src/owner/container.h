/* SPDX-License-Identifier: BSD-2-Clause */
/* A container the user names -> its cgroups. Which cgroup is a container's is container.c's. */
#ifndef NETPROBE_OWNER_CONTAINER_H
#define NETPROBE_OWNER_CONTAINER_H

#include <stdint.h>

#define CONTAINER_PREFIX 4 /* least characters of an id's beginning */

/* A cgroup and how deep it is; the root is 0. */
struct container_cgroup {
	uint64_t id;
	uint32_t level;
};

/*
 * what: the whole id, the name, or the beginning of an id (CONTAINER_PREFIX characters at least), tried
 * in this order. Names are in the cgroup itself (LXC, systemd-nspawn), or in the files of Docker and
 * Podman below files_root ("/" but in tests), which need their owner's rights. mount: of the v2 tree.
 *
 * How many cgroups, up to max of which are in ret; -ENOENT: there is no such container, -ENOTUNIQ: several.
 */
int container_find(const char *mount, const char *files_root, const char *what,
		   struct container_cgroup *ret, unsigned int max);

#endif
