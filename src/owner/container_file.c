/* SPDX-License-Identifier: BSD-2-Clause */
/* See container_file.h. openat2() is not used: a running command's filter of system calls cannot look into its arguments. */
#include "owner/container_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 8 /* on the way to one home */

int container_folder_open(const char *root, const char *folder)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s%s", root, folder), fd;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	/* O_PATH: many such folders may be searched and not listed */
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The next part of a path, in buf; what comes behind it. NULL: it is none that may be followed. */
static const char *next_part(const char *path, char *buf, size_t size)
{
	size_t n = strcspn(path, "/");

	if (!n || n >= size || (path[0] == '.' && (n == 1 || (n == 2 && path[1] == '.'))))
		return NULL;
	memcpy(buf, path, n);
	buf[n] = '\0';
	return path + n + (path[n] == '/');
}

static int open_below(int folder, const char *below)
{
	char part[NAME_MAX + 1];
	int at = folder, fd;

	for (;;) {
		int last;

		below = next_part(below, part, sizeof(part));
		last = below && !*below;
		/* not blocked by a pipe that somebody put there */
		fd = !below ? -EINVAL
			    : openat(at, part,
				     O_NOFOLLOW | O_CLOEXEC |
					     (last ? O_RDONLY | O_NONBLOCK | O_NOCTTY
						   : O_PATH | O_DIRECTORY));
		if (at != folder)
			(void)close(at);
		if (fd < 0 || last)
			return fd;
		at = fd;
	}
}

/* All of it, or nothing: NULL. */
static char *read_whole(int fd, size_t *ret_len)
{
	size_t len = 0, size;
	struct stat st;
	char *text;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > (off_t)CONTAINER_FILE_MAX)
		return NULL;
	size = (size_t)st.st_size + 1;
	text = malloc(size);
	while (text && len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n > 0)
			len += (size_t)n;
		else if (!n)
			break;
		else if (errno != EINTR)
			len = size;
	}
	/* it grew meanwhile, or could not be read */
	if (text && len == size) {
		free(text);
		text = NULL;
	}
	*ret_len = len;
	return text;
}

json_t *container_file_json(int fd)
{
	size_t len = 0;
	char *text = fd < 0 ? NULL : read_whole(fd, &len);
	json_t *json = text ? json_loadb(text, len, 0, NULL) : NULL;

	free(text);
	return json;
}

int container_file_open(int folder, const char *below)
{
	return folder < 0 ? -EBADF : open_below(folder, below);
}

json_t *container_file_load(int folder, const char *below)
{
	int fd = container_file_open(folder, below);
	json_t *json = container_file_json(fd);

	if (fd >= 0)
		(void)close(fd);
	return json;
}

/* The place of a link, with where it leads to in place of it. */
static int follow(int link, char *path, size_t size, size_t from, const char *rest)
{
	char to[PATH_MAX], whole[PATH_MAX];
	ssize_t n = readlinkat(link, "", to, sizeof(to) - 1);
	int len;

	if (n <= 0)
		return -EINVAL;
	to[n] = '\0';
	len = snprintf(whole, sizeof(whole), "%.*s%s/%s", to[0] == '/' ? 0 : (int)from, path, to,
		       rest);
	if (len < 0 || (size_t)len >= sizeof(whole) || (size_t)len >= size)
		return -ENAMETOOLONG;
	(void)strcpy(path, whole);
	return -EAGAIN;
}

/* -EAGAIN: there is a link on the way, path is another one now. */
static int walk(struct container_mounts *m, const char *root, char *path, size_t size)
{
	const char *at = path + strspn(path, "/");
	int mount = -1, folder = container_folder_open(root, "/"), fd;
	char part[NAME_MAX + 1];
	struct stat st;

	while (folder >= 0 && *at) {
		size_t from = (size_t)(at - path);

		at = next_part(at, part, sizeof(part));
		fd = at ? mounts_open(m, folder, part, &mount) : -EINVAL;
		(void)close(folder);
		folder = fd;
		if (fd < 0)
			break;
		at += strspn(at, "/");
		if (fstat(fd, &st) || !S_ISLNK(st.st_mode))
			continue;
		folder = follow(fd, path, size, from, at);
		(void)close(fd);
	}
	return folder;
}

int container_home_open(struct container_mounts *m, const char *root, const char *home)
{
	char path[PATH_MAX];
	int fd = -EAGAIN;

	if (snprintf(path, sizeof(path), "%s", home) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	for (int links = 0; links <= LINKS_MAX && fd == -EAGAIN; links++)
		fd = walk(m, root, path, sizeof(path));
	return fd;
}

int container_home_file(struct container_mounts *m, int home, const char *below)
{
	char part[NAME_MAX + 1], self[40];
	int at = home, mount = -1, fd;

	do {
		below = next_part(below, part, sizeof(part));
		fd = below ? mounts_open(m, at, part, &mount) : -EINVAL;
		if (at != home)
			(void)close(at);
		at = fd;
	} while (fd >= 0 && *below);
	if (at < 0)
		return at;
	/* what was looked at, whatever has its name by now */
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	fd = fd < 0 ? -errno : fd;
	(void)close(at);
	return fd;
}
