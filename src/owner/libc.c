/* SPDX-License-Identifier: BSD-2-Clause */
/* See libc.h. */
#include "owner/libc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMESPACES 512
#define TRIES 16 /* processes of a namespace looked at; a container's first may be static */

struct mount_ns {
	uint64_t inode;
	unsigned int tries;
	bool found;
};

struct libc_finder {
	char proc_root[64];
	struct mount_ns ns[NAMESPACES];
	unsigned int n_ns;
	struct {
		dev_t dev;
		ino_t ino;
	} libs[LIBC_MAX];
	unsigned int n_libs;
	uint32_t left_out;
};

struct libc_finder *libc_finder_new(const char *proc_root)
{
	struct libc_finder *f = calloc(1, sizeof(*f));

	if (f)
		(void)snprintf(f->proc_root, sizeof(f->proc_root), "%s", proc_root);
	return f;
}

struct libc_finder *libc_finder_free(struct libc_finder *f)
{
	free(f);
	return NULL;
}

uint32_t libc_left_out(const struct libc_finder *f)
{
	return f->left_out;
}

/* glibc as it is called since 2.34 and before, and musl, which is its own loader. */
static bool is_libc(const char *path)
{
	const char *base = strrchr(path, '/');

	return base && (!strcmp(base, "/libc.so.6") || !strncmp(base, "/libc-2.", 8) ||
			!strncmp(base, "/ld-musl-", 9));
}

/* A library that a process has mapped. */
struct mapped {
	char range[40]; /* its addresses, as the folder map_files has them */
	unsigned long long ino;
	char path[PATH_MAX]; /* as the process calls it */
};

/* 1, 0 none (a static program), -ENOENT it has nothing mapped (a kernel thread, or it may not be looked at). */
static int mapped_libc(const struct libc_finder *f, const char *pid, struct mapped *ret)
{
	char file[96], *line = NULL, *at;
	size_t size = 0;
	bool found = false, any = false;
	FILE *maps;

	(void)snprintf(file, sizeof(file), "%s/%.16s/maps", f->proc_root, pid);
	maps = fopen(file, "re");
	if (!maps)
		return -ENOENT;
	while (!found && getline(&line, &size, maps) > 0) {
		any = true;
		line[strcspn(line, "\n")] = '\0';
		at = strchr(line, '/');
		found = at && strstr(line, " r-xp ") && strlen(at) < PATH_MAX && is_libc(at) &&
			sscanf(line, "%39s %*s %*s %*s %llu", ret->range, &ret->ino) == 2;
		if (found)
			(void)strcpy(ret->path, at);
	}
	free(line);
	(void)fclose(maps);
	return any ? found : -ENOENT;
}

/* NULL: nothing more to be done for this one. */
static struct mount_ns *namespace_of(struct libc_finder *f, const char *pid)
{
	char path[96];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%.16s/ns/mnt", f->proc_root, pid);
	if (stat(path, &st))
		return NULL;
	for (unsigned int i = 0; i < f->n_ns; i++)
		if (f->ns[i].inode == st.st_ino)
			return f->ns[i].found || f->ns[i].tries >= TRIES ? NULL : &f->ns[i];
	if (f->n_ns == NAMESPACES) {
		f->left_out++;
		return NULL;
	}
	f->ns[f->n_ns] = (struct mount_ns){ .inode = st.st_ino };
	return &f->ns[f->n_ns++];
}

/*
 * The file itself, opened for nothing (O_PATH): what has its name now may be another one, a FIFO that nobody writes to among
 * them. The kernel's own link to what is mapped takes CAP_CHECKPOINT_RESTORE; without it is the file of that name that
 * has the inode of what is mapped.
 */
static int open_mapped(const struct libc_finder *f, const char *pid, const struct mapped *m,
		       struct stat *ret_st)
{
	char path[PATH_MAX + 96];
	bool by_name;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%.16s/map_files/%s", f->proc_root, pid, m->range);
	fd = open(path, O_PATH | O_CLOEXEC);
	by_name = fd < 0;
	if (by_name) {
		(void)snprintf(path, sizeof(path), "%s/%.16s/root%s", f->proc_root, pid, m->path);
		fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	if (!fstat(fd, ret_st) && S_ISREG(ret_st->st_mode) &&
	    (!by_name || ret_st->st_ino == m->ino))
		return fd;
	(void)close(fd);
	return -ESTALE;
}

static bool is_new(struct libc_finder *f, const struct stat *st)
{
	for (unsigned int i = 0; i < f->n_libs; i++)
		if (f->libs[i].dev == st->st_dev && f->libs[i].ino == st->st_ino)
			return false;
	if (f->n_libs == LIBC_MAX) {
		f->left_out++;
		return false;
	}
	f->libs[f->n_libs].dev = st->st_dev;
	f->libs[f->n_libs++].ino = st->st_ino;
	return true;
}

static int look_at(struct libc_finder *f, const char *pid, libc_fn fn, void *arg)
{
	char path[32], name[PATH_MAX + 96];
	struct mount_ns *ns = namespace_of(f, pid);
	struct mapped m;
	struct stat st;
	int r, fd;

	if (!ns)
		return 0;
	r = mapped_libc(f, pid, &m);
	if (r <= 0) {
		ns->tries += r == 0;
		return 0;
	}
	fd = open_mapped(f, pid, &m, &st);
	if (fd < 0) {
		ns->tries++; /* somebody else there may have it whole */
		return 0;
	}
	ns->found = true;
	r = is_new(f, &st);
	if (r) {
		(void)snprintf(name, sizeof(name), "%s/%.16s/root%s", f->proc_root, pid, m.path);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		fn(path, name, arg);
	}
	(void)close(fd);
	return r;
}

int libc_find(struct libc_finder *f, libc_fn fn, void *arg)
{
	DIR *dir = opendir(f->proc_root);
	const struct dirent *e;
	int n = 0;

	if (!dir)
		return -errno;
	while ((e = readdir(dir)))
		if (isdigit((unsigned char)e->d_name[0]))
			n += look_at(f, e->d_name, fn, arg);
	(void)closedir(dir);
	return n;
}
