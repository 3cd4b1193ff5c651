/* SPDX-License-Identifier: BSD-2-Clause */
/* guard/list.c: addresses, networks and lists as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "guard/guard.h"

static const struct guard_item defaults = { .port_to = 0xffff };

static struct guard_item *parse(const char *text, size_t *ret_n)
{
	struct netprobe_error err = { 0 };
	struct guard_item *items = NULL;

	if (guard_parse_list(text, strlen(text), &defaults, &items, ret_n, &err))
		fail_msg("%s", err.msg);
	return items;
}

static void refuse(const char *text, const char *word, const char *line)
{
	struct netprobe_error err = { 0 };
	struct guard_item *items = NULL;
	size_t n = 7;

	assert_true(guard_parse_list(text, strlen(text), &defaults, &items, &n, &err) < 0);
	assert_null(items);
	assert_int_equal(n, 7);
	assert_non_null(strstr(err.msg, line));
	assert_non_null(strstr(err.msg, word));
}

static void addresses_and_networks_of_both_families_are_taken(void **state)
{
	size_t n;
	struct guard_item *i = parse("192.0.2.1\n198.51.100.0/24\n2001:db8::1\n2001:db8::/32\n"
				     "::ffff:203.0.113.7\n0.0.0.0/0",
				     &n);

	(void)state;
	assert_int_equal(n, 6);
	assert_memory_equal(i[0].addr, "\xc0\x00\x02\x01", 4);
	assert_int_equal(i[0].len, 32);
	assert_false(i[0].v6);
	assert_int_equal(i[1].len, 24);
	assert_true(i[2].v6);
	assert_int_equal(i[2].len, 128);
	assert_int_equal(i[3].len, 32);
	assert_false(i[4].v6);
	assert_memory_equal(i[4].addr, "\xcb\x00\x71\x07", 4);
	assert_int_equal(i[5].len, 0);
	free(i);
}

static void fields_comments_and_blank_lines(void **state)
{
	size_t n;
	struct guard_item *i = parse("# a list\n\n  \t\r\n10.0.0.0/8  proto=tcp port=80-90\tfor=1h "
				     "reason=two words # not this\r\n10.0.0.1 dry-run=1",
				     &n);

	(void)state;
	assert_int_equal(n, 2);
	assert_int_equal(i[0].proto, IPPROTO_TCP);
	assert_int_equal(i[0].port_from, 80);
	assert_int_equal(i[0].port_to, 90);
	assert_int_equal(i[0].ttl_s, 3600);
	assert_memory_equal(i[0].reason, "two words", 9);
	assert_true(i[1].dry_run);
	assert_int_equal(i[1].port_to, 0xffff);
	free(i);
}

static void bad_lines_are_named(void **state)
{
	(void)state;
	refuse("10.0.0.1\n10.0.0.256\n", "10.0.0.256", "line 2:");
	refuse("10.0.0.1/8\n", "10.0.0.0/8", "line 1:");
	refuse("\n\n10.0.0.1 colour=red\n", "colour", "line 3:");
	refuse("10.0.0.1 port\n", "port", "line 1:");
	refuse("10.0.0.1 port=99999\n", "99999", "line 1:");
	refuse("10.0.0.1 proto=icmp port=1\n", "icmp", "line 1:");
	refuse("10.0.0.1 dry-run=yes\n", "yes", "line 1:");
	refuse("010.0.0.1\n", "010.0.0.1", "line 1:");
	refuse("10.0.0.1x\n", "10.0.0.1x", "line 1:");
}

static void lines_that_people_have_are_taken(void **state)
{
	size_t n;
	struct guard_item *i = parse("\xef\xbb\xbf"
				     "192.0.2.0/24 ; SBL1\n; a comment\n"
				     "192.0.2.5;SBL2\n10.0.0.1 reason=a; b\n10.0.0.2 proto=SCTP\n"
				     "10.0.0.3 proto=89\n",
				     &n);

	(void)state;
	assert_int_equal(n, 5);
	assert_int_equal(i[0].len, 24);
	assert_int_equal(i[1].len, 32);
	assert_string_equal(i[2].reason, "a; b");
	assert_int_equal(i[3].proto, IPPROTO_SCTP);
	assert_int_equal(i[4].proto, 89);
	assert_int_equal(i[4].line, 6);
	free(i);
}

static void texts_in_quotes_keep_what_would_end_them(void **state)
{
	size_t n;
	struct guard_item *i =
		parse("10.0.0.1 who=\"ops team\" reason=\"#1; \\\"a\\\" \\\\ \\nb\\x09\" # c\n"
		      "10.0.0.2 reason=\"\" proto=tcp\n10.0.0.3 who=me reason= x \r\n",
		      &n);

	(void)state;
	assert_int_equal(n, 3);
	assert_string_equal(i[0].who, "ops team");
	assert_string_equal(i[0].reason, "#1; \"a\" \\ \nb\t");
	assert_string_equal(i[1].reason, "");
	assert_int_equal(i[1].proto, IPPROTO_TCP);
	assert_string_equal(i[2].who, "me");
	assert_string_equal(i[2].reason, "x");
	free(i);
	refuse("10.0.0.1 reason=\"a\n", "no end", "line 1:");
	refuse("10.0.0.1 reason=\"a\"b\n", "behind it", "line 1:");
	refuse("10.0.0.1 reason=\"\\q\"\n", "\\q", "line 1:");
	refuse("10.0.0.1 reason=\"\\x00\"\n", "\\x", "line 1:");
	refuse("10.0.0.1 who=123456789012345678901234567890123\n", "33 bytes", "line 1:");
	refuse("10.0.0.1 for=0.2s\n", "0.2s", "line 1:");
}

static void ranges_become_the_networks_they_are(void **state)
{
	size_t n;
	struct guard_item *i =
		parse("10.0.0.1-10.0.0.6\n0.0.0.0-255.255.255.255\n"
		      "255.255.255.254-255.255.255.255\n2001:db8::-2001:db8::1:ffff\n"
		      "10.9.9.9-10.9.9.9 proto=tcp\n",
		      &n);
	static const uint8_t want[4][2] = { { 1, 32 }, { 2, 31 }, { 4, 31 }, { 6, 32 } };

	(void)state;
	assert_int_equal(n, 8);
	for (unsigned int k = 0; k < 4; k++) {
		assert_int_equal(i[k].addr[3], want[k][0]);
		assert_int_equal(i[k].len, want[k][1]);
	}
	assert_int_equal(i[4].len, 0);
	assert_int_equal(i[5].len, 31);
	assert_int_equal(i[6].len, 111);
	assert_int_equal(i[7].len, 32);
	assert_int_equal(i[7].proto, IPPROTO_TCP);
	free(i);
	refuse("10.0.0.9-10.0.0.1\n", "reversed", "line 1:");
	refuse("10.0.0.1-2001:db8::1\n", "one family", "line 1:");
	refuse("10.0.0.0/24-10.0.1.0/24\n", "one family", "line 1:");
	refuse("5/24\n", "5/24", "line 1:");
}

static void empty_list_has_no_entries(void **state)
{
	size_t n = 1;
	struct guard_item *i = parse("", &n);

	(void)state;
	assert_int_equal(n, 0);
	free(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_networks_of_both_families_are_taken),
		cmocka_unit_test(fields_comments_and_blank_lines),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(lines_that_people_have_are_taken),
		cmocka_unit_test(texts_in_quotes_keep_what_would_end_them),
		cmocka_unit_test(ranges_become_the_networks_they_are),
		cmocka_unit_test(empty_list_has_no_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
