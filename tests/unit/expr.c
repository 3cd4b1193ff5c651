/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions: what they match, what null means, where an error is, and that none takes long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <netdb.h>
#include <string.h>
#include <time.h>

#include "expr/expr.h"

#define KIND_A 1
#define KIND_B 2

struct record {
	const char *comm, *state;
	const char *names[3];
	unsigned int ports[2], n_ports;
	double rtt_us; /* negative: unknown */
	uint64_t bytes;
	double rate;
	bool has_addr;
	uint8_t addr[16];
	bool closed;
};

enum { COMM, STATE, NAMES, PORT, RTT, BYTES, RATE, ADDR, CLOSED, ONLY_B };

static const char *const states[] = { "OPEN", "CLOSE", NULL };
static const struct expr_field fields[] = {
	{ "comm", EXPR_TEXT, EXPR_PLAIN, EXPR_SHOWN, COMM, 0, NULL },
	{ "state", EXPR_TEXT, EXPR_PLAIN, 0, STATE, 0, states },
	{ "name", EXPR_TEXT, EXPR_PLAIN, EXPR_SHOWN, NAMES, 0, NULL },
	{ "port", EXPR_PORT, EXPR_PLAIN, EXPR_SHOWN, PORT, 0, NULL },
	{ "srtt_us", EXPR_NUMBER, EXPR_US, 0, RTT, 0, NULL },
	{ "rtt", EXPR_NUMBER, EXPR_US, EXPR_ALIAS, RTT, 0, NULL },
	{ "bytes", EXPR_NUMBER, EXPR_BYTES, 0, BYTES, 0, NULL },
	{ "rate", EXPR_NUMBER, EXPR_BYTES_S, 0, RATE, 0, NULL },
	{ "raddr", EXPR_ADDR, EXPR_PLAIN, EXPR_SHOWN, ADDR, 0, NULL },
	{ "closed", EXPR_BOOL, EXPR_PLAIN, 0, CLOSED, 0, NULL },
	{ "only-b", EXPR_NUMBER, EXPR_PLAIN, 0, ONLY_B, KIND_B, NULL },
};

static bool get(const void *record, const struct expr_field *f, unsigned int i,
		struct expr_value *ret)
{
	const struct record *r = record;

	ret->known = true;
	switch (f->id) {
	case COMM:
		ret->text = r->comm;
		return !i;
	case STATE:
		ret->text = r->state;
		return !i;
	case NAMES:
		ret->text = i < 3 ? r->names[i] : NULL;
		return i < 3;
	case PORT:
		ret->num = i < r->n_ports ? r->ports[i] : 0;
		return i < r->n_ports;
	case RTT:
		ret->known = r->rtt_us >= 0;
		ret->num = r->rtt_us;
		return !i;
	case BYTES:
		ret->num = r->bytes;
		return !i;
	case RATE:
		ret->num = r->rate;
		return !i;
	case ADDR:
		ret->addr = r->has_addr ? r->addr : NULL;
		return !i;
	case CLOSED:
		ret->num = r->closed;
		return !i;
	default:
		ret->num = 7;
		return !i;
	}
}

static const struct expr_schema schema = { "a row", fields, sizeof(fields) / sizeof(fields[0]),
					   KIND_A, get };

static const struct record nginx = {
	.comm = "nginx",
	.state = "OPEN",
	.names = { "web (one)", NULL, "Blue" },
	.ports = { 443, 50123 },
	.n_ports = 2,
	.rtt_us = 51000,
	.bytes = 18446744073709551615u,
	.rate = 1250000,
	.has_addr = true,
	.addr = { [10] = 0xff, 0xff, 10, 1, 2, 3 },
};

static const struct record unknown = { .rtt_us = -1 };

static bool holds(const char *text, const struct record *r)
{
	struct netprobe_error err = { 0 };
	struct expr *x = NULL;
	bool yes;

	if (expr_new(text, &schema, &x, &err)) {
		print_error("%s: %s\n", text, err.msg);
		fail();
	}
	yes = expr_match(x, r);
	(void)expr_free(x);
	return yes;
}

static void yes_and_no(const char *const *yes, const char *const *no, const struct record *r)
{
	for (; *yes; yes++)
		if (!holds(*yes, r))
			fail_msg("does not match: %s", *yes);
	for (; *no; no++)
		if (holds(*no, r))
			fail_msg("matches: %s", *no);
}

/* Names of ports are this machine's; a minimal one has none. */
static void a_port_has_the_name_of_its_service(void **state)
{
	(void)state;
	if (!getservbyname("https", "tcp"))
		skip();
	assert_true(holds("port:https", &nginx));
	assert_true(holds("port=https", &nginx));
	assert_false(holds("port=ssh", &nginx));
}

static void fields_compare_by_their_type(void **state)
{
	static const char *const yes[] = { "comm=nginx",
					   "comm = nginx",
					   "comm:GIN",
					   "comm~^ng.nx$",
					   "comm!=sshd",
					   "comm !~ ^ssh",
					   "comm='nginx'",
					   "state:open",
					   "state=OPEN",
					   "port=443",
					   "port:443",
					   "port=50000-51000",
					   "port=80,443",
					   "port!=80",
					   "port>=50123",
					   "srtt_us=51000",
					   "rtt>50ms",
					   "rtt>=51ms",
					   "rtt<0.052s",
					   "rtt=50ms-52ms",
					   "rtt>50500us",
					   "bytes>17GiB",
					   "bytes=18446744073709551615",
					   "rate=10Mbit/s",
					   "rate>1MiB/s",
					   "rate=1250kB/s",
					   "raddr=10.0.0.0/8",
					   "raddr:10.1.2.3",
					   "raddr!=192.0.2.0/24",
					   "raddr~^10\\.1",
					   "closed=false",
					   "closed!=true",
					   "name:blue",
					   "name=Blue",
					   "name=\"web (one)\"",
					   "name~(web|foo)",
					   "name!=Red",
					   "raddr=192.0.2.1,10.1.2.3",
					   "comm~(?i)NGINX",
					   NULL };
	static const char *const no[] = { "comm=Nginx",
					  "comm=ngin",
					  "comm!=nginx",
					  "comm!~ng",
					  "state=CLOSE",
					  "port=80",
					  "port!=443",
					  "port=80,8443",
					  "rtt>51ms",
					  "rtt<50ms",
					  "rtt=52ms-53ms",
					  "bytes<18446744073709551615",
					  "rate>10Mbit/s",
					  "raddr=10.2.0.0/16",
					  "raddr=2001:db8::/32",
					  "closed=true",
					  "name=blue",
					  "name!=Blue",
					  NULL };

	(void)state;
	yes_and_no(yes, no, &nginx);
}

static void words_are_looked_for_in_what_is_shown(void **state)
{
	static const char *const yes[] = { "nginx",	  "NGINX",     "gin",	    "443",
					   "10.1.2",	  "blue",      "\"(one)\"", "~^ng",
					   "~'(web|x) '", "nginx 443", "~\\d{5}",   NULL };
	/* neither state nor bytes is shown */
	static const char *const no[] = { "OPEN", "18446744073709551615", "nginx 444", "~^gin",
					  NULL };

	(void)state;
	yes_and_no(yes, no, &nginx);
}

static void operators_bind_as_usual(void **state)
{
	static const char *const yes[] = { "comm=x or comm=nginx",
					   "comm=nginx or comm=x and comm=y",
					   "(comm=x or comm=nginx) and port=443",
					   "not comm=x",
					   "not not nginx",
					   "not (comm=x and port=443)",
					   "comm=x port=443 or nginx",
					   "NOT comm=x AND nginx",
					   "((((nginx))))",
					   "not(comm=x)or comm=y",
					   NULL };
	static const char *const no[] = { "(comm=nginx or comm=x) and comm=y",
					  "not comm=nginx or comm=x",
					  "not (nginx or comm=x)",
					  "comm=nginx and not port=443",
					  "comm=nginx port=80",
					  NULL };

	(void)state;
	yes_and_no(yes, no, &nginx);
}

static void a_comparison_with_null_is_false_and_not_its_opposite(void **state)
{
	static const char *const yes[] = { "not comm=nginx",  "not rtt>1ms", "not rtt<=1ms",
					   "not comm!=nginx", "comm=null",   "comm:null",
					   "rtt=null",	      "raddr=null",  "port=null",
					   "not port!=80",    "name=null",   NULL };
	static const char *const no[] = {
		"comm=nginx", "comm!=nginx", "comm~.",	  "comm!~.",
		"rtt>1ms",    "rtt<=1ms",    "rtt!=5",	  "raddr!=10.0.0.0/8",
		"port!=80",   "comm!=null",  "rtt!=null", "comm=\"null\"",
		"nginx",      "~.*x",	     NULL
	};
	static const char *const known[] = { "comm!=null", "rtt!=null", "port!=null", "name!=null",
					     NULL };
	static const char *const none[] = { "comm=null", "rtt=null", "port=null", NULL };

	(void)state;
	yes_and_no(yes, no, &unknown);
	yes_and_no(known, none, &nginx);
}

/* Whatever is asked, a record is in one of two heaps and not in both. */
static void an_expression_and_its_opposite_part_the_records(void **state)
{
	static const char *const all[] = {
		"comm=nginx",	    "comm!=nginx",	     "rtt>1ms", "port!=80",
		"comm~x or rtt<1s", "closed=true comm=null", NULL
	};

	(void)state;
	for (const char *const *e = all; *e; e++) {
		char opposite[128];

		(void)snprintf(opposite, sizeof(opposite), "not (%s)", *e);
		assert_true(holds(*e, &nginx) != holds(opposite, &nginx));
		assert_true(holds(*e, &unknown) != holds(opposite, &unknown));
	}
}

static void errors_name_the_column_and_what_is_taken(void **state)
{
	static const struct {
		const char *text, *begin, *part;
	} wrong[] = {
		{ "", "column 1: ", "takes FIELD=VALUE" },
		{ "  rtu>50ms", "column 3: unknown field 'rtu'", "did you mean rtt?" },
		{ "comm=x and porrt=1", "column 12: unknown field 'porrt'", "did you mean port?" },
		{ "zzzzzzzz=1", "column 1: unknown field", "takes comm, state" },
		{ "rtt>50MB", "column 5: 'MB' is not a unit of rtt", "takes ns, us" },
		{ "rtt>fast", "column 5: 'fast' is not a number", "takes a number" },
		{ "rtt>50 ms", "column 8: 'ms' stands apart from its number", "takes 50ms" },
		{ "(bytes > 1  MiB)", "column 13: 'MiB' stands apart", "takes 1MiB, or quotes" },
		{ "port=80 , 443", "column 9: a comma apart from its value", "takes 80,443" },
		{ "rtt>1ms-2ms", "column 5: ", "take one number" },
		{ "rtt=5ms-2ms", "column 5: ", "takes FROM-TO" },
		{ "port=70000", "column 6: ", "takes 0 to 65535" },
		{ "port=80,,81", "column 6: ", "takes" },
		{ "port=nosuchservice", "column 6: ", "takes" },
		{ "raddr=10.0.0.0/33", "column 7: ", "takes" },
		{ "raddr<10.0.0.1", "column 7: ", "takes =" },
		{ "comm<x", "column 6: ", "takes =" },
		{ "rtt<null", "column 5: ", "takes = and !=" },
		{ "closed=maybe", "column 8: ", "takes true or false" },
		{ "state=HALF", "column 7: unknown state 'HALF'", "expected one of OPEN, CLOSE" },
		{ "comm~(", "column 6: ", "takes one of up to 256" },
		{ "~[", "column 1: ", "takes one" },
		{ "comm=", "column 6: nothing behind comm", "takes a value" },
		{ "comm=x and", "column 11: ", "takes" },
		{ "or comm=x", "column 1: 'or' has nothing on one side", "takes" },
		{ "(comm=x", "column 1: ", "takes )" },
		{ "comm=x)", "column 7: ", "takes" },
		{ "comm=\"x", "column 6: ", "takes \"" },
		{ "nginx && x", "column 7: ", "takes and, or, not" },
		{ "10.0.0.1=x", "column 1: ", "takes FIELD=VALUE" },
		{ "=x", "column 1: '=' has no field before it", "takes" },
		{ "\xc3\xa4\xc3\xa4 rtu=1", "column 4: ", "did you mean" },
		{ "only-b=7", "column 1: a row has no only-b", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct netprobe_error err = { 0 };
		struct expr *x = NULL;

		if (expr_new(wrong[i].text, &schema, &x, &err) != -EINVAL || x)
			fail_msg("taken: %s", wrong[i].text);
		if (strncmp(err.msg, wrong[i].begin, strlen(wrong[i].begin)) != 0 ||
		    !strstr(err.msg, wrong[i].part))
			fail_msg("%s: %s", wrong[i].text, err.msg);
	}
}

static void addresses_are_words(void **state)
{
	struct record r = nginx;

	(void)state;
	r.comm = "fe80::1 [::1]:443 10.0.0.1:80";
	assert_true(holds("fe80::1", &r));
	assert_true(holds("[::1]:443", &r));
	assert_true(holds("10.0.0.1:80", &r));
	assert_false(holds("fe80::2", &r));
}

static void length_and_depth_are_bounded(void **state)
{
	struct netprobe_error err = { 0 };
	char text[4096], *p = text;
	struct expr *x = NULL;

	(void)state;
	memset(text, '(', 1000);
	text[1000] = '\0';
	assert_int_equal(expr_new(text, &schema, &x, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "too many parentheses"));
	for (int i = 0; i < 200; i++)
		p += snprintf(p, 8, "not ");
	memcpy(p, "x", 2);
	assert_int_equal(expr_new(text, &schema, &x, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "too many nots"));
	for (p = text; p < text + 400;)
		p += snprintf(p, 8, "x ");
	assert_int_equal(expr_new(text, &schema, &x, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "too long"));
	memset(text, 'x', 2000);
	text[2000] = '\0';
	assert_int_equal(expr_new(text, &schema, &x, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "takes up to 1023"));
	assert_null(x);
}

static double now(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Each of these takes for ever where nothing holds it. */
static void hostile_patterns_end_and_are_counted(void **state)
{
	static const char *const hostile[] = { "comm~(a+)+$", "comm~(a|aa)+$", "comm~(a*)*b",
					       "comm~^(?:.*a){20}$",
					       "comm~(?:(?:a{1,20}){1,20}){1,20}b" };
	struct record r = nginx;
	double begin = now();
	uint64_t gave_up = 0;
	char text[256];

	(void)state;
	memset(text, 'a', sizeof(text) - 2);
	memcpy(text + sizeof(text) - 2, "!", 2);
	r.comm = text;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct netprobe_error err = { 0 };
		struct expr *x = NULL;

		/* some are too large to be made */
		if (expr_new(hostile[i], &schema, &x, &err))
			continue;
		for (unsigned int k = 0; k < 100000; k++)
			assert_false(expr_match(x, &r));
		gave_up += expr_gave_up(x);
		(void)expr_free(x);
	}
	assert_true(now() - begin < 5);
	assert_true(gave_up >= 200000);
}

/* Where a comma stands before the fraction, a regular expression is still asked with a point. */
static void numbers_are_spelled_alike_in_every_locale(void **state)
{
	char dir[] = "/tmp/netprobe-expr-XXXXXX", command[160];
	struct record r = nginx;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(command, sizeof(command),
		       "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", dir);
	if (system(command) || setenv("LOCPATH", dir, 1) || !setlocale(LC_ALL, "de_DE.UTF-8"))
		print_message("no locale with a comma can be made here\n");
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	(void)!system(command);
	r.rtt_us = 51.5;
	assert_true(holds("rtt~^51\\.5$", &r));
	assert_false(holds("rtt~,", &r));
	(void)setlocale(LC_ALL, "C");
	r.rtt_us = 3e300;
	assert_true(holds("rtt~e\\+300$", &r));
}

static int note(const struct expr_term *t, void *arg)
{
	char *to = arg;

	(void)snprintf(to + strlen(to), 100, "%s%c%s;", t->field->name, t->contains ? '~' : '=',
		       t->text);
	return 0;
}

static void only_what_every_record_must_pass_is_told(void **state)
{
	static const struct {
		const char *text, *terms;
	} all[] = {
		{ "port=443 and comm=x", "port=443;comm=x;" },
		{ "port:443 comm:x rtt>5", "port=443;comm~x;" },
		{ "(port=443 comm=x) nginx", "port=443;comm=x;" },
		{ "port=443 or comm=x", "" },
		{ "not port=443", "" },
		{ "port=443 and (comm=x or rtt=1)", "port=443;" },
		{ "port!=443 comm=null comm~x", "" },
		{ "state:close", "state=CLOSE;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct netprobe_error err = { 0 };
		struct expr *x = NULL;
		char got[512] = "";

		assert_int_equal(expr_new(all[i].text, &schema, &x, &err), 0);
		assert_int_equal(expr_each_term(x, note, got), 0);
		assert_string_equal(got, all[i].terms);
		(void)expr_free(x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_compare_by_their_type),
		cmocka_unit_test(a_port_has_the_name_of_its_service),
		cmocka_unit_test(words_are_looked_for_in_what_is_shown),
		cmocka_unit_test(operators_bind_as_usual),
		cmocka_unit_test(a_comparison_with_null_is_false_and_not_its_opposite),
		cmocka_unit_test(an_expression_and_its_opposite_part_the_records),
		cmocka_unit_test(errors_name_the_column_and_what_is_taken),
		cmocka_unit_test(addresses_are_words),
		cmocka_unit_test(length_and_depth_are_bounded),
		cmocka_unit_test(hostile_patterns_end_and_are_counted),
		cmocka_unit_test(numbers_are_spelled_alike_in_every_locale),
		cmocka_unit_test(only_what_every_record_must_pass_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
