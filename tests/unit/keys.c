/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of ctl: fields of option rows by name, set whole or not at all by who copies first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "control/keys.h"

struct opts {
	struct args_list port, fixed;
	uint32_t max, limit;
	double interval;
	bool enabled;
	int mode;
	const char *name;
};

static const char *const modes[] = { "one", "two", NULL };
static const struct option_row more[] = {
	OPTION("limit", 0, OPTION_U32, struct opts, limit, "N", "limit"),
	OPTION(NULL, 'x', OPTION_BOOL, struct opts, enabled, NULL, "no key"),
	OPTIONS_END,
};
static const struct option_row rows[] = {
	OPTIONS_HEADING("All"),
	OPTION("port", 0, OPTION_STRINGS, struct opts, port, "PORT", "ports",
	       .flags = OPTION_REPEAT | OPTION_LIVE),
	OPTION("fixed", 0, OPTION_STRINGS, struct opts, fixed, "X", "not live",
	       .flags = OPTION_REPEAT),
	OPTION("max", 0, OPTION_U32, struct opts, max, "N", "max", .flags = OPTION_LIVE, .min = 1),
	OPTION("interval", 0, OPTION_SECONDS, struct opts, interval, "SEC", "interval",
	       .flags = OPTION_LIVE),
	OPTION("enabled", 0, OPTION_BOOL, struct opts, enabled, NULL, "on", .flags = OPTION_LIVE),
	OPTION("mode", 0, OPTION_ENUM, struct opts, mode, NULL, "mode", .names = modes,
	       .flags = OPTION_LIVE),
	OPTION("name", 0, OPTION_STRING, struct opts, name, "NAME", "name", .flags = OPTION_LIVE),
	OPTIONS_END,
};
static const struct option_row *const tables[] = { rows, more, NULL };
static const struct opts defaults = { .interval = 1, .enabled = true };

static struct netprobe_error err;
static struct key_strings strings;

static int set(struct opts *o, const char *key, const char *value)
{
	const struct option_row *row;
	int r = keys_find(tables, key, &row, &err);

	return r ? r : keys_set(row, value, &defaults, o, &strings, &err);
}

static void check_json(const struct opts *o, const char *key, const char *want)
{
	struct buf b = { 0 };

	keys_write_json(&b, args_find(tables, key), o);
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

static int clean_up(void **state)
{
	(void)state;
	key_strings_done(&strings);
	return 0;
}

static void values_are_set_and_told_as_they_are(void **state)
{
	struct opts o = defaults;

	(void)state;
	assert_int_equal(set(&o, "port", "80,443"), 0);
	assert_int_equal(set(&o, "max", "5"), 0);
	assert_int_equal(set(&o, "interval", "2.5"), 0);
	assert_int_equal(set(&o, "enabled", "false"), 0);
	assert_int_equal(set(&o, "mode", "two"), 0);
	assert_int_equal(set(&o, "name", "a \"b\""), 0);
	check_json(&o, "port", "[\"80\",\"443\"]");
	check_json(&o, "max", "5");
	check_json(&o, "interval", "2.5");
	check_json(&o, "enabled", "false");
	check_json(&o, "mode", "\"two\"");
	check_json(&o, "name", "\"a \\\"b\\\"\"");
	keys_done(tables, &o);
}

static void list_replaces_the_old_one(void **state)
{
	struct opts o = defaults;

	(void)state;
	assert_int_equal(set(&o, "port", "80,443"), 0);
	assert_int_equal(set(&o, "port", "22"), 0);
	check_json(&o, "port", "[\"22\"]");
	keys_done(tables, &o);
}

static void empty_value_clears_to_the_default(void **state)
{
	struct opts o = defaults;

	(void)state;
	assert_int_equal(set(&o, "port", "80"), 0);
	assert_int_equal(set(&o, "max", "5"), 0);
	assert_int_equal(set(&o, "enabled", "false"), 0);
	assert_int_equal(set(&o, "interval", "7"), 0);
	assert_int_equal(set(&o, "port", ""), 0);
	assert_int_equal(set(&o, "max", ""), 0);
	assert_int_equal(set(&o, "enabled", ""), 0);
	assert_int_equal(set(&o, "interval", ""), 0);
	check_json(&o, "port", "[]");
	check_json(&o, "max", "null");
	check_json(&o, "enabled", "true");
	check_json(&o, "interval", "1");
	keys_done(tables, &o);
}

static void empty_item_of_a_list_is_refused(void **state)
{
	struct opts o = defaults;

	(void)state;
	assert_int_equal(set(&o, "port", "80,,443"), -EINVAL);
	assert_int_equal(set(&o, "port", ","), -EINVAL);
	keys_done(tables, &o);
}

static void key_that_may_not_change_is_refused_with_those_that_may(void **state)
{
	struct opts o = defaults;

	(void)state;
	assert_int_equal(set(&o, "fixed", "1"), -EINVAL);
	assert_non_null(strstr(err.msg, "'fixed'"));
	assert_non_null(strstr(err.msg, "takes port, max, interval, enabled, mode, name"));
	assert_int_equal(set(&o, "limit", "1"), -EINVAL);
	assert_int_equal(set(&o, "nosuch", "1"), -EINVAL);
	assert_int_equal(set(&o, "", "1"), -EINVAL);
}

static void wrong_value_names_option_and_what_it_takes(void **state)
{
	struct opts o = defaults;

	(void)state;
	assert_int_equal(set(&o, "max", "many"), -EINVAL);
	assert_non_null(strstr(err.msg, "--max: 'many'"));
	assert_non_null(strstr(err.msg, "takes"));
	check_json(&o, "max", "null");
}

static void copy_has_lists_and_strings_of_its_own(void **state)
{
	struct key_strings copies = { 0 };
	struct opts o = defaults, copy = { 0 };

	(void)state;
	assert_int_equal(set(&o, "port", "80,443"), 0);
	assert_int_equal(set(&o, "name", "x"), 0);
	assert_int_equal(keys_copy(tables, &o, &copy, &copies), 0);
	assert_true(keys_equal(&rows[1], &o, &copy));
	keys_done(tables, &o);
	key_strings_done(&strings);
	check_json(&copy, "port", "[\"80\",\"443\"]");
	check_json(&copy, "name", "\"x\"");
	keys_done(tables, &copy);
	key_strings_done(&copies);
}

static void move_leaves_nothing_behind(void **state)
{
	struct opts from = defaults, to = defaults;

	(void)state;
	assert_int_equal(set(&from, "port", "80"), 0);
	assert_int_equal(set(&to, "port", "22,23"), 0);
	keys_move(tables, &from, &to);
	check_json(&to, "port", "[\"80\"]");
	check_json(&from, "port", "[]");
	keys_done(tables, &to);
}

static void values_are_compared_by_what_they_say(void **state)
{
	struct opts a = defaults, b = defaults;
	const struct option_row *port = args_find(tables, "port"),
				*name = args_find(tables, "name");

	(void)state;
	assert_int_equal(set(&a, "port", "80"), 0);
	assert_false(keys_equal(port, &a, &b));
	assert_int_equal(set(&b, "port", "80"), 0);
	assert_true(keys_equal(port, &a, &b));
	assert_true(keys_equal(name, &a, &b));
	assert_int_equal(set(&a, "name", "x"), 0);
	assert_false(keys_equal(name, &a, &b));
	assert_int_equal(set(&b, "name", "x"), 0);
	assert_true(keys_equal(name, &a, &b));
	keys_done(tables, &a);
	keys_done(tables, &b);
}

/* What is set to what it is anyway can be told from what is not set. */
static void spoilt_field_agrees_only_where_it_is_set(void **state)
{
	static const char *const keys[] = { "max", "name" };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct option_row *row = args_find(tables, keys[i]);
		struct opts a = { 0 }, b = { 0 };

		keys_spoil(row, &b);
		assert_false(keys_equal(row, &a, &b));
		assert_int_equal(set(&a, keys[i], "1"), 0);
		assert_int_equal(set(&b, keys[i], "1"), 0);
		assert_true(keys_equal(row, &a, &b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(spoilt_field_agrees_only_where_it_is_set, clean_up),
		cmocka_unit_test_teardown(values_are_set_and_told_as_they_are, clean_up),
		cmocka_unit_test_teardown(list_replaces_the_old_one, clean_up),
		cmocka_unit_test_teardown(empty_value_clears_to_the_default, clean_up),
		cmocka_unit_test_teardown(empty_item_of_a_list_is_refused, clean_up),
		cmocka_unit_test_teardown(key_that_may_not_change_is_refused_with_those_that_may,
					  clean_up),
		cmocka_unit_test_teardown(wrong_value_names_option_and_what_it_takes, clean_up),
		cmocka_unit_test_teardown(copy_has_lists_and_strings_of_its_own, clean_up),
		cmocka_unit_test_teardown(move_leaves_nothing_behind, clean_up),
		cmocka_unit_test_teardown(values_are_compared_by_what_they_say, clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
