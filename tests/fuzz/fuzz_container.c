/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as the files in which Docker and Podman keep names of containers. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owner/container_name.h"

#define ID "0123456789012345678901234567890123456789012345678901234567890123"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char root[] = "/tmp/netprobe-fuzz.XXXXXX";

static void clean(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	(void)!system(command);
}

static int file_new(const char *path)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		(void)mkdir(full, 0700);
		*at = '/';
	}
	return open(full, O_RDWR | O_CREAT, 0600);
}

static void name_of(const char *runtime)
{
	struct cgroup c = { .id = 1, .container_id = (char *)(uintptr_t)ID, .runtime = runtime };

	(void)container_name(root, &c);
	free(c.name);
	free(c.pod_namespace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int docker = -1, podman = -1;
	char id[80];

	if (size > 65536)
		return 0;
	if (docker < 0) {
		if (!mkdtemp(root) || atexit(clean))
			abort();
		docker = file_new("/var/lib/docker/containers/" ID "/config.v2.json");
		podman = file_new("/var/lib/containers/storage/overlay-containers/containers.json");
	}
	if (ftruncate(docker, 0) || pwrite(docker, data, size, 0) != (ssize_t)size ||
	    ftruncate(podman, 0) || pwrite(podman, data, size, 0) != (ssize_t)size)
		abort();
	name_of("docker");
	name_of("podman");
	name_of("containerd");
	if (container_id_of_name(root, "a", id, sizeof(id)) && !memchr(id, '\0', sizeof(id)))
		abort();
	return 0;
}
