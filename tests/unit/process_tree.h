/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc and cgroup trees in a temporary folder, made by the test that reads them. Include after
 * cmocka.h, in one file of a test program only.
 */
#ifndef NETPROBE_TESTS_PROCESS_TREE_H
#define NETPROBE_TESTS_PROCESS_TREE_H

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK_NS 10000000ull /* USER_HZ 100 */

struct tree {
	char root[64];
};

static inline int tree_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void tree_open(struct tree *t)
{
	(void)strcpy(t->root, "/tmp/netprobe-test-XXXXXX");
	assert_non_null(mkdtemp(t->root));
}

static inline void tree_remove(const char *path)
{
	(void)nftw(path, tree_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void tree_path(const struct tree *t, char *buf, size_t size, const char *path)
{
	int n = snprintf(buf, size, "%s/%s", t->root, path);

	assert_true(n > 0 && (size_t)n < size);
}

/* With all folders above it. */
static inline void tree_dir(const struct tree *t, const char *path)
{
	char full[512], *p;

	tree_path(t, full, sizeof(full), path);
	for (p = full + strlen(t->root) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		(void)mkdir(full, 0755);
	}
	(void)mkdir(full, 0755);
}

static inline void tree_file(const struct tree *t, const char *path, const char *text)
{
	char full[512];
	FILE *f;

	tree_path(t, full, sizeof(full), path);
	f = fopen(full, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void tree_put(const struct tree *t, const char *folder, const char *file,
			    const char *text)
{
	char path[512];

	tree_dir(t, folder);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, file);
	tree_file(t, path, text);
}

/* For a test's setup and teardown: *state is a tree. */
static inline int tree_setup(void **state)
{
	static struct tree t;

	tree_open(&t);
	*state = &t;
	return 0;
}

static inline int tree_teardown(void **state)
{
	tree_remove(((struct tree *)*state)->root);
	return 0;
}

/* A process as /proc shows it. */
static inline void tree_process(const struct tree *t, uint32_t tgid, const char *comm, char state,
				uint32_t threads, uint64_t start_ticks, const char *exe)
{
	char path[64], full[512], text[512];

	(void)snprintf(path, sizeof(path), "%u", tgid);
	tree_dir(t, path);
	(void)snprintf(path, sizeof(path), "%u/stat", tgid);
	(void)snprintf(text, sizeof(text),
		       "%u (%s) %c 1 %u %u 0 -1 4194560 1000 0 0 0 5 3 0 0 20 0 %u 0 %" PRIu64
		       " 2400256 200 18446744073709551615 1 1 0 0 0 0 0 0 0\n",
		       tgid, comm, state, tgid, tgid, threads, start_ticks);
	tree_file(t, path, text);
	(void)snprintf(path, sizeof(path), "%u/exe", tgid);
	tree_path(t, full, sizeof(full), path);
	(void)unlink(full);
	if (exe)
		assert_int_equal(symlink(exe, full), 0);
}

static inline void tree_process_gone(const struct tree *t, uint32_t tgid)
{
	char path[16], full[512];

	(void)snprintf(path, sizeof(path), "%u", tgid);
	tree_path(t, full, sizeof(full), path);
	tree_remove(full);
}

#endif
