/* SPDX-License-Identifier: BSD-2-Clause */
/* struct buf: numbers, growth, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"

static void check_text(struct buf *b, const char *want)
{
	assert_string_equal(buf_str(b), want);
	buf_reset(b);
}

static void buf_writes_unsigned_numbers_of_every_length(void **state)
{
	struct buf b = { 0 };
	char want[32];
	uint64_t v = 0;
	int i;

	(void)state;
	for (i = 0; i <= 20; i++, v = v * 10 + 9) {
		(void)snprintf(want, sizeof(want), "%llu", (unsigned long long)v);
		buf_u64(&b, v);
		check_text(&b, want);
	}
	buf_u64(&b, UINT64_MAX);
	check_text(&b, "18446744073709551615");
	buf_i64(&b, INT64_MIN);
	check_text(&b, "-9223372036854775808");
	buf_done(&b);
}

static void buf_writes_doubles_without_trailing_zeros(void **state)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "0" },
		{ 125.5, "125.5" },
		{ 0.001, "0.001" },
		{ 0.0004, "0" },
		{ -0.0004, "0" },
		{ -1.25, "-1.25" },
		{ 0.9999, "1" },
		{ 99.999, "99.999" },
		{ 10.01, "10.01" },
		{ 1e15, "1000000000000000" },
		{ 1e15 - 0.5, "999999999999999.5" },
	};
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_double(&b, cases[i].v);
		check_text(&b, cases[i].text);
	}
	buf_done(&b);
}

static void three_digits_are_those_of_printf(void **state)
{
	static const double large[] = {
		1e12 + 0.125, 1e15, -1e300, 123456789.0635, -1.25, -0.9999
	};
	char text[400], want[400];

	(void)state;
	for (unsigned int milli = 0; milli < 3000000; milli += 1 + milli / 50000) {
		int n = snprintf(want, sizeof(want), "%.3f", milli / 1e3);

		assert_int_equal(fmt_milli(text, sizeof(text), milli / 1e3), n);
		assert_string_equal(text, want);
	}
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		snprintf(want, sizeof(want), "%.3f", large[i]);
		fmt_milli(text, sizeof(text), large[i]);
		assert_string_equal(text, want);
	}
	assert_int_equal(fmt_milli(text, 4, 123.456), 7);
	assert_string_equal(text, "123");
	fmt_milli(text, sizeof(text), -0.0001); /* as buf_double, which has no negative nothing */
	assert_string_equal(text, "0.000");
}

static void buf_writes_null_for_what_json_has_no_number_for(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_double(&b, NAN);
	buf_double(&b, INFINITY);
	buf_double(&b, -INFINITY);
	check_text(&b, "nullnullnull");
	buf_done(&b);
}

static void buf_time_agrees_with_gmtime(void **state)
{
	struct buf b = { 0 };
	char want[64], head[32];
	uint64_t secs;
	unsigned int i;
	struct tm tm;
	time_t t;

	(void)state;
	srandom(1);
	for (i = 0; i < 20000; i++) {
		secs = ((uint64_t)random() * 9 + i) % 18446744073ull;
		t = (time_t)secs;
		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &tm) > 0);
		(void)snprintf(want, sizeof(want), "%s.%09uZ", head, i);
		buf_time_ns(&b, secs * 1000000000ull + i);
		check_text(&b, want);
	}
	buf_done(&b);
}

static void buf_time_knows_the_leap_days(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_time_ns(&b, 951782399999999999ull);
	check_text(&b, "2000-02-28T23:59:59.999999999Z");
	buf_time_ns(&b, 951782400000000000ull);
	check_text(&b, "2000-02-29T00:00:00.000000000Z");
	buf_time_ns(&b, 0);
	check_text(&b, "1970-01-01T00:00:00.000000000Z");
	buf_time_ns(&b, UINT64_MAX);
	check_text(&b, "2554-07-21T23:34:33.709551615Z");
	buf_done(&b);
}

static void buf_printf_and_put_grow_past_the_first_allocation(void **state)
{
	struct buf b = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		buf_printf(&b, "%05u,", i);
	assert_int_equal(b.len, 6000);
	assert_memory_equal(b.data + 5994, "00999,", 6);
	buf_done(&b);
	assert_null(b.data);
}

static void buf_refuses_sizes_that_overflow(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_putc(&b, 'x');
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOMEM);
	buf_puts(&b, "ignored");
	assert_int_equal(b.len, 1);
	assert_int_equal(b.err, -ENOMEM);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_writes_unsigned_numbers_of_every_length),
		cmocka_unit_test(buf_writes_doubles_without_trailing_zeros),
		cmocka_unit_test(three_digits_are_those_of_printf),
		cmocka_unit_test(buf_writes_null_for_what_json_has_no_number_for),
		cmocka_unit_test(buf_time_agrees_with_gmtime),
		cmocka_unit_test(buf_time_knows_the_leap_days),
		cmocka_unit_test(buf_printf_and_put_grow_past_the_first_allocation),
		cmocka_unit_test(buf_refuses_sizes_that_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
