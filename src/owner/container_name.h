/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that people gave containers, from files: Docker's, Podman's, and the links that the kubelet keeps
 * in /var/log/containers. No runtime is asked. The files need their owner's rights.
 */
#ifndef NETPROBE_OWNER_CONTAINER_NAME_H
#define NETPROBE_OWNER_CONTAINER_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "owner/cgroup.h"

/* root: "" but in tests. Fills name and namespace of c where they are known and it has none; 0, -ENOMEM. */
int container_name(const char *root, struct cgroup *c);
/* By Docker's and Podman's files. */
bool container_id_of_name(const char *root, const char *name, char *ret_id, size_t size);

#endif
