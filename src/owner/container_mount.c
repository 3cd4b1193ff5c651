/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See container_mount.h. The kernel's list of mounts is read again when poll() tells that it changed. What is open as
 * O_PATH keeps its mount, so that its number is no other one's meanwhile; /proc has the number without asking the file
 * system, which fstatfs() asks.
 */
#include "owner/container_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOUNTINFO_MAX (16U << 20)

struct container_mounts {
	int fd;	  /* /proc/self/mountinfo */
	int root; /* the mount of the root directory; -1: not known */
	bool is_read;
	int *local, n_local; /* numbers, ascending */
};

struct container_mounts *mounts_free(struct container_mounts *m)
{
	if (!m)
		return NULL;
	if (m->fd >= 0)
		(void)close(m->fd);
	free(m->local);
	free(m);
	return NULL;
}

/* What is not in here may wait for somebody: servers, programs, or the mount itself (autofs). */
static bool is_local(const char *type)
{
	static const char *const all[] = { "ext2",  "ext3",   "ext4",	  "xfs",   "btrfs",
					   "zfs",   "f2fs",   "bcachefs", "tmpfs", "jfs",
					   "ramfs", "nilfs2", "overlay",  NULL };

	for (int i = 0; all[i]; i++)
		if (!strcmp(all[i], type))
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* "36 35 98:0 / /mnt rw shared:1 - ext4 /dev/sda1 rw": blanks in paths are escaped. */
int mounts_parse(char *text, int **ret)
{
	int n = 0, room = 0, *ids = NULL;
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		char *type = strstr(line, " - "), *end;
		long id = strtol(line, &end, 10);

		if (!type || end == line || *end != ' ' || id < 0 || id > 0x7fffffff)
			continue;
		type += 3;
		type[strcspn(type, " ")] = '\0';
		if (!is_local(type))
			continue;
		if (n == room) {
			int *more = reallocarray(ids, (size_t)room + 64, sizeof(*ids));

			if (!more) {
				free(ids);
				return -ENOMEM;
			}
			ids = more;
			room += 64;
		}
		ids[n++] = (int)id;
	}
	if (n)
		qsort(ids, (size_t)n, sizeof(*ids), compare);
	*ret = ids;
	return n;
}

/* All there is from the start, with a NUL behind it. */
static char *read_text(int fd)
{
	size_t len = 0, size = 16384;
	char *text = malloc(size), *more;
	ssize_t n = 1;

	if (lseek(fd, 0, SEEK_SET))
		n = -1;
	while (text && n > 0) {
		if (len + 1 == size) {
			more = size < MOUNTINFO_MAX ? realloc(text, size * 2) : NULL;
			if (!more)
				break;
			text = more;
			size *= 2;
		}
		n = read(fd, text + len, size - len - 1);
		len += n > 0 ? (size_t)n : 0;
	}
	if (!text || n) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

static bool knows(struct container_mounts *m, int id)
{
	struct pollfd p = { .fd = m->fd, .events = POLLPRI };
	char *text;

	if (m->fd < 0)
		return false;
	if (poll(&p, 1, 0) > 0 || !m->is_read) {
		free(m->local);
		m->local = NULL;
		m->n_local = 0;
		text = read_text(m->fd);
		m->is_read = text != NULL;
		m->n_local = text ? mounts_parse(text, &m->local) : 0;
		if (m->n_local < 0) {
			m->n_local = 0;
			m->is_read = false;
		}
		free(text);
	}
	return m->n_local && bsearch(&id, m->local, (size_t)m->n_local, sizeof(id), compare);
}

/* Also without asking, but not of every file system. */
static int mount_by_handle(int fd)
{
	struct file_handle h = { 0 };
	int id = -1;

	/* there is no room for the handle, only the number is wanted */
	return name_to_handle_at(fd, "", &h, &id, AT_EMPTY_PATH) && errno != EOVERFLOW ? -1 : id;
}

/* -1: not known. Before Linux 5.14 a program with file capabilities may not read its own fdinfo. */
static int mount_of(int fd)
{
	char path[40], text[256], *at;
	int info, id = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	if (info >= 0)
		(void)close(info);
	if (n <= 0)
		return mount_by_handle(fd);
	text[n] = '\0';
	at = strstr(text, "mnt_id:");
	return at && sscanf(at, "mnt_id: %d", &id) == 1 ? id : -1;
}

/*
 * The root directory's mount answers, or nothing would run from it; below chroot() the list of mounts need not have it.
 */
static int mount_of_root(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC), id = -1;

	if (fd >= 0) {
		id = mount_of(fd);
		(void)close(fd);
	}
	return id;
}

struct container_mounts *mounts_new(void)
{
	struct container_mounts *m = calloc(1, sizeof(*m));

	if (m) {
		m->fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
		m->root = mount_of_root();
	}
	return m;
}

int mounts_open(struct container_mounts *m, int at, const char *name, int *mount)
{
	/* not O_DIRECTORY: that mounts what waits to be mounted */
	int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), id;

	if (fd < 0)
		return -errno;
	id = mount_of(fd);
	if (id < 0 || (id != *mount && id != m->root && !knows(m, id))) {
		(void)close(fd);
		return -EXDEV;
	}
	*mount = id;
	return fd;
}
