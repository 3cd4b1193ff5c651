/* SPDX-License-Identifier: BSD-2-Clause */
/* See container.h. Asks no runtime and opens no socket: reads its files, and the cgroup tree. */
#include "owner/container.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owner/cgroup.h"
#include "owner/cgroup_tree.h"

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

static json_t *load(const char *root, const char *path)
{
	char full[PATH_MAX];
	int n = snprintf(full, sizeof(full), "%s%s", root, path);

	return n > 0 && (size_t)n < sizeof(full) ? json_load_file(full, 0, NULL) : NULL;
}

static bool is_docker_name(const char *root, const char *id, const char *name)
{
	char path[PATH_MAX];
	const char *its;
	json_t *config;
	bool is = false;

	(void)snprintf(path, sizeof(path), "/var/lib/docker/containers/%s/config.v2.json", id);
	config = load(root, path);
	its = json_string_value(json_object_get(config, "Name"));
	if (its)
		is = !strcmp(its + (*its == '/'), name);
	json_decref(config);
	return is;
}

/* A folder a container, named by its id. */
static bool docker_id(const char *root, const char *name, char ret_id[ID_SIZE])
{
	char path[PATH_MAX];
	const struct dirent *de;
	bool found = false;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/var/lib/docker/containers", root);
	d = opendir(path);
	while (d && !found && (de = readdir(d))) {
		found = strlen(de->d_name) < ID_SIZE && de->d_name[0] != '.' &&
			is_docker_name(root, de->d_name, name);
		if (found)
			(void)snprintf(ret_id, ID_SIZE, "%s", de->d_name);
	}
	if (d)
		(void)closedir(d);
	return found;
}

/* One file for all. */
static bool podman_id(const char *root, const char *name, char ret_id[ID_SIZE])
{
	json_t *all = load(root, "/var/lib/containers/storage/overlay-containers/containers.json");
	const json_t *c, *its;
	bool found = false;
	size_t i, j;

	json_array_foreach (all, i, c) {
		const char *id = json_string_value(json_object_get(c, "id"));

		json_array_foreach (json_object_get(c, "names"), j, its) {
			if (found || !id || !json_string_value(its) ||
			    strcmp(json_string_value(its), name) != 0)
				continue;
			(void)snprintf(ret_id, ID_SIZE, "%s", id);
			found = true;
		}
	}
	json_decref(all);
	return found;
}

int container_find(const char *mount, const char *files_root, const char *what,
		   struct container_cgroup *ret, unsigned int max)
{
	char id[ID_SIZE];
	int r = *what ? search(mount, what, false, ret, max) : -ENOENT;

	if (r == -ENOENT && *what &&
	    (docker_id(files_root, what, id) || podman_id(files_root, what, id)))
		return search(mount, id, false, ret, max);
	if (r == -ENOENT && strlen(what) >= CONTAINER_PREFIX)
		r = search(mount, what, true, ret, max);
	return r;
}
