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
/* Whoever may make cgroups makes events, and folders that are listed for each: no longer than this in one go. */
#define POLL_NS 20000000ULL
/* Of the time, for walks after an overflow: he makes those as well. */
#define WALK_PART 20

/* A watched folder; path: below the mount, "" its root. */
struct folder {
	struct index_node node;
	int wd;
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
	uint64_t overflows, walk_next_ns;
	union {
		struct inotify_event first;
		char room[EVENTS_BYTES];
	} events; /* that were read */
	size_t at, len;
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
	if (find(w, wd))
		return false;
	f = malloc(sizeof(*f) + size);
	if (!f) {
		(void)inotify_rm_watch(w->fd, wd);
		return false;
	}
	f->wd = wd;
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

static void forget_all(struct cgroup_watch *w)
{
	for (uint32_t i = 0; w->folders.slots && i <= w->folders.mask; i++)
		while (w->folders.slots[i])
			forget(w, index_entry(w->folders.slots[i], struct folder, node));
}

struct cgroup_watch *cgroup_watch_free(struct cgroup_watch *w)
{
	if (!w)
		return NULL;
	forget_all(w);
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

/*
 * What was made in the meantime, and in folders that were not watched. All are watched anew: which are gone was not told, and
 * those have the places of others.
 */
static void walk_again(struct cgroup_watch *w)
{
	uint64_t from;

	if (!w->is_behind || w->now_ns < w->walk_next_ns)
		return;
	from = clock_ns();
	forget_all(w);
	w->at = w->len = 0;
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	take(w, "", 0);
	w->is_behind = w->fd < 0;
	w->walk_next_ns = w->now_ns + (clock_ns() - from) * WALK_PART;
}

/* NULL: there is none now. */
static const struct inotify_event *next_event(struct cgroup_watch *w)
{
	const struct inotify_event *e;

	if (w->at == w->len) {
		ssize_t n = read(w->fd, &w->events, sizeof(w->events));

		w->at = 0;
		w->len = n > 0 ? (size_t)n : 0;
	}
	if (!w->len)
		return NULL;
	e = (const void *)(w->events.room + w->at);
	w->at += sizeof(*e) + e->len;
	return e;
}

void cgroup_watch_poll(struct cgroup_watch *w, uint64_t now_ns)
{
	const struct inotify_event *e;
	uint64_t from;

	if (!w)
		return;
	w->now_ns = now_ns;
	from = clock_ns();
	while (clock_ns() - from < POLL_NS && (e = next_event(w)))
		on_event(w, e);
	walk_again(w);
}

uint64_t cgroup_watch_overflows(const struct cgroup_watch *w)
{
	return w ? w->overflows : 0;
}
