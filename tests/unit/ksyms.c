/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of kernel addresses: the right function, and none rather than a wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "probe/ksyms.h"

static char path[] = "/tmp/netprobe-ksyms-XXXXXX";

static struct ksyms *from(const char *text)
{
	FILE *f = fopen(path, "we");
	struct ksyms *k;

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	k = ksyms_new(path);
	assert_non_null(k);
	return k;
}

static void expect(struct ksyms *k, uint64_t addr, const char *name, uint64_t offset)
{
	uint64_t got = 0;
	const char *s = ksyms_find(k, addr, &got);

	if (!name) {
		assert_null(s);
		return;
	}
	assert_non_null(s);
	assert_string_equal(s, name);
	assert_int_equal(got, offset);
}

static void an_address_belongs_to_the_function_before_it(void **state)
{
	struct ksyms *k = from("ffffffff81000200 T second\nffffffff81000100 T first\n"
			       "ffffffff81000180 D data\nffffffffc0000000 t third\t[module]\n");

	(void)state;
	expect(k, 0xffffffff81000100, "first", 0);
	expect(k, 0xffffffff810001ff, "first", 0xff);
	expect(k, 0xffffffff81000200, "second", 0);
	expect(k, 0xffffffffc0000010, "third", 0x10);
	(void)ksyms_free(k);
}

static void what_is_far_from_any_function_has_no_name(void **state)
{
	struct ksyms *k = from("ffffffff81000100 T first\n");

	(void)state;
	expect(k, 0xffffffff810000ff, NULL, 0);
	expect(k, 0xffffffffc0000000, NULL, 0);
	(void)ksyms_free(k);
}

static void of_two_names_for_one_address_the_first_counts(void **state)
{
	struct ksyms *k = from("ffffffff81000100 T one\nffffffff81000100 t other\n"
			       "ffffffff81000200 T next\n");

	(void)state;
	expect(k, 0xffffffff81000110, "one", 0x10);
	(void)ksyms_free(k);
}

static void hidden_addresses_are_said_to_be_hidden(void **state)
{
	struct ksyms *k = from("0000000000000000 T one\n0000000000000000 T other\n");

	(void)state;
	assert_non_null(ksyms_missing(k));
	assert_non_null(strstr(ksyms_missing(k), "kptr_restrict"));
	expect(k, 0xffffffff81000110, NULL, 0);
	(void)ksyms_free(k);
}

static void broken_lines_are_passed_over(void **state)
{
	struct ksyms *k = from("rubbish\n\nffffffff81000100\nffffffff81000200 T good\n");

	(void)state;
	assert_null(ksyms_missing(k));
	expect(k, 0xffffffff81000201, "good", 1);
	(void)ksyms_free(k);
}

static void a_file_that_is_not_there_is_a_reason(void **state)
{
	struct ksyms *k = ksyms_new("/nonexistent/kallsyms");

	(void)state;
	assert_non_null(k);
	assert_non_null(ksyms_missing(k));
	expect(k, 0xffffffff81000201, NULL, 0);
	(void)ksyms_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_belongs_to_the_function_before_it),
		cmocka_unit_test(what_is_far_from_any_function_has_no_name),
		cmocka_unit_test(of_two_names_for_one_address_the_first_counts),
		cmocka_unit_test(hidden_addresses_are_said_to_be_hidden),
		cmocka_unit_test(broken_lines_are_passed_over),
		cmocka_unit_test(a_file_that_is_not_there_is_a_reason),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	(void)close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
