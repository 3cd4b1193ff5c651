/* SPDX-License-Identifier: BSD-2-Clause */
/* The log as it arrives on stderr, which is a pipe here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static int real_stderr, pipe_out;
static char text[4096];

static int redirect(void **state)
{
	int fds[2];

	(void)state;
	if (pipe(fds) < 0)
		return -1;
	real_stderr = dup(STDERR_FILENO);
	if (real_stderr < 0 || dup2(fds[1], STDERR_FILENO) < 0)
		return -1;
	(void)close(fds[1]);
	pipe_out = fds[0];
	log_set_level(LOG_NOTICE);
	log_set_ident("netprobe");
	return unsetenv("JOURNAL_STREAM");
}

static const char *collect(void)
{
	ssize_t n;

	(void)dup2(real_stderr, STDERR_FILENO);
	n = read(pipe_out, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static int restore(void **state)
{
	(void)state;
	(void)dup2(real_stderr, STDERR_FILENO);
	(void)close(real_stderr);
	return close(pipe_out);
}

static void log_prints_the_default_levels_only(void **state)
{
	(void)state;
	log_err("e%d", 1);
	log_warn("w");
	log_notice("n");
	log_info("i");
	log_debug("d");
	assert_string_equal(collect(), "netprobe: e1\nnetprobe: warning: w\nnetprobe: n\n");
}

static void log_level_is_clamped(void **state)
{
	(void)state;
	log_set_level(99);
	assert_int_equal(log_level(), LOG_DEBUG);
	log_set_level(-1);
	assert_int_equal(log_level(), LOG_ERR);
	log_warn("hidden");
	log_err("shown");
	assert_string_equal(collect(), "netprobe: shown\n");
}

static void log_starts_with_the_command_that_speaks(void **state)
{
	(void)state;
	log_set_ident("netprobe events");
	log_err("--port: '99999' is not a port");
	assert_string_equal(collect(), "netprobe events: --port: '99999' is not a port\n");
}

static void log_lines_are_one_line_and_harmless(void **state)
{
	(void)state;
	log_err("a\nb\tc\033[2J\n\n");
	assert_string_equal(collect(), "netprobe: a b c?[2J\n");
}

static void log_keeps_errno_and_understands_percent_m(void **state)
{
	(void)state;
	errno = ENOENT;
	log_err("open: %m");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(collect(), "netprobe: open: No such file or directory\n");
}

static void log_cuts_long_lines_and_still_ends_them(void **state)
{
	char big[3000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_err("%s", big);
	(void)collect();
	assert_true(strlen(text) <= 1024);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void log_prefixes_priorities_under_a_service_manager(void **state)
{
	struct stat st;
	char env[64];

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(env, sizeof(env), "%llu:%llu", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", env, 1), 0);
	log_warn("w");
	/* Inherited, but stderr goes elsewhere: no prefix. */
	assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	log_warn("w");
	assert_string_equal(collect(), "<4>w\nnetprobe: warning: w\n");
}

static int arrived(void)
{
	int n = 0;

	assert_int_equal(ioctl(pipe_out, FIONREAD, &n), 0);
	return n;
}

static void log_waits_while_the_terminal_is_a_screen(void **state)
{
	(void)state;
	log_hold(true);
	log_notice("one");
	assert_int_equal(arrived(), 0);
	log_hold(false);
	log_notice("two");
	assert_string_equal(collect(), "netprobe: one\nnetprobe: two\n");
}

static void log_keeps_the_newest_of_what_waits(void **state)
{
	(void)state;
	log_hold(true);
	for (unsigned int i = 0; i < 10000; i++)
		log_notice("line %u", i);
	log_hold(false);
	assert_in_range(arrived(), 8000, 8300);
	collect();
	assert_null(strstr(text, "line 0\n"));
	assert_memory_equal(text, "netprobe: line 9", 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(log_prints_the_default_levels_only, redirect,
						restore),
		cmocka_unit_test_setup_teardown(log_level_is_clamped, redirect, restore),
		cmocka_unit_test_setup_teardown(log_starts_with_the_command_that_speaks, redirect,
						restore),
		cmocka_unit_test_setup_teardown(log_lines_are_one_line_and_harmless, redirect,
						restore),
		cmocka_unit_test_setup_teardown(log_keeps_errno_and_understands_percent_m, redirect,
						restore),
		cmocka_unit_test_setup_teardown(log_cuts_long_lines_and_still_ends_them, redirect,
						restore),
		cmocka_unit_test_setup_teardown(log_prefixes_priorities_under_a_service_manager,
						redirect, restore),
		cmocka_unit_test_setup_teardown(log_waits_while_the_terminal_is_a_screen, redirect,
						restore),
		cmocka_unit_test_setup_teardown(log_keeps_the_newest_of_what_waits, redirect,
						restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
