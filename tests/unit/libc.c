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

/* A process: what it has mapped (NULL: nothing), its inode and name; and its mount namespace, a file here. */
static void process(int pid, const char *mapped, const char *ns)
{
	char command[1024];

	(void)snprintf(command, sizeof(command),
		       "cd %s && mkdir -p %d/ns %d/root/lib && touch %s && ln %s %d/ns/mnt && "
		       "printf '%%s' '%s' >%d/maps",
		       root, pid, pid, ns, ns, pid, mapped ? mapped : "", pid);
	assert_int_equal(system(command), 0);
}

/* A file in the root of a process, which has it mapped. */
static void library(int pid, const char *name)
{
	char path[256];
	struct stat st;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%d/root/lib/%s", root, pid, name);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(stat(path, &st), 0);
	(void)snprintf(path, sizeof(path), "%s/%d/maps", root, pid);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fprintf(f, "7f00-7f01 r-xp 00000000 fe:00 %llu  /lib/%s\n",
		      (unsigned long long)st.st_ino, name);
	(void)fclose(f);
}

static void on_library(const char *path, const char *name, void *arg)
{
	struct stat st;

	(void)arg;
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	(void)strcat(strcat(found, name + strlen(root)), " ");
}

static void each_library_is_told_once(void **state)
{
	struct libc_finder *f;

	(void)state;
	assert_non_null(mkdtemp(root));
	process(2, NULL, "host"); /* a kernel thread */
	process(10, NULL, "host");
	library(10, "libc.so.6");
	process(11, NULL, "host");
	library(11, "libc.so.6"); /* another file: a namespace is looked at once */
	process(20, "7f00-7f01 r-xp 0 fe:00 1 /pause\n", "pod"); /* static */
	f = libc_finder_new(root);
	assert_int_equal(libc_find(f, on_library, NULL), 1);
	assert_true(strstr(found, "/libc.so.6 "));
	found[0] = '\0';
	process(21, NULL, "pod"); /* started later */
	library(21, "ld-musl-x86_64.so.1");
	assert_int_equal(libc_find(f, on_library, NULL), 1);
	assert_string_equal(found, "/21/root/lib/ld-musl-x86_64.so.1 ");
	assert_int_equal(libc_find(f, on_library, NULL), 0);
	assert_int_equal(libc_left_out(f), 0);
	(void)libc_finder_free(f);
}

/* The name of the library of that process leads to what command puts there; what it has mapped is another file. */
static void check_not_told(int pid, const char *command)
{
	struct libc_finder *f = libc_finder_new(root);
	char ns[16], whole[1024];

	(void)snprintf(ns, sizeof(ns), "ns%d", pid);
	process(pid, NULL, ns);
	library(pid, "libc.so.6");
	(void)snprintf(whole, sizeof(whole), "cd %s/%d/root/lib && mv libc.so.6 mapped && %s", root,
		       pid, command);
	assert_int_equal(system(whole), 0);
	found[0] = '\0';
	(void)libc_find(f, on_library, NULL);
	(void)snprintf(whole, sizeof(whole), "/%d/", pid);
	assert_null(strstr(found, whole));
	(void)libc_finder_free(f);
}

static void what_has_the_name_of_a_library_is_not_opened(void **state)
{
	(void)state;
	check_not_told(30, "mkfifo libc.so.6");
	check_not_told(31, "ln -s mapped libc.so.6");
	check_not_told(32, "cp mapped libc.so.6");
	check_not_told(33, "mkdir libc.so.6");
}

/* With the right to it the kernel's link to what is mapped counts, whatever has the name. */
static void what_is_mapped_is_opened_itself(void **state)
{
	struct libc_finder *f = libc_finder_new(root);
	char command[512];

	(void)state;
	process(40, NULL, "ns40");
	library(40, "libc.so.6");
	(void)snprintf(command, sizeof(command),
		       "cd %s/40 && mv root/lib/libc.so.6 mapped && mkfifo root/lib/libc.so.6 && "
		       "mkdir map_files && ln -s ../mapped map_files/7f00-7f01",
		       root);
	assert_int_equal(system(command), 0);
	found[0] = '\0';
	(void)libc_find(f, on_library, NULL);
	assert_non_null(strstr(found, "/40/root/lib/libc.so.6 "));
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_library_is_told_once),
		cmocka_unit_test(what_has_the_name_of_a_library_is_not_opened),
		cmocka_unit_test(what_is_mapped_is_opened_itself),
	};

	return cmocka_run_group_tests(tests, NULL, remove_root);
}
