/* SPDX-License-Identifier: BSD-2-Clause */
/* Places in cgroup hierarchies of version 1, as /proc tells them: see cgroup.h. Pure. */
#include <string.h>

#include "owner/cgroup.h"
#include "owner/index.h"

/* "/a/b": "b" is names[0]. */
static void take_path(char names[NP_V1_DEPTH][NP_V1_NAME], const char *path)
{
	const char *end = path + strlen(path);
	int d = 0;

	while (end > path && d < NP_V1_DEPTH) {
		const char *from = memrchr(path, '/', (size_t)(end - path));
		size_t len;

		if (!from)
			break;
		len = (size_t)(end - from) - 1;
		end = from;
		/* above the root of a cgroup namespace there are steps up */
		if (!len || (len == 2 && !memcmp(from + 1, "..", 2)))
			continue;
		len = len < NP_V1_NAME - 1 ? len : NP_V1_NAME - 1;
		memcpy(names[d], from + 1, len);
		names[d++][len] = '\0';
	}
}

uint64_t cgroup_v1_of(char *text, struct np_v1 *ret)
{
	char *save = NULL, *line;
	uint64_t key = 0;
	int n = 0;

	memset(ret, 0, sizeof(*ret));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *path = strchr(line, ':');

		path = path ? strchr(path + 1, ':') : NULL;
		if (!path || !strncmp(line, "0::", 3) || !path[1] || !path[2])
			continue;
		key = key * 31 + index_hash(line, strlen(line));
		if (n == NP_V1_PATHS)
			continue;
		take_path(ret->name[n], path + 1);
		if (!ret->name[n][0][0] || (n && !strcmp(ret->name[n][0], ret->name[n - 1][0])))
			memset(ret->name[n], 0, sizeof(ret->name[n]));
		else
			n++;
	}
	return key;
}
