/* SPDX-License-Identifier: BSD-2-Clause */
/* The folder of control sockets (see dir.h). */
#include "control/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* RuntimeDirectory= of dist/netprobe.service.in. */
#define SERVICE_DIR "/run/netprobe-service"

static int dir_name(struct control_dir *d, struct netprobe_error *err)
{
	const char *own = secure_getenv("NETPROBE_RUNTIME_DIR"), *xdg = getenv("XDG_RUNTIME_DIR");
	int n;

	if (own && *own == '/')
		n = snprintf(d->path, sizeof(d->path), "%s", own);
	else if (geteuid() == 0)
		n = snprintf(d->path, sizeof(d->path), "/run/netprobe");
	else if (xdg && *xdg == '/')
		n = snprintf(d->path, sizeof(d->path), "%s/netprobe", xdg);
	else
		n = snprintf(d->path, sizeof(d->path), "/tmp/netprobe-%u", (unsigned int)geteuid());
	if (n < 0 || (size_t)n >= sizeof(d->path))
		return error_set(
			err, -ENAMETOOLONG,
			"the folder of control sockets has too long a name; takes up to %zu characters",
			sizeof(d->path) - 1);
	return 0;
}

/* In /tmp anybody may have been first. */
static int check_dir(const struct control_dir *d, struct netprobe_error *err)
{
	int fd = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r = 0;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		error_set(err, r, "%s: %s", d->path, strerror(-r));
	} else if (st.st_uid != geteuid()) {
		r = error_set(err, -EPERM, "%s belongs to user %u, not to this one (%u)", d->path,
			      (unsigned int)st.st_uid, (unsigned int)geteuid());
	} else if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		r = error_set(err, -EPERM, "%s may be written by others; takes mode 0700", d->path);
	}
	if (fd >= 0)
		(void)close(fd);
	return r;
}

int control_dir_find(struct control_dir *ret_dir, bool create, struct netprobe_error *err)
{
	int r = dir_name(ret_dir, err);

	if (r)
		return r;
	if (create && mkdir(ret_dir->path, 0700) < 0 && errno != EEXIST) {
		r = -errno;
		return error_set(err, r, "%s: %s", ret_dir->path, strerror(-r));
	}
	return check_dir(ret_dir, err);
}

int control_dir_service(struct control_dir *ret_dir)
{
	const char *own = secure_getenv("NETPROBE_RUNTIME_DIR");
	struct stat st;

	if (geteuid() != 0 || (own && *own == '/'))
		return -ENOENT;
	(void)snprintf(ret_dir->path, sizeof(ret_dir->path), SERVICE_DIR);
	/* /run is root's: nobody puts another folder into its place between this look and the next. */
	if (lstat(ret_dir->path, &st) < 0 || !S_ISDIR(st.st_mode))
		return -ENOENT;
	return st.st_mode & (S_IWGRP | S_IWOTH) ? -EPERM : 0;
}

static void set_addr(const struct control_dir *d, const char *format, pid_t pid,
		     struct sockaddr_un *ret_addr)
{
	char name[20];

	(void)snprintf(name, sizeof(name), format, (int)pid);
	*ret_addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret_addr->sun_path, sizeof(ret_addr->sun_path), "%s/%s", d->path, name);
}

void control_dir_addr(const struct control_dir *d, pid_t pid, struct sockaddr_un *ret_addr)
{
	set_addr(d, "%d.sock", pid, ret_addr);
}

bool control_dir_has(const struct control_dir *d, pid_t pid)
{
	struct sockaddr_un addr;
	struct stat st;

	control_dir_addr(d, pid, &addr);
	return lstat(addr.sun_path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

int control_dir_connect(const struct control_dir *d, pid_t pid)
{
	struct sockaddr_un addr;
	int fd = new_socket(), r;

	if (fd < 0)
		return fd;
	control_dir_addr(d, pid, &addr);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	r = -errno;
	(void)close(fd);
	return r;
}

int control_dir_listen(const struct control_dir *d, pid_t pid, int backlog)
{
	struct sockaddr_un before, addr;
	int fd = control_dir_connect(d, pid), r = 0;

	/* Two pid namespaces may share the folder: each has a process of that number. Its backlog may be full. */
	if (fd >= 0)
		(void)close(fd);
	if (fd >= 0 || fd == -EAGAIN)
		return -EADDRINUSE;
	fd = new_socket();
	if (fd < 0)
		return fd;
	/* Under another name first: one that is bound and not listening looks like a dead one's. */
	set_addr(d, "%d.new", pid, &before);
	control_dir_addr(d, pid, &addr);
	(void)unlink(before.sun_path);
	/* What a socket's mode is by fchmod before bind depends on the kernel; the folder is 0700 anyway. */
	if (bind(fd, (struct sockaddr *)&before, sizeof(before)) < 0)
		r = -errno;
	else if (chmod(before.sun_path, 0600) < 0 || listen(fd, backlog) < 0 ||
		 rename(before.sun_path, addr.sun_path) < 0)
		r = -errno;
	if (!r)
		return fd;
	(void)unlink(before.sun_path);
	(void)close(fd);
	return r;
}

void control_dir_unlink(const struct control_dir *d, pid_t pid)
{
	struct sockaddr_un addr;

	control_dir_addr(d, pid, &addr);
	(void)unlink(addr.sun_path);
}

/* "123.sock" gives 123; 0 for what is none of ours. */
static pid_t pid_of(const char *name, const char *suffix)
{
	char *end;
	long pid;

	if (*name < '1' || *name > '9')
		return 0;
	pid = strtol(name, &end, 10);
	return strcmp(end, suffix) == 0 && pid <= 4194304 ? (pid_t)pid : 0;
}

/* Nobody listens there any more: its owner was killed. */
static bool is_dead(const struct control_dir *d, pid_t pid)
{
	int fd = control_dir_connect(d, pid);

	if (fd >= 0)
		(void)close(fd);
	return fd == -ECONNREFUSED;
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static int scan_one(const struct control_dir *d, const char *name, pid_t **pids, int n)
{
	pid_t pid = pid_of(name, ".sock"), half = pid_of(name, ".new"), *more;
	struct sockaddr_un addr;

	if (half && kill(half, 0) < 0 && errno == ESRCH) {
		set_addr(d, "%d.new", half, &addr);
		(void)unlink(addr.sun_path);
	}
	if (!pid)
		return n;
	if (is_dead(d, pid)) {
		control_dir_unlink(d, pid);
		return n;
	}
	more = reallocarray(*pids, (size_t)n + 1, sizeof(**pids));
	if (!more)
		return -ENOMEM;
	*pids = more;
	more[n] = pid;
	return n + 1;
}

int control_dir_scan(const struct control_dir *d, pid_t **ret_pids)
{
	DIR *dir = opendir(d->path);
	struct dirent *e;
	pid_t *pids = NULL;
	int n = 0;

	if (!dir)
		return -errno;
	while (n >= 0 && (e = readdir(dir)))
		n = scan_one(d, e->d_name, &pids, n);
	(void)closedir(dir);
	if (n <= 0) {
		free(pids);
		pids = NULL;
	} else {
		qsort(pids, (size_t)n, sizeof(*pids), by_pid);
	}
	*ret_pids = pids;
	return n;
}
