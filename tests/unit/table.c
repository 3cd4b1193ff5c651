/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables in their four formats, and figures with units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "out/table.h"

static const struct table_column columns[] = {
	{ .name = "comm", .title = "COMMAND", .least = 10 },
	{ .name = "pid", .title = "PID", .right = true },
	{ .name = "tx_bytes", .title = "TX", .unit = UNIT_BYTES, .right = true },
	{ .name = "srtt_us", .title = NULL, .unit = UNIT_USEC },
	{ .name = "alive", .title = "ALIVE" },
};

#define N_COLUMNS 5
#define STR(s)                               \
	{                                    \
		.type = CELL_STR, .str = (s) \
	}
#define U64(v)                               \
	{                                    \
		.type = CELL_U64, .u64 = (v) \
	}
#define DBL(v)                                  \
	{                                       \
		.type = CELL_DOUBLE, .dbl = (v) \
	}
#define BOOL(v)                             \
	{                                   \
		.type = CELL_BOOL, .b = (v) \
	}
#define NONE                      \
	{                         \
		.type = CELL_NULL \
	}

static const struct cell plain[] = { STR("nginx"), U64(42), U64(1536), DBL(830.5), BOOL(true) };
static const struct cell unknown[] = { NONE, NONE, NONE, NONE, NONE };
static const struct cell odd[] = { STR("a,\"b\"\t\\\n"), U64(7), U64(0), NONE, BOOL(false) };

static void check(const struct cell *const *rows, unsigned int n, int format, const char *want)
{
	struct table *t = table_new(columns, N_COLUMNS);
	struct buf out = { 0 };
	unsigned int i;

	assert_non_null(t);
	for (i = 0; i < n; i++)
		assert_int_equal(table_add(t, rows[i]), 0);
	assert_int_equal(table_write(t, &out, format, false), 0);
	assert_string_equal(buf_str(&out), want);
	buf_done(&out);
	assert_null(table_free(t));
}

static void table_text_is_aligned_and_shows_null_as_dash(void **state)
{
	const struct cell *const rows[] = { plain, unknown };

	(void)state;
	check(rows, 2, FORMAT_TEXT,
	      "COMMAND  PID       TX  ALIVE\n"
	      "nginx     42  1.5 KiB  yes\n"
	      "-          -        -  -\n");
}

static void table_text_of_no_rows_is_the_heading(void **state)
{
	(void)state;
	check(NULL, 0, FORMAT_TEXT, "COMMAND  PID  TX  ALIVE\n");
}

static void table_text_counts_display_columns_not_bytes(void **state)
{
	static const struct cell wide[] = { STR("日本語"), U64(1), U64(1), NONE, BOOL(true) };
	static const struct cell accent[] = { STR("café"), U64(22), U64(1), NONE, BOOL(true) };
	/* e and a combining acute accent: one column. */
	static const struct cell combined[] = { STR("cafe\xcc\x81"), U64(3), U64(1), NONE,
						BOOL(true) };
	const struct cell *const rows[] = { wide, accent, combined };

	(void)state;
	check(rows, 3, FORMAT_TEXT,
	      "COMMAND  PID   TX  ALIVE\n"
	      "日本語     1  1 B  yes\n"
	      "café      22  1 B  yes\n"
	      "cafe\xcc\x81       3  1 B  yes\n");
}

static void table_text_is_whole_and_disarms_controls(void **state)
{
	static const struct cell longer[] = {
		STR("kworker/u16:3-of-a-long-name-that-nobody-cuts-for-a-file"), U64(1), U64(1),
		NONE, BOOL(true)
	};
	static const struct cell escape[] = { STR("\033[31m"), U64(1), U64(1), NONE, BOOL(true) };
	const struct cell *const rows[] = { longer, escape };

	(void)state;
	check(rows, 2, FORMAT_TEXT,
	      "COMMAND                                                   PID   TX  ALIVE\n"
	      "kworker/u16:3-of-a-long-name-that-nobody-cuts-for-a-file    1  1 B  yes\n"
	      "\xef\xbf\xbd[31m                                                       1  1 B  yes\n");
}

static void table_json_is_one_object_a_line_with_all_columns(void **state)
{
	const struct cell *const rows[] = { plain, unknown };

	(void)state;
	check(rows, 2, FORMAT_JSON,
	      "{\"comm\":\"nginx\",\"pid\":42,\"tx_bytes\":1536,\"srtt_us\":830.5,\"alive\":true}\n"
	      "{\"comm\":null,\"pid\":null,\"tx_bytes\":null,\"srtt_us\":null,\"alive\":null}\n");
}

static void table_csv_quotes_as_rfc_4180_says(void **state)
{
	const struct cell *const rows[] = { plain, unknown, odd };

	(void)state;
	check(rows, 3, FORMAT_CSV,
	      "comm,pid,tx_bytes,srtt_us,alive\r\n"
	      "nginx,42,1536,830.5,true\r\n"
	      ",,,,\r\n"
	      "\"a,\"\"b\"\"\xef\xbf\xbd\\\xef\xbf\xbd\",7,0,,false\r\n");
}

static void table_tsv_is_one_line_a_row(void **state)
{
	const struct cell *const rows[] = { plain, odd };

	(void)state;
	check(rows, 2, FORMAT_TSV,
	      "comm\tpid\ttx_bytes\tsrtt_us\talive\n"
	      "nginx\t42\t1536\t830.5\ttrue\n"
	      "a,\"b\"\\t\\\\\\n\t7\t0\t\tfalse\n");
}

static void table_names_its_columns_once_in_a_stream_of_csv(void **state)
{
	static const int formats[] = { FORMAT_CSV, FORMAT_TSV, FORMAT_TEXT, FORMAT_JSON };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct table *t = table_new(columns, N_COLUMNS);
		struct buf first = { 0 }, next = { 0 };
		const char *rows;

		assert_non_null(t);
		assert_int_equal(table_add(t, plain), 0);
		assert_int_equal(table_write(t, &first, formats[i], false), 0);
		assert_int_equal(table_write_on(t, &next, formats[i], false), 0);
		rows = i < 2 ? strchr(buf_str(&first), '\n') + 1 : buf_str(&first);
		assert_string_equal(buf_str(&next), rows);
		buf_done(&first);
		buf_done(&next);
		assert_null(table_free(t));
	}
}

static void table_in_pieces_is_the_table_as_a_whole(void **state)
{
	static const struct cell wide[] = { STR("a-longer-name"), U64(123456), U64(1), NONE,
					    BOOL(false) };
	const struct cell *rows[] = { plain, wide, unknown, odd };
	static const int formats[] = { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMAT_TSV };

	(void)state;
	for (unsigned int f = 0; f < 4; f++) {
		struct table *all = table_new(columns, N_COLUMNS);
		struct table *piece = table_new(columns, N_COLUMNS);
		struct buf want = {}, got = {};

		assert_non_null(all);
		assert_non_null(piece);
		for (unsigned int i = 0; i < 4; i++) {
			assert_int_equal(table_add(all, rows[i]), 0);
			assert_int_equal(table_add(piece, rows[i]), 0);
			assert_int_equal(table_measure(piece), 0);
			table_clear(piece);
		}
		for (unsigned int i = 0; i < 4; i++) {
			assert_int_equal(table_add(piece, rows[i]), 0);
			assert_int_equal((i ? table_write_on : table_write)(piece, &got, formats[f],
									    false),
					 0);
			table_clear(piece);
		}
		assert_int_equal(table_write(all, &want, formats[f], false), 0);
		assert_string_equal(buf_str(&got), buf_str(&want));
		buf_done(&want);
		buf_done(&got);
		(void)table_free(all);
		(void)table_free(piece);
	}
}

static void table_strings_are_copied_and_made_valid(void **state)
{
	char comm[] = "ab\xff";
	struct cell row[] = { STR(comm), NONE, NONE, DBL(1.0 / 0.0), NONE };
	struct table *t = table_new(columns, N_COLUMNS);
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(table_add(t, row), 0);
	memset(comm, 'z', 3);
	assert_int_equal(table_write(t, &out, FORMAT_TSV, false), 0);
	assert_non_null(strstr(buf_str(&out), "\nab\xef\xbf\xbd\t\t\t\t\n"));
	table_clear(t);
	buf_reset(&out);
	assert_int_equal(table_write(t, &out, FORMAT_JSON, false), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(table_write(t, &out, FORMAT_XCTL, false), -EINVAL);
	buf_done(&out);
	(void)table_free(t);
	(void)table_free(NULL);
}

static void unit_format_keeps_three_digits(void **state)
{
	static const struct {
		uint8_t unit;
		double v;
		const char *text;
	} cases[] = {
		{ UNIT_BYTES, 0, "0 B" },
		{ UNIT_BYTES, 1023, "1023 B" },
		{ UNIT_BYTES, 1024, "1.0 KiB" },
		{ UNIT_BYTES, 1572864, "1.5 MiB" },
		{ UNIT_BYTES, 1048575, "1.0 MiB" },
		{ UNIT_BYTES, 204800, "200 KiB" },
		{ UNIT_BYTES, 18446744073709551615.0, "16.0 EiB" },
		{ UNIT_RATE, 1500000, "1.5 MB/s" },
		{ UNIT_RATE, 999.7, "1.0 kB/s" },
		{ UNIT_USEC, 830, "830 us" },
		{ UNIT_USEC, 1234, "1.2 ms" },
		{ UNIT_USEC, 999700, "1000 ms" },
		{ UNIT_USEC, 2500000, "2.5 s" },
		{ UNIT_MSEC, 1.5, "1.5 ms" },
		{ UNIT_MSEC, 61000, "61.0 s" },
		{ UNIT_NONE, 12, "12" },
		{ UNIT_NONE, 12.34, "12.3" },
		{ UNIT_BYTES, -1, "-" },
		{ UNIT_USEC, 1e300, "1e+294 s" },
	};
	char text[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unit_format(cases[i].unit, cases[i].v, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void format_parse_knows_the_formats(void **state)
{
	(void)state;
	assert_int_equal(format_parse("text"), FORMAT_TEXT);
	assert_int_equal(format_parse("json"), FORMAT_JSON);
	assert_int_equal(format_parse("csv"), FORMAT_CSV);
	assert_int_equal(format_parse("tsv"), FORMAT_TSV);
	assert_int_equal(format_parse("xctl"), FORMAT_XCTL);
	assert_int_equal(format_parse("JSON"), -EINVAL);
	assert_int_equal(format_parse(""), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_text_is_aligned_and_shows_null_as_dash),
		cmocka_unit_test(table_text_of_no_rows_is_the_heading),
		cmocka_unit_test(table_text_counts_display_columns_not_bytes),
		cmocka_unit_test(table_text_is_whole_and_disarms_controls),
		cmocka_unit_test(table_json_is_one_object_a_line_with_all_columns),
		cmocka_unit_test(table_csv_quotes_as_rfc_4180_says),
		cmocka_unit_test(table_tsv_is_one_line_a_row),
		cmocka_unit_test(table_names_its_columns_once_in_a_stream_of_csv),
		cmocka_unit_test(table_in_pieces_is_the_table_as_a_whole),
		cmocka_unit_test(table_strings_are_copied_and_made_valid),
		cmocka_unit_test(unit_format_keeps_three_digits),
		cmocka_unit_test(format_parse_knows_the_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
