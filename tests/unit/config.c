/* SPDX-License-Identifier: BSD-2-Clause */
/* The config file: what it may say, and where it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* What of each section of a list is its own. */
struct target {
	const char *url, *token;
	uint32_t tries;
	struct args_list topics;
};

static const struct option_row target_rows[] = {
	OPTION("url", 0, OPTION_STRING, struct target, url, "URL", "where to"),
	OPTION("token", 0, OPTION_STRING, struct target, token, "TOKEN", "secret",
	       .flags = OPTION_SECRET | OPTION_LIVE),
	OPTION("tries", 0, OPTION_U32, struct target, tries, "N", "times", .min = 1),
	OPTION("pin", 0, OPTION_U32, struct target, tries, "N", "secret", .min = 1000,
	       .flags = OPTION_SECRET),
	OPTION("topics", 0, OPTION_STRINGS, struct target, topics, "TOPIC", "list",
	       .flags = OPTION_REPEAT),
	OPTIONS_END,
};
static const struct option_row *const target_tables[] = { target_rows, NULL };
/* Another command that reads the same file. */
struct other {
	bool fast;
};
static const struct option_row other_rows[] = {
	OPTION("fast", 0, OPTION_BOOL, struct other, fast, NULL, "fast"),
	OPTIONS_END,
};
static const struct option_row *const other_tables[] = { other_rows, NULL };
static const struct config_known known[] = {
	{ "export", target_tables, true },  { "export.retry", target_tables, true },
	{ "alerts", target_tables, false }, { "other", other_tables, .shared = true },
	{ "own", tables, .shared = true },  {}
};

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
		r = config_check(c, known, &err);
	if (!r)
		r = config_apply(c, 0, tables, &defaults, o, &err);
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
	check_refused("port:\n  - 80\n  - {}\n", "f.yaml:3:5: unknown section 'port'");
	check_refused("port: {a: b}\n", "f.yaml:1:7: unknown section 'port'");
	check_refused("port: [[1]]\n", "f.yaml:1:8: 'port'");
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
	check_refused("\"max\\0zz\": 1\n", "f.yaml:1:1: 'max': a NUL");
	check_refused("port: []\nport: [80]\n", "f.yaml:2:1: 'port' is there twice");
	check_refused("port: [80]\nport: []\n", "f.yaml:2:1: 'port' is there twice");
	check_refused("port: {x: 1, file: sec}\n", "f.yaml:1:14: file beside something");
	check_refused("url: x\n", "f.yaml:1:1: 'url' is not a key"); /* export is not shared */
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
	assert_int_equal(config_find(&c, 0, &rows[1])->line, 2);
	assert_int_equal(config_find(&c, 0, &rows[1])->column, 6);
	assert_null(config_find(&c, 0, &rows[0]));
	config_done(&c);
}

static int apply_target(struct config *c, unsigned int section, struct target *t)
{
	static const struct target none;

	*t = none;
	return config_apply(c, section, target_tables, &none, t, &err);
}

static void sections_have_options_of_their_own_and_may_be_repeated(void **state)
{
	struct config c = { 0 };
	struct target t;
	unsigned int at;

	(void)state;
	assert_int_equal(parse("max: 3\n"
			       "export:\n"
			       "  - url: one\n"
			       "    topics: [a, 'b,c']\n"
			       "  - url: two\n"
			       "    retry: {tries: 7}\n"
			       "alerts: {url: three}\n",
			       &c),
			 0);
	assert_int_equal(config_check(&c, known, &err), 0);
	at = config_section(&c, "export", 0);
	assert_int_equal(apply_target(&c, at, &t), 0);
	assert_string_equal(t.url, "one");
	assert_int_equal(t.topics.n, 2);
	assert_string_equal(t.topics.items[1], "b,c");
	keys_done(target_tables, &t);
	at = config_section(&c, "export", at);
	assert_int_equal(apply_target(&c, at, &t), 0);
	assert_string_equal(t.url, "two");
	assert_int_equal(t.tries, 0);
	assert_int_equal(config_section(&c, "export", at), 0);
	assert_int_equal(apply_target(&c, config_section(&c, "export.retry", 0), &t), 0);
	assert_int_equal(t.tries, 7);
	assert_int_equal(apply_target(&c, config_section(&c, "alerts", 0), &t), 0);
	assert_string_equal(t.url, "three");
	config_done(&c);
}

static void wrong_sections_are_told_with_line_and_column(void **state)
{
	static const char deep[] = "a: {b: {c: {d: {e: 1}}}}\n";
	struct config c = { 0 };
	struct target t;

	(void)state;
	check_refused("alert: {url: x}\n",
		      "f.yaml:1:8: unknown section 'alert'; did you mean alerts?");
	check_refused("alerts:\n  - url: x\n  - url: y\n", "f.yaml:2:5: 'alerts' is there several");
	check_refused("alerts: [{url: x}]\n", "f.yaml:1:10: 'alerts' is a list of one section");
	check_refused("alerts: {url: x}\nalerts: {url: y}\n",
		      "f.yaml:2:1: 'alerts' is there twice");
	check_refused("export: [{url: x}]\nexport: []\n", "f.yaml:2:1: 'export' is there twice");
	check_refused(deep, "f.yaml:1:16: 'd' is one section too many");
	assert_int_equal(parse("alerts:\n  url: x\n  tries: none\n", &c), 0);
	assert_int_equal(apply_target(&c, 1, &t), -EINVAL);
	assert_int_equal(strncmp(err.msg, "f.yaml:3:10: --tries: 'none'", 28), 0);
	config_done(&c);
	assert_int_equal(parse("alerts:\n  url: x\n  tires: 1\n", &c), 0);
	assert_int_equal(apply_target(&c, 1, &t), -EINVAL);
	assert_int_equal(strncmp(err.msg, "f.yaml:3:3: 'tires' is not a key", 29), 0);
	config_done(&c);
	/* a key is once in each section, and may be in several */
	check_refused("alerts:\n  url: x\n  url: y\n", "f.yaml:3:3: 'url' is there twice");
	assert_int_equal(parse("export: [{url: x}, {url: y}]\n", &c), 0);
	config_done(&c);
}

/* What a config gives behind its section "own". */
static void check_own(const char *text, unsigned int ports, const char *last, uint32_t max)
{
	struct config c = { 0 };
	struct opts o;
	const char *said = apply(text, &o, &c);
	unsigned int own = said ? 0 : config_section(&c, "own", 0);

	if (own && config_apply(&c, own, tables, &defaults, &o, &err))
		said = err.msg;
	if (said)
		fail_msg("%s: %s", text, said);
	assert_int_equal(o.port.n, ports);
	if (ports)
		assert_string_equal(o.port.items[ports - 1], last);
	assert_int_equal(o.max, max);
	keys_done(tables, &o);
	config_done(&c);
}

static void section_goes_before_what_is_in_none(void **state)
{
	(void)state;
	check_own("port: [80]\nmax: 1\nown: {port: [81], max: 2}\n", 1, "81", 2);
	check_own("port: [80, 82]\nown: {port: 81}\n", 1, "81", 0);
	check_own("port: 80\nown: {port: [81, 82]}\n", 2, "82", 0);
	check_own("port: [80]\nmax: 1\nown: {port: [], max: }\n", 0, NULL, 0);
	check_own("port: [80]\nown: {port: }\n", 0, NULL, 0);
}

static void one_file_is_for_all_commands(void **state)
{
	(void)state;
	check_own("fast: true\nmax: 1\n", 0, NULL, 1);
	check_own("max: 1\nown:\nother: ~\nalerts: []\n", 0, NULL, 1);
	check_own("max: 1\nown: {}\n", 0, NULL, 1);
	check_refused("other:\nother: {fast: true}\n", "f.yaml:2:1: 'other' is there twice");
	check_refused("another:\n", "f.yaml:1:1: 'another' is not a key");
	check_refused("own: 1\n", "f.yaml:1:1: 'own' is not a key");
}

/* A folder with a config and a file beside it. */
struct folder {
	char path[64], config[96], file[96];
};

static void put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static struct folder folder_new(void)
{
	struct folder f = { .path = "/tmp/netprobe-config-XXXXXX" };

	assert_non_null(mkdtemp(f.path));
	(void)snprintf(f.config, sizeof(f.config), "%s/c.yaml", f.path);
	(void)snprintf(f.file, sizeof(f.file), "%s/value", f.path);
	return f;
}

static void folder_done(const struct folder *f)
{
	(void)unlink(f->config);
	(void)unlink(f->file);
	(void)rmdir(f->path);
}

/* Read and applied to a target; what is said else. */
static int read_target(const struct folder *f, const char *config, mode_t mode, struct config *c,
		       struct target *t)
{
	int r;

	memset(&err, 0, sizeof(err));
	put(f->config, config, mode);
	r = config_read(f->config, c, &err);
	return r ? r : apply_target(c, 1, t);
}

static void value_may_be_what_a_file_holds(void **state)
{
	struct folder f = folder_new();
	struct config c = { 0 };
	struct target t;

	(void)state;
	put(f.file, "from the file\n", 0600);
	assert_int_equal(read_target(&f, "alerts: {url: {file: value}}\n", 0644, &c, &t), 0);
	assert_string_equal(t.url, "from the file");
	config_done(&c);
	assert_int_equal(read_target(&f, "alerts: {topics: [x, {file: value}]}\n", 0644, &c, &t),
			 0);
	assert_int_equal(t.topics.n, 2);
	assert_string_equal(t.topics.items[1], "from the file");
	keys_done(target_tables, &t);
	config_done(&c);
	put(f.file, "hunter2", 0600);
	assert_int_equal(read_target(&f, "alerts:\n  tries: {file: value}\n", 0644, &c, &t),
			 -EINVAL);
	assert_non_null(strstr(err.msg, "c.yaml:2:17: --tries: file 'value'"));
	assert_null(strstr(err.msg, "hunter2"));
	config_done(&c);
	assert_int_equal(read_target(&f, "alerts: {url: {file: none}}\n", 0644, &c, &t), -EINVAL);
	assert_non_null(strstr(err.msg, "c.yaml:1:22: --url: file 'none': No such file"));
	config_done(&c);
	assert_int_equal(read_target(&f, "alerts: {url: {file: value, max: 1}}\n", 0644, &c, &t),
			 -EINVAL);
	assert_non_null(strstr(err.msg, "c.yaml:1:29: something beside file"));
	folder_done(&f);
}

static void secrets_are_in_no_error_and_not_where_anybody_may_read_them(void **state)
{
	struct folder f = folder_new();
	struct config c = { 0 };
	struct buf b = { 0 };
	struct target t;

	(void)state;
	assert_int_equal(read_target(&f, "alerts:\n  token: hunter2\n", 0644, &c, &t), -EINVAL);
	assert_non_null(
		strstr(err.msg, "c.yaml:2:10: --token: a secret in a file that anybody may read"));
	assert_null(strstr(err.msg, "hunter2"));
	config_done(&c);
	assert_int_equal(read_target(&f, "alerts:\n  token: hunter2\n", 0600, &c, &t), 0);
	assert_string_equal(t.token, "hunter2");
	keys_write_json(&b, &target_rows[1], &t);
	assert_string_equal(buf_str(&b), "\"(secret)\"");
	buf_done(&b);
	config_done(&c);
	/* the file that holds it counts, not the one that names it */
	put(f.file, "hunter2\n", 0644);
	assert_int_equal(read_target(&f, "alerts: {token: {file: value}}\n", 0644, &c, &t),
			 -EINVAL);
	assert_non_null(strstr(err.msg, "anybody may read"));
	config_done(&c);
	assert_int_equal(chmod(f.file, 0600), 0);
	assert_int_equal(read_target(&f, "alerts: {token: {file: value}}\n", 0644, &c, &t), 0);
	assert_string_equal(t.token, "hunter2");
	config_done(&c);
	/* a value that is none of the option's */
	assert_int_equal(read_target(&f, "alerts: {pin: 777}\n", 0600, &c, &t), -EINVAL);
	assert_null(strstr(err.msg, "777"));
	assert_non_null(strstr(err.msg, "takes N"));
	config_done(&c);
	folder_done(&f);
}

/* Read, and blamed for what a row's value turned out to be. */
static void check_blamed(const struct folder *f, const char *config, unsigned int row,
			 const char *wrong, const char *expected)
{
	struct config c = { 0 };
	struct target t;

	assert_int_equal(read_target(f, config, 0600, &c, &t), 0);
	(void)error_set(&err, -ESRCH, "%s", wrong);
	assert_true(config_blame_row(&c, 1, &target_rows[row], &err));
	if (!strstr(err.msg, expected) || strstr(err.msg, "SUPER"))
		fail_msg("expected %s, got %s", expected, err.msg);
	assert_int_equal(err.code, -ESRCH);
	keys_done(target_tables, &t);
	config_done(&c);
}

static void what_turns_out_wrong_later_does_not_show_what_a_file_holds(void **state)
{
	struct folder f = folder_new();
	struct config c = { 0 };

	(void)state;
	put(f.file, "SUPERSECRET\n", 0600);
	check_blamed(&f, "alerts: {url: {file: value}}\n", 0, "--url: 'SUPERSECRET' is none",
		     "c.yaml:1:22: --url: file 'value': what it holds");
	check_blamed(&f, "alerts: {topics: [x, {file: value}]}\n", 4,
		     "--topics: 'SUPERSECRET' is none",
		     "c.yaml:1:29: --topics: file 'value': what it holds");
	check_blamed(&f, "alerts: {topics: [x, {file: value}, y]}\n", 4, "--topics: 'y' is none",
		     "c.yaml:1:37: --topics: 'y' is none");
	check_blamed(&f, "alerts: {topics: [x, y]}\n", 4, "--topics: no such thing: 'y'",
		     "c.yaml:1:22: --topics: no such thing: 'y'");
	check_blamed(&f, "alerts: {url: x}\n", 0, "--url: cannot be", "c.yaml:1:15: --url: cannot");
	check_blamed(&f, "alerts: {token: SUPER}\n", 1, "--token: 'SUPER' is none",
		     "c.yaml:1:17: --token: what is given is none");
	assert_int_equal(parse("max: 1\n", &c), 0);
	assert_false(config_blame_row(&c, 0, &rows[0], &err));
	config_done(&c);
	folder_done(&f);
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
		cmocka_unit_test(sections_have_options_of_their_own_and_may_be_repeated),
		cmocka_unit_test(wrong_sections_are_told_with_line_and_column),
		cmocka_unit_test(section_goes_before_what_is_in_none),
		cmocka_unit_test(one_file_is_for_all_commands),
		cmocka_unit_test(value_may_be_what_a_file_holds),
		cmocka_unit_test(what_turns_out_wrong_later_does_not_show_what_a_file_holds),
		cmocka_unit_test(secrets_are_in_no_error_and_not_where_anybody_may_read_them),
		cmocka_unit_test(file_that_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
