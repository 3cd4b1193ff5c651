/* SPDX-License-Identifier: BSD-2-Clause */
/* Value parsers: what people type, and what they are told when it does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

#include "base/parse.h"

static struct netprobe_error err;

static void sizes_take_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t n; /* 0: refused */
	} cases[] = { { "4096", 4096 },	   { "64K", 65536 },	{ "64k", 65536 },
		      { "8M", 8388608 },   { "8MiB", 8388608 }, { "1G", 1073741824 },
		      { "1GiB", 1 << 30 }, { "2G", 0 },		{ "3K", 0 },
		      { "8MB", 0 },	   { "M", 0 },		{ "8 M", 0 },
		      { "8T", 0 },	   { "-1K", 0 },	{ "99999999999999999999K", 0 },
		      { "", 0 },	   { "64 ", 0 },	{ "18014398509481985K", 0 } };
	static const struct {
		const char *text, *why;
	} wrong[] = { { "8MB", "not a size" },
		      { "8T", "not a size" },
		      { "", "not a size" },
		      { "x", "not a size" },
		      { "100", "too small" },
		      { "99999999999999999999", "too large" },
		      { "99999999999999999999G", "too large" } };
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r;

		v = 0;
		r = parse_size(cases[i].text, 4096, 1 << 30, &v, &err);
		assert_int_equal(r, cases[i].n ? 0 : -EINVAL);
		assert_int_equal(v, cases[i].n);
	}
	assert_int_equal(parse_size("2G", 4096, 1 << 30, &v, &err), -EINVAL);
	assert_string_equal(
		err.msg,
		"'2G' is too large; takes 4096 to 1073741824 bytes, or a unit, like 64K, 8M");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[128];

		(void)snprintf(
			text, sizeof(text),
			"'%s' is %s; takes 4096 to 1073741824 bytes, or a unit, like 64K, 8M",
			wrong[i].text, wrong[i].why);
		assert_int_equal(parse_size(wrong[i].text, 4096, 1 << 30, &v, &err), -EINVAL);
		assert_string_equal(err.msg, text);
	}
}

static void parse_seconds_takes_units(void **state)
{
	static const struct {
		const char *text;
		double s;
	} cases[] = {
		{ "1", 1 },
		{ "0.5", 0.5 },
		{ "10s", 10 },
		{ "500ms", 0.5 },
		{ "2m", 120 },
		{ "2min", 120 },
		{ "1h", 3600 },
		{ "1.5m", 90 },
		{ "0.001", 0.001 },
		{ "0", 0 },
		{ "31622400", 31622400 },
		{ "0.00000000000000000000000000001", 0 },
	};
	double v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		v = -1;
		assert_int_equal(parse_seconds(cases[i].text, &v, &err), 0);
		assert_true(v == cases[i].s);
	}
}

static void parse_seconds_refuses_what_strtod_would_take(void **state)
{
	static const char *const bad[] = { "",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "1e3",
					   "inf",
					   "nan",
					   "0x1",
					   ".5",
					   "1.",
					   "1,5",
					   "1 s",
					   "1d",
					   "s",
					   "1ss",
					   "31622401",
					   "99999999999999999999",
					   "18446744073709551615h" };
	double v = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse_seconds(bad[i], &v, &err), -EINVAL);
		assert_true(v == 7);
	}
	assert_string_equal(err.msg,
			    "'18446744073709551615h' is not a time; takes seconds or a unit, like "
			    "0.5, 10s, 500ms, 2m, at most a year");
}

static void parse_msec_takes_whole_milliseconds(void **state)
{
	uint32_t v = 7;

	(void)state;
	assert_int_equal(parse_msec("100", &v, &err), 0);
	assert_int_equal(v, 100);
	assert_int_equal(parse_msec("1.5s", &v, &err), 0);
	assert_int_equal(v, 1500);
	assert_int_equal(parse_msec("0.5", &v, &err), -EINVAL);
	assert_int_equal(parse_msec("2000h", &v, &err), -EINVAL);
	assert_int_equal(v, 1500);
}

static void check_cidr(const char *text, const char *addr, unsigned int len)
{
	struct np_cidr c = { .len = 255 };
	uint8_t want[16];

	assert_int_equal(inet_pton(AF_INET6, addr, want), 1);
	assert_int_equal(parse_cidr(text, &c, &err), 0);
	assert_memory_equal(c.addr, want, 16);
	assert_int_equal(c.len, len);
}

static void parse_cidr_takes_both_families(void **state)
{
	(void)state;
	check_cidr("10.0.0.1", "::ffff:10.0.0.1", 128);
	check_cidr("10.0.0.0/8", "::ffff:10.0.0.0", 104);
	check_cidr("0.0.0.0/0", "::ffff:0.0.0.0", 96);
	check_cidr("10.0.0.5/32", "::ffff:10.0.0.5", 128);
	check_cidr("2001:db8::/32", "2001:db8::", 32);
	check_cidr("[::1]", "::1", 128);
	check_cidr("[2001:db8::]/32", "2001:db8::", 32);
	check_cidr("2001:db8::1", "2001:db8::1", 128);
	check_cidr("::/0", "::", 0);
	check_cidr("::1", "::1", 128);
	check_cidr("fe80::/10", "fe80::", 10);
	check_cidr("::ffff:10.0.0.0/104", "::ffff:10.0.0.0", 104);
}

static void parse_cidr_refuses_and_keeps_the_result(void **state)
{
	static const char *const bad[] = { "",		"/8",
					   "10.0.0.0/", "10.0.0.0/33",
					   "10.0.0/8",	"10.0.0.0/-1",
					   "::/129",	"::/a",
					   "::/1/2",	"300.1.1.1",
					   "localhost", "fe80::1%eth0",
					   "10.0.0.1 ", "1:2:3:4:5:6:7:8:9" };
	struct np_cidr c = { .len = 9 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse_cidr(bad[i], &c, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "; takes "));
		assert_int_equal(c.len, 9);
	}
}

static void parse_cidr_names_the_network_that_was_meant(void **state)
{
	struct np_cidr c;

	(void)state;
	assert_int_equal(parse_cidr("10.1.2.3/8", &c, &err), -EINVAL);
	assert_string_equal(err.msg, "'10.1.2.3/8' has bits set beyond its /8; takes a network "
				     "like 10.0.0.0/8 or one address without a prefix");
	assert_int_equal(parse_cidr("2001:db8::1/33", &c, &err), -EINVAL);
	assert_string_equal(err.msg,
			    "'2001:db8::1/33' has bits set beyond its /33; takes a network "
			    "like 2001:db8::/33 or one address without a prefix");
}

static void parse_port_range_takes_ports_and_ranges(void **state)
{
	static const char *const bad[] = { "",
					   "0",
					   "65536",
					   "99999",
					   "-1",
					   "80-",
					   "-80",
					   "1-0",
					   "http",
					   "80 ",
					   "8-9-10",
					   "1-65536",
					   "184467440737095516160" };
	struct np_port_range p = { 0 };
	size_t i;

	(void)state;
	assert_int_equal(parse_port_range("80", &p, &err), 0);
	assert_true(p.from == 80 && p.to == 80);
	assert_int_equal(parse_port_range("1-65535", &p, &err), 0);
	assert_true(p.from == 1 && p.to == 65535);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_port_range(bad[i], &p, &err), -EINVAL);
	assert_true(p.from == 1 && p.to == 65535);
	assert_int_equal(parse_port_range("90-80", &p, &err), -EINVAL);
	assert_string_equal(err.msg, "'90-80' is reversed; takes 1-65535 or a range like 80-90");
}

static void parse_proto_takes_three_names(void **state)
{
	uint8_t p = 0;

	(void)state;
	assert_int_equal(parse_proto("tcp", &p, &err), 0);
	assert_int_equal(p, NP_PROTO_TCP);
	assert_int_equal(parse_proto("udp", &p, &err), 0);
	assert_int_equal(p, NP_PROTO_UDP);
	assert_int_equal(parse_proto("icmp", &p, &err), 0);
	assert_int_equal(p, NP_PROTO_ICMP);
	assert_int_equal(parse_proto("sctp", &p, NULL), -EINVAL);
	assert_int_equal(p, NP_PROTO_ICMP);
}

static void parse_errors_stay_readable_for_long_input(void **state)
{
	uint32_t v = 0;
	char text[1000];

	(void)state;
	memset(text, '9', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(parse_u32(text, 1, 10, &v, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "is too large; takes a whole number from 1 to 10"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_take_units),
		cmocka_unit_test(parse_seconds_takes_units),
		cmocka_unit_test(parse_seconds_refuses_what_strtod_would_take),
		cmocka_unit_test(parse_msec_takes_whole_milliseconds),
		cmocka_unit_test(parse_cidr_takes_both_families),
		cmocka_unit_test(parse_cidr_refuses_and_keeps_the_result),
		cmocka_unit_test(parse_cidr_names_the_network_that_was_meant),
		cmocka_unit_test(parse_port_range_takes_ports_and_ranges),
		cmocka_unit_test(parse_proto_takes_three_names),
		cmocka_unit_test(parse_errors_stay_readable_for_long_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
