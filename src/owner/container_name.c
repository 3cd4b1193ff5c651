/* SPDX-License-Identifier: BSD-2-Clause */
/* See container_name.h. */
#include "owner/container_name.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCKER "/var/lib/docker/containers"
#define PODMAN "/var/lib/containers/storage/overlay-containers/containers.json"
#define KUBELET "/var/log/containers" /* POD_NAMESPACE_CONTAINER-ID.log */

static json_t *load(const char *root, const char *path)
{
	char full[PATH_MAX];
	int n = snprintf(full, sizeof(full), "%s%s", root, path);

	return n > 0 && (size_t)n < sizeof(full) ? json_load_file(full, 0, NULL) : NULL;
}

/* strdup()ed; NULL: not known. */
static char *docker_name(const char *root, const char *id)
{
	char path[PATH_MAX];
	const char *its;
	json_t *config;
	char *name;

	(void)snprintf(path, sizeof(path), DOCKER "/%s/config.v2.json", id);
	config = load(root, path);
	its = json_string_value(json_object_get(config, "Name"));
	name = its && its[*its == '/'] ? strdup(its + (*its == '/')) : NULL;
	json_decref(config);
	return name;
}

/* A folder a container, named by its id. */
static bool docker_id(const char *root, const char *name, char *ret_id, size_t size)
{
	char path[PATH_MAX];
	const struct dirent *de;
	bool found = false;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s" DOCKER, root);
	d = opendir(path);
	while (d && !found && (de = readdir(d))) {
		char *its = NULL;

		if (strlen(de->d_name) < size && de->d_name[0] != '.')
			its = docker_name(root, de->d_name);
		found = its && !strcmp(its, name);
		if (found)
			(void)snprintf(ret_id, size, "%s", de->d_name);
		free(its);
	}
	if (d)
		(void)closedir(d);
	return found;
}

/* One file for all. */
static bool podman_id(const char *root, const char *name, char *ret_id, size_t size)
{
	json_t *all = load(root, PODMAN);
	const json_t *c, *its;
	bool found = false;
	size_t i, j;

	json_array_foreach (all, i, c) {
		const char *id = json_string_value(json_object_get(c, "id"));

		json_array_foreach (json_object_get(c, "names"), j, its) {
			if (found || !id || !json_string_value(its) ||
			    strcmp(json_string_value(its), name) != 0)
				continue;
			(void)snprintf(ret_id, size, "%s", id);
			found = true;
		}
	}
	json_decref(all);
	return found;
}

static char *podman_name(const char *root, const char *id)
{
	json_t *all = load(root, PODMAN);
	char *name = NULL;
	const json_t *c;
	size_t i;

	json_array_foreach (all, i, c) {
		const char *its = json_string_value(json_object_get(c, "id"));
		const char *first =
			json_string_value(json_array_get(json_object_get(c, "names"), 0));

		if (!name && its && first && *first && !strcmp(its, id))
			name = strdup(first);
	}
	json_decref(all);
	return name;
}

/* POD_NAMESPACE_CONTAINER-ID.log, where no part but the separators has a "_". */
static int take_link(const char *link, size_t len, struct cgroup *c)
{
	const char *ns = memchr(link, '_', len), *name;

	name = ns ? memchr(ns + 1, '_', len - (size_t)(ns + 1 - link)) : NULL;
	if (!name || name == ns + 1 || name + 1 == link + len)
		return 0;
	c->name = strndup(name + 1, len - (size_t)(name + 1 - link));
	c->pod_namespace = strndup(ns + 1, (size_t)(name - ns - 1));
	return c->name && c->pod_namespace ? 0 : -ENOMEM;
}

static int kubelet_name(const char *root, struct cgroup *c)
{
	size_t id = strlen(c->container_id), rest = 1 + id + strlen(".log");
	char path[PATH_MAX];
	const struct dirent *de;
	int r = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s" KUBELET, root);
	d = opendir(path);
	while (d && !r && !c->name && (de = readdir(d))) {
		size_t len = strlen(de->d_name);
		const char *end = de->d_name + len - rest;

		if (len > rest && *end == '-' && !strncmp(end + 1, c->container_id, id) &&
		    !strcmp(end + 1 + id, ".log"))
			r = take_link(de->d_name, len - rest, c);
	}
	if (d)
		(void)closedir(d);
	return r;
}

int container_name(const char *root, struct cgroup *c)
{
	if (!c->container_id || !c->runtime || c->name)
		return 0;
	if (!strcmp(c->runtime, "lxc") || !strcmp(c->runtime, "systemd-nspawn")) {
		c->name = strdup(c->container_id);
		return c->name ? 0 : -ENOMEM;
	}
	if (c->pod_uid)
		return kubelet_name(root, c);
	if (!strcmp(c->runtime, "docker"))
		c->name = docker_name(root, c->container_id);
	else if (!strcmp(c->runtime, "podman"))
		c->name = podman_name(root, c->container_id);
	return 0;
}

bool container_id_of_name(const char *root, const char *name, char *ret_id, size_t size)
{
	return docker_id(root, name, ret_id, size) || podman_id(root, name, ret_id, size);
}
