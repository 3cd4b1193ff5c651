/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroup v2 id -> path -> container. Walks the v2 tree once, rescans on an
 * unknown id (at most once a second). A container that is gone keeps its name as long as somebody refers to
 * it, and as long as there is room; bounded, see cgroup_table_new.
 */
#ifndef NETPROBE_OWNER_CGROUP_H
#define NETPROBE_OWNER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup {
	uint64_t id;
	char *path; /* below the v2 mount, "/" for its root; NULL unknown (id not in the tree) */
	char *container_id; /* 64 hex digits or what the runtime uses; NULL: no container */
	/* "docker", "containerd", "cri-o", "podman", "lxc", "systemd-nspawn"; NULL: no container */
	const char *runtime;
	char *pod_uid; /* Kubernetes pod UID; NULL */
	/* what people call it, and its Kubernetes namespace (see container_name.h); NULL unknown */
	char *name, *pod_namespace;
	uint32_t refs; /* processes and groups that point here: cgroup_ref */
	bool settled;  /* asking again changes nothing: its path is known, or was given up */
};

struct cgroup_table;

/* cgroup_root: NULL (the machine's, see base/cgroup2.h) but in tests, which bring their own trees; "": there is none. */
struct cgroup_table *cgroup_table_new(const char *cgroup_root, uint32_t max_entries);
struct cgroup_table *cgroup_table_free(struct cgroup_table *t);
/* From now on containers that are asked for get the names in files below root ("": the machine's). Gives t. */
struct cgroup_table *cgroup_table_name_by(struct cgroup_table *t, const char *root);
/*
 * Never NULL but for id 0 or no memory. Valid until the next call, longer with a reference. Once max_entries
 * (0: 131072) are there, those nobody refers to go, at most once a second; where that makes no room new ids
 * share one entry with id 0 and no path, and are counted.
 */
const struct cgroup *cgroup_table_get(struct cgroup_table *t, uint64_t id, uint64_t now_ns);
/* Give c. NULL may be given. */
const struct cgroup *cgroup_ref(const struct cgroup *c);
void cgroup_unref(const struct cgroup *c);
/* Times an id had to do without an entry of its own. */
uint64_t cgroup_table_full(const struct cgroup_table *t);
/*
 * Path as the user gave it (below the mount, with or without a leading slash, or with the mount in
 * front) -> id and depth (0: the root; NULL: not wanted). -ENOENT.
 */
int cgroup_lookup_path(struct cgroup_table *t, const char *path, uint64_t *ret_id,
		       uint32_t *ret_level);
/* Where the v2 tree's root is for open(), e.g. "/sys/fs/cgroup/unified"; NULL where there is none. */
const char *cgroup_mount(const struct cgroup_table *t);
/* Pure: fill container_id, runtime, pod_uid of c from c->path. */
int cgroup_parse_container(struct cgroup *c);

#endif
