/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people call a container, from the files of its runtime: the bundle of containerd, CRI-O and Podman, the
 * configuration of Docker, the list of Podman, and the links that the kubelet keeps in /var/log/containers. No
 * runtime is asked. The files need their owner's rights, and say what whoever started the container wrote.
 */
#ifndef NETPROBE_OWNER_CONTAINER_NAME_H
#define NETPROBE_OWNER_CONTAINER_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "owner/cgroup.h"

/* Each NULL where it is not known. */
struct container_info {
	char *name, *image;
	char *pod_name, *pod_namespace; /* of Kubernetes */
	char *project, *service;	/* of Compose */
	const char *runtime;		/* that the files are of; nobody's to free */
};

/* What is kept from one name to the next: lists of Podman's, and what is mounted. */
struct container_cache;

struct container_cache *container_cache_new(void);
struct container_cache *container_cache_free(struct container_cache *k);
/* Files of homes that were not read because they are on another machine's disks, or a program's. */
uint64_t container_cache_remote(const struct container_cache *k);
/* Lists that were parsed. */
uint64_t container_cache_parsed(const struct container_cache *k);

/*
 * root: "" but in tests. k: NULL, one for this call. What of *info is NULL and known is filled; 0, -ENOMEM, -EXDEV:
 * the files are not on this machine.
 */
int container_name(const char *root, struct container_cache *k, const struct cgroup *c,
		   struct container_info *info);
/* Does it take files, or is all in the cgroup? */
bool container_has_files(const struct cgroup *c);
void container_info_done(struct container_info *info);
/* By Docker's and Podman's files. */
bool container_id_of_name(const char *root, const char *name, char *ret_id, size_t size);
/* A folder of a runtime that is there and may not be looked into; NULL: there is none. */
const char *container_denied(const char *root);

#endif
