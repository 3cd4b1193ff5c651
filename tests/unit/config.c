/* SPDX-License-Identifier: BSD-2-Clause */
/* The config file: what it may say, and where it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "control/config.h"

struct opts {
	struct args_list port;
	uint32_t max;
	bool enabled, help;
	const char *config;
};

static const struct option_row rows[] = {
	OPTION("port", 0, OPTION_STRINGS, struct opts, port, "PORT", "ports",
	       .flags = OPTION_REPEAT),
	OPTION("max", 0, OPTION_U32, struct opts, max, "N", "max", .min = 1),
	OPTION("enabled", 0, OPTION_BOOL, struct opts, enabled, NULL, "on"),
	OPTION("help", 0, OPTION_HELP, struct opts, help, NULL, "help"),
	OPTION("config", 0, OPTION_STRING, struct opts, config, "FILE", "file"),
	OPTIONS_END,
};
static const struct option_row *const tables[] = { rows, NULL };
static const struct opts defaults = { .enabled = true };

static struct netprobe_error err;

static int parse(const char *text, struct config *c)
{
	memset(&err, 0, sizeof(err));
	return config_parse(text, strlen(text), "f.yaml", c, &err);
}

/* Parsed and applied; the error's text else. */
static const char *apply(const char *text, struct opts *o, struct config *c)
{
	int r = parse(text, c);

	*o = defaults;
	if (!r)
		r = config_apply(c, tables, &defaults, o, &err);
	return r ? err.msg : NULL;
}

static void check_refused(const char *text, const char *where)
{
	struct config c = { 0 };
	struct opts o;
	const char *said = apply(text, &o, &c);

	if (!said || strncmp(said, where, strlen(where)) != 0)
		fail_msg("%s: expected %s..., got %s", text, where, said ? said : "nothing wrong");
	keys_done(tables, &o);
	config_done(&c);
}

static void values_and_lists_become_options(void **state)
{
	struct config c = { 0 };
	struct opts o;

	(void)state;
	assert_null(apply("# comment\nport: [80, 8000-8100]\nmax: 7\nenabled: false\n", &o, &c));
	assert_int_equal(o.port.n, 2);
	assert_string_equal(o.port.items[1], "8000-8100");
	assert_int_equal(o.max, 7);
	assert_false(o.enabled);
	keys_done(tables, &o);
	config_done(&c);
	assert_null(apply("port:\n  - 80\n  - '443'\n", &o, &c));
	assert_int_equal(o.port.n, 2);
	assert_string_equal(o.port.items[1], "443");
	keys_done(tables, &o);
	config_done(&c);
}

static void list_in_one_line_is_divided_at_commas(void **state)
{
	struct config c = { 0 };
	struct opts o;

	(void)state;
	assert_null(apply("port: 80,443\n", &o, &c));
	assert_int_equal(o.port.n, 2);
	keys_done(tables, &o);
	config_done(&c);
}

static void empty_file_and_empty_values_are_defaults(void **state)
{
	static const char *const empty[] = {
		"",    "\n", "# nothing\n", "---\n", "---\n...\n", "max:\nport: ~\nenabled: null\n",
		"{}\n"
	};
	struct config c = { 0 };
	struct opts o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		assert_null(apply(empty[i], &o, &c));
		assert_int_equal(o.max, 0);
		assert_int_equal(o.port.n, 0);
		assert_true(o.enabled);
		keys_done(tables, &o);
		config_done(&c);
	}
}

static void what_is_wrong_is_told_with_line_and_column(void **state)
{
	(void)state;
	check_refused("max: 1\nprot: 5\n", "f.yaml:2:1: 'prot'");
	check_refused("max: many\n", "f.yaml:1:6: --max: 'many'");
	check_refused("max: [1]\n", "f.yaml:1:7: --max: a list");
	check_refused("port:\n  - 80\n  - {}\n", "f.yaml:3:5: 'port'");
	check_refused("port: {a: b}\n", "f.yaml:1:7: 'port'");
	check_refused("- max\n", "f.yaml:1:1: no mapping");
	check_refused("max\n", "f.yaml:1:1: no mapping");
	check_refused("max: 1\nmax: 2\n", "f.yaml:2:1: 'max' is there twice");
	check_refused("max: 1\n---\nmax: 2\n", "f.yaml:2:1: a second document");
	check_refused("max: \"1\n", "f.yaml:");
	check_refused("max: 1\n\tport: 2\n", "f.yaml:2:1:");
	check_refused("? [a]\n: 1\n", "f.yaml:1:3: not a key");
	check_refused("max: &a 1\nport: *a\n", "f.yaml:2:7: 'port'");
	check_refused("help: true\n", "f.yaml:1:1: 'help'");
	check_refused("config: x\n", "f.yaml:1:1: 'config'");
	check_refused("max: \"1\\0002\"\n", "f.yaml:1:6: max: a NUL");
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
	(void)state;
	check_refused("max: \xff\n", "f.yaml:");
}

static void pair_of_an_option_is_found(void **state)
{
	struct config c = { 0 };

	(void)state;
	assert_int_equal(parse("enabled: true\nmax: 3\n", &c), 0);
	assert_int_equal(config_find(&c, &rows[1])->line, 2);
	assert_int_equal(config_find(&c, &rows[1])->column, 6);
	assert_null(config_find(&c, &rows[0]));
	config_done(&c);
}

static void file_that_cannot_be_read_is_named(void **state)
{
	struct config c = { 0 };

	(void)state;
	assert_int_equal(config_read("/no/such/file", &c, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "--config: '/no/such/file'"));
	assert_int_equal(config_read("/dev/null", &c, &err), -EINVAL);
	assert_int_equal(config_read("/", &c, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_lists_become_options),
		cmocka_unit_test(list_in_one_line_is_divided_at_commas),
		cmocka_unit_test(empty_file_and_empty_values_are_defaults),
		cmocka_unit_test(what_is_wrong_is_told_with_line_and_column),
		cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
		cmocka_unit_test(pair_of_an_option_is_found),
		cmocka_unit_test(file_that_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
