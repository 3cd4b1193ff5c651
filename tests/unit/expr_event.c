/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions over event records: by the fields of the table, found in the record's JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netprobe/netprobe.h>
#include <stdio.h>
#include <string.h>

static const char conn[] =
	"{\"schema\":1,\"host\":\"web1\",\"event_type\":\"conn.close\",\"entity_id\":\"socket-7\","
	"\"num\":-1.25e1,\"mode\":\"ebpf\",\"pid\":1234,\"comm\":\"na\\u006dé\\\"x\",\"exe\":null,"
	"\"container\":{\"id\":\"abc\",\"name\":\"blue}\",\"pod\":null},\"laddr\":\"10.1.2.3\","
	"\"lport\":50123,\"raddr\":\"2001:db8::1\",\"rport\":443,\"transport\":\"tcp\","
	"\"family\":\"ipv6\",\"srtt_us\":51000,\"retransmits\":3,\"tx_bytes\":5000}";
static const char query[] =
	"{\"host\":\"h\",\"event_type\":\"dns.query\",\"value\":\"a.example\",\"qname\":\"a.example\","
	"\"answers\":[\"192.0.2.1\", \"192.0.2.2\"],\"ttls_s\":[60,300],\"timeout\":false,"
	"\"latency_ms\":12.5,\"asked_by\":{\"pid\":9,\"container\":{\"name\":\"c9\"}}}";

static int holds(const char *text, const char *json)
{
	struct netprobe_error err = { 0 };
	struct netprobe_event ev = { .size = sizeof(ev), .json = json };
	struct netprobe_expr *x = NULL;
	int r;

	if (netprobe_expr_new(&x, text, NETPROBE_ABOUT_EVENT, &err)) {
		print_error("%s: %s\n", text, err.msg);
		fail();
	}
	r = netprobe_expr_event(x, &ev);
	/* the same again: nothing of a record stays */
	assert_int_equal(netprobe_expr_event(x, &ev), r);
	(void)netprobe_expr_free(x);
	return r;
}

static int flow_holds(const char *text, const struct netprobe_flow *f)
{
	struct netprobe_error err = { 0 };
	struct netprobe_expr *x = NULL;
	int r;

	if (netprobe_expr_new(&x, text, NETPROBE_ABOUT_FLOW, &err))
		fail_msg("%s: %s", text, err.msg);
	r = netprobe_expr_flow(x, f);
	(void)netprobe_expr_free(x);
	return r;
}

static void all_are(int expected, const char *const *list, const char *json)
{
	for (; *list; list++)
		if (holds(*list, json) != expected)
			fail_msg("%s: expected %d", *list, expected);
}

/* A name of a process as an event shows it, of two halves where it is beyond 16 bits, and as it is in a row. */
static void names_are_the_same_in_events_and_rows(void **state)
{
	static const char json[] = "{\"comm\":\"\\udb40\\udc01tag \u00c9clair\"}";
	static const char raw[] = "\xf3\xa0\x80\x81tag \u00c9clair", bad[] = "b\xff\xfe\x80";
	static const char *const yes[] = { "comm=\"\U000e0001tag \u00c9clair\"",
					   "comm~^\\x{e0001}tag",
					   "comm:\u00e9CLAIR",
					   "\u00e9clair",
					   "not comm:\u00e8clair",
					   NULL };
	struct netprobe_flow f = { .size = sizeof(f), .comm = raw };

	(void)state;
	all_are(1, yes, json);
	for (const char *const *text = yes; *text; text++)
		assert_int_equal(flow_holds(*text, &f), 1);
	f.comm = bad;
	assert_int_equal(flow_holds("comm=\"b\uFFFD\uFFFD\uFFFD\"", &f), 1);
	assert_int_equal(flow_holds("comm=\"b\xff\xfe\x80\"", &f), 1);
	assert_int_equal(flow_holds("comm:B\uFFFD", &f), 1);
}

static void fields_are_found_by_their_names(void **state)
{
	static const char *const yes[] = { "event_type=conn.close",
					   "type:conn",
					   "pid=1234",
					   "comm='namé\"x'",
					   "port=443",
					   "port=50000-51000",
					   "addr=10.0.0.0/8",
					   "raddr=2001:db8::/32",
					   "container.name=blue}",
					   "container:ABC",
					   "rtt>50ms",
					   "rtt<52ms",
					   "num=-12.5",
					   "exe=null",
					   "container.pod=null",
					   "transport:TCP",
					   "tx_bytes=5kB",
					   "not tx_bytes=5KiB",
					   "retransmits>=3",
					   "exe!=x or pid!=1",
					   NULL };
	static const char *const no[] = { "type=conn.open",  "port=80",	 "addr=10.2.0.0/16",
					  "container=green", "rtt>51ms", "exe:x",
					  "exe!=x",	     "num>0",	 "laddr=2001:db8::/32",
					  "rport>50000",     NULL };

	(void)state;
	all_are(1, yes, conn);
	all_are(0, no, conn);
}

static void is_refused(const char *text, uint32_t about, const char *words)
{
	struct netprobe_error err = { 0 };
	struct netprobe_expr *x = NULL;

	assert_int_equal(netprobe_expr_new(&x, text, about, &err), -EINVAL);
	if (!strstr(err.msg, words))
		fail_msg("%s: expected '%s', got '%s'", text, words, err.msg);
}

/* A wrong word for what has few is an error, not an expression that nothing matches. */
static void a_type_is_one_that_there_is(void **state)
{
	(void)state;
	is_refused("type=conn.clsoe", NETPROBE_ABOUT_EVENT, "did you mean conn.close?");
	is_refused("pid=1 and event_type!=nonsense", NETPROBE_ABOUT_EVENT,
		   "unknown event_type 'nonsense'");
	assert_int_equal(holds("type=CONN.CLOSE", conn), 1);
	assert_int_equal(holds("type:Close", conn), 1);
}

static void a_state_is_one_that_there_is(void **state)
{
	const struct netprobe_flow f = { .size = sizeof(f), .state = "TIME_WAIT" };

	(void)state;
	assert_int_equal(flow_holds("state=time_wait", &f), 1);
	assert_int_equal(flow_holds("state:wait", &f), 1);
	assert_int_equal(flow_holds("state!=ESTABLISHED", &f), 1);
	is_refused("state=TIMEWAIT", NETPROBE_ABOUT_FLOW, "did you mean TIME_WAIT?");
	is_refused("verdict=slow", NETPROBE_ABOUT_FLOW,
		   "expected one of application, receive_window");
	is_refused("owner_match=none_such", NETPROBE_ABOUT_FLOW, "unknown owner_match");
}

/* A number equals what it is printed as, whatever its decimals are in binary, and in another unit too. */
static void a_fraction_equals_what_is_printed(void **state)
{
	char json[64], text[64];

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) {
		(void)snprintf(json, sizeof(json), "{\"duration_ms\":%u.%03u}", 7 * i, i % 1000);
		(void)snprintf(text, sizeof(text), "duration=%u.%03u", 7 * i, i % 1000);
		if (holds(text, json) != 1)
			fail_msg("%s is not %s", text, json);
		(void)snprintf(text, sizeof(text), "duration=%uus", 7000 * i + i % 1000);
		if (holds(text, json) != 1)
			fail_msg("%s is not %s", text, json);
	}
}

/* What an interface tells of itself is printed with three decimals as well. */
static void so_does_what_a_link_tells(void **state)
{
	static const char *const yes[] = { "link.tx_bytes_per_s=1234.568",
					   "link.rx_bytes_per_s=0.333",
					   "link.tx_packets_per_s=3.143",
					   "link.rx_packets_per_s=0",
					   "link.tx_owned=0.877",
					   "link.rx_owned=null",
					   "link.rx_bytes=7" };
	const struct netprobe_link link = { .size = sizeof(link),
					    .rx_bytes = 7,
					    .tx_bytes_per_s = 1234.56781,
					    .rx_bytes_per_s = 1.0 / 3,
					    .tx_packets_per_s = 22.0 / 7,
					    .rx_packets_per_s = 0.0001,
					    .tx_unowned = 0.12345,
					    .rx_unowned = -1 };
	const struct netprobe_row row = { .size = sizeof(row), .group = "eth0", .link = &link };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		struct netprobe_expr *x = NULL;

		assert_int_equal(netprobe_expr_new(&x, yes[i], NETPROBE_VIEW_INTERFACE, NULL), 0);
		if (netprobe_expr_row(x, &row) != 1)
			fail_msg("%s", yes[i]);
		(void)netprobe_expr_free(x);
	}
}

static void a_row_s_fraction_is_compared_as_it_is_printed(void **state)
{
	const struct netprobe_flow f = { .size = sizeof(f),
					 .opened_ns = 1,
					 .closed_ns = 14361456,
					 .connect_us = 68,
					 .stall_ns = 1234567 };

	(void)state;
	assert_int_equal(flow_holds("duration_ms=14.361", &f), 1);
	assert_int_equal(flow_holds("connect_ms=0.068", &f), 1);
	assert_int_equal(flow_holds("connect_ms=68us", &f), 1);
	assert_int_equal(flow_holds("stall_ms=1.235", &f), 1);
}

static void of_an_array_any_value_may_match(void **state)
{
	static const char *const yes[] = { "answers=192.0.2.2", "answers:0.2.1",
					   "ttls_s>100",	"ttls_s=60",
					   "timeout=false",	"latency>10ms",
					   "asked_by.pid=9",	"asked_by.container.name=c9",
					   "answers!=x",	NULL };
	static const char *const no[] = { "answers=192.0.2.3",	"ttls_s>300",	  "timeout=true",
					  "answers!=192.0.2.1", "asked_by.pid>9", NULL };

	(void)state;
	all_are(1, yes, query);
	all_are(0, no, query);
}

/* What a type has not is not known of it. */
static void fields_of_other_types_are_null(void **state)
{
	static const char *const yes[] = { "qname=null", "not qname=x", NULL };
	static const char *const no[] = { "qname!=x", "qname:x", "latency>0ms", "seen<5", NULL };

	(void)state;
	all_are(1, yes, conn);
	all_are(0, no, conn);
}

static void words_are_not_looked_for_in_what_all_have(void **state)
{
	static const char *const yes[] = { "443",  "10.1.2", "conn.cl", "blue",
					   "1234", "~^abc$", NULL };
	static const char *const no[] = { "web1", "ebpf", "5000", "51000", NULL };

	(void)state;
	all_are(1, yes, conn);
	all_are(0, no, conn);
}

static void what_is_no_json_has_no_fields(void **state)
{
	static const char *const bad[] = { "",
					   "{",
					   "[]",
					   "{\"pid\"",
					   "{\"pid\":",
					   "\"x\"",
					   "{pid:1}",
					   "{\"a\":[1,\"pid\":1",
					   "{\"pid\":\"1\"}",
					   "{\"comm\":\"\\",
					   "{\"comm\":[[[}}}",
					   NULL };
	struct netprobe_event ev = { .size = sizeof(ev) };
	struct netprobe_expr *x = NULL;

	(void)state;
	for (const char *const *b = bad; *b; b++)
		assert_int_equal(holds("pid>0 or comm:x", *b), 0);
	assert_int_equal(netprobe_expr_new(&x, "pid=1", NETPROBE_ABOUT_EVENT, NULL), 0);
	assert_int_equal(netprobe_expr_event(x, &ev), -EINVAL);
	assert_int_equal(netprobe_expr_flow(x, NULL), -EINVAL);
	(void)netprobe_expr_free(x);
}

/* Of events the remote end only where TCP is asked for; never the own one, which a socket gets late. */
static void only_the_protocol_and_ends_of_tcp_are_left_to_the_kernel(void **state)
{
	static const struct {
		uint32_t about;
		const char *text, *filters;
	} all[] = {
		{ NETPROBE_ABOUT_FLOW, "rport=443 family=ipv4", "" },
		{ NETPROBE_ABOUT_FLOW, "rport=443 proto=tcp", "10=443;11=tcp;" },
		{ NETPROBE_ABOUT_EVENT, "family=ipv6 transport=udp", "11=udp;" },
		{ NETPROBE_ABOUT_EVENT, "rport=443", "" },
		{ NETPROBE_ABOUT_EVENT, "rport=443 transport=tcp", "10=443;11=tcp;" },
		{ NETPROBE_ABOUT_EVENT, "rport=443 transport=udp", "11=udp;" },
		{ NETPROBE_ABOUT_EVENT, "transport=mptcp family=ipv6 comm=x", "11=tcp;13=ipv6;" },
		{ NETPROBE_ABOUT_FLOW, "port=443 addr=10.0.0.1", "" },
		{ NETPROBE_ABOUT_FLOW, "lport=443 laddr=10.0.0.1 src-port=1", "" },
		{ NETPROBE_ABOUT_FLOW, "rport:80,443 and raddr=10.0.0.0/8 transport=tcp",
		  "10=80;10=443;7=10.0.0.0/8;11=tcp;" },
		{ NETPROBE_ABOUT_FLOW, "rport=443 or comm=x", "" },
		{ NETPROBE_ABOUT_FLOW, "not rport=443", "" },
		{ NETPROBE_ABOUT_FLOW, "rport!=443 pid=1 comm=x netns=4026531840", "" },
		{ NETPROBE_ABOUT_FLOW, "rport=0 raddr=10.1.1.1 transport=tcp",
		  "7=10.1.1.1;11=tcp;" },
		{ NETPROBE_ABOUT_FLOW, "rport=1,0", "" },
		{ NETPROBE_ABOUT_FLOW, "rport>442 dst-port=1-5 transport=tcp", "10=1-5;11=tcp;" },
		{ NETPROBE_ABOUT_FLOW, "transport=tcp and rport=1 and rport=2", "11=tcp;10=1;" },
		{ NETPROBE_ABOUT_FLOW, "rport=null raddr!=null", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct netprobe_filter f;
		struct netprobe_expr *x = NULL;
		char got[256] = "";

		assert_int_equal(netprobe_expr_new(&x, all[i].text, all[i].about, NULL), 0);
		for (unsigned int k = 0; !netprobe_expr_filter(x, k, &f); k++)
			(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u=%s;",
				       f.key, f.value);
		assert_string_equal(got, all[i].filters);
		(void)netprobe_expr_free(x);
	}
}

/* Rows by process have no ends: what a filter of them leaves out would be missing in the sums. */
static void sums_of_several_sockets_are_left_alone(void **state)
{
	struct netprobe_filter f;
	struct netprobe_expr *x = NULL;

	(void)state;
	assert_int_equal(netprobe_expr_new(&x, "pid=1 comm=x", NETPROBE_VIEW_PROCESS, NULL), 0);
	assert_int_equal(netprobe_expr_filter(x, 0, &f), -ENOENT);
	(void)netprobe_expr_free(x);
	assert_int_equal(netprobe_expr_filter(NULL, 0, &f), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_the_same_in_events_and_rows),
		cmocka_unit_test(fields_are_found_by_their_names),
		cmocka_unit_test(a_type_is_one_that_there_is),
		cmocka_unit_test(a_state_is_one_that_there_is),
		cmocka_unit_test(a_fraction_equals_what_is_printed),
		cmocka_unit_test(so_does_what_a_link_tells),
		cmocka_unit_test(a_row_s_fraction_is_compared_as_it_is_printed),
		cmocka_unit_test(of_an_array_any_value_may_match),
		cmocka_unit_test(fields_of_other_types_are_null),
		cmocka_unit_test(words_are_not_looked_for_in_what_all_have),
		cmocka_unit_test(what_is_no_json_has_no_fields),
		cmocka_unit_test(only_the_protocol_and_ends_of_tcp_are_left_to_the_kernel),
		cmocka_unit_test(sums_of_several_sockets_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
