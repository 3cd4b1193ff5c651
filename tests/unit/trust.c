/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files nobody but root can change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trust.h"

#define NAME_SIZE 256

static char folder[] = "/tmp/netprobe-trust.XXXXXX";

static int asked(const char *path)
{
	char copy[PATH_MAX];

	(void)snprintf(copy, sizeof(copy), "%s", path);
	return trust_only_root(copy, sizeof(copy));
}

static void make(char path[NAME_SIZE], const char *name, uid_t owner, mode_t mode)
{
	FILE *f;

	(void)snprintf(path, NAME_SIZE, "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(chmod(path, mode), 0);
	if (!geteuid())
		assert_int_equal(chown(path, owner, 0), 0);
}

static void a_file_of_root_s_is_taken(void **state)
{
	char path[64] = "/etc/../etc/passwd", small[8] = "/etc/.";

	(void)state;
	assert_int_equal(trust_only_root(path, sizeof(path)), 0);
	assert_string_equal(path, "/etc/passwd"); /* no link is left in it */
	assert_int_equal(trust_only_root(small, 4), -ENAMETOOLONG);
	assert_int_equal(asked("/etc/there-is-none"), -ENOENT);
	assert_int_equal(asked("/"), 0);
	assert_int_equal(asked("/tmp"), 0); /* sticky */
}

static void what_others_can_change_is_not(void **state)
{
	char path[NAME_SIZE], link[NAME_SIZE + 8];

	(void)state;
	make(path, "theirs", 65534, 0600);
	assert_int_equal(asked(path), -EPERM);
	make(path, "open", 0, 0666);
	assert_int_equal(asked(path), -EPERM);
	(void)snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(asked(link), 0); /* as what it leads to now */
	(void)unlink(link);
	if (geteuid())
		return;
	make(path, "root-s", 0, 0600);
	assert_int_equal(asked(path), 0);
	assert_int_equal(chown(folder, 65534, 0), 0); /* it can be exchanged */
	assert_int_equal(asked(path), -EPERM);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_of_root_s_is_taken),
		cmocka_unit_test(what_others_can_change_is_not),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
