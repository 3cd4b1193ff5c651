/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON writer and UTF-8: every line valid JSON whatever the strings hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

static void check_str(const char *in, const char *want)
{
	struct buf b = { 0 };

	json_str(&b, in);
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

static void json_str_copies_plain_text(void **state)
{
	(void)state;
	check_str("", "\"\"");
	check_str("nginx", "\"nginx\"");
	check_str("/usr/lib/systemd/systemd-resolved", "\"/usr/lib/systemd/systemd-resolved\"");
	check_str(NULL, "null");
}

static void json_str_escapes_quotes_backslashes_and_controls(void **state)
{
	(void)state;
	check_str("a\"b\\c", "\"a\\\"b\\\\c\"");
	check_str("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
	check_str("\x01\x1f", "\"\\u0001\\u001f\"");
	check_str("\x7f", "\"\\u007f\"");
	check_str("1234567\x7f",
		  "\"1234567\\u007f\""); /* also among eight that are looked at in one go */
}

static void json_str_keeps_valid_utf8(void **state)
{
	(void)state;
	check_str("h\xc3\xa9llo", "\"h\xc3\xa9llo\"");
	check_str("\xe2\x82\xac \xf0\x9f\x98\x80", "\"\xe2\x82\xac \xf0\x9f\x98\x80\"");
	check_str("\xf4\x8f\xbf\xbd", "\"\xf4\x8f\xbf\xbd\"");
}

/* They are there for whoever reads JSON, and do nothing to a terminal. */
static void json_str_escapes_what_shows_nothing_by_itself(void **state)
{
	(void)state;
	check_str("\xc2\x85\xe2\x80\xa8", "\"\\u0085\\u2028\"");
	check_str("a\xe2\x80\xae"
		  "b",
		  "\"a\\u202eb\"");
	check_str("\xf3\xa0\x81\x81", "\"\\udb40\\udc41\""); /* U+E0041, a tag */
}

#define R UTF8_REPLACEMENT

static void json_str_replaces_invalid_utf8(void **state)
{
	(void)state;
	check_str("\xff", "\"" R "\"");
	check_str("a\x80z", "\"a" R "z\"");
	check_str("\xc0\xaf", "\"" R R "\"");		  /* overlong slash */
	check_str("\xe0\x80\xaf", "\"" R R R "\"");	  /* overlong */
	check_str("\xf0\x80\x80\xaf", "\"" R R R R "\""); /* overlong */
	check_str("\xed\xa0\x80", "\"" R R R "\"");	  /* surrogate */
	check_str("\xf4\x90\x80\x80", "\"" R R R R "\""); /* above U+10FFFF */
	check_str("\xe2\x82", "\"" R "\"");		  /* cut short: one character lost */
	check_str("\xe2\x82"
		  "A",
		  "\"" R "A\"");
}

static void json_strn_stops_at_max_or_nul(void **state)
{
	static const char full[4] = { 'a', 'b', 'c', 'd' };
	struct buf b = { 0 };

	(void)state;
	json_strn(&b, full, 4);
	json_strn(&b, "ab\0cd", 5);
	/* A character cut by the field's size. */
	json_strn(&b, "ab\xe2\x82\xac", 4);
	json_strn(&b, NULL, 4);
	assert_string_equal(buf_str(&b), "\"abcd\"\"ab\"\"ab" R "\"null");
	buf_done(&b);
}

/* All pairs of bytes at every place of a word: the eight-at-once scan must miss none. */
static void json_str_of_any_two_bytes_anywhere_parses(void **state)
{
	struct buf b = { 0 };
	unsigned int i, at;
	char in[18];

	(void)state;
	for (i = 0; i < 65536; i++) {
		json_t *root;

		at = i % 16;
		memset(in, 'x', 17);
		in[17] = '\0';
		in[at] = (char)(i >> 8 ? i >> 8 : 1);
		in[at + 1] = (char)(i & 255 ? i & 255 : 1);
		buf_reset(&b);
		buf_putc(&b, '[');
		json_str(&b, in);
		buf_putc(&b, ']');
		root = json_loadb(b.data, b.len, 0, NULL);
		assert_non_null(root);
		assert_null(memchr(b.data, '\n', b.len));
		json_decref(root);
	}
	buf_done(&b);
}

static void json_str_round_trips_every_ascii_string_position(void **state)
{
	struct buf b = { 0 };
	unsigned int c, at;
	char in[25];

	(void)state;
	for (c = 1; c < 128; c++) {
		for (at = 0; at < 24; at++) {
			json_t *root;

			memset(in, 'x', 24);
			in[24] = '\0';
			in[at] = (char)c;
			buf_reset(&b);
			json_str(&b, in);
			root = json_loadb(b.data, b.len, JSON_DECODE_ANY, NULL);
			assert_non_null(root);
			assert_string_equal(json_string_value(root), in);
			json_decref(root);
		}
	}
	buf_done(&b);
}

static void json_keys_get_commas_where_due(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_putc(&b, '{');
	json_kv_u64(&b, "a", 1);
	json_kv_u64_or_null(&b, "b", 0);
	json_kv_double(&b, "c", 2.5);
	json_kv_bool(&b, "d", true);
	json_kv_null(&b, "e");
	json_kv_str(&b, "f", "{");
	json_key(&b, "g");
	buf_putc(&b, '{');
	json_kv_u64(&b, "h", 0);
	buf_puts(&b, "}}\n{");
	json_kv_bool(&b, "a", false);
	buf_putc(&b, '}');
	assert_string_equal(buf_str(&b), "{\"a\":1,\"b\":null,\"c\":2.5,\"d\":true,\"e\":null,"
					 "\"f\":\"{\",\"g\":{\"h\":0}}\n{\"a\":false}");
	buf_done(&b);
}

static void utf8_printable_disarms_controls(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(utf8_put_printable(&b, "a\033[2Jb", 6, 0), 6);
	assert_string_equal(buf_str(&b), "a" R "[2Jb");
	buf_reset(&b);
	/* C1 CSI, DEL, right-to-left override */
	(void)utf8_put_printable(&b, "\xc2\x9b\x7f\xe2\x80\xae", 6, 0);
	assert_string_equal(buf_str(&b), R R R);
	buf_done(&b);
}

static void utf8_printable_cuts_with_an_ellipsis(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(utf8_put_printable(&b, "abcdef", 6, 6), 6);
	assert_int_equal(utf8_put_printable(&b, "abcdef", 6, 4), 4);
	assert_int_equal(utf8_put_printable(&b, "abcdef", 6, 1), 1);
	assert_string_equal(buf_str(&b), "abcdefabc……");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_str_copies_plain_text),
		cmocka_unit_test(json_str_escapes_quotes_backslashes_and_controls),
		cmocka_unit_test(json_str_keeps_valid_utf8),
		cmocka_unit_test(json_str_escapes_what_shows_nothing_by_itself),
		cmocka_unit_test(json_str_replaces_invalid_utf8),
		cmocka_unit_test(json_strn_stops_at_max_or_nul),
		cmocka_unit_test(json_str_of_any_two_bytes_anywhere_parses),
		cmocka_unit_test(json_str_round_trips_every_ascii_string_position),
		cmocka_unit_test(json_keys_get_commas_where_due),
		cmocka_unit_test(utf8_printable_disarms_controls),
		cmocka_unit_test(utf8_printable_cuts_with_an_ellipsis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
