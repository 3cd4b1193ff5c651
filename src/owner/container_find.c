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

static void take_found(struct search *s, uint64_t id, const char *path)
{
	(void)snprintf(s->top, sizeof(s->top), "%s", path);
	if (s->n < s->max)
		s->ret[s->n] = (struct container_cgroup){ id, depth(path) };
	s->n++;
}

/* A search by what the files of runtimes tell. */
struct group_search {
	struct search s;
	const char *root;
	struct container_cache *cache;
	unsigned int kind;  /* FIND_*, or */
	char pod[PATH_MAX]; /* the pod's cgroup that was met last */
	uint64_t pod_id;
	char in[256]; /* namespace of the pods that matched */
};

#define FIND_CONTAINER 3

static bool is_pod(struct group_search *g, const struct cgroup *c,
		   const struct container_info *info)
{
	const char *slash = strchr(g->s.what, '/'), *in = info->pod_namespace;
	size_t n = slash ? (size_t)(slash - g->s.what) : 0;

	if (c->pod_uid && !strcmp(c->pod_uid, g->s.what))
		return true;
	if (!info->pod_name || strcmp(info->pod_name, slash ? slash + 1 : g->s.what) != 0)
		return false;
	if (slash && (!in || strlen(in) != n || memcmp(in, g->s.what, n)))
		return false;
	in = in ?: "";
	g->s.several = g->s.several || (g->s.n && strcmp(g->in, in));
	(void)snprintf(g->in, sizeof(g->in), "%s", in);
	return true;
}

static bool group_matches(struct group_search *g, const struct cgroup *c)
{
	struct container_info info = {};
	bool found = false;

	if (container_name(g->root, g->cache, c, &info) == -ENOMEM)
		g->s.r = -ENOMEM;
	else if (g->kind == FIND_POD)
		found = is_pod(g, c, &info);
	else if (g->kind == FIND_NAMESPACE)
		found = info.pod_namespace && !strcmp(info.pod_namespace, g->s.what);
	else
		found = info.name && !strcmp(info.name, g->s.what);
	container_info_done(&info);
	return found;
}

static int on_group(uint64_t id, const char *path, void *arg)
{
	struct cgroup c = { .path = (char *)(uintptr_t)path };
	struct group_search *g = arg;
	int r;

	if (is_below(path, g->s.top))
		return 0;
	r = cgroup_parse_container(&c);
	if (r)
		return r;
	if (c.pod_uid && !c.container_id) {
		(void)snprintf(g->pod, sizeof(g->pod), "%s", path);
		g->pod_id = id;
		if (g->kind == FIND_POD && !strcmp(c.pod_uid, g->s.what))
			take_found(&g->s, id, path);
	} else if (c.container_id && group_matches(g, &c)) {
		if (g->kind != FIND_CONTAINER && is_below(path, g->pod))
			take_found(&g->s, g->pod_id, g->pod);
		else
			take_found(&g->s, id, path);
	}
	free(c.container_id);
	free(c.pod_uid);
	return g->s.r;
}

static bool is_unit(const char *name)
{
	static const char *const ends[] = { ".service", ".scope", ".slice" };
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (n > strlen(ends[i]) && !strcmp(name + n - strlen(ends[i]), ends[i]))
			return true;
	return false;
}

static int on_unit(uint64_t id, const char *path, void *arg)
{
	struct group_search *g = arg;
	const char *last = strrchr(path, '/');
	size_t n = strlen(g->s.what);

	if (is_below(path, g->s.top) || !last || strncmp(last + 1, g->s.what, n) != 0)
		return 0;
	if (!is_unit(last + 1))
		return 0;
	if (!last[1 + n] || (!strchr(g->s.what, '.') && !strcmp(last + 1 + n, ".service")))
		take_found(&g->s, id, path);
	return 0;
}

static int search_group(const char *mount, const char *files_root, unsigned int kind,
			const char *what, struct container_cgroup *ret, unsigned int max)
{
	struct group_search *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	g->s = (struct search){ .what = what, .ret = ret, .max = max };
	g->cache = container_cache_new();
	if (!g->cache) {
		free(g);
		return -ENOMEM;
	}
	g->root = files_root;
	g->kind = kind;
	r = cgroup_tree_walk(mount, kind == FIND_UNIT ? on_unit : on_group, g);
	if (r >= 0)
		r = g->s.several ? -ENOTUNIQ : g->s.n ? (int)g->s.n : -ENOENT;
	(void)container_cache_free(g->cache);
	free(g);
	return r;
}

int container_find_group(const char *mount, const char *files_root, unsigned int kind,
			 const char *what, struct container_cgroup *ret, unsigned int max)
{
	return *what ? search_group(mount, files_root, kind, what, ret, max) : -ENOENT;
}

int container_find(const char *mount, const char *files_root, const char *what,
		   struct container_cgroup *ret, unsigned int max)
{
	char id[ID_SIZE];
	int r = *what ? search(mount, what, false, ret, max) : -ENOENT;

	if (r == -ENOENT && *what && container_id_of_name(files_root, what, id, sizeof(id)))
		return search(mount, id, false, ret, max);
	if (r == -ENOENT && *what)
		r = search_group(mount, files_root, FIND_CONTAINER, what, ret, max);
	if (r == -ENOENT && strlen(what) >= CONTAINER_PREFIX)
		r = search(mount, what, true, ret, max);
	return r;
}
