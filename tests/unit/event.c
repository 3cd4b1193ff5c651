/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, addresses, and what is null or absent in an event's JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <string.h>

#include "out/event.h"

static struct process nginx = { .tgid = 42, .uid = 0, .comm = "nginx" };
static const struct event blank = {
	.value = "1", .unit = "count", .mode = "ebpf", .duration_ms = -1, .has_owner_field = true
};

static json_t *write_json(const struct event *ev)
{
	struct buf b = { 0 };
	json_t *root;

	assert_int_equal(event_write_json(&b, ev, "host"), 0);
	assert_ptr_equal(memchr(b.data, '\n', b.len), b.data + b.len - 1);
	root = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	buf_done(&b);
	return root;
}

static void check_addr(const char *text, const char *want)
{
	char buf[INET6_ADDRSTRLEN];
	uint8_t addr[16];

	assert_int_equal(inet_pton(AF_INET6, text, addr), 1);
	if (want)
		assert_string_equal(addr_str(addr, buf), want);
	else
		assert_null(addr_str(addr, buf));
}

static void addr_str_prints_mapped_as_ipv4(void **state)
{
	(void)state;
	check_addr("::ffff:10.0.200.199", "10.0.200.199");
	check_addr("::ffff:255.255.255.255", "255.255.255.255");
	check_addr("::ffff:0.0.0.0", "0.0.0.0");
	check_addr("2001:db8::1", "2001:db8::1");
	check_addr("::1", "::1");
	check_addr("::", NULL);
}

static void names_cover_the_wire(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < NP_PROG_MAX; i++)
		assert_non_null(prog_name(i));
	assert_null(prog_name(LOSS_MAX));
	for (i = 0; i < EVENT_MAX; i++)
		assert_non_null(event_type_name((uint8_t)i));
	assert_null(event_type_name(EVENT_MAX));
	assert_null(tcp_state_name(0));
	assert_string_equal(tcp_state_name(1), "ESTABLISHED");
	assert_string_equal(tcp_state_name(12), "NEW_SYN_RECV");
	assert_null(tcp_state_name(13));
	assert_string_equal(transport_name(IPPROTO_UDPLITE), "udp");
	assert_string_equal(transport_name(IPPROTO_ICMPV6), "icmp");
	assert_null(transport_name(IPPROTO_SCTP));
	assert_string_equal(errno_name(ECONNREFUSED), "ECONNREFUSED");
	assert_null(errno_name(0));
	assert_null(errno_name(-1));
	assert_null(errno_name(99999));
	assert_string_equal(owner_match_name(NP_MATCH_PROCFS), "procfs");
	assert_string_equal(owner_match_name(200), "none");
}

static void event_without_owner_says_none_and_nulls(void **state)
{
	struct event ev = blank;
	json_t *j;

	(void)state;
	ev.kind = EVENT_RESET;
	ev.owner = &nginx; /* known, but the match says it may not be told */
	ev.owner_match = NP_MATCH_NONE;
	j = write_json(&ev);
	assert_true(json_is_null(json_object_get(j, "pid")));
	assert_true(json_is_null(json_object_get(j, "comm")));
	assert_true(json_is_null(json_object_get(j, "uid")));
	assert_true(json_is_null(json_object_get(j, "container")));
	assert_string_equal(json_string_value(json_object_get(j, "owner_match")), "none");
	json_decref(j);
}

static void event_of_a_sum_has_null_owner_match(void **state)
{
	struct event ev = blank;
	json_t *j;

	(void)state;
	ev.kind = EVENT_RETRANSMIT;
	ev.has_owner_field = false;
	ev.num = 5;
	j = write_json(&ev);
	assert_true(json_is_null(json_object_get(j, "pid")));
	assert_true(json_is_null(json_object_get(j, "owner_match")));
	assert_int_equal(json_integer_value(json_object_get(j, "segments")), 5);
	json_decref(j);
}

static void event_of_root_has_uid_zero(void **state)
{
	struct event ev = blank;
	json_t *j;

	(void)state;
	ev.owner = &nginx;
	ev.owner_match = NP_MATCH_EXACT;
	j = write_json(&ev);
	assert_true(json_is_integer(json_object_get(j, "uid")));
	assert_true(json_is_null(json_object_get(j, "ppid")));
	assert_true(json_is_null(json_object_get(j, "exe")));
	json_decref(j);
}

static void event_close_without_figures_has_nulls(void **state)
{
	static const char *const keys[] = { "duration_ms", "tx_bytes", "tx_pkts", "srtt_us",
					    "min_rtt_us",  "verdict",  "errno",	  "retransmits" };
	struct np_tcp tcp = { .min_rtt_us = UINT32_MAX };
	struct event ev = blank;
	json_t *j;
	size_t i;

	(void)state;
	ev.kind = EVENT_CONN_CLOSE;
	j = write_json(&ev);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_true(json_is_null(json_object_get(j, keys[i])));
	json_decref(j);
	ev.tcp = &tcp;
	j = write_json(&ev);
	assert_true(json_is_null(json_object_get(j, "srtt_us")));
	assert_true(json_is_null(json_object_get(j, "min_rtt_us")));
	assert_true(json_is_integer(json_object_get(j, "bytes_acked")));
	json_decref(j);
}

static void event_close_has_the_same_keys_known_or_not(void **state)
{
	struct np_tcp tcp = { .srtt_us = 1 };
	struct np_counts counts = { .tx_bytes = 1 };
	struct np_tuple tuple = { .family = AF_INET, .proto = IPPROTO_TCP };
	struct event empty = blank, full = blank;
	json_t *a, *b;
	const char *key;
	json_t *v;

	(void)state;
	empty.kind = full.kind = EVENT_CONN_CLOSE;
	full.tcp = &tcp;
	full.counts = &counts;
	full.tuple = &tuple;
	full.owner = &nginx;
	full.owner_match = NP_MATCH_EXACT;
	full.has_cpu = true;
	full.cpu_comm = "swapper";
	a = write_json(&empty);
	b = write_json(&full);
	assert_int_equal(json_object_size(a), json_object_size(b));
	json_object_foreach (a, key, v)
		assert_non_null(json_object_get(b, key));
	json_decref(a);
	json_decref(b);
}

static void event_hides_netprobes_own_socket_number(void **state)
{
	struct np_tuple tuple = { .family = AF_INET, .flags = NP_F_OWNID };
	struct event ev = blank;
	json_t *j;

	(void)state;
	ev.kind = EVENT_CONN_OPEN;
	ev.tuple = &tuple;
	ev.sock_id = 77;
	j = write_json(&ev);
	assert_true(json_is_null(json_object_get(j, "sock")));
	json_decref(j);
	tuple.flags = 0;
	j = write_json(&ev);
	assert_int_equal(json_integer_value(json_object_get(j, "sock")), 77);
	json_decref(j);
}

static void event_family_is_that_of_the_actual_address(void **state)
{
	struct np_tuple tuple = { .family = AF_INET6 };
	struct event ev = blank;
	json_t *j;

	(void)state;
	ev.kind = EVENT_CONN_OPEN;
	ev.tuple = &tuple;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.0.1", tuple.laddr), 1);
	j = write_json(&ev);
	assert_string_equal(json_string_value(json_object_get(j, "family")), "ipv4");
	assert_true(json_is_null(json_object_get(j, "raddr")));
	json_decref(j);
}

static void event_strings_without_nul_are_not_overrun(void **state)
{
	struct np_tuple tuple = { .family = AF_INET };
	struct event ev = blank;
	struct buf b = { 0 };
	json_t *j;

	(void)state;
	memset(tuple.ifname, 'i', sizeof(tuple.ifname));
	memset(ev.entity_id, 'e', sizeof(ev.entity_id));
	memset(ev.value, 'v', sizeof(ev.value));
	ev.tuple = &tuple;
	j = write_json(&ev);
	assert_int_equal(json_string_length(json_object_get(j, "iface")), 16);
	assert_int_equal(json_string_length(json_object_get(j, "entity_id")), 64);
	json_decref(j);
	assert_int_equal(event_write_text(&b, &ev, false, 0), 0);
	assert_int_equal(event_write_xctl(&b, &ev, "h"), 0);
	buf_done(&b);
}

static void event_of_unknown_kind_is_refused(void **state)
{
	struct event ev = blank;
	struct buf b = { 0 };

	(void)state;
	ev.kind = EVENT_MAX;
	assert_int_equal(event_write_json(&b, &ev, "h"), -EINVAL);
	assert_int_equal(event_write_xctl(&b, &ev, "h"), -EINVAL);
	assert_int_equal(event_write_text(&b, &ev, false, 0), -EINVAL);
	assert_int_equal(b.len, 0);
}

static void event_text_lets_no_escape_through(void **state)
{
	struct process evil = { .tgid = 1, .comm = "\033[2J\nx" };
	struct event ev = blank;
	struct buf b = { 0 };

	(void)state;
	ev.owner = &evil;
	ev.owner_match = NP_MATCH_EXACT;
	assert_int_equal(event_write_text(&b, &ev, false, 0), 0);
	assert_null(memchr(b.data, '\033', b.len));
	assert_ptr_equal(memchr(b.data, '\n', b.len), b.data + b.len - 1);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addr_str_prints_mapped_as_ipv4),
		cmocka_unit_test(names_cover_the_wire),
		cmocka_unit_test(event_without_owner_says_none_and_nulls),
		cmocka_unit_test(event_of_a_sum_has_null_owner_match),
		cmocka_unit_test(event_of_root_has_uid_zero),
		cmocka_unit_test(event_close_without_figures_has_nulls),
		cmocka_unit_test(event_close_has_the_same_keys_known_or_not),
		cmocka_unit_test(event_hides_netprobes_own_socket_number),
		cmocka_unit_test(event_family_is_that_of_the_actual_address),
		cmocka_unit_test(event_strings_without_nul_are_not_overrun),
		cmocka_unit_test(event_of_unknown_kind_is_refused),
		cmocka_unit_test(event_text_lets_no_escape_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
