/* SPDX-License-Identifier: BSD-2-Clause */
/* Pins of network namespaces that are gone. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sweep.h"
#include "guard/guard.h"

static uint64_t inode_of(const char *dir)
{
	return strtoull(strrchr(dir, '-') + 1, NULL, 10);
}

/* A link at an interface that is there: with its namespace it loses that. */
static bool is_live(const char *path)
{
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_obj_get(path);
	bool live;

	if (fd < 0)
		return true;
	/* One place for XDP and TCX. */
	live = bpf_obj_get_info_by_fd(fd, &info, &len) || info.xdp.ifindex;
	(void)close(fd);
	return live;
}

static bool is_held(const char *dir)
{
	static const char *const at[] = { "xdp-", "in-", "out-" };
	bool held = false;
	struct dirent *e;
	char path[512];
	DIR *d = opendir(dir);

	while (d && !held && (e = readdir(d))) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++)
			if (!strncmp(e->d_name, at[i], strlen(at[i])))
				held = is_live(path);
	}
	if (d)
		(void)closedir(d);
	return held;
}

void guard_sweep_folders(void)
{
	static const struct sweep_kind kind = { "guard-", inode_of, is_held };

	sweep_folders(&kind);
}
