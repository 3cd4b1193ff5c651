/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose folders pins are taken from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bpffs.h"

#define THEIRS 65534

static char top[] = "/tmp/netprobe-bpffs.XXXXXX", mid[64], dir[96];

/* Of the root, the folder in it and the one in that: owner and mode; what is said of the last. */
static int asked(uid_t top_uid, mode_t top_mode, uid_t mid_uid, mode_t mid_mode, uid_t uid,
		 mode_t mode)
{
	struct netprobe_error err = { 0 };
	int fd, r;

	assert_int_equal(chown(top, top_uid, 0) | chown(mid, mid_uid, 0) | chown(dir, uid, 0), 0);
	assert_int_equal(chmod(top, top_mode) | chmod(mid, mid_mode) | chmod(dir, mode), 0);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	r = bpffs_check_owner(fd, dir, &err);
	assert_int_equal(!r, !err.msg[0]);
	assert_null(strstr(err.hint, "..")); /* rm takes no such path */
	(void)close(fd);
	return r;
}

static void as_root_folders_that_others_can_exchange_are_refused(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(asked(0, 0700, 0, 0700, 0, 0700), 0);
	assert_int_equal(asked(0, 01777, 0, 0755, 0, 0700), 0); /* as the kernel makes one */
	assert_int_equal(asked(0, 0700, 0, 0700, THEIRS, 0700), -EPERM);
	assert_int_equal(asked(0, 0700, 0, 0700, 0, 0770), -EPERM);
	/* who was first in a root where all may write */
	assert_int_equal(asked(0, 01777, THEIRS, 0755, 0, 0700), -EPERM);
	assert_int_equal(asked(0, 01777, 0, 0777, 0, 0700), -EPERM);
	assert_int_equal(asked(0, 01777, 0, 01777, 0, 0700), -EPERM);
	assert_int_equal(asked(0, 0777, 0, 0755, 0, 0700), -EPERM);
	assert_int_equal(asked(THEIRS, 0755, 0, 0755, 0, 0700), -EPERM);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(mid, sizeof(mid), "%s/netprobe", top);
	(void)snprintf(dir, sizeof(dir), "%s/guard-1", mid);
	return mkdir(mid, 0700) || mkdir(dir, 0700) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(dir) || rmdir(mid) || rmdir(top) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_root_folders_that_others_can_exchange_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
