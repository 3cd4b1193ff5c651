/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that commands print: sums have all in them, and what is unknown is null. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/ctl_print.h"
#include "cli/dns.h"
#include "cli/drops.h"
#include "cli/row.h"
#include "cli/sink.h"

#define MANY 70000 /* more names than a summary keeps apart */

int __wrap_netprobe_manager_drops(struct netprobe_manager *m, netprobe_drop_fn fn, void *arg,
				  struct netprobe_error *err);

unsigned int sink_columns(int fd)
{
	(void)fd;
	return 0;
}

/* One benign packet, which is no loss. */
int __wrap_netprobe_manager_drops(struct netprobe_manager *m, netprobe_drop_fn fn, void *arg,
				  struct netprobe_error *err)
{
	const struct netprobe_drop benign = { .size = sizeof(benign),
					      .kind = NETPROBE_DROP_BENIGN,
					      .benign = true,
					      .packets = 1,
					      .bytes = 60 };

	(void)m;
	(void)err;
	return fn(&benign, arg) ?: 1;
}

static void ask(struct dns_summary *s, const char *qname)
{
	const struct netprobe_dns_query q = { .size = sizeof(q),
					      .qname = qname,
					      .qtype = "A",
					      .rcode = "NXDOMAIN",
					      .retries = 1,
					      .latency_ms = 2 };
	const struct netprobe_event ev = {
		.size = sizeof(ev), .pid = 7, .comm = "client", .entity_id = "10.0.0.53", .dns = &q
	};

	assert_int_equal(dns_summary_add(s, &ev), 0);
}

/* The last line of a summary in JSON. */
static json_t *total_of(struct dns_summary *s)
{
	struct buf b = { 0 };
	const char *last;
	json_t *row;
	char *text;

	assert_int_equal(dns_summary_write(s, NULL, 1, FORMAT_JSON, false, 0, &b), 0);
	text = strdup(buf_str(&b));
	assert_non_null(text);
	text[strlen(text) - 1] = '\0';
	last = strrchr(text, '\n');
	row = json_loads(last ? last + 1 : text, 0, NULL);
	assert_non_null(row);
	assert_string_equal(json_string_value(json_object_get(row, "list")), "total");
	free(text);
	buf_done(&b);
	return row;
}

static void assert_count(const json_t *row, const char *key, json_int_t n)
{
	assert_int_equal(json_integer_value(json_object_get(row, key)), n);
}

static void the_total_of_dns_has_what_there_was_no_room_for(void **state)
{
	struct dns_summary *s = dns_summary_new();
	char name[32];
	json_t *row;

	(void)state;
	assert_non_null(s);
	for (unsigned int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "%u.example.net", i);
		ask(s, name);
	}
	row = total_of(s);
	assert_count(row, "queries", MANY);
	assert_count(row, "answered", MANY);
	assert_count(row, "failed", MANY);
	assert_count(row, "retries", MANY);
	assert_true(json_number_value(json_object_get(row, "mean_ms")) == 2);
	assert_true(json_is_null(json_object_get(row, "qname")));
	assert_true(json_is_null(json_object_get(row, "entity_id")));
	json_decref(row);
	(void)dns_summary_free(s);
}

static void the_total_of_dns_is_there_where_nothing_was_asked(void **state)
{
	struct dns_summary *s = dns_summary_new();
	json_t *row;

	(void)state;
	assert_non_null(s);
	row = total_of(s);
	assert_count(row, "queries", 0);
	assert_true(json_is_null(json_object_get(row, "mean_ms")));
	json_decref(row);
	(void)dns_summary_free(s);
}

static void a_figure_without_an_end_is_null(void **state)
{
	(void)state;
	assert_int_equal(row_latency_cell(16).u64, 16);
	assert_int_equal(row_latency_cell(0).type, CELL_NULL);
	assert_int_equal(row_latency_cell(UINT64_MAX).type, CELL_NULL);
}

static void instances_are_listed_by_pid_command_mode_and_start(void **state)
{
	const pid_t pid = 4242;
	json_t *reply = json_pack("{s:{s:s,s:s,s:s,s:s}}", "instance", "command", "events", "mode",
				  "proc", "start", "2026-11-30T10:00:00Z", "version", "1");
	struct buf b = { 0 };

	(void)state;
	assert_non_null(reply);
	assert_int_equal(ctl_print_list(&b, FORMAT_TEXT, &pid, &reply, 1), 0);
	assert_string_equal(buf_str(&b), " PID  COMMAND  MODE  START\n"
					 "4242  events   proc  2026-11-30T10:00:00Z\n");
	buf_done(&b);
	b = (struct buf){ 0 };
	assert_int_equal(ctl_print_list(&b, FORMAT_CSV, &pid, &reply, 1), 0);
	assert_memory_equal(buf_str(&b), "schema,ts,host,mode,pid,command,start,version\r\n", 47);
	assert_non_null(strstr(buf_str(&b), ",proc,4242,events,2026-11-30T10:00:00Z,1\r\n"));
	buf_done(&b);
	json_decref(reply);
}

/* Settings have names that records have (host, interface): of those `ctl get` has the schema alone. */
static void settings_are_no_record(void **state)
{
	json_t *values = json_pack("{s:s,s:b}", "host", "192.0.2.1", "enabled", 1);
	struct buf b = { 0 };

	(void)state;
	assert_non_null(values);
	assert_int_equal(ctl_print_values(&b, FORMAT_JSON, values), 0);
	assert_string_equal(buf_str(&b),
			    "{\"schema\":1,\"host\":\"192.0.2.1\",\"enabled\":true}\n");
	buf_done(&b);
	b = (struct buf){ 0 };
	assert_int_equal(ctl_print_values(&b, FORMAT_TEXT, values), 0);
	assert_string_equal(buf_str(&b), "host=192.0.2.1\nenabled=true\n");
	buf_done(&b);
	json_decref(values);
}

static void what_is_left_out_of_drops_was_dropped(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(
		drop_summary_write(NULL, DROPS_BY_ALL, false, 0, FORMAT_TEXT, false, 0, &b), 0);
	assert_string_equal(buf_str(&b), "no loss\n");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_total_of_dns_has_what_there_was_no_room_for),
		cmocka_unit_test(the_total_of_dns_is_there_where_nothing_was_asked),
		cmocka_unit_test(a_figure_without_an_end_is_null),
		cmocka_unit_test(instances_are_listed_by_pid_command_mode_and_start),
		cmocka_unit_test(settings_are_no_record),
		cmocka_unit_test(what_is_left_out_of_drops_was_dropped),
	};

	log_set_level(LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
