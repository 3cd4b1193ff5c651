/* SPDX-License-Identifier: BSD-2-Clause */
/* See sweep.h. */
#include "base/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bpffs.h"
#include "base/log.h"
#include "base/netns.h"

#define AT_ONCE 64 /* more wait for the next command */

struct found {
	char dir[AT_ONCE][320];
	uint64_t inode[AT_ONCE];
	bool gone[AT_ONCE];
	size_t n;
};

static void find(const struct sweep_kind *kind, struct found *f)
{
	char root[256];
	struct dirent *e;
	DIR *d;

	(void)snprintf(root, sizeof(root), "%.200s/netprobe", bpffs_root());
	d = opendir(root);
	while (d && f->n < AT_ONCE && (e = readdir(d))) {
		if (strncmp(e->d_name, kind->prefix, strlen(kind->prefix)))
			continue;
		(void)snprintf(f->dir[f->n], sizeof(f->dir[0]), "%s/%.60s", root, e->d_name);
		f->inode[f->n] = kind->inode(f->dir[f->n]);
		f->n += f->inode[f->n] != 0;
	}
	if (d)
		(void)closedir(d);
}

/*
 * Held is asked for behind the lock: the number of a namespace that is gone may have been given again, and somebody
 * have attached there since.
 */
static void remove_all(const struct sweep_kind *kind, const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	DIR *d;

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) || bpffs_check_owner(fd, dir, NULL) || kind->is_held(dir))
		d = NULL;
	else
		d = opendir(dir);
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			(void)unlinkat(fd, e->d_name, 0);
	if (d) {
		(void)closedir(d);
		log_debug("%s: its network namespace is gone, %s", dir,
			  rmdir(dir) ? strerror(errno) : "removed");
	}
	(void)close(fd);
}

void sweep_folders(const struct sweep_kind *kind)
{
	struct found f = { .n = 0 };

	find(kind, &f);
	if (!f.n || netns_gone(f.inode, f.n, f.gone))
		return;
	for (size_t i = 0; i < f.n; i++)
		if (f.gone[i])
			remove_all(kind, f.dir[i]);
}
