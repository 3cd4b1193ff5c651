/* SPDX-License-Identifier: BSD-2-Clause */
/* What the live view keeps: a disk that is full costs the new settings, never the old ones. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/keep.h"

#define OLD "sort: tx\n"

static char home[] = "/tmp/netprobe-keep.XXXXXX";

/* A limit is what a full disk is, and needs no disk. */
static void limit(rlim_t bytes)
{
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &now), 0);
	now.rlim_cur = bytes < now.rlim_max ? bytes : now.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

/* 1: top.yaml, and nothing beside it. */
static unsigned int files(void)
{
	char path[64];
	unsigned int n = 0;
	struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/netprobe", home);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(d);
	return n;
}

static void settings_that_find_no_room_leave_the_old_ones(void **state)
{
	char text[4096], got[8192];

	(void)state;
	memset(text, '#', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(keep_write(OLD), 0);
	limit(100);
	assert_int_equal(keep_write(text), -EFBIG);
	limit(RLIM_INFINITY);
	assert_int_equal(keep_read(got, sizeof(got)), 0);
	assert_string_equal(got, OLD);
	assert_int_equal(files(), 1);
	assert_int_equal(keep_write(text), 0);
	assert_int_equal(keep_read(got, sizeof(got)), 0);
	assert_string_equal(got, text);
	assert_int_equal(files(), 1);
}

static int set_up(void **state)
{
	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN); /* as the program has it */
	return mkdtemp(home) && !setenv("XDG_CONFIG_HOME", home, 1) ? 0 : -1;
}

static int tear_down(void **state)
{
	char path[96];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/netprobe/top.yaml", home);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/netprobe", home);
	(void)rmdir(path);
	return rmdir(home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_that_find_no_room_leave_the_old_ones),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
