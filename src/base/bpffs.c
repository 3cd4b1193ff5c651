/* SPDX-License-Identifier: BSD-2-Clause */
/* See bpffs.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bpffs.h"
#include "base/self.h"

#define OWN "/sys/fs/bpf"

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return !stat(a, &sa) && !stat(b, &sb) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* Empty where this is the mount namespace of the first process, or of the topmost above us that may be asked. */
static char outside[64];

/* The first process where it may be asked; else the one highest above this one. */
static void find_outside(void)
{
	char path[32], top[32] = "";
	struct stat st;

	for (pid_t pid = stat("/proc/1/ns/mnt", &st) ? getppid() : 1; pid > 0;
	     pid = self_parent_of(pid)) {
		(void)snprintf(path, sizeof(path), "/proc/%d", pid);
		(void)snprintf(outside, sizeof(outside), "%s/ns/mnt", path);
		if (!stat(outside, &st))
			memcpy(top, path, sizeof(top));
	}
	(void)snprintf(outside, sizeof(outside), "%s/ns/mnt", top);
	if (!top[0] || same_file(outside, "/proc/thread-self/ns/mnt"))
		outside[0] = '\0';
	else
		(void)snprintf(outside, sizeof(outside), "%s/root" OWN, top);
}

/* Where an outer mount namespace has its own; NULL: this is the outermost one that is known. */
static const char *outer(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, find_outside);
	return outside[0] ? outside : NULL;
}

static const char *given(void)
{
	const char *dir = secure_getenv("NETPROBE_BPFFS");

	return dir && *dir ? dir : NULL;
}

const char *bpffs_root(void)
{
	const char *dir = given(), *out;

	if (dir)
		return dir;
	out = outer();
	return out && is_bpffs(out) && !same_file(OWN, out) ? out : OWN;
}

int bpffs_ready(struct netprobe_error *err)
{
	const char *root = bpffs_root();
	int r;

	/* One could be mounted here, but would not stay. */
	if (!given() && outer() && !is_bpffs(outer())) {
		error_set(
			err, -EOPNOTSUPP,
			"this mount namespace is the command's own, and there is no BPF file system "
			"at %s outside: what is pinned would end with the command",
			OWN);
		error_hint(err, "mount -t bpf bpf %s outside, or use nsenter --net=FILE", OWN);
		return -EOPNOTSUPP;
	}
	if (is_bpffs(root))
		return 0;
	if (mount("bpf", root, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") == 0)
		return 0;
	r = -errno;
	error_set(err, r, "no BPF file system at %s, and none can be mounted: %s", root,
		  strerror(-r));
	error_hint(err,
		   r == -EPERM || r == -EACCES
			   ? "run as root, or have root do `mount -t bpf bpf %s`"
			   : "`mkdir -p %s`, and mount -t bpf bpf there",
		   root);
	return r == -EACCES ? -EPERM : r;
}

/* Whether others could put another one in the place of what is in it. sticky: not in such a folder, as /tmp is. */
static bool is_others(const struct stat *st, bool sticky)
{
	if (st->st_uid && st->st_uid != geteuid())
		return true;
	return st->st_mode & (S_IWGRP | S_IWOTH) && !(sticky && st->st_mode & S_ISVTX);
}

int bpffs_check_owner(int dir_fd, const char *path, struct netprobe_error *err)
{
	static const char *const at[] = { ".", "..", "../.." };
	struct stat st;

	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		if (fstatat(dir_fd, at[i], &st, 0))
			return error_set(err, -errno, "%s/%s: %s", path, at[i], strerror(errno));
		if (!is_others(&st, i == 2))
			continue;
		error_set(err, -EPERM,
			  "%s%s%s belongs to user %u, mode %o: others could exchange what is in it",
			  path, i ? "/" : "", i ? at[i] : "", st.st_uid, st.st_mode & 07777);
		/* rm takes no path that ends in ".." */
		if (i < 2)
			error_hint(err, "remove it, if it is not wanted: rm -r %.*s",
				   (int)(i ? strrchr(path, '/') - path : (long)strlen(path)), path);
		else
			error_hint(err, "mount -o remount,mode=700 %s", bpffs_root());
		return -EPERM;
	}
	return 0;
}
