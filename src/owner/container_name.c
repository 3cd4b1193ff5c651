/* SPDX-License-Identifier: BSD-2-Clause */
/* See container_name.h. */
#include "owner/container_name.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "owner/container_file.h"
#include "owner/container_list.h"
#include "owner/container_mount.h"
#include "owner/user.h"

#define DOCKER "/var/lib/docker/containers"
#define STORAGE "/var/lib/containers/storage/overlay-containers"
#define STORAGE_RUN "/run/containers/storage/overlay-containers"
#define KUBELET "/var/log/containers" /* POD_NAMESPACE_CONTAINER-ID.log */
#define SPACES_MAX 64		      /* namespaces of one containerd that are looked into */
#define HEX_ID 64

/* What containerd calls its tasks' bundles: FOLDER/NAMESPACE/ID/config.json. */
static const char *const containerd_folders[] = {
	"/run/containerd/io.containerd.runtime.v2.task",
	"/run/k3s/containerd/io.containerd.runtime.v2.task",
	"/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
	"/run/containerd/io.containerd.runtime.v1.linux",
};

/* Longer ones are nobody's: not known. */
#define TEXT_MAX 255
#define IMAGE_MAX 511

struct container_cache {
	struct container_lists *lists;
	struct container_mounts *mounts;
	uint64_t remote;
};

/* Where it is looked for. */
struct place {
	const char *root;
	struct container_cache *cache;
};

struct container_cache *container_cache_new(void)
{
	struct container_cache *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->lists = lists_new();
	k->mounts = mounts_new();
	return k->lists && k->mounts ? k : container_cache_free(k);
}

struct container_cache *container_cache_free(struct container_cache *k)
{
	if (!k)
		return NULL;
	(void)lists_free(k->lists);
	(void)mounts_free(k->mounts);
	free(k);
	return NULL;
}

uint64_t container_cache_remote(const struct container_cache *k)
{
	return k->remote;
}

uint64_t container_cache_parsed(const struct container_cache *k)
{
	return lists_parsed(k->lists);
}

static int take(char **to, const char *text, size_t max)
{
	size_t n = text && !*to ? strlen(text) : 0;

	if (!n || n > max)
		return 0;
	*to = strdup(text);
	return *to ? 0 : -ENOMEM;
}

static int take_of(char **to, const json_t *from, const char *key, size_t max)
{
	return take(to, json_string_value(json_object_get(from, key)), max);
}

/*
 * Annotations of a bundle, or labels: the first key that is there tells. Keys of the kubelet's tell nothing outside
 * of a pod, where anybody may have written them.
 */
static int take_labels(struct container_info *info, const json_t *from, bool pod)
{
	static const struct {
		const char *key;
		size_t at, max;
		bool pod;
	} keys[] = {
#define AT(field) offsetof(struct container_info, field)
		{ "io.kubernetes.cri.container-name", AT(name), TEXT_MAX, true },
		{ "io.kubernetes.container.name", AT(name), TEXT_MAX, true },
		{ "nerdctl/name", AT(name), TEXT_MAX, false },
		{ "io.kubernetes.cri.image-name", AT(image), IMAGE_MAX, true },
		{ "io.kubernetes.cri-o.ImageName", AT(image), IMAGE_MAX, true },
		{ "io.kubernetes.cri.sandbox-name", AT(pod_name), TEXT_MAX, true },
		{ "io.kubernetes.pod.name", AT(pod_name), TEXT_MAX, true },
		{ "io.kubernetes.cri.sandbox-namespace", AT(pod_namespace), TEXT_MAX, true },
		{ "io.kubernetes.pod.namespace", AT(pod_namespace), TEXT_MAX, true },
		{ "com.docker.compose.project", AT(project), TEXT_MAX, false },
		{ "io.podman.compose.project", AT(project), TEXT_MAX, false },
		{ "com.docker.compose.service", AT(service), TEXT_MAX, false },
		{ "io.podman.compose.service", AT(service), TEXT_MAX, false },
#undef AT
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && !r; i++)
		if (pod || !keys[i].pod)
			r = take_of((char **)(void *)((char *)info + keys[i].at), from, keys[i].key,
				    keys[i].max);
	return r;
}

static json_t *load(const char *root, const char *folder, const char *below)
{
	int fd = container_folder_open(root, folder);
	json_t *json = container_file_load(fd, below);

	if (fd >= 0)
		(void)close(fd);
	return json;
}

/* A bundle of OCI: FOLDER/BELOW/config.json. -ENOENT: there is none. */
static int take_bundle(struct container_info *info, int folder, const char *below, bool pod)
{
	char path[PATH_MAX];
	json_t *config;
	int r;

	(void)snprintf(path, sizeof(path), "%s/config.json", below);
	config = container_file_load(folder, path);
	r = config ? take_labels(info, json_object_get(config, "annotations"), pod) : -ENOENT;
	json_decref(config);
	return r;
}

static int take_space(struct container_info *info, int folder, const char *space, const char *id,
		      bool pod)
{
	char below[NAME_MAX + HEX_ID + 2];

	(void)snprintf(below, sizeof(below), "%.*s/%.*s", NAME_MAX, space, HEX_ID, id);
	/* what the kubelet starts is in k8s.io: elsewhere its words are somebody else's */
	return take_bundle(info, folder, below, pod || !strcmp(space, "k8s.io"));
}

/* In whatever namespace of containerd it is; the usual ones first, since a folder may be searched and not listed. */
static int take_spaces(struct container_info *info, int folder, const char *id, bool pod)
{
	static const char *const usual[] = { "k8s.io", "default", "moby" };
	const struct dirent *de;
	int r = -ENOENT, n = 0, fd;
	DIR *d;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]) && r == -ENOENT; i++)
		r = take_space(info, folder, usual[i], id, pod);
	if (r != -ENOENT)
		return r;
	fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d && fd >= 0)
		(void)close(fd);
	while (d && r == -ENOENT && n++ < SPACES_MAX && (de = readdir(d)))
		if (de->d_name[0] != '.')
			r = take_space(info, folder, de->d_name, id, pod);
	if (d)
		(void)closedir(d);
	return r;
}

static int containerd(const struct place *in, const struct cgroup *c, struct container_info *info)
{
	int r = -ENOENT;

	for (size_t i = 0;
	     i < sizeof(containerd_folders) / sizeof(containerd_folders[0]) && r == -ENOENT; i++) {
		int folder = container_folder_open(in->root, containerd_folders[i]);

		if (folder < 0)
			continue;
		r = take_spaces(info, folder, c->container_id, c->pod_uid != NULL);
		(void)close(folder);
	}
	return r;
}

/* CRI-O's and Podman's. */
static int storage_bundle(const char *root, const struct cgroup *c, struct container_info *info,
			  const char *storage, bool pod)
{
	char below[HEX_ID + 16];
	int folder = container_folder_open(root, storage), r;

	if (folder < 0)
		return -ENOENT;
	(void)snprintf(below, sizeof(below), "%.*s/userdata", HEX_ID, c->container_id);
	r = take_bundle(info, folder, below, pod);
	(void)close(folder);
	return r;
}

static int crio(const struct place *in, const struct cgroup *c, struct container_info *info)
{
	int r = storage_bundle(in->root, c, info, STORAGE_RUN, true);

	return r == -ENOENT ? storage_bundle(in->root, c, info, STORAGE, true) : r;
}

/* The folder of a user's, as /etc/passwd has it. Empty: not known. */
static void home_of(const char *root, uint32_t uid, char *buf, size_t size)
{
	char line[1024], name[64], path[PATH_MAX];
	uint32_t its;
	FILE *f;

	buf[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/etc/passwd", root);
	f = fopen(path, "re");
	while (f && !*buf && fgets(line, sizeof(line), f)) {
		char *at = line, *end;

		if (user_parse(line, name, sizeof(name), &its) || its != uid)
			continue;
		for (int i = 0; at && i < 5; i++) {
			at = strchr(at, ':');
			at += at != NULL;
		}
		end = at ? strpbrk(at, ":\n") : NULL;
		if (end && *at == '/')
			(void)snprintf(buf, size, "%.*s", (int)(end - at), at);
	}
	if (f)
		(void)fclose(f);
}

/* A user's own files are below his folder, by links of his nowhere else. Open, or -errno. */
static int open_own(const struct place *in, const struct cgroup *c, const char *system,
		    const char *below_home, const char *below)
{
	char home[PATH_MAX / 2], path[PATH_MAX];
	int folder, fd;

	if (c->owner == CONTAINER_OF_HOST) {
		folder = container_folder_open(in->root, system);
		fd = container_file_open(folder, below);
	} else {
		home_of(in->root, c->owner, home, sizeof(home));
		(void)snprintf(path, sizeof(path), "%s/%s", below_home, below);
		folder = *home ? container_home_open(in->cache->mounts, in->root, home) : -ENOENT;
		fd = folder < 0 ? folder : container_home_file(in->cache->mounts, folder, path);
		in->cache->remote += fd == -EXDEV;
	}
	if (folder >= 0)
		(void)close(folder);
	return fd;
}

static int docker_take(struct container_info *info, const json_t *config, bool pod)
{
	const json_t *its = json_object_get(config, "Config");
	const char *name = json_string_value(json_object_get(config, "Name"));
	const json_t *labels = json_object_get(its, "Labels");
	/* those of a pod's containers are the kubelet's own */
	int r = pod ? take_labels(info, labels, true) : 0;

	if (!r && name)
		r = take(&info->name, name + (*name == '/'), TEXT_MAX);
	if (!r)
		r = take_of(&info->image, its, "Image", IMAGE_MAX);
	return r ? r : take_labels(info, labels, pod);
}

static int docker(const struct place *in, const struct cgroup *c, struct container_info *info)
{
	char below[HEX_ID + 32];
	json_t *config;
	int fd, r;

	(void)snprintf(below, sizeof(below), "%.*s/config.v2.json", HEX_ID, c->container_id);
	fd = open_own(in, c, DOCKER, ".local/share/docker/containers", below);
	if (fd < 0)
		return fd == -EXDEV ? fd : -ENOENT;
	config = container_file_json(fd);
	(void)close(fd);
	r = config ? docker_take(info, config, c->pod_uid != NULL) : -ENOENT;
	json_decref(config);
	return r;
}

/* Of the one list of all: names, and in "metadata", which is JSON within a string, the image. */
static int podman_take(struct container_info *info, const struct container_item *of)
{
	json_t *meta = of->metadata ? json_loads(of->metadata, 0, NULL) : NULL;
	int r = take(&info->name, of->name, TEXT_MAX);

	if (!r)
		r = take_of(&info->image, meta, "image-name", IMAGE_MAX);
	json_decref(meta);
	return r;
}

static int podman(const struct place *in, const struct cgroup *c, struct container_info *info)
{
	const struct container_item *of;
	int r = -ENOENT, fd;

	fd = open_own(in, c, STORAGE, ".local/share/containers/storage/overlay-containers",
		      "containers.json");
	if (fd == -EXDEV)
		return fd;
	if (fd >= 0) {
		of = lists_find(in->cache->lists, fd, c->owner, c->container_id);
		r = of ? podman_take(info, of) : -ENOENT;
		(void)close(fd);
	}
	if (r != -ENOMEM && c->owner == CONTAINER_OF_HOST &&
	    storage_bundle(in->root, c, info, STORAGE_RUN, c->pod_uid != NULL) == -ENOMEM)
		r = -ENOMEM;
	return r;
}

/* A folder a container, named by its id. */
static bool docker_id(const char *root, const char *name, char *ret_id, size_t size)
{
	const struct place in = { .root = root };
	char path[PATH_MAX];
	const struct dirent *de;
	bool found = false;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s" DOCKER, root);
	d = opendir(path);
	while (d && !found && (de = readdir(d))) {
		struct cgroup c = { .container_id = (char *)(uintptr_t)de->d_name,
				    .owner = CONTAINER_OF_HOST };
		struct container_info info = {};

		if (strlen(de->d_name) >= size || de->d_name[0] == '.')
			continue;
		(void)docker(&in, &c, &info);
		found = info.name && !strcmp(info.name, name);
		if (found)
			(void)snprintf(ret_id, size, "%s", de->d_name);
		container_info_done(&info);
	}
	if (d)
		(void)closedir(d);
	return found;
}

/* One file for all. */
static bool podman_id(const char *root, const char *name, char *ret_id, size_t size)
{
	json_t *all = load(root, STORAGE, "containers.json");
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

/* POD_NAMESPACE_CONTAINER-ID.log, where no part but the separators has a "_". */
static int take_link(const char *link, size_t len, struct container_info *info)
{
	const char *ns = memchr(link, '_', len), *name;

	name = ns ? memchr(ns + 1, '_', len - (size_t)(ns + 1 - link)) : NULL;
	if (!name || ns == link || name == ns + 1 || name + 1 == link + len)
		return 0;
	if (!info->name)
		info->name = strndup(name + 1, len - (size_t)(name + 1 - link));
	if (!info->pod_namespace)
		info->pod_namespace = strndup(ns + 1, (size_t)(name - ns - 1));
	if (!info->pod_name)
		info->pod_name = strndup(link, (size_t)(ns - link));
	return info->name && info->pod_namespace && info->pod_name ? 0 : -ENOMEM;
}

static int kubelet(const char *root, const struct cgroup *c, struct container_info *info)
{
	size_t id = strlen(c->container_id), rest = 1 + id + strlen(".log");
	char path[PATH_MAX];
	const struct dirent *de;
	int r = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s" KUBELET, root);
	d = opendir(path);
	while (d && !r && !info->name && (de = readdir(d))) {
		size_t len = strlen(de->d_name);
		const char *end = de->d_name + len - rest;

		if (len > rest && *end == '-' && !strncmp(end + 1, c->container_id, id) &&
		    !strcmp(end + 1 + id, ".log"))
			r = take_link(de->d_name, len - rest, info);
	}
	if (d)
		(void)closedir(d);
	return r;
}

static bool is_hex(const char *id)
{
	size_t n = strspn(id, "0123456789abcdefABCDEF");

	return n == HEX_ID && !id[n];
}

static const struct {
	const char *runtime;
	int (*ask)(const struct place *in, const struct cgroup *c, struct container_info *info);
} runtimes[] = {
	{ "containerd", containerd },
	{ "docker", docker },
	{ "cri-o", crio },
	{ "podman", podman },
};

/* Where the path tells no runtime it is the one that has a file of it. */
static int ask_runtimes(const struct place *in, const struct cgroup *c, struct container_info *info)
{
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]) && r == -ENOENT; i++) {
		if (c->runtime && strcmp(c->runtime, runtimes[i].runtime) != 0)
			continue;
		/* only containerd's and Docker's cgroups may have no name of theirs */
		if (!c->runtime && i > 1)
			break;
		r = runtimes[i].ask(in, c, info);
		if (!r)
			info->runtime = runtimes[i].runtime;
	}
	return r == -ENOENT ? 0 : r;
}

static bool is_by_name(const struct cgroup *c)
{
	static const char *const by_name[] = { "lxc", "systemd-nspawn", "libvirt-lxc", "crun",
					       "runc" };

	for (size_t i = 0; c->runtime && i < sizeof(by_name) / sizeof(by_name[0]); i++)
		if (!strcmp(c->runtime, by_name[i]))
			return true;
	return false;
}

bool container_has_files(const struct cgroup *c)
{
	if (!c->container_id || is_by_name(c) || c->owner == CONTAINER_OF_NOBODY ||
	    !is_hex(c->container_id))
		return false;
	/* what root's runtimes have of that id is not a user's */
	return c->owner == CONTAINER_OF_HOST ||
	       (c->runtime && (!strcmp(c->runtime, "docker") || !strcmp(c->runtime, "podman")));
}

int container_name(const char *root, struct container_cache *k, const struct cgroup *c,
		   struct container_info *info)
{
	struct place in = { .root = root, .cache = k };
	int r;

	if (c->container_id && is_by_name(c))
		return take(&info->name, c->container_id, TEXT_MAX);
	if (!container_has_files(c))
		return 0;
	if (!k)
		in.cache = container_cache_new();
	if (!in.cache)
		return -ENOMEM;
	r = ask_runtimes(&in, c, info);
	if (!r && c->pod_uid && c->owner == CONTAINER_OF_HOST && !info->name)
		r = kubelet(root, c, info);
	if (!k)
		(void)container_cache_free(in.cache);
	return r;
}

void container_info_done(struct container_info *info)
{
	free(info->name);
	free(info->image);
	free(info->pod_name);
	free(info->pod_namespace);
	free(info->project);
	free(info->service);
	*info = (struct container_info){ 0 };
}

bool container_id_of_name(const char *root, const char *name, char *ret_id, size_t size)
{
	return docker_id(root, name, ret_id, size) || podman_id(root, name, ret_id, size);
}

const char *container_denied(const char *root)
{
	static const char *const others[] = { DOCKER, STORAGE, STORAGE_RUN, KUBELET };
	const size_t first = sizeof(containerd_folders) / sizeof(containerd_folders[0]);

	for (size_t i = 0; i < first + sizeof(others) / sizeof(others[0]); i++) {
		const char *folder = i < first ? containerd_folders[i] : others[i - first];
		char path[PATH_MAX];

		(void)snprintf(path, sizeof(path), "%s%s", root, folder);
		/* as the effective user, with its capabilities */
		if (faccessat(AT_FDCWD, path, R_OK | X_OK, AT_EACCESS) && errno == EACCES)
			return folder;
	}
	return NULL;
}
