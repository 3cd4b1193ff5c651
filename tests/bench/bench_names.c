/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it costs to know containers: us to read one's bundle when its cgroup is made, bytes to keep it, ns to look it up
 * again. Needs no privileges. Argument: number of containers (5000).
 */
#include <ftw.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "owner/container_name.h"

#define SECOND 1000000000ull
#define ROUNDS 200u
#define TASKS "/run/containerd/io.containerd.runtime.v2.task/k8s.io"
#define FIRST_ID (1ull << 40)

static uint64_t clock_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void make_dirs(char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		(void)mkdir(path, 0700);
		*p = '/';
	}
}

static void bundle(const char *root, unsigned int i)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s" TASKS "/%064x/config.json", root, i);
	make_dirs(path);
	f = fopen(path, "we");
	if (!f)
		exit(1);
	(void)fprintf(f,
		      "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"web-%u\","
		      "\"io.kubernetes.cri.image-name\":\"registry.example/shop/web:%u\","
		      "\"io.kubernetes.cri.sandbox-name\":\"web-%u-x7k2p\","
		      "\"io.kubernetes.cri.sandbox-namespace\":\"shop\"}}",
		      i, i, i);
	(void)fclose(f);
}

static void born(struct cgroup_table *t, unsigned int i)
{
	char path[256];

	(void)snprintf(path, sizeof(path),
		       "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-"
		       "pod6f8ed8ab_1c2d_4e5f_8a9b_0c1d%08x.slice/cri-containerd-%064x.scope",
		       i, i);
	cgroup_table_born(t, FIRST_ID + i, path, false, SECOND);
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? (unsigned int)atoi(argv[1]) : 5000, named = 0;
	char root[] = "/tmp/netprobe-bench.XXXXXX";
	struct cgroup_table *t;
	uint64_t from;
	size_t before;

	if (!n || !mkdtemp(root))
		return 1;
	for (unsigned int i = 0; i < n; i++)
		bundle(root, i);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	t = cgroup_table_name_by(cgroup_table_new("", 0), root);
	from = clock_ns();
	for (unsigned int i = 0; i < n; i++)
		born(t, i);
	printf("%-34s %9.1f us a container\n", "read when its cgroup is made",
	       (double)(clock_ns() - from) / 1e3 / n);
	printf("%-34s %9.2f MiB, %.0f bytes a container\n", "kept",
	       (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / 1048576,
	       (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / n);
	from = clock_ns();
	for (unsigned int r = 0; r < ROUNDS; r++)
		for (unsigned int i = 0; i < n; i++) {
			const struct cgroup *c =
				cgroup_table_get(t, FIRST_ID + i * 7919u % n, 2 * SECOND);

			named += cgroup_info(c)->name != NULL;
		}
	printf("%-34s %9.1f ns\n", "looked up again", (double)(clock_ns() - from) / ROUNDS / n);
	(void)cgroup_table_free(t);
	(void)nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (named != ROUNDS * n)
		(void)fprintf(stderr, "bench_names: %u of %u have names\n", named / ROUNDS, n);
	return named != ROUNDS * n;
}
