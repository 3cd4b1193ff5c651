/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as what /proc says, where names of processes, interfaces, mount points and modules are in it. The first
 * byte chooses the file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cgroup2.h"
#include "capture/netdev.h"
#include "owner/stat.h"
#include "probe/ksyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_netdev(const struct netdev *d, void *arg)
{
	(void)arg;
	if (!memchr(d->name, '\0', sizeof(d->name)))
		abort();
}

static bool on_mount(const char *root, const char *point, const char *options, void *arg)
{
	/* read to their ends */
	*(size_t *)arg += strlen(root) + strlen(point) + strlen(options);
	return false;
}

/* A file with these bytes. */
static const char *file_of(const uint8_t *data, size_t size)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	return path;
}

static void read_stat(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);
	struct proc_stat st;

	if (!text)
		return;
	if (size)
		memcpy(text, data, size);
	if (!proc_stat_parse(text, &st) && !memchr(st.comm, '\0', sizeof(st.comm)))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t offset;
	struct ksyms *k;
	size_t n = 0;
	FILE *f;

	if (size < 1 || size > 65536)
		return 0;
	switch (data[0] % 4) {
	case 0:
		read_stat(data + 1, size - 1);
		break;
	case 1:
		f = fopen(file_of(data + 1, size - 1), "re");
		if (f && netdev_each(f, on_netdev, NULL) < 0)
			abort();
		if (f)
			(void)fclose(f);
		break;
	case 2:
		(void)cgroup2_mounts(file_of(data + 1, size - 1), on_mount, &n);
		break;
	case 3:
		k = ksyms_new(file_of(data + 1, size - 1));
		if (!k)
			break;
		for (unsigned int shift = 0; shift < 64; shift += 8)
			(void)ksyms_find(k, 0xffffffff81000000ULL >> shift, &offset);
		(void)ksyms_missing(k);
		(void)ksyms_free(k);
		break;
	}
	return 0;
}
