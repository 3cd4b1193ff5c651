/* SPDX-License-Identifier: BSD-2-Clause */
/* See keep.h. Each step of the way is opened below the one before, and has to be the user's own. */
#include "cli/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "top.yaml"

/* The environment of somebody else's program says nothing of where a user's files are. */
static const char *home(void)
{
	const char *s = secure_getenv("HOME");
	const struct passwd *pw;

	if (s && *s == '/')
		return s;
	pw = getpwuid(getuid());
	return pw && pw->pw_dir && *pw->pw_dir == '/' ? pw->pw_dir : NULL;
}

static bool is_own(int fd, mode_t type)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_mode & S_IFMT) == type && st.st_uid == getuid();
}

/* Takes dir. The folder of that name below it, made where it is wanted and missing. */
static int below(int dir, const char *name, bool make)
{
	int fd, r = 0;

	if (dir < 0)
		return dir;
	if (make && mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		r = -errno;
	fd = r ? r : openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && !r)
		fd = -errno;
	(void)close(dir);
	if (fd >= 0 && !is_own(fd, S_IFDIR)) {
		(void)close(fd);
		fd = -EPERM;
	}
	return fd;
}

static int open_folder(bool make)
{
	const char *xdg = secure_getenv("XDG_CONFIG_HOME"), *from = xdg;
	int fd;

	if (!from || *from != '/')
		from = home();
	if (!from)
		return -ENOENT;
	/* links up to there are the system's, or the user's */
	fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!is_own(fd, S_IFDIR)) {
		(void)close(fd);
		return -EPERM;
	}
	if (from != xdg)
		fd = below(fd, ".config", make);
	return below(fd, "netprobe", make);
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int keep_write(const char *text)
{
	char name[48];
	int dir = open_folder(true), fd, r;

	if (dir < 0)
		return dir;
	(void)snprintf(name, sizeof(name), "." FILE_NAME ".%d", (int)getpid());
	(void)unlinkat(dir, name, 0); /* of one that died with that number */
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : write_all(fd, text);
	if (fd >= 0 && close(fd) < 0 && !r)
		r = -errno;
	if (!r && renameat(dir, name, dir, FILE_NAME) < 0)
		r = -errno;
	if (r)
		(void)unlinkat(dir, name, 0);
	(void)close(dir);
	return r;
}

int keep_read(char *text, size_t size)
{
	int dir = open_folder(false), fd, r = 0;
	size_t len = 0;
	ssize_t n = 0;

	text[0] = '\0';
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	fd = openat(dir, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		r = errno == ENOENT ? 0 : -errno;
	else if (!is_own(fd, S_IFREG))
		r = -EPERM;
	while (fd >= 0 && !r && len + 1 < size && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	if (!r && n > 0)
		r = -EFBIG;
	if (!r && n < 0)
		r = -errno;
	text[r ? 0 : len] = '\0';
	if (fd >= 0)
		(void)close(fd);
	(void)close(dir);
	return r;
}
