/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text as the path of a cgroup: a container with an id out of that path, or none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "owner/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cgroup c = { .id = 1 };

	if (size > 4096)
		return 0;
	c.path = calloc(1, size + 1);
	if (!c.path)
		return 0;
	if (size)
		memcpy(c.path, data, size);
	if (!cgroup_parse_container(&c)) {
		/* a path that tells a runtime tells an id; it may tell an id alone */
		if (!c.container_id && c.runtime)
			abort();
		if (c.container_id && (!*c.container_id || strlen(c.container_id) > size))
			abort();
		if (c.pod_uid && strlen(c.pod_uid) != 36 && strlen(c.pod_uid) != 32)
			abort();
	}
	free(c.container_id);
	free(c.pod_uid);
	free(c.path);
	return 0;
}
