/* SPDX-License-Identifier: BSD-2-Clause */
/* See libc.h. */
#include "owner/libc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/*
 * The library a process has mapped, as it calls it: 1, 0 none (a static program), -ENOENT it has
 * nothing mapped (a kernel thread, or it may not be looked at).
 */
static int mapped_libc(const struct libc_finder *f, const char *pid, char path[PATH_MAX])
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
		found = at && strstr(line, " r-xp ") && strlen(at) < PATH_MAX && is_libc(at);
		if (found)
			(void)strcpy(path, at);
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

static bool is_new(struct libc_finder *f, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	for (unsigned int i = 0; i < f->n_libs; i++)
		if (f->libs[i].dev == st.st_dev && f->libs[i].ino == st.st_ino)
			return false;
	if (f->n_libs == LIBC_MAX) {
		f->left_out++;
		return false;
	}
	f->libs[f->n_libs].dev = st.st_dev;
	f->libs[f->n_libs++].ino = st.st_ino;
	return true;
}

static int look_at(struct libc_finder *f, const char *pid, libc_fn fn, void *arg)
{
	char path[PATH_MAX], full[PATH_MAX + 96];
	struct mount_ns *ns = namespace_of(f, pid);
	int r;

	if (!ns)
		return 0;
	r = mapped_libc(f, pid, path);
	if (r <= 0) {
		ns->tries += r == 0;
		return 0;
	}
	ns->found = true;
	(void)snprintf(full, sizeof(full), "%s/%.16s/root%s", f->proc_root, pid, path);
	if (!is_new(f, full))
		return 0;
	fn(full, arg);
	return 1;
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
