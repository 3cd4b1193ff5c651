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

/* root: "" but in tests. What of *info is NULL and known is filled; 0, -ENOMEM. */
int container_name(const char *root, const struct cgroup *c, struct container_info *info);
void container_info_done(struct container_info *info);
/* By Docker's and Podman's files. */
bool container_id_of_name(const char *root, const char *name, char *ret_id, size_t size);
/* A folder of a runtime that is there and may not be looked into; NULL: there is none. */
const char *container_denied(const char *root);

#endif
