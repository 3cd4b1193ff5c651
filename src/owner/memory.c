/* SPDX-License-Identifier: BSD-2-Clause */
/* See memory.h. In a cgroup namespace the path is its root's, and what lies above cannot be seen. */
#include "owner/memory.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Version 1 says "no limit" as the greatest number of whole pages. */
#define NO_LIMIT (1ULL << 62)

static uint64_t read_limit(const char *path)
{
	FILE *f = fopen(path, "re");
	uint64_t limit = 0;

	if (!f)
		return 0;
	/* "max" is not a number */
	if (fscanf(f, "%" SCNu64, &limit) != 1 || limit >= NO_LIMIT)
		limit = 0;
	(void)fclose(f);
	return limit;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

/* path: "/a/b"; it is cut from behind, up to the mount itself. */
static uint64_t least(const char *mount, char *path, const char *name)
{
	char file[PATH_MAX + 512];
	uint64_t limit = 0;

	for (;;) {
		char *slash = strrchr(path, '/');

		(void)snprintf(file, sizeof(file), "%s%s/%s", mount, path, name);
		limit = lesser(limit, read_limit(file));
		if (!slash)
			return limit;
		*slash = '\0';
	}
}

/* Is that one of the controllers, "cpu,memory"? */
static bool has_memory(char *controllers)
{
	char *save;

	for (char *c = strtok_r(controllers, ",", &save); c; c = strtok_r(NULL, ",", &save))
		if (!strcmp(c, "memory"))
			return true;
	return false;
}

uint64_t memory_limit(const char *proc, const char *sys)
{
	char file[PATH_MAX], line[PATH_MAX + 256];
	uint64_t limit = 0;
	FILE *f;

	(void)snprintf(file, sizeof(file), "%s/self/cgroup", proc);
	f = fopen(file, "re");
	while (f && fgets(line, sizeof(line), f)) {
		char *controllers = strchr(line, ':'), *path;

		line[strcspn(line, "\n")] = '\0';
		path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		if (!controllers[1]) {
			limit = lesser(limit, least(sys, path, "memory.max"));
		} else if (has_memory(controllers + 1)) {
			(void)snprintf(file, sizeof(file), "%s/memory", sys);
			limit = lesser(limit, least(file, path, "memory.limit_in_bytes"));
		}
	}
	if (f)
		(void)fclose(f);
	return limit;
}
