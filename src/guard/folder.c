/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the pins are: a folder of bpffs for each network namespace, named after its inode, so that
 * interfaces of different namespaces cannot be mixed up. Its lock is the lock of everything in it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bpffs.h"
#include "guard/internal.h"

#define OWN_NETNS "/proc/thread-self/ns/net" /* since 3.17 */

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* since 5.14 */
#endif

uint64_t netns_cookie(void)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	(void)close(fd);
	return cookie;
}

void folder_path(const struct guard *g, const char *name, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s/%s", g->dir, name);
}

/* Not by closing alone: a process that was forked meanwhile has the descriptor too, and the lock would stay. */
void folder_close(struct guard *g)
{
	if (g->dir_fd < 0)
		return;
	(void)flock(g->dir_fd, LOCK_UN);
	(void)close(g->dir_fd);
	g->dir_fd = -1;
}

/* Locked, and still the folder of that name: somebody may have removed it while we waited. */
static int lock(struct guard *g, bool shared)
{
	struct stat mine, there;

	g->dir_fd = open(g->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->dir_fd < 0)
		return -errno;
	if (flock(g->dir_fd, shared ? LOCK_SH : LOCK_EX) == 0 && !fstat(g->dir_fd, &mine) &&
	    !stat(g->dir, &there) && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
		return 0;
	folder_close(g);
	return -EAGAIN;
}

static int make(const struct guard *g)
{
	char parent[sizeof(g->dir)];

	(void)snprintf(parent, sizeof(parent), "%s/netprobe", bpffs_root());
	if (mkdir(parent, 0700) && errno != EEXIST)
		return -errno;
	if (mkdir(g->dir, 0700) && errno != EEXIST)
		return -errno;
	return 0;
}

int folder_open(struct guard *g, unsigned int flags, struct netprobe_error *err)
{
	struct stat st;
	int r;

	g->cookie = netns_cookie();
	/*
	 * The calling thread's, as the cookie: a thread of a program may be in another network namespace
	 * than its first one. An inode number of this namespace with another cookie was a dead one's.
	 */
	if (stat(OWN_NETNS, &st))
		return error_set(err, -errno, OWN_NETNS ": %s", strerror(errno));
	(void)snprintf(g->dir, sizeof(g->dir), "%s/netprobe/guard-%llu", bpffs_root(),
		       (unsigned long long)st.st_ino);
	if (flags & GUARD_CREATE) {
		r = bpffs_ready(err);
		if (r)
			return r;
	}
	do {
		r = flags & GUARD_CREATE ? make(g) : 0;
		if (!r)
			r = lock(g, flags & GUARD_SHARED);
	} while (r == -EAGAIN || (r == -ENOENT && (flags & GUARD_CREATE)));
	if (!r)
		return bpffs_check_owner(g->dir_fd, g->dir, err);
	if (r == -EACCES)
		r = -EPERM;
	if (r == -ENOENT) {
		error_set(err, r,
			  "guard is not attached to any interface of this network namespace");
		error_hint(err, "netprobe_manager_attach first");
	} else if (r == -EPERM) {
		error_set(err, r, "%s: not permitted", g->dir);
		error_hint(err,
			   "run as root: guard needs CAP_BPF, CAP_NET_ADMIN and the right to "
			   "write to %s",
			   bpffs_root());
	} else {
		error_set(err, r, "%s: %s", g->dir, strerror(-r));
	}
	return r;
}

void folder_remove(struct guard *g)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(g->dir);

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		folder_path(g, e->d_name, path, sizeof(path));
		(void)unlink(path);
	}
	if (d)
		(void)closedir(d);
	(void)rmdir(g->dir);
	(void)snprintf(path, sizeof(path), "%s/netprobe", bpffs_root());
	(void)rmdir(path); /* fails while others have pins there */
}
