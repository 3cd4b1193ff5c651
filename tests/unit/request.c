/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of a control socket: what is understood, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/request.h"

static struct netprobe_error err;
static struct control_request q;

static int parse(const char *line)
{
	memset(&err, 0, sizeof(err));
	return request_parse(line, strlen(line), &q, &err);
}

static void each_request_is_understood(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"cmd\":\"info\"}"), 0);
	assert_int_equal(q.what, CONTROL_INFO);
	request_done(&q);
	assert_int_equal(parse("{\"cmd\":\"get\",\"key\":\"port\"}"), 0);
	assert_int_equal(q.what, CONTROL_GET);
	assert_string_equal(q.key, "port");
	request_done(&q);
	assert_int_equal(parse(" {\"cmd\":\"get\"} "), 0);
	assert_null(q.key);
	request_done(&q);
	assert_int_equal(parse("{\"cmd\":\"stats\"}"), 0);
	assert_int_equal(q.what, CONTROL_STATS);
	request_done(&q);
	assert_int_equal(parse("{\"cmd\":\"set\",\"values\":{\"port\":\"80,443\",\"max\":\"\"}}"),
			 0);
	assert_int_equal(q.what, CONTROL_SET);
	assert_int_equal(q.n, 2);
	assert_string_equal(q.pairs[0].key, "port");
	assert_string_equal(q.pairs[0].value, "80,443");
	assert_string_equal(q.pairs[1].value, "");
	request_done(&q);
}

static void anything_else_is_refused_with_what_is_taken(void **state)
{
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"1",
		"{}",
		"{\"cmd\":1}",
		"{\"cmd\":\"\"}",
		"{\"cmd\":\"reboot\"}",
		"{\"cmd\":\"get\",\"key\":1}",
		"{\"cmd\":\"get\"} x",
		"{\"cmd\":\"get\",\"cmd\":\"get\"}",
		"{\"cmd\":\"set\"}",
		"{\"cmd\":\"set\",\"values\":[]}",
		"{\"cmd\":\"set\",\"values\":{}}",
		"{\"cmd\":\"set\",\"values\":{\"port\":80}}",
		"{\"cmd\":\"set\",\"values\":{\"port\":\"1\",\"port\":\"2\"}}",
		"{\"cmd\":\"set\",\"values\":{\"port\":\"1\\u0000\"}}",
		"{\"cmd\":\"get\xff\"}",
		"{\"cmd\":\"get\"",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i]), -EINVAL);
		assert_non_null(strstr(err.msg, "; takes "));
	}
}

static void more_values_than_there_is_room_for_are_refused(void **state)
{
	char line[8192] = "{\"cmd\":\"set\",\"values\":{";
	size_t len = strlen(line);
	int i;

	(void)state;
	for (i = 0; i <= CONTROL_MAX_PAIRS; i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s\"k%d\":\"1\"",
					i ? "," : "", i);
	snprintf(line + len, sizeof(line) - len, "}}");
	assert_int_equal(parse(line), -EINVAL);
}

static void deep_nesting_is_refused(void **state)
{
	char line[10000];

	(void)state;
	memset(line, '[', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(parse(line), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_is_understood),
		cmocka_unit_test(anything_else_is_refused_with_what_is_taken),
		cmocka_unit_test(more_values_than_there_is_room_for_are_refused),
		cmocka_unit_test(deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
