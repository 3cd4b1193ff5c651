/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as the files in which runtimes keep what they know of containers. */
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

static void name_of(const char *runtime, const char *pod_uid)
{
	struct cgroup c = { .id = 1,
			    .container_id = (char *)(uintptr_t)ID,
			    .runtime = runtime,
			    .pod_uid = (char *)(uintptr_t)pod_uid,
			    .owner = CONTAINER_OF_HOST };
	struct container_info info = {};
	const char *texts[6];

	(void)container_name(root, NULL, &c, &info);
	memcpy(texts,
	       (const char *const[]){ info.name, info.image, info.pod_name, info.pod_namespace,
				      info.project, info.service },
	       sizeof(texts));
	for (int i = 0; i < 6; i++)
		if (texts[i] && (!*texts[i] || strlen(texts[i]) > 511))
			abort();
	/* outside of a pod nobody's words make one */
	if (!pod_uid && strcmp(runtime, "cri-o") && (info.pod_name || info.pod_namespace))
		abort();
	container_info_done(&info);
}

static void put(int fd, const uint8_t *data, size_t size)
{
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const files[] = {
		"/var/lib/docker/containers/" ID "/config.v2.json",
		"/var/lib/containers/storage/overlay-containers/containers.json",
		"/run/containers/storage/overlay-containers/" ID "/userdata/config.json",
		"/run/containerd/io.containerd.runtime.v2.task/default/" ID "/config.json",
	};
	static int fds[4] = { -1 };
	char id[80];

	if (size > 65536)
		return 0;
	if (fds[0] < 0) {
		if (!mkdtemp(root) || atexit(clean))
			abort();
		for (int i = 0; i < 4; i++)
			fds[i] = file_new(files[i]);
	}
	for (int i = 0; i < 4; i++)
		put(fds[i], data, size);
	name_of("docker", NULL);
	name_of("podman", NULL);
	name_of("containerd", NULL);
	name_of("cri-o", NULL);
	name_of("containerd", "6f8ed8ab-1c2d-4e5f-8a9b-0c1d2e3f4a5b");
	name_of("docker", "6f8ed8ab-1c2d-4e5f-8a9b-0c1d2e3f4a5b");
	if (container_id_of_name(root, "a", id, sizeof(id)) && !memchr(id, '\0', sizeof(id)))
		abort();
	return 0;
}
