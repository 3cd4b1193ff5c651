/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the cgroup v2 directories. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "owner/cgroup_tree.h"

/* FILEID_KERNFS of include/linux/exportfs.h; handles with a bare 64-bit id since 5.5 */
#define HANDLE_KERNFS 0xfe
/* The kernel's own limit on nesting is far above what anyone uses; this one is for our stack. */
#define TREE_DEPTH_MAX 64

struct walk {
	int (*fn)(uint64_t id, const char *path, void *arg);
	void *arg;
	char path[4096]; /* of the directory at hand, without the trailing slash; "" for the root */
	size_t len;
};

static int walk_dir(struct walk *w, int fd, unsigned int depth);

/* One entry of a directory, if it is a directory: whatever vanishes meanwhile is passed over. */
static int walk_entry(struct walk *w, int dir, const char *name, unsigned int depth)
{
	size_t n = strlen(name), len = w->len;
	int fd, r;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || len + n + 2 > sizeof(w->path))
		return 0;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	w->path[len] = '/';
	memcpy(w->path + len + 1, name, n + 1);
	w->len = len + 1 + n;
	r = walk_dir(w, fd, depth + 1);
	w->len = len;
	w->path[len] = '\0';
	return r;
}

/* Takes fd. */
static int walk_dir(struct walk *w, int fd, unsigned int depth)
{
	struct dirent *de;
	struct stat st;
	DIR *d = NULL;
	int r = 0;

	if (fstat(fd, &st) == 0)
		r = w->fn(st.st_ino, w->len ? w->path : "/", w->arg);
	if (r >= 0 && depth < TREE_DEPTH_MAX)
		d = fdopendir(fd);
	if (!d) {
		(void)close(fd);
		return r;
	}
	while (r >= 0 && (de = readdir(d)))
		if (de->d_type == DT_DIR || de->d_type == DT_UNKNOWN)
			r = walk_entry(w, dirfd(d), de->d_name, depth);
	(void)closedir(d);
	return r;
}

int cgroup_tree_walk(const char *mount, int (*fn)(uint64_t id, const char *path, void *arg),
		     void *arg)
{
	struct walk w = { .fn = fn, .arg = arg };
	int fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = walk_dir(&w, fd, 0);
	return r < 0 ? r : 0;
}

static int path_of(int fd, char *buf, size_t size)
{
	char link[32];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, buf, size - 1);
	if (len < 0)
		return -errno;
	if ((size_t)len >= size - 1)
		return -ENAMETOOLONG;
	buf[len] = '\0';
	return (int)len;
}

/* Where an open directory is, below the root that is open as at: how that is called depends on its mount, not on how it was opened. */
static int path_of_fd(int fd, int at, char *buf, size_t size)
{
	char mount[PATH_MAX];
	int len = path_of(fd, buf, size), n = path_of(at, mount, sizeof(mount));

	if (len < 0 || n < 0)
		return len < 0 ? len : n;
	n = strcmp(mount, "/") == 0 ? 0 : n;
	if (strncmp(buf, mount, (size_t)n) != 0 || (buf[n] != '/' && buf[n] != '\0'))
		return -ENOENT; /* seen through another mount */
	if (buf[n] == '\0')
		(void)strcpy(buf, "/");
	else
		memmove(buf, buf + n, (size_t)(len - n) + 1);
	return 0;
}

int cgroup_tree_open_id(const char *mount, uint64_t id, char *buf, size_t size)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} u = { .h = { .handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS } };
	struct statfs fs;
	int at, fd, r;

	at = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -errno;
	/* the handle is this file system's alone: another one would misread it */
	if (fstatfs(at, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC) {
		(void)close(at);
		return -EOPNOTSUPP;
	}
	memcpy(u.h.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(at, &u.h, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : path_of_fd(fd, at, buf, size);
	(void)close(at);
	if (fd >= 0)
		(void)close(fd);
	return r;
}
