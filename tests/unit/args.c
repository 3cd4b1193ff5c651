/* SPDX-License-Identifier: BSD-2-Clause */
/* The option parser: spellings, errors word for word, help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/args.h"
#include "base/parse.h"

struct opts {
	bool help, quiet;
	unsigned int verbose;
	uint32_t pid, stall_ms;
	uint64_t count;
	double interval;
	const char *output;
	int hook;
	struct args_list ifaces;
	struct np_port_range port;
};

static int port_option(const char *value, void *dest, struct netprobe_error *err)
{
	return parse_port_range(value, dest, err);
}

static const char *const hooks[] = { "auto", "tracepoint", "fentry", "kprobe", NULL };

static const struct option_row filter_rows[] = {
	OPTIONS_HEADING("Filters"),
	OPTION("pid", 'p', OPTION_U32, struct opts, pid, "PID", "only this process", .min = 1,
	       .max = 4194304),
	OPTION("interface", 'i', OPTION_STRINGS, struct opts, ifaces, "IF",
	       "only this interface; may be given again, and the text is long enough to be wrapped",
	       .flags = OPTION_REPEAT),
	OPTION("port", 0, OPTION_CUSTOM, struct opts, port, "PORT[-PORT]", "only this port",
	       .parse = port_option),
	OPTIONS_END,
};
static const struct option_row other_rows[] = {
	OPTIONS_HEADING("Output"),
	OPTION(NULL, 'n', OPTION_U64, struct opts, count, "COUNT", "end after so many"),
	OPTION("interval", 0, OPTION_SECONDS, struct opts, interval, "SEC", "how often", .min = 100,
	       .max = 3600000),
	OPTION("stall-threshold", 0, OPTION_MSEC, struct opts, stall_ms, "MS", "what is a stall",
	       .min = 1),
	OPTION("output", 'o', OPTION_STRING, struct opts, output, "FILE", "write there"),
	OPTION("hook", 0, OPTION_ENUM, struct opts, hook, NULL, "hook family", .names = hooks),
	OPTION("secret", 0, OPTION_BOOL, struct opts, quiet, NULL, "never shown",
	       .flags = OPTION_HIDDEN),
	OPTION("verbose", 'v', OPTION_COUNT, struct opts, verbose, NULL, "say more"),
	OPTION("quiet", 'q', OPTION_BOOL, struct opts, quiet, NULL, "say less"),
	OPTION("help", 'h', OPTION_HELP, struct opts, help, NULL, "this text"),
	OPTIONS_END,
};
static const struct option_row *const tables[] = { filter_rows, other_rows, NULL };
static const struct args_spec plain = { .prog = "netprobe events",
					.tables = tables,
					.summary = "Print events as they happen." };
static const struct args_spec taking = { .prog = "netprobe ctl",
					 .tables = tables,
					 .operands = "KEY=VALUE ...",
					 .min_operands = 1,
					 .max_operands = 3 };
static const struct args_spec stopping = {
	.prog = "netprobe", .tables = tables, .operands = "COMMAND", .stop_at_operand = true
};

static struct opts o;
static struct args_list rest;
static struct netprobe_error err;

static int teardown(void **state)
{
	(void)state;
	args_list_done(&o.ifaces);
	args_list_done(&rest);
	memset(&o, 0, sizeof(o));
	return 0;
}

#define PARSE(spec, ...)                                                                 \
	args_parse(spec, (int)(sizeof((char *[]){ "x", __VA_ARGS__ }) / sizeof(char *)), \
		   (char *[]){ "x", __VA_ARGS__ }, &o, &rest, &err)

#define REFUSES(spec, text, ...)                                     \
	do {                                                         \
		assert_int_equal(PARSE(spec, __VA_ARGS__), -EINVAL); \
		assert_string_equal(err.msg, text);                  \
		(void)teardown(NULL);                                \
	} while (0)

static void args_accept_every_spelling_of_a_value(void **state)
{
	(void)state;
	assert_int_equal(PARSE(&plain, "--pid=1"), 0);
	assert_int_equal(o.pid, 1);
	assert_int_equal(PARSE(&plain, "--pid", "2"), 0);
	assert_int_equal(o.pid, 2);
	assert_int_equal(PARSE(&plain, "-p", "3"), 0);
	assert_int_equal(o.pid, 3);
	assert_int_equal(PARSE(&plain, "-p4"), 0);
	assert_int_equal(o.pid, 4);
	assert_int_equal(PARSE(&plain, "-qvvp5"), 0);
	assert_int_equal(o.pid, 5);
	assert_int_equal(o.verbose, 2);
	assert_true(o.quiet);
}

static void args_fill_every_type(void **state)
{
	(void)state;
	assert_int_equal(PARSE(&plain, "-n", "18446744073709551615", "--interval", "500ms",
			       "--stall-threshold=1.5s", "-o", "-", "--hook", "kprobe", "-i",
			       "eth0", "-ieth1", "--interface=lo", "--port", "8000-8100"),
			 0);
	assert_true(o.count == UINT64_MAX);
	assert_true(o.interval == 0.5);
	assert_int_equal(o.stall_ms, 1500);
	assert_string_equal(o.output, "-");
	assert_int_equal(o.hook, 3);
	assert_int_equal(o.ifaces.n, 3);
	assert_string_equal(o.ifaces.items[2], "lo");
	assert_int_equal(o.port.from, 8000);
	assert_int_equal(o.port.to, 8100);
}

static void args_last_one_wins_unless_repeatable(void **state)
{
	(void)state;
	assert_int_equal(PARSE(&plain, "-p1", "-p2", "--interval=1", "--interval=2"), 0);
	assert_int_equal(o.pid, 2);
	assert_true(o.interval == 2);
}

static void args_mix_options_and_operands(void **state)
{
	(void)state;
	assert_int_equal(PARSE(&taking, "port=1", "-p", "7", "-", "--", "-q"), 0);
	assert_int_equal(rest.n, 3);
	assert_string_equal(rest.items[0], "port=1");
	assert_string_equal(rest.items[1], "-");
	assert_string_equal(rest.items[2], "-q");
	assert_false(o.quiet);
}

static void args_stop_at_the_command(void **state)
{
	(void)state;
	assert_int_equal(PARSE(&stopping, "-v", "events", "--port", "-v"), 0);
	assert_int_equal(o.verbose, 1);
	assert_int_equal(rest.n, 3);
	assert_string_equal(rest.items[1], "--port");
}

static void args_help_wins_over_what_follows(void **state)
{
	(void)state;
	assert_int_equal(PARSE(&taking, "--help", "--bogus"), 0);
	assert_true(o.help);
	(void)teardown(NULL);
	assert_int_equal(PARSE(&taking, "-qhX"), 0);
	assert_true(o.help);
}

static void args_errors_name_option_value_and_what_it_takes(void **state)
{
	(void)state;
	REFUSES(&plain, "--port: '99999' is not a port; takes 1-65535 or a range like 8000-8100",
		"--port", "99999");
	REFUSES(&plain, "--pid: 'x' is not a number; takes a whole number from 1 to 4194304",
		"-px");
	REFUSES(&plain, "--pid: '0' is too small; takes a whole number from 1 to 4194304", "-p0");
	REFUSES(&plain, "--pid: '' is not a number; takes a whole number from 1 to 4194304",
		"--pid=");
	REFUSES(&plain, "-n: '-1' is not a number; takes a whole number from 0 on", "-n", "-1");
	REFUSES(&plain,
		"-n: '18446744073709551616' is too large; takes a whole number from 0 to "
		"18446744073709551615",
		"-n18446744073709551616");
	REFUSES(&plain, "--interval: '0.05' is too short; takes 0.1 seconds or more",
		"--interval=0.05");
	REFUSES(&plain, "--interval: '2h' is too long; takes at most 3600 seconds",
		"--interval=2h");
	REFUSES(&plain, "--stall-threshold: '0' is too short; takes 1 ms or more",
		"--stall-threshold=0");
	REFUSES(&plain, "--hook: 'fprobe' is not known; takes auto, tracepoint, fentry or kprobe",
		"--hook", "fprobe");
	REFUSES(&plain, "--output: '' is empty; takes FILE", "--output=");
	REFUSES(&plain, "--quiet: 'yes' given; takes no value", "--quiet=yes");
	REFUSES(&plain, "--port: nothing given; takes PORT[-PORT]", "--port");
	REFUSES(&plain, "-p: nothing given; takes PID", "-vp");
}

static void args_errors_about_operands_say_what_is_taken(void **state)
{
	(void)state;
	REFUSES(&plain, "'eth0' is not an option; takes what 'netprobe events --help' lists",
		"eth0");
	REFUSES(&taking, "'d' is one too many; takes KEY=VALUE ...", "a", "b", "c", "d");
	REFUSES(&taking, "nothing given; takes KEY=VALUE ...", "-v");
}

static void args_suggest_the_nearest_option(void **state)
{
	(void)state;
	REFUSES(&plain, "unknown option '--prot'; did you mean --port?", "--prot=80");
	REFUSES(&plain, "unknown option '--intreval'; did you mean --interval?", "--intreval", "1");
	REFUSES(&plain, "unknown option '--inter'; did you mean --interface?", "--inter");
	REFUSES(&plain, "unknown option '-port'; did you mean --port?", "-port", "80");
	REFUSES(&plain, "unknown option '--zzzzzz'; takes what 'netprobe events --help' lists",
		"--zzzzzz");
	REFUSES(&plain, "unknown option '--secrte'; takes what 'netprobe events --help' lists",
		"--secrte");
	REFUSES(&plain, "unknown option '-x' in '-vx'; takes what 'netprobe events --help' lists",
		"-vx");
	REFUSES(&plain, "unknown option '--'; takes what 'netprobe events --help' lists", "--=1");
}

static void args_suggest_the_nearest_word(void **state)
{
	static const struct {
		const char *name;
		int other;
	} table[] = { { "events", 1 }, { "top", 2 }, { "version", 3 }, { NULL, 4 } };
	static const struct {
		const char *typed, *message;
	} cases[] = {
		{ "evnts", "unknown command 'evnts'; did you mean events?" },
		{ "tpo", "unknown command 'tpo'; did you mean top?" },
		{ "ver", "unknown command 'ver'; did you mean version?" },
		{ "zzz", "unknown command 'zzz'; expected one of events, top, version" },
		{ "", "unknown command ''; expected one of events, top, version" },
		{ "e", "unknown command 'e'; expected one of events, top, version" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err = (struct netprobe_error){ 0 };
		assert_int_equal(args_unknown_word("command", cases[i].typed, table,
						   sizeof(table[0]), &err),
				 -EINVAL);
		assert_string_equal(err.msg, cases[i].message);
	}
}

static void args_set_serves_config_files(void **state)
{
	(void)state;
	assert_int_equal(args_set(args_find(tables, "quiet"), "true", &o, &err), 0);
	assert_true(o.quiet);
	assert_int_equal(args_set(args_find(tables, "quiet"), "false", &o, &err), 0);
	assert_false(o.quiet);
	assert_int_equal(args_set(args_find(tables, "quiet"), "maybe", &o, &err), -EINVAL);
	assert_string_equal(err.msg, "--quiet: 'maybe' is not a switch; takes true or false");
	assert_int_equal(args_set(args_find(tables, "verbose"), "2", &o, &err), 0);
	assert_int_equal(o.verbose, 2);
	assert_null(args_find(tables, "n"));
	assert_null(args_find(tables, ""));
}

static void args_help_lists_rows_under_their_headings(void **state)
{
	struct buf b = { 0 };

	(void)state;
	args_help(&plain, true, &b);
	assert_string_equal(
		buf_str(&b),
		"Usage: netprobe events [OPTIONS]\n"
		"\n"
		"Print events as they happen.\n"
		"\n"
		"Filters:\n"
		"  -p, --pid PID             only this process\n"
		"  -i, --interface IF        only this interface; may be given again, and the\n"
		"                            text is long enough to be wrapped\n"
		"      --port PORT[-PORT]    only this port\n"
		"\n"
		"Output:\n"
		"  -n COUNT                  end after so many\n"
		"      --interval SEC        how often\n"
		"      --stall-threshold MS  what is a stall\n"
		"  -o, --output FILE         write there\n"
		"      --hook auto|tracepoint|fentry|kprobe\n"
		"                            hook family\n"
		"  -v, --verbose             say more\n"
		"  -q, --quiet               say less\n"
		"  -h, --help                this text\n");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(args_accept_every_spelling_of_a_value, teardown),
		cmocka_unit_test_teardown(args_fill_every_type, teardown),
		cmocka_unit_test_teardown(args_last_one_wins_unless_repeatable, teardown),
		cmocka_unit_test_teardown(args_mix_options_and_operands, teardown),
		cmocka_unit_test_teardown(args_stop_at_the_command, teardown),
		cmocka_unit_test_teardown(args_help_wins_over_what_follows, teardown),
		cmocka_unit_test_teardown(args_errors_name_option_value_and_what_it_takes,
					  teardown),
		cmocka_unit_test_teardown(args_errors_about_operands_say_what_is_taken, teardown),
		cmocka_unit_test_teardown(args_suggest_the_nearest_option, teardown),
		cmocka_unit_test(args_suggest_the_nearest_word),
		cmocka_unit_test_teardown(args_set_serves_config_files, teardown),
		cmocka_unit_test_teardown(args_help_lists_rows_under_their_headings, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
