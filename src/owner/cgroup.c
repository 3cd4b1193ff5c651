/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cgroup v2 ids met in a run and their paths. An id is the inode of the cgroup's directory. A
 * single id is opened by file handle where that is permitted, else the tree is walked, at most once
 * a second. Container names are container.c's; finding the mount and walking it cgroup_tree.c's.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cgroup2.h"
#include "owner/cgroup.h"
#include "owner/cgroup_tree.h"
#include "owner/container_book.h"
#include "owner/index.h"

/* Twice what groups of a view may refer to (GROUPS_MAX): they alone never fill it. */
#define CGROUP_ENTRIES_DEFAULT 131072
#define CGROUP_RESCAN_NS 1000000000ull
/* An id outside the tree (another mount, gone before the first look) is given up after so many. */
#define CGROUP_TRIES 3
#define AGE_LOOK_NS 30000000000ull /* between two looks for what nobody refers to any more */

struct cgroup_entry {
	struct cgroup cgroup;
	struct index_node node;
	uint64_t v1; /* 0: the cgroup itself; else a place in it and in v1 hierarchies */
	uint8_t tries;
	struct container_page *page; /* of its container; NULL */
	uint64_t used_ns;	     /* when somebody asked for it last */
};

struct cgroup_table {
	struct index entries;
	uint32_t max_entries;
	char *mount;		     /* NULL: no v2 tree here */
	struct container_book *book; /* NULL: see cgroup_table_name_by */
	bool walked, purged;
	uint64_t walked_ns, purged_ns, aged_ns;
	uint64_t now_ns; /* of the call under way */
	uint64_t full;
	struct cgroup overflow; /* what ids get when the table is full */
};

static uint64_t entry_hash(const struct index_node *node)
{
	const struct cgroup_entry *e = index_entry(node, struct cgroup_entry, node);

	return index_hash(&e->cgroup.id, sizeof(e->cgroup.id));
}

static struct cgroup_entry *entry_find(const struct cgroup_table *t, uint64_t id, uint64_t v1)
{
	struct index_node *n = index_chain(&t->entries, index_hash(&id, sizeof(id)));

	for (; n; n = n->next) {
		struct cgroup_entry *e = index_entry(n, struct cgroup_entry, node);

		if (e->cgroup.id == id && e->v1 == v1)
			return e;
	}
	return NULL;
}

static struct cgroup_entry *entry_free(struct cgroup_entry *e)
{
	if (!e)
		return NULL;
	free(e->cgroup.path);
	free(e->cgroup.container_id);
	free(e->cgroup.pod_uid);
	free(e);
	return NULL;
}

/* Give an entry its path; it stays unknown where memory is short. */
static int entry_name(struct cgroup_entry *e, const char *path)
{
	int r;

	e->cgroup.path = strdup(path);
	if (!e->cgroup.path)
		return -ENOMEM;
	r = cgroup_parse_container(&e->cgroup);
	if (r < 0) {
		free(e->cgroup.path);
		e->cgroup.path = NULL;
	}
	e->cgroup.settled = r == 0;
	return r;
}

const struct cgroup *cgroup_ref(const struct cgroup *c)
{
	if (c)
		((struct cgroup *)(uintptr_t)c)->refs++;
	return c;
}

void cgroup_unref(const struct cgroup *c)
{
	if (c)
		((struct cgroup *)(uintptr_t)c)->refs--;
}

uint64_t cgroup_table_full(const struct cgroup_table *t)
{
	return t->full;
}

static void entry_drop(struct cgroup_table *t, struct index_node **link, uint64_t now_ns)
{
	struct cgroup_entry *e = index_entry(*link, struct cgroup_entry, node);

	*link = e->node.next;
	t->entries.count--;
	book_give(t->book, e->page, now_ns);
	(void)entry_free(e);
}

/* Those nobody refers to, nor asked for since so long; how many are left that nobody refers to. */
static uint32_t drop_idle(struct cgroup_table *t, uint64_t age_ns, uint64_t now_ns)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i <= t->entries.mask; i++) {
		struct index_node **link = &t->entries.slots[i];

		while (*link) {
			struct cgroup_entry *e = index_entry(*link, struct cgroup_entry, node);
			bool idle = !e->cgroup.refs;

			e->used_ns = idle ? e->used_ns : now_ns;
			if (idle && now_ns - e->used_ns >= age_ns) {
				entry_drop(t, link, now_ns);
				continue;
			}
			left += idle;
			link = &e->node.next;
		}
	}
	return left;
}

/* On a machine whose cgroups come and go, most of those that were met are of no use any more: the oldest first. */
static void purge(struct cgroup_table *t, uint64_t now_ns)
{
	if (t->purged && now_ns - t->purged_ns < CGROUP_RESCAN_NS)
		return;
	t->purged = true;
	t->purged_ns = now_ns;
	for (uint64_t age = BOOK_IDLE_NS;; age /= 8) {
		age = age < CGROUP_RESCAN_NS ? 0 : age;
		(void)drop_idle(t, age, now_ns);
		if (!age || t->entries.count < t->max_entries)
			return;
	}
}

void cgroup_table_poll(struct cgroup_table *t, uint64_t now_ns)
{
	book_work(t->book, now_ns);
}

void cgroup_table_unread(const struct cgroup_table *t, uint64_t *ret_unread, uint64_t *ret_remote)
{
	struct book_losses l;

	book_lost(t->book, &l);
	*ret_unread = l.unread;
	*ret_remote = l.remote;
}

void cgroup_table_tick(struct cgroup_table *t, uint64_t now_ns)
{
	uint64_t age = BOOK_IDLE_NS;

	book_tick(t->book, now_ns);
	if (now_ns - t->aged_ns < AGE_LOOK_NS)
		return;
	t->aged_ns = now_ns;
	while (drop_idle(t, age, now_ns) > BOOK_IDLE_MAX && age > CGROUP_RESCAN_NS)
		age /= 2;
}

/* -ENOSPC: the table is full. */
static int entry_add(struct cgroup_table *t, uint64_t id, struct cgroup_entry **ret)
{
	struct cgroup_entry *e;

	if (t->entries.count >= t->max_entries)
		return -ENOSPC;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->cgroup.id = id;
	e->used_ns = t->now_ns;
	index_add(&t->entries, &e->node);
	*ret = e;
	return 0;
}

/* Called for every directory of the tree. Known names stay: an id keeps its path for ever. */
static int on_directory(uint64_t id, const char *path, void *arg)
{
	struct cgroup_table *t = arg;
	struct cgroup_entry *e = entry_find(t, id, 0);
	int r;

	if (!e) {
		r = entry_add(t, id, &e);
		if (r < 0)
			/* full: those already asked for may still be found further on */
			return r == -ENOSPC ? 0 : r;
	}
	return e->cgroup.path ? 0 : entry_name(e, path);
}

/* walk: allowed, if the short way does not lead there. */
static void entry_search(struct cgroup_table *t, struct cgroup_entry *e, uint64_t now_ns, bool walk)
{
	char path[PATH_MAX];
	int r = cgroup_tree_open_id(t->mount, e->cgroup.id, path, sizeof(path));

	if (r == 0)
		r = entry_name(e, path);
	if (r == -ESTALE)
		e->tries = CGROUP_TRIES; /* the kernel itself knows no such cgroup any more */
	else if (r && walk) {
		e->tries++;
		t->walked = true;
		t->walked_ns = now_ns;
		(void)cgroup_tree_walk(t->mount, on_directory, t);
	}
	e->cgroup.settled = e->cgroup.path || e->tries >= CGROUP_TRIES;
}

struct cgroup_table *cgroup_table_new(const char *cgroup_root, uint32_t max_entries)
{
	struct cgroup_table *t = calloc(1, sizeof(*t));
	int r = 0;

	if (!t)
		return NULL;
	t->max_entries = max_entries ? max_entries : CGROUP_ENTRIES_DEFAULT;
	if (cgroup_root && !*cgroup_root) {
		cgroup_root = NULL;
	} else if (!cgroup_root) {
		const struct cgroup2 *c = cgroup2_root(NULL, 0);

		/* without a v2 tree, or without /proc, there are still ids, just no names */
		cgroup_root = c ? c->path : NULL;
	}
	if (cgroup_root) {
		t->mount = strdup(cgroup_root);
		r = t->mount ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = index_init(&t->entries, 256, entry_hash);
	return r < 0 ? cgroup_table_free(t) : t;
}

struct cgroup_table *cgroup_table_free(struct cgroup_table *t)
{
	uint32_t i;

	if (!t)
		return NULL;
	for (i = 0; t->entries.slots && i <= t->entries.mask; i++) {
		struct index_node *n = t->entries.slots[i], *next;

		for (; n; n = next) {
			next = n->next;
			(void)entry_free(index_entry(n, struct cgroup_entry, node));
		}
	}
	index_done(&t->entries);
	(void)book_free(t->book);
	free(t->mount);
	free(t);
	return NULL;
}

struct cgroup_table *cgroup_table_name_by(struct cgroup_table *t, const char *root)
{
	if (t && !t->book)
		t->book = book_new(root);
	return t;
}

const struct container_info *cgroup_info(const struct cgroup *c)
{
	static const struct container_info nothing;

	return c && c->info ? c->info : &nothing;
}

const char *cgroup_runtime(const struct cgroup *c)
{
	return c && c->runtime ? c->runtime : cgroup_info(c)->runtime;
}

static const struct cgroup *named(struct cgroup_table *t, struct cgroup_entry *e)
{
	e->used_ns = t->now_ns;
	if (!t->book || !e->cgroup.container_id)
		return &e->cgroup;
	if (!e->page)
		e->page = book_take(t->book, &e->cgroup, t->now_ns);
	if (!e->page)
		return &e->cgroup;
	e->cgroup.info = book_read(t->book, e->page, t->now_ns);
	/* who keeps it asks again as long as there may be a name */
	e->cgroup.settled = book_is_done(e->page);
	return &e->cgroup;
}

const struct cgroup *cgroup_table_get(struct cgroup_table *t, uint64_t id, uint64_t now_ns)
{
	struct cgroup_entry *e;
	bool due;
	int r;

	if (!t || !id)
		return NULL;
	t->now_ns = now_ns;
	due = !t->walked || now_ns - t->walked_ns >= CGROUP_RESCAN_NS;
	e = entry_find(t, id, 0);
	if (e && (e->cgroup.path || e->tries >= CGROUP_TRIES || !due))
		return named(t, e);
	if (!e) {
		if (t->entries.count >= t->max_entries)
			purge(t, now_ns);
		r = entry_add(t, id, &e);
		/* who has to do without is asked about again once there is room */
		t->overflow.settled = r == -ENOSPC;
		if (r < 0) {
			t->full += r == -ENOSPC;
			return r == -ENOSPC ? &t->overflow : NULL;
		}
	}
	if (t->mount)
		entry_search(t, e, now_ns, due);
	else
		e->cgroup.settled = true;
	return named(t, e);
}

/* It has the same path, and a container of its own. */
static void place_fill(struct cgroup_entry *e, const struct cgroup *base, cgroup_v1_fn fn,
		       void *arg)
{
	struct np_v1 v1;

	if (!e->cgroup.path && base && base->path)
		e->cgroup.path = strdup(base->path);
	if (!e->tries && !fn(arg, e->v1, &v1) && !cgroup_parse_v1(&e->cgroup, &v1))
		e->tries = 1;
	e->cgroup.settled = !base || base->settled;
}

const struct cgroup *cgroup_table_of(struct cgroup_table *t, uint64_t id, uint64_t v1,
				     cgroup_v1_fn fn, void *arg, uint64_t now_ns)
{
	const struct cgroup *base = cgroup_table_get(t, id, now_ns);
	struct cgroup_entry *e;

	if (!t || !v1 || !fn || (base && base->container_id))
		return base;
	e = entry_find(t, id, v1);
	if (!e) {
		base = cgroup_ref(base);
		if (t->entries.count >= t->max_entries)
			purge(t, now_ns);
		if (!entry_add(t, id, &e))
			e->v1 = v1;
		cgroup_unref(base);
	}
	if (e && !e->cgroup.settled)
		place_fill(e, base, fn, arg);
	return e && e->cgroup.container_id ? named(t, e) : base;
}

static void born_v1(struct cgroup_table *t, const char *path)
{
	struct cgroup c = { .path = (char *)(uintptr_t)path };
	struct container_page *page;

	if (!t->book || cgroup_parse_container(&c))
		return;
	page = book_take(t->book, &c, t->now_ns);
	if (page)
		(void)book_read(t->book, page, t->now_ns);
	book_give(t->book, page, t->now_ns);
	free(c.container_id);
	free(c.pod_uid);
}

void cgroup_table_born(struct cgroup_table *t, uint64_t id, const char *path, bool v1,
		       uint64_t now_ns)
{
	struct cgroup_entry *e;

	t->now_ns = now_ns;
	if (v1) {
		born_v1(t, path);
		return;
	}
	e = entry_find(t, id, 0);
	if (!e) {
		if (t->entries.count >= t->max_entries)
			purge(t, now_ns);
		if (entry_add(t, id, &e))
			return; /* found in the tree, if it is asked for */
	}
	if (!e->cgroup.path)
		(void)entry_name(e, path);
	(void)named(t, e);
}

/* The user's path without the mount in front; always starts with '/'. */
static int below_mount(const struct cgroup_table *t, const char *path, char *buf, size_t size)
{
	size_t n = strlen(t->mount);
	const char *p;
	int len;

	if (n > 1 && strncmp(path, t->mount, n) == 0 && (path[n] == '/' || path[n] == '\0'))
		path += n;
	for (p = path; *p; p += strcspn(p, "/")) {
		p += strspn(p, "/");
		/* ".." could leave the tree; no cgroup is called that */
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
			return -ENOENT;
	}
	path += strspn(path, "/");
	len = snprintf(buf, size, "/%s", path);
	if (len < 0 || (size_t)len >= size)
		return -ENAMETOOLONG;
	while (len > 1 && buf[len - 1] == '/')
		buf[--len] = '\0';
	return 0;
}

static uint32_t path_level(const char *path)
{
	uint32_t level = 0;

	while (*path) {
		path += strspn(path, "/");
		level += *path != '\0';
		path += strcspn(path, "/");
	}
	return level;
}

int cgroup_lookup_path(struct cgroup_table *t, const char *path, uint64_t *ret_id,
		       uint32_t *ret_level)
{
	char below[PATH_MAX], *full;
	struct stat st;
	int r;

	if (!t->mount || !*path)
		return -ENOENT;
	r = below_mount(t, path, below, sizeof(below));
	if (r < 0)
		return r;
	if (asprintf(&full, "%s%s", t->mount, below) < 0)
		return -ENOMEM;
	r = stat(full, &st) < 0 ? -errno : 0;
	free(full);
	if (r < 0)
		return r == -ENOTDIR ? -ENOENT : r;
	if (!S_ISDIR(st.st_mode))
		return -ENOENT;
	*ret_id = st.st_ino;
	if (ret_level)
		*ret_level = path_level(below);
	return 0;
}

const char *cgroup_mount(const struct cgroup_table *t)
{
	return t->mount;
}
