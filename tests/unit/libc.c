/* SPDX-License-Identifier: BSD-2-Clause */
/* Which C libraries run, from a made-up /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owner/libc.h"

static char root[] = "/tmp/netprobe-libc.XXXXXX", found[1024];

/* A process: what it has mapped (NULL: nothing), and its mount namespace, a file here. */
static void process(int pid, const char *mapped, const char *ns)
{
	char command[1024];

	(void)snprintf(command, sizeof(command),
		       "cd %s && mkdir -p %d/ns %d/root/lib && touch %s && ln %s %d/ns/mnt && "
		       "printf '%%s' '%s' >%d/maps",
		       root, pid, pid, ns, ns, pid, mapped ? mapped : "", pid);
	assert_int_equal(system(command), 0);
}

static void library(int pid, const char *name)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%d/root/lib/%s", root, pid, name);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fclose(f);
}

static void on_library(const char *path, void *arg)
{
	(void)arg;
	(void)strcat(strcat(found, path + strlen(root)), " ");
}

#define MAP "7f00-7f01 r-xp 00000000 fe:00 1  /lib/"

static void each_library_is_told_once(void **state)
{
	struct libc_finder *f;

	(void)state;
	assert_non_null(mkdtemp(root));
	process(2, NULL, "host"); /* a kernel thread */
	process(10, MAP "libc.so.6\n", "host");
	library(10, "libc.so.6");
	process(11, MAP "libc.so.6\n", "host");
	library(11, "libc.so.6"); /* another file: a namespace is looked at once */
	process(20, "7f00-7f01 r-xp 0 fe:00 1 /pause\n", "pod"); /* static */
	f = libc_finder_new(root);
	assert_int_equal(libc_find(f, on_library, NULL), 1);
	assert_true(strstr(found, "/libc.so.6 "));
	found[0] = '\0';
	process(21, MAP "ld-musl-x86_64.so.1\n", "pod"); /* started later */
	library(21, "ld-musl-x86_64.so.1");
	assert_int_equal(libc_find(f, on_library, NULL), 1);
	assert_string_equal(found, "/21/root/lib/ld-musl-x86_64.so.1 ");
	assert_int_equal(libc_find(f, on_library, NULL), 0);
	assert_int_equal(libc_left_out(f), 0);
	(void)libc_finder_free(f);
}

static int remove_root(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_library_is_told_once) };

	return cmocka_run_group_tests(tests, NULL, remove_root);
}
