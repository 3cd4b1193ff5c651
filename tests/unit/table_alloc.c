/* SPDX-License-Identifier: BSD-2-Clause */
/* Each allocation of buffers, tables, options fails once: -ENOMEM, no leak, no half row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "alloc_fail.h"
#include "base/args.h"
#include "out/event.h"
#include "out/table.h"

#define MANY 10000 /* more than any of these has allocations */

static char big[3000];

/* Run what() with the 1st, 2nd, ... allocation failing until none is reached any more. */
static void sweep(int (*what)(void))
{
	unsigned int n;
	int r;

	memset(big, 'x', sizeof(big) - 1);
	for (n = 1; n < MANY; n++) {
		alloc_fail_nth(n);
		r = what();
		if (!alloc_failed) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	alloc_fail_nth(0);
	assert_true(n > 1 && n < MANY);
}

static int fill_buf(void)
{
	struct buf b = { 0 };
	int i, r;

	for (i = 0; i < 50; i++) {
		json_kv_str(&b, "key", big);
		buf_printf(&b, "%s", big);
		buf_u64(&b, 1);
		buf_time_ns(&b, 1);
	}
	r = b.err;
	buf_done(&b);
	return r;
}

static int write_events(void)
{
	struct process p = { .tgid = 1, .comm = "x", .exe = big };
	struct event ev = {
		.value = "1", .owner = &p, .owner_match = NP_MATCH_EXACT, .has_owner_field = true
	};
	struct buf b = { 0 };
	int i, r = 0;

	for (i = 0; i < 8 && r == 0; i++) {
		size_t before = b.len;

		ev.kind = (uint8_t)(i % EVENT_MAX);
		r = i % 2 ? event_write_json(&b, &ev, "h") : event_write_text(&b, &ev, true, 0);
		if (r < 0)
			assert_int_equal(b.len, before);
		else
			assert_int_equal(b.data[b.len - 1], '\n');
	}
	buf_done(&b);
	return r;
}

static const struct table_column columns[] = {
	{ .name = "a", .title = "A" },
	{ .name = "b", .title = "B", .right = true },
};

static int write_table(int format)
{
	struct cell row[] = { { .type = CELL_STR, .str = big }, { .type = CELL_U64, .u64 = 1 } };
	struct table *t = table_new(columns, 2);
	struct buf out = { 0 };
	int i, r = t ? 0 : -ENOMEM;

	for (i = 0; i < 40 && r == 0; i++)
		r = table_add(t, row);
	if (r == 0)
		r = table_write(t, &out, format, true);
	buf_done(&out);
	(void)table_free(t);
	return r;
}

static int write_table_text(void)
{
	return write_table(FORMAT_TEXT);
}

static int write_table_json(void)
{
	return write_table(FORMAT_JSON);
}

static int write_table_csv(void)
{
	return write_table(FORMAT_CSV);
}

struct opts {
	struct args_list list;
	int word;
};

static const char *const words[] = { "one", "two", NULL };
static const struct option_row rows[] = {
	OPTION("list", 'l', OPTION_STRINGS, struct opts, list, "X", "a list",
	       .flags = OPTION_REPEAT),
	OPTION("word", 'w', OPTION_ENUM, struct opts, word, NULL, "a word", .names = words),
	OPTIONS_END,
};
static const struct option_row *const tables[] = { rows, NULL };
static const struct args_spec spec = { .prog = "x", .operands = "Y", .tables = tables };

static int parse_args(void)
{
	char *argv[] = { (char *)"x", (char *)"-la", (char *)"-lb", (char *)"-lc", (char *)"1",
			 (char *)"2", (char *)"3",   (char *)"-w",  (char *)"two" };
	struct netprobe_error err = { 0 };
	struct args_list rest = { 0 };
	struct opts o = { 0 };
	int r = args_parse(&spec, 9, argv, &o, &rest, &err);

	if (r < 0)
		assert_non_null(strstr(err.msg, "out of memory"));
	args_list_done(&o.list);
	args_list_done(&rest);
	return r;
}

/* The message of a wrong word needs memory too; without it the answer is -ENOMEM, not a crash. */
static int parse_wrong_word(void)
{
	char *argv[] = { (char *)"x", (char *)"-w", (char *)"three" };
	struct netprobe_error err = { 0 };
	struct args_list rest = { 0 };
	struct opts o = { 0 };
	int r = args_parse(&spec, 3, argv, &o, &rest, &err);

	args_list_done(&rest);
	return r == -EINVAL ? 0 : r;
}

static int write_help(void)
{
	struct buf b = { 0 };
	int r;

	args_help(&spec, true, &b);
	r = b.err;
	buf_done(&b);
	return r;
}

#define SWEEP_TEST(name, what)         \
	static void name(void **state) \
	{                              \
		(void)state;           \
		sweep(what);           \
	}

SWEEP_TEST(buf_reports_a_failed_allocation_once, fill_buf)
SWEEP_TEST(event_writers_leave_no_half_line, write_events)
SWEEP_TEST(table_text_survives_failed_allocations, write_table_text)
SWEEP_TEST(table_json_survives_failed_allocations, write_table_json)
SWEEP_TEST(table_csv_survives_failed_allocations, write_table_csv)
SWEEP_TEST(args_parse_survives_failed_allocations, parse_args)
SWEEP_TEST(args_errors_survive_failed_allocations, parse_wrong_word)
SWEEP_TEST(args_help_survives_failed_allocations, write_help)

static void table_goes_on_after_a_row_that_did_not_fit(void **state)
{
	struct cell small[] = { { .type = CELL_STR, .str = "s" }, { .type = CELL_NULL } };
	struct cell row[] = { { .type = CELL_STR, .str = big }, { .type = CELL_NULL } };
	struct table *t = table_new(columns, 2);
	struct buf out = { 0 };

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(table_add(t, small), 0);
	alloc_fail_nth(1);
	assert_int_equal(table_add(t, row), -ENOMEM);
	alloc_fail_nth(0);
	assert_int_equal(table_add(t, small), 0);
	assert_int_equal(table_write(t, &out, FORMAT_CSV, false), 0);
	assert_string_equal(buf_str(&out), "a,b\r\ns,\r\ns,\r\n");
	buf_done(&out);
	(void)table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_reports_a_failed_allocation_once),
		cmocka_unit_test(event_writers_leave_no_half_line),
		cmocka_unit_test(table_text_survives_failed_allocations),
		cmocka_unit_test(table_json_survives_failed_allocations),
		cmocka_unit_test(table_csv_survives_failed_allocations),
		cmocka_unit_test(args_parse_survives_failed_allocations),
		cmocka_unit_test(args_errors_survive_failed_allocations),
		cmocka_unit_test(args_help_survives_failed_allocations),
		cmocka_unit_test(table_goes_on_after_a_row_that_did_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
