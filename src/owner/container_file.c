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

json_t *container_file_load(int folder, const char *below)
{
	int fd = folder < 0 ? -1 : open_below(folder, below);
	json_t *json = NULL;
	size_t len = 0;
	char *text;

	if (fd < 0)
		return NULL;
	text = read_whole(fd, &len);
	if (text)
		json = json_loadb(text, len, 0, NULL);
	free(text);
	(void)close(fd);
	return json;
}
