/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holders of sockets (see procfs.h). Everything about a process is read below one descriptor of its
 * folder in /proc, which stays that process's: a pid that changes hands meanwhile reads as gone.
 */
#include "capture/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owner/index.h"
#include "owner/stat.h"

#define HOT 16			    /* processes that had a new socket lately */
#define NEW_PIDS 64		    /* that a look always goes through: they may open sockets yet */
#define NEW_PIDS_MAX 256	    /* and if so many are new: more wait for a scan */
#define SHARED_FOR_NS 1500000000ULL /* longer than between a fork and the close after it */

struct entry {
	struct index_node node;
	uint32_t inode;
	/* of the walk gen: */
	uint32_t gen, n_holders, last_holder;
	struct entry *held_next;
	uint64_t eldest_ticks;
	/* of all: */
	bool found;
	uint64_t shared_ns; /* since when several hold it; 0: they do not */
	struct np_owner owner;
	int fd; /* descriptor in the owner */
};

struct procfs {
	char *root;
	struct cgroup_table *cgroups;
	struct index entries;
	uint32_t n_missing, gen;
	uint64_t tick_ns;
	uint32_t hot[HOT], n_hot, next_hot, newest;
	struct entry *held; /* those somebody was seen to hold in this walk */
};

static uint64_t inode_hash(uint32_t inode)
{
	return index_hash(&inode, sizeof(inode));
}

static uint64_t entry_hash(const struct index_node *node)
{
	return inode_hash(index_entry(node, struct entry, node)->inode);
}

static struct entry *find(const struct procfs *p, uint32_t inode)
{
	struct index_node *n = index_chain(&p->entries, inode_hash(inode));

	for (; n; n = n->next) {
		struct entry *e = index_entry(n, struct entry, node);

		if (e->inode == inode)
			return e;
	}
	return NULL;
}

struct procfs *procfs_new(const char *root, struct cgroup_table *cgroups)
{
	struct procfs *p = calloc(1, sizeof(*p));
	long hz = sysconf(_SC_CLK_TCK);

	if (!p)
		return NULL;
	p->cgroups = cgroups;
	p->tick_ns = 1000000000ULL / (uint64_t)(hz > 0 ? hz : 100);
	p->root = strdup(root);
	if (!p->root || index_init(&p->entries, 1024, entry_hash))
		return procfs_free(p);
	return p;
}

struct procfs *procfs_free(struct procfs *p)
{
	if (!p)
		return NULL;
	for (uint32_t i = 0; p->entries.slots && i <= p->entries.mask; i++) {
		struct index_node *n = p->entries.slots[i], *next;

		for (; n; n = next) {
			next = n->next;
			free(index_entry(n, struct entry, node));
		}
	}
	index_done(&p->entries);
	free(p->root);
	free(p);
	return NULL;
}

int procfs_want(struct procfs *p, uint32_t inode)
{
	struct entry *e = find(p, inode);

	if (e)
		return 0;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->inode = inode;
	index_add(&p->entries, &e->node);
	p->n_missing++;
	return 0;
}

void procfs_forget(struct procfs *p, uint32_t inode)
{
	struct entry *e = find(p, inode);

	if (!e)
		return;
	p->n_missing -= !e->found;
	index_remove(&p->entries, &e->node);
	free(e);
}

uint32_t procfs_missing(const struct procfs *p)
{
	return p->n_missing;
}

static ssize_t read_at(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	n = n < 0 ? -errno : n;
	(void)close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	return n;
}

/* id of the cgroup v2 in a /proc/PID/cgroup: of the line that starts with "0::". */
static uint64_t cgroup_of(struct procfs *p, const char *text)
{
	const char *line = strncmp(text, "0::", 3) ? strstr(text, "\n0::") : text;
	char path[4096];
	uint64_t id = 0;

	if (!line || !cgroup_mount(p->cgroups))
		return 0;
	line += *line == '\n' ? 4 : 3;
	(void)snprintf(path, sizeof(path), "%.*s", (int)strcspn(line, "\n"), line);
	return cgroup_lookup_path(p->cgroups, path, &id, NULL) ? 0 : id;
}

static void read_cgroup(struct procfs *p, int dir, struct np_owner *ret)
{
	char text[4096];
	struct np_v1 v1;

	if (!p->cgroups || read_at(dir, "cgroup", text, sizeof(text)) <= 0)
		return;
	ret->cgroup_id = cgroup_of(p, text);
	ret->v1 = cgroup_v1_of(text, &v1);
}

static uint32_t number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? (uint32_t)strtoul(at + strlen(key), NULL, 10) : UINT32_MAX;
}

static int read_owner(struct procfs *p, int dir, uint32_t pid, struct np_owner *ret,
		      uint64_t *ret_ticks)
{
	char text[1024], status[4096];
	struct proc_stat st;

	if (read_at(dir, "stat", text, sizeof(text)) <= 0 || proc_stat_parse(text, &st))
		return -ESRCH;
	/* A thread has a folder too, which no listing shows. */
	if (read_at(dir, "status", status, sizeof(status)) <= 0 ||
	    number_after(status, "\nTgid:") != pid)
		return -ESRCH;
	*ret = (struct np_owner){ .tgid = pid,
				  .start_ns = st.start_ticks * p->tick_ns,
				  .ppid = st.ppid,
				  .uid = number_after(status, "\nUid:"),
				  .match = NP_MATCH_PROCFS };
	memcpy(ret->comm, st.comm, sizeof(ret->comm));
	read_cgroup(p, dir, ret);
	*ret_ticks = st.start_ticks;
	return 0;
}

static void note_hot(struct procfs *p, uint32_t pid)
{
	for (uint32_t i = 0; i < p->n_hot; i++)
		if (p->hot[i] == pid)
			return;
	if (p->n_hot < HOT)
		p->hot[p->n_hot++] = pid;
	else
		p->hot[p->next_hot++ % HOT] = pid;
}

/* "socket:[123]" -> 123; 0: something else. */
static uint32_t socket_inode(int dir, const char *name)
{
	char link[64], *end;
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);
	unsigned long v;

	if (n < 9 || memcmp(link, "socket:[", 8) != 0)
		return 0;
	link[n] = '\0';
	v = strtoul(link + 8, &end, 10);
	return *end == ']' ? (uint32_t)v : 0;
}

struct process_look {
	struct procfs *p;
	int dir; /* of the process */
	uint32_t pid;
	bool known; /* owner and ticks are valid */
	struct np_owner owner;
	uint64_t ticks;
};

static void on_held(struct process_look *l, struct entry *e, int fd)
{
	if (e->gen == l->p->gen && e->last_holder == l->pid)
		return;
	if (!l->known && read_owner(l->p, l->dir, l->pid, &l->owner, &l->ticks))
		return;
	l->known = true;
	if (e->gen != l->p->gen) {
		e->gen = l->p->gen;
		e->n_holders = 0;
		e->held_next = l->p->held;
		l->p->held = e;
	}
	e->last_holder = l->pid;
	/* The eldest so far; whether it may keep it is settled after the walk. */
	if (!e->n_holders++ || l->ticks < e->eldest_ticks) {
		e->owner = l->owner;
		e->fd = fd;
		e->eldest_ticks = l->ticks;
	}
}

/* Look through one process's descriptors, if it is there and they are ours to read. */
static int look_at(struct procfs *p, uint32_t pid)
{
	struct process_look l = { .p = p, .pid = pid };
	char path[64];
	struct dirent *d;
	DIR *fds;
	int fd;

	(void)snprintf(path, sizeof(path), "%.32s/%u", p->root, pid);
	l.dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l.dir < 0)
		return -errno;
	fd = openat(l.dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds = fd < 0 ? NULL : fdopendir(fd);
	if (!fds) {
		int r = -errno;

		if (fd >= 0)
			(void)close(fd);
		(void)close(l.dir);
		return r;
	}
	while ((d = readdir(fds))) {
		uint32_t inode = *d->d_name == '.' ? 0 : socket_inode(fd, d->d_name);
		struct entry *e = inode ? find(p, inode) : NULL;

		if (e && !e->found)
			on_held(&l, e, atoi(d->d_name));
	}
	(void)closedir(fds);
	(void)close(l.dir);
	return 0;
}

static void settle(struct procfs *p, struct entry *e, uint64_t now_ns)
{
	if (e->n_holders > 1) {
		if (!e->shared_ns)
			e->shared_ns = now_ns;
		if (now_ns - e->shared_ns < SHARED_FOR_NS)
			return;
	}
	e->found = true;
	e->shared_ns = 0;
	p->n_missing--;
	note_hot(p, e->owner.tgid);
}

static void walk_start(struct procfs *p)
{
	p->gen++;
	p->held = NULL;
}

static void walk_end(struct procfs *p, uint64_t now_ns)
{
	for (struct entry *e = p->held; e; e = e->held_next)
		settle(p, e, now_ns);
	p->held = NULL;
}

int procfs_scan(struct procfs *p, uint64_t now_ns)
{
	DIR *dir = opendir(p->root);
	struct dirent *d;
	int n = 0;

	if (!dir)
		return -errno;
	walk_start(p);
	while ((d = readdir(dir))) {
		uint32_t pid;

		if (*d->d_name < '1' || *d->d_name > '9')
			continue;
		pid = (uint32_t)strtoul(d->d_name, NULL, 10);
		(void)look_at(p, pid);
		if (pid > p->newest)
			p->newest = pid;
		n++;
	}
	(void)closedir(dir);
	walk_end(p, now_ns);
	return n;
}

/* Last pid that was given out: the end of /proc/loadavg. 0 unknown. */
static uint32_t last_pid(const struct procfs *p)
{
	char path[64], text[128], *space;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%.32s/loadavg", p->root);
	n = read_at(AT_FDCWD, path, text, sizeof(text));
	space = n > 0 ? strrchr(text, ' ') : NULL;
	return space ? (uint32_t)strtoul(space + 1, NULL, 10) : 0;
}

struct looked {
	uint32_t pids[NEW_PIDS_MAX + 2 * HOT];
	uint32_t n;
};

static void look_once(struct procfs *p, struct looked *seen, uint32_t pid)
{
	for (uint32_t i = 0; i < seen->n; i++)
		if (seen->pids[i] == pid)
			return;
	if (seen->n == sizeof(seen->pids) / sizeof(seen->pids[0]))
		return;
	seen->pids[seen->n++] = pid;
	(void)look_at(p, pid);
}

/*
 * A process that was just forked holds what its parent does: one seen to hold a socket says little
 * unless its parent was looked at as well.
 */
static void look_at_parents(struct procfs *p, struct looked *seen)
{
	for (struct entry *e = p->held; e; e = e->held_next)
		if (e->owner.ppid > 1)
			look_once(p, seen, e->owner.ppid);
}

void procfs_look(struct procfs *p, uint64_t now_ns)
{
	uint32_t last = last_pid(p), n = last > p->newest ? last - p->newest : 0;
	struct looked seen = { .n = 0 };

	if (!p->n_missing)
		return;
	walk_start(p);
	n = n > NEW_PIDS_MAX ? NEW_PIDS_MAX : n < NEW_PIDS ? NEW_PIDS : n;
	for (uint32_t pid = last; pid && last - pid < n; pid--)
		look_once(p, &seen, pid);
	p->newest = last;
	for (uint32_t i = 0; i < p->n_hot; i++)
		look_once(p, &seen, p->hot[i]);
	look_at_parents(p, &seen);
	walk_end(p, now_ns);
}

const struct np_owner *procfs_owner(const struct procfs *p, uint32_t inode)
{
	const struct entry *e = inode ? find(p, inode) : NULL;

	return e && e->found ? &e->owner : NULL;
}

bool procfs_check(struct procfs *p, uint32_t inode)
{
	struct entry *e = find(p, inode);
	char path[96], name[16];
	int dir;

	if (!e || !e->found)
		return false;
	(void)snprintf(path, sizeof(path), "%.32s/%u/fd", p->root, e->owner.tgid);
	(void)snprintf(name, sizeof(name), "%d", e->fd);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		bool holds = socket_inode(dir, name) == inode;

		(void)close(dir);
		if (holds)
			return true;
	}
	e->found = false;
	p->n_missing++;
	return false;
}
