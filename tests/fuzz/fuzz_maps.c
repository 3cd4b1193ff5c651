/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as what a process has mapped, by names it chose: a library is found that is there, or none. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owner/libc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char root[] = "/tmp/netprobe-fuzz.XXXXXX";

static void clean(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	(void)!system(command);
}

/* A folder like /proc, with one process. */
static int maps_new(void)
{
	char path[128];

	if (!mkdtemp(root) || atexit(clean))
		abort();
	for (unsigned int i = 0; i < 4; i++) {
		static const char *const folders[] = { "1", "1/ns", "1/root", "1/root/lib" };

		(void)snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
		if (mkdir(path, 0700))
			abort();
	}
	(void)snprintf(path, sizeof(path), "%s/1/ns/mnt", root);
	(void)close(open(path, O_WRONLY | O_CREAT, 0600));
	(void)snprintf(path, sizeof(path), "%s/1/root/lib/libc.so.6", root);
	(void)close(open(path, O_WRONLY | O_CREAT, 0600));
	(void)snprintf(path, sizeof(path), "%s/1/maps", root);
	return open(path, O_RDWR | O_CREAT, 0600);
}

static void on_library(const char *path, const char *name, void *arg)
{
	struct stat st;

	(void)arg;
	if (stat(path, &st) || !S_ISREG(st.st_mode) || strncmp(name, root, strlen(root)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int maps = -1;
	struct libc_finder *f;

	if (size > 65536)
		return 0;
	if (maps < 0)
		maps = maps_new();
	if (maps < 0 || ftruncate(maps, 0) || pwrite(maps, data, size, 0) != (ssize_t)size)
		abort();
	f = libc_finder_new(root);
	if (f)
		(void)libc_find(f, on_library, NULL);
	(void)libc_finder_free(f);
	return 0;
}
