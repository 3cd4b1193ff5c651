/* SPDX-License-Identifier: BSD-2-Clause */
/* struct netprobe_error: one line, prefixes, truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"

static void error_set_returns_the_code_and_clears_the_hint(void **state)
{
	struct netprobe_error err = { .hint = "old" };

	(void)state;
	assert_int_equal(error_set(&err, -ENOENT, "no %s", "file"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.msg, "no file");
	assert_string_equal(err.hint, "");
	assert_int_equal(error_set(NULL, -EPERM, "x"), -EPERM);
	error_hint(NULL, "x");
	error_prefix(NULL, "x");
}

static void error_messages_stay_one_line(void **state)
{
	struct netprobe_error err;

	(void)state;
	(void)error_set(&err, -EINVAL, "'a\nb\033[2J\x7f\xff' is \xc3\xa9");
	assert_string_equal(err.msg, "'a?b?[2J?"
				     "?' is \xc3\xa9");
	error_hint(&err, "x\ry");
	assert_string_equal(err.hint, "x?y");
}

static void error_prefix_keeps_code_and_hint(void **state)
{
	struct netprobe_error err;

	(void)state;
	(void)error_set(&err, -EINVAL, "'x' is not a port");
	error_hint(&err, "try 80");
	error_prefix(&err, "--%s", "port");
	assert_string_equal(err.msg, "--port: 'x' is not a port");
	assert_string_equal(err.hint, "try 80");
	assert_int_equal(err.code, -EINVAL);
}

static void error_set_may_quote_its_own_message(void **state)
{
	struct netprobe_error err;

	(void)state;
	(void)error_set(&err, -EINVAL, "inner");
	(void)error_set(&err, -EIO, "outer: %s", err.msg);
	assert_string_equal(err.msg, "outer: inner");
}

static void error_truncates_long_text_without_half_characters(void **state)
{
	struct netprobe_error err;
	char text[600];
	size_t i;

	(void)state;
	for (i = 0; i < 598; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[i] = '\0';
	(void)error_set(&err, -EINVAL, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_int_equal(err.msg[254], '?');
	error_prefix(&err, "x");
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_set_returns_the_code_and_clears_the_hint),
		cmocka_unit_test(error_messages_stay_one_line),
		cmocka_unit_test(error_prefix_keeps_code_and_hint),
		cmocka_unit_test(error_set_may_quote_its_own_message),
		cmocka_unit_test(error_truncates_long_text_without_half_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
