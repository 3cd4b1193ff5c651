/* SPDX-License-Identifier: BSD-2-Clause */
/* See cgroup2.h. */
#include "base/cgroup2.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/self.h"

/* The tree's own root: kernfs numbers its first directory so since 5.5. */
#define ROOT_INODE 1
/* PROC_PID_INIT_INO: the same in every kernel since 3.8. */
#define INITIAL_PID_NS 0xEFFFFFFCU
/* Processes above this one that are asked; a shell in a container has a few. */
#define ABOVE_MAX 16

struct search {
	struct cgroup2 *found;
	char pid[16];	   /* whose mounts are looked at: "self", "1" */
	bool mounted;	   /* anybody at all has it mounted */
	bool part;	   /* and here it is a part only */
	bool known;	   /* somebody's list of mounts was read */
	bool first;	   /* and that of the machine's first process */
	char options[128]; /* of the file system */
};

/* mountinfo writes space, tab, newline and backslash as three octal digits. */
static void octal_unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

struct mount_line {
	char *root, *point, *options;
};

/* "36 35 0:38 ROOT MOUNT options [optional fields] - FSTYPE source options" */
static bool parse_mount(char *line, struct mount_line *ret)
{
	char *save = NULL, *field;
	int n;

	*ret = (struct mount_line){ NULL };
	for (n = 0, field = strtok_r(line, " \n", &save); field;
	     field = strtok_r(NULL, " \n", &save), n++) {
		if (n == 3)
			ret->root = field;
		else if (n == 4)
			ret->point = field;
		else if (n > 5 && strcmp(field, "-") == 0)
			break;
	}
	field = field ? strtok_r(NULL, " \n", &save) : NULL;
	if (!field || strcmp(field, "cgroup2") != 0)
		return false;
	(void)strtok_r(NULL, " \n", &save);
	ret->options = strtok_r(NULL, " \n", &save);
	return true;
}

bool cgroup2_mounts(const char *mountinfo,
		    bool (*fn)(const char *root, const char *point, const char *options, void *arg),
		    void *arg)
{
	FILE *f = fopen(mountinfo, "re");
	struct mount_line m;
	char *line = NULL;
	bool done = false;
	size_t size = 0;

	if (!f)
		return false;
	while (!done && getline(&line, &size, f) > 0) {
		if (!parse_mount(line, &m))
			continue;
		octal_unescape(m.point);
		done = fn(m.root, m.point, m.options ? m.options : "", arg);
	}
	free(line);
	(void)fclose(f);
	return done;
}

static bool is_root(int fd)
{
	struct statfs fs;
	struct stat st;

	return !fstatfs(fd, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC && !fstat(fd, &st) &&
	       st.st_ino == ROOT_INODE;
}

/* Takes fd. Where the path lasts no longer than another process, this one's descriptor stands for it. */
static bool keep(struct cgroup2 *c, int fd, const char *path, const char *where)
{
	if (!is_root(fd)) {
		(void)close(fd);
		return false;
	}
	c->fd = fd;
	if (path)
		(void)snprintf(c->path, sizeof(c->path), "%s", path);
	else
		(void)snprintf(c->path, sizeof(c->path), "/proc/self/fd/%d", fd);
	(void)snprintf(c->where, sizeof(c->where), "%s", where);
	return true;
}

static bool on_mount(const char *root, const char *point, const char *options, void *arg)
{
	struct search *s = arg;
	bool own = !strcmp(s->pid, "self");
	char path[sizeof(s->found->where)];
	int fd, n;

	(void)root; /* it is told from a namespace's root as from the tree's */
	s->mounted = true;
	(void)snprintf(s->options, sizeof(s->options), "%s", options);
	n = own ? snprintf(path, sizeof(path), "%s", point)
		: snprintf(path, sizeof(path), "/proc/%s/root%s", s->pid, point);
	fd = n < 0 || (size_t)n >= sizeof(path) ? -1
						: open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (keep(s->found, fd, own || !strcmp(s->pid, "1") ? path : NULL, path))
		return true;
	s->part = s->part || own;
	return false;
}

/* Is it the machine's first process? That of a container's /proc is another one. */
static bool is_first(const char *pid)
{
	struct stat st;

	if (strcmp(pid, "1") != 0)
		return false;
	return !self_in_pid_namespace() ||
	       (!stat("/proc/1/ns/pid", &st) && st.st_ino == INITIAL_PID_NS);
}

static bool find_mounted(struct search *s, const char *pid)
{
	char path[48];
	bool known;

	(void)snprintf(s->pid, sizeof(s->pid), "%s", pid);
	(void)snprintf(path, sizeof(path), "/proc/%s/mountinfo", pid);
	known = !access(path, R_OK);
	s->known = s->known || known;
	s->first = s->first || (known && is_first(pid));
	return cgroup2_mounts(path, on_mount, s);
}

/* The first process, then those above this one. fn's true ends it. */
static bool each_outside(bool (*fn)(struct search *s, const char *pid), struct search *s)
{
	char pid[16];
	int up = 0;

	if (fn(s, "1"))
		return true;
	for (int i = 0; i < ABOVE_MAX && (up = self_parent_of(up)) > 1; i++) {
		(void)snprintf(pid, sizeof(pid), "%d", up);
		if (fn(s, pid))
			return true;
	}
	return false;
}

/* "rw,nsdelegate": a mount in the first cgroup namespace sets for all what it does not name to off. */
static int set_options(int fs, char *options)
{
	char *save = NULL;

	for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		if (!strcmp(o, "rw") || !strcmp(o, "ro") || strchr(o, '='))
			continue;
		/* positive: taken by a security module (seclabel), before 5.18 */
		if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, o, NULL, 0) < 0)
			return -errno;
	}
	return 0;
}

/* A mount at no place: it ends with its descriptors. */
static int mount_detached(const struct search *s)
{
	int fs = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC), fd = -1;
	char options[sizeof(s->options)];

	if (fs < 0)
		return -errno;
	memcpy(options, s->options, sizeof(options));
	if (!set_options(fs, options) &&
	    !syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
				  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					  MOUNT_ATTR_NOEXEC);
	(void)close(fs);
	return fd;
}

struct visit {
	struct search *s;
	const char *pid; /* NULL: stay in this namespace */
	bool found;
};

/* Takes m. */
static bool keep_mount(struct cgroup2 *c, int m)
{
	int fd = openat(m, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool kept = fd >= 0 && keep(c, fd, NULL, "a mount of its own");

	(void)close(m);
	return kept;
}

/* A thread of its own: a cgroup namespace is a thread's, and this one's goes with it. */
static void *visit(void *arg)
{
	struct visit *v = arg;
	char path[48];
	int m, ns;

	(void)snprintf(path, sizeof(path), "/proc/%s/ns/cgroup", v->pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return NULL;
	if (!setns(ns, CLONE_NEWCGROUP)) {
		m = mount_detached(v->s);
		v->found = m >= 0 && keep_mount(v->s->found, m);
	}
	(void)close(ns);
	return NULL;
}

static bool mount_in(struct search *s, const char *pid)
{
	struct visit v = { .s = s, .pid = pid };
	pthread_t thread;

	if (!pthread_create(&thread, NULL, visit, &v))
		(void)pthread_join(thread, NULL);
	return v.found;
}

/*
 * What is mounted nowhere has no options to keep. Where no mount is seen, nor what the machine's first process sees, it is
 * not known which there are: then this mount would change them.
 */
static bool mount_own(struct search *s)
{
	int m;

	if (!s->mounted && !s->first)
		return false;
	m = mount_detached(s);
	if (m >= 0 && keep_mount(s->found, m))
		return true;
	s->part = s->part || m >= 0;
	return each_outside(mount_in, s);
}

static bool find(struct cgroup2 *c, char *why, size_t size)
{
	struct search s = { .found = c };

	if (find_mounted(&s, "self") || each_outside(find_mounted, &s) || mount_own(&s))
		return true;
	(void)snprintf(
		why, size, "%s",
		s.part	    ? "only a part of the cgroup v2 tree is seen from this cgroup namespace"
		: !s.known  ? "there is no /proc, where mounts of cgroup v2 are listed"
		: s.mounted ? "the cgroup v2 tree is mounted only where this process may not look"
		: !s.first  ? "no cgroup v2 tree is mounted where this process may look"
			    : "no cgroup v2 tree is mounted");
	return false;
}

const struct cgroup2 *cgroup2_root(char *why, size_t size)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct cgroup2 root = { .fd = -1 };
	const struct cgroup2 *ret = NULL;

	if (size)
		why[0] = '\0';
	(void)pthread_mutex_lock(&lock);
	if (root.fd >= 0 || find(&root, why, size))
		ret = &root;
	(void)pthread_mutex_unlock(&lock);
	return ret;
}
