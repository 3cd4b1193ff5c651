/* SPDX-License-Identifier: BSD-2-Clause */
/* See cgroup_watch.h. A folder is watched before it is listed, so that what is made meanwhile is told or listed. */
#include "owner/cgroup_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "owner/index.h"

#define DEPTH_MAX 64
#define EVENTS_BYTES 16384
/* Of the time, for walks after an overflow: whoever may make cgroups makes overflows. */
#define WALK_PART 20

/* A watched folder; path: below the mount, "" its root. */
struct folder {
	struct index_node node;
	int wd;
	uint32_t walk; /* that met it last */
	char path[];
};

struct cgroup_watch {
	struct cgroup_table *table;
	const char *mount;
	int fd;
	struct index folders; /* by wd */
	uint64_t now_ns;
	bool tells; /* what is found was made while it was watched for */
	bool full;
	bool is_behind; /* something is not watched: an overflow */
	uint32_t walks;
	uint64_t overflows, walk_next_ns;
};

static uint64_t folder_hash(const struct index_node *node)
{
	const struct folder *f = index_entry(node, struct folder, node);

	return index_hash(&f->wd, sizeof(f->wd));
}

static struct folder *find(const struct cgroup_watch *w, int wd)
{
	struct index_node *n = index_chain(&w->folders, index_hash(&wd, sizeof(wd)));

	for (; n; n = n->next)
		if (index_entry(n, struct folder, node)->wd == wd)
			return index_entry(n, struct folder, node);
	return NULL;
}

static void forget(struct cgroup_watch *w, struct folder *f)
{
	if (!f)
		return;
	index_remove(&w->folders, &f->node);
	free(f);
}

static void be_full(struct cgroup_watch *w, const char *why)
{
	if (!w->full)
		log_notice(
			"not all cgroups are watched: %s; what is not is looked for when its traffic is seen",
			why);
	w->full = true;
}

/* False: it is gone, or watched already, and what is in it too. */
static bool watch(struct cgroup_watch *w, const char *path, const char *full)
{
	size_t size = strlen(path) + 1;
	struct folder *f;
	int wd;

	if (w->folders.count >= CGROUP_WATCH_MAX) {
		be_full(w, "there are too many");
		return true;
	}
	wd = inotify_add_watch(w->fd, full, IN_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW);
	if (wd < 0) {
		if (errno == ENOSPC)
			be_full(w, "the limit of inotify is reached (fs.inotify.max_user_watches)");
		return errno == ENOSPC || errno == EACCES;
	}
	f = find(w, wd);
	if (f) {
		f->walk = w->walks;
		return w->is_behind;
	}
	f = malloc(sizeof(*f) + size);
	if (!f) {
		(void)inotify_rm_watch(w->fd, wd);
		return false;
	}
	f->wd = wd;
	f->walk = w->walks;
	memcpy(f->path, path, size);
	index_add(&w->folders, &f->node);
	return true;
}

/* A folder that was found, and those in it. */
static void take(struct cgroup_watch *w, const char *path, unsigned int depth)
{
	char full[PATH_MAX], below[PATH_MAX];
	const struct dirent *de;
	struct stat st;
	DIR *d;
	int n = snprintf(full, sizeof(full), "%s%s", w->mount, path);

	if (n < 0 || (size_t)n >= sizeof(full) || depth > DEPTH_MAX)
		return;
	if (w->tells && !stat(full, &st))
		cgroup_table_born(w->table, st.st_ino, path, false, w->now_ns);
	if (!watch(w, path, full))
		return;
	d = opendir(full);
	while (d && (de = readdir(d))) {
		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			continue;
		n = snprintf(below, sizeof(below), "%s/%s", path, de->d_name);
		if (n > 0 && (size_t)n < sizeof(below))
			take(w, below, depth + 1);
	}
	if (d)
		(void)closedir(d);
}

struct cgroup_watch *cgroup_watch_new(struct cgroup_table *t)
{
	struct cgroup_watch *w = t && cgroup_mount(t) ? calloc(1, sizeof(*w)) : NULL;

	if (!w)
		return NULL;
	w->table = t;
	w->mount = cgroup_mount(t);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0 || index_init(&w->folders, 256, folder_hash))
		return cgroup_watch_free(w);
	take(w, "", 0);
	w->tells = true;
	return w;
}

struct cgroup_watch *cgroup_watch_free(struct cgroup_watch *w)
{
	if (!w)
		return NULL;
	for (uint32_t i = 0; w->folders.slots && i <= w->folders.mask; i++)
		while (w->folders.slots[i])
			forget(w, index_entry(w->folders.slots[i], struct folder, node));
	index_done(&w->folders);
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w);
	return NULL;
}

static void on_event(struct cgroup_watch *w, const struct inotify_event *e)
{
	struct folder *f = e->wd < 0 ? NULL : find(w, e->wd);
	char path[PATH_MAX];
	int n;

	if (e->mask & IN_Q_OVERFLOW) {
		if (!w->overflows++)
			log_notice("cgroups were made faster than they were read: "
				   "those that are gone already are not known");
		w->is_behind = true;
		return;
	}
	if (e->mask & IN_IGNORED) {
		forget(w, f);
		return;
	}
	if (!f || !(e->mask & IN_ISDIR) || !e->len)
		return;
	n = snprintf(path, sizeof(path), "%s/%s", f->path, e->name);
	if (n > 0 && (size_t)n < sizeof(path))
		take(w, path, 0);
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* That they are gone was not told. */
static void forget_unmet(struct cgroup_watch *w)
{
	for (uint32_t i = 0; i <= w->folders.mask; i++)
		for (struct index_node *n = w->folders.slots[i], *next; n; n = next) {
			struct folder *f = index_entry(n, struct folder, node);

			next = n->next;
			if (f->walk == w->walks)
				continue;
			(void)inotify_rm_watch(w->fd, f->wd);
			forget(w, f);
		}
}

/* What was made in the meantime, and in folders that were not watched. */
static void walk_again(struct cgroup_watch *w)
{
	uint64_t from;

	if (!w->is_behind || w->now_ns < w->walk_next_ns)
		return;
	from = clock_ns();
	w->walks++;
	take(w, "", 0);
	forget_unmet(w);
	w->is_behind = false;
	w->walk_next_ns = w->now_ns + (clock_ns() - from) * WALK_PART;
}

void cgroup_watch_poll(struct cgroup_watch *w, uint64_t now_ns)
{
	union {
		struct inotify_event e;
		char room[EVENTS_BYTES];
	} u;
	ssize_t n;

	if (!w)
		return;
	w->now_ns = now_ns;
	while ((n = read(w->fd, &u, sizeof(u))) > 0)
		for (char *at = u.room; at < u.room + n;) {
			const struct inotify_event *e = (const void *)at;

			on_event(w, e);
			at += sizeof(*e) + e->len;
		}
	walk_again(w);
}

uint64_t cgroup_watch_overflows(const struct cgroup_watch *w)
{
	return w ? w->overflows : 0;
}
