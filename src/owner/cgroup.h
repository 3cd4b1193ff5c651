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

#include "wire/process.h"

/* Whose files may tell what a container is called: a number of a user, or */
#define CONTAINER_OF_HOST UINT32_MAX
/* nobody's: it is in another container, which may have chosen the id to pass for one of this host. */
#define CONTAINER_OF_NOBODY (UINT32_MAX - 1)

struct container_info;

struct cgroup {
	uint64_t id;
	char *path; /* below the v2 mount, "/" for its root; NULL unknown (id not in the tree) */
	char *container_id; /* 64 hex digits or what the runtime uses; NULL: no container */
	/* "docker", "containerd", "cri-o", "podman", "lxc", ...; NULL: no container, or the path does not tell */
	const char *runtime;
	char *pod_uid;	/* Kubernetes pod UID; NULL */
	uint32_t owner; /* of a container: CONTAINER_OF_HOST, ... */
	/* what is known of the container; NULL: nothing yet. See cgroup_info */
	const struct container_info *info;
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
/* What is known of its container, never NULL; all of it NULL where that is nothing. */
const struct container_info *cgroup_info(const struct cgroup *c);
/* By the path, else by the files of a runtime; NULL: not known, or no container. */
const char *cgroup_runtime(const struct cgroup *c);
/*
 * A cgroup was made (its path is below the hierarchy's root): what its files tell is read now, for it may be gone soon;
 * where too many are made, or a user makes them, a little later (cgroup_table_poll).
 * v1: of another hierarchy than the v2 tree.
 */
void cgroup_table_born(struct cgroup_table *t, uint64_t id, const char *path, bool v1,
		       uint64_t now_ns);
/* What was put off for want of time is read now. Often. */
void cgroup_table_poll(struct cgroup_table *t, uint64_t now_ns);
/* Containers whose files were not read at all when they were met, too many waited; and such as are on another machine, or a program's. */
void cgroup_table_unread(const struct cgroup_table *t, uint64_t *ret_unread, uint64_t *ret_remote);
/* What nobody refers to any more, and did not for ten minutes, goes. Once an interval. */
void cgroup_table_tick(struct cgroup_table *t, uint64_t now_ns);
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
/* Pure: fill container_id, runtime, pod_uid, owner of c from c->path. */
int cgroup_parse_container(struct cgroup *c);
/* The same from places in v1 hierarchies: where several have known forms, from the deepest. */
int cgroup_parse_v1(struct cgroup *c, const struct np_v1 *v1);
/* Pure: from the text of a /proc/PID/cgroup, which is cut to pieces: places in v1 hierarchies, and a number for all. 0: none. */
uint64_t cgroup_v1_of(char *text, struct np_v1 *ret);
/*
 * As cgroup_table_get, for a process that is also in cgroups of v1 hierarchies, all of which are the number v1
 * (np_owner.v1; 0 none). Where its cgroup in the v2 tree is of no container, its container is theirs. fn tells the
 * places of a number, once for each; -ENOENT: not known any more.
 */
typedef int (*cgroup_v1_fn)(void *arg, uint64_t v1, struct np_v1 *ret);
const struct cgroup *cgroup_table_of(struct cgroup_table *t, uint64_t id, uint64_t v1,
				     cgroup_v1_fn fn, void *arg, uint64_t now_ns);

#endif
