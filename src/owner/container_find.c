/* SPDX-License-Identifier: BSD-2-Clause */
/* See container.h. Asks no runtime and opens no socket: reads its files, and the cgroup tree. */
#include "owner/container.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owner/cgroup.h"
#include "owner/cgroup_tree.h"
#include "owner/container_name.h"

#define ID_SIZE 80

struct search {
	const char *what;
	bool prefix;
	char id[ID_SIZE];   /* of the first that matched */
	char top[PATH_MAX]; /* the cgroup found last: those below it are part of it */
	bool several;
	struct container_cgroup *ret;
	unsigned int n, max;
	int r;
};

static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	return n && !strncmp(path, top, n) && (path[n] == '/' || path[n] == '\0');
}

static uint32_t depth(const char *path)
{
	uint32_t n = 0;

	for (; *path; path++)
		n += path[0] == '/' && path[1] && path[1] != '/';
	return n;
}

static bool matches(const struct search *s, const char *id)
{
	return s->prefix ? !strncmp(id, s->what, strlen(s->what)) : !strcmp(id, s->what);
}

/* A cgroup comes before those below it. */
static int on_cgroup(uint64_t id, const char *path, void *arg)
{
	struct cgroup c = { .path = (char *)(uintptr_t)path };
	struct search *s = arg;
	int r;

	if (is_below(path, s->top))
		return 0;
	r = cgroup_parse_container(&c);
	if (!r && c.container_id && matches(s, c.container_id)) {
		s->several = s->several || (s->id[0] && strcmp(s->id, c.container_id) != 0);
		if (!s->id[0])
			(void)snprintf(s->id, sizeof(s->id), "%s", c.container_id);
		(void)snprintf(s->top, sizeof(s->top), "%s", path);
		if (s->n < s->max)
			s->ret[s->n] = (struct container_cgroup){ id, depth(path) };
		s->n++;
	}
	free(c.container_id);
	free(c.pod_uid);
	return r;
}

static int search(const char *mount, const char *what, bool prefix, struct container_cgroup *ret,
		  unsigned int max)
{
	struct search *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->what = what;
	s->prefix = prefix;
	s->ret = ret;
	s->max = max;
	r = cgroup_tree_walk(mount, on_cgroup, s);
	if (r >= 0)
		r = s->several ? -ENOTUNIQ : s->n ? (int)s->n : -ENOENT;
	free(s);
	return r;
}

int container_find(const char *mount, const char *files_root, const char *what,
		   struct container_cgroup *ret, unsigned int max)
{
	char id[ID_SIZE];
	int r = *what ? search(mount, what, false, ret, max) : -ENOENT;

	if (r == -ENOENT && *what && container_id_of_name(files_root, what, id, sizeof(id)))
		return search(mount, id, false, ret, max);
	if (r == -ENOENT && strlen(what) >= CONTAINER_PREFIX)
		r = search(mount, what, true, ret, max);
	return r;
}
