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
 * in this order. Names are in the cgroup itself (LXC, systemd-nspawn), or in the files of runtimes
 * below files_root ("" but in tests), which need their owner's rights. mount: of the v2 tree.
 *
 * How many cgroups, up to max of which are in ret; -ENOENT: there is no such container, -ENOTUNIQ: several.
 */
int container_find(const char *mount, const char *files_root, const char *what,
		   struct container_cgroup *ret, unsigned int max);

#define FIND_POD 0	 /* its UID, its name, or NAMESPACE/NAME */
#define FIND_NAMESPACE 1 /* of Kubernetes: each of its pods */
#define FIND_UNIT 2	 /* of systemd, ".service" may be left out; one of each manager */

/* The same for FIND_*. A pod is its cgroup, with what is to run in it. -ENOTUNIQ: pods of several namespaces. */
int container_find_group(const char *mount, const char *files_root, unsigned int kind,
			 const char *what, struct container_cgroup *ret, unsigned int max);

#endif
