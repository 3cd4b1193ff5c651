/* SPDX-License-Identifier: BSD-2-Clause */
/* What is printed keeps its form: fields of records, columns of tables. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ownership.h"
#include "tap.h"

static void check_keys(const json_t *r, const char *const *keys)
{
	for (; *keys; keys++)
		CHECK(json_object_get(r, *keys), "%s: expected key %s, got none",
		      record_str(r, "event_type"), *keys);
}

static void check_stamp(const json_t *r)
{
	const char *ts = record_str(r, "ts");
	struct tm tm = { .tm_isdst = 0 };
	const char *rest = strptime(ts, "%Y-%m-%dT%H:%M:%S", &tm);
	double off = difftime(timegm(&tm), time(NULL));

	CHECK(rest && strlen(rest) == 11 && rest[0] == '.' && rest[10] == 'Z',
	      "ts: expected RFC 3339 in UTC with nanoseconds, got %s", ts);
	CHECK(off <= 1 && off > -300 * test_slow(), "ts: expected about now, got %s", ts);
	CHECK(record_u64(r, "ktime_ns") > 0, "ktime_ns: expected some, got none");
}

TEST(records_carry_the_fields_of_the_contract)
{
	static const char *const keys[] = { "ts",    "ktime_ns", "host", "event_type", "entity_id",
					    "value", "num",	 "unit", "mode",       NULL };
	static const char *const owned[] = { "pid",    "tid",	"ppid",	       "comm",
					     "exe",    "uid",	"owner_match", "cgroup_id",
					     "cgroup", "netns", "transport",   "family",
					     "laddr",  "lport", "raddr",       "rport",
					     "iface",  "state", "sock",	       NULL };
	static const char *const types[] = { "transport.bw", "error.net", "conn.open",
					     "conn.close",   "conn.fail", "probe.loss" };
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, NULL);
	const json_t *r;
	size_t i;

	maker_run(&ns, "stream");
	maker_run(&ns, "fail connect --port 9");
	netns_wait_quiet(&ns);
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		check_keys(r, keys);
		check_stamp(r);
		CHECK(!strcmp(record_str(r, "mode"), "ebpf"), "mode: expected ebpf, got %s",
		      record_str(r, "mode"));
		if (!strncmp(record_str(r, "event_type"), "conn.", 5))
			check_keys(r, owned);
	}
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		CHECK(record_find(p.records, types[i], NULL, NULL, 0),
		      "expected a record of type %s, got none", types[i]);
}

TEST(what_netprobe_tries_at_its_start_is_in_no_table)
{
	static const char *const top[] = { "top", "--once", "--idle", "--format", "json", NULL };
	struct probe p = probe_start(FLOWS, NULL), once;
	json_t *rows;
	const json_t *r;
	size_t i;

	probe_stop(&p);
	json_array_foreach (p.records, i, r)
		CHECK(record_u64(r, "pid") != (uint64_t)p.pid ||
			      !(record_u64(r, "tx_bytes") + record_u64(r, "rx_bytes")),
		      "flows: bytes of its own");
	CHECK_EQ(probe_run(&once, top), 0, "exit code");
	rows = probe_records(&once);
	CHECK(json_array_size(rows) > 0, "expected rows, got none");
	json_array_foreach (rows, i, r)
		CHECK(record_u64(r, "pid") != (uint64_t)once.pid ||
			      !(record_u64(r, "tx_bytes") + record_u64(r, "rx_bytes")),
		      "top: bytes of its own");
	json_decref(rows);
}

TEST(xctl_has_its_seven_keys_and_nothing_else)
{
	static const char *const keys[] = { "ts",  "event_type", "entity_id", "job_id",
					    "pid", "value",	 "node_id",   NULL };
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--format", "xctl", "--interval", "0.2", NULL);
	const json_t *r;
	size_t i;

	maker_run(&ns, "stream");
	probe_stop(&p);
	CHECK(json_array_size(p.records) > 0, "expected records, got none");
	json_array_foreach (p.records, i, r) {
		check_keys(r, keys);
		CHECK_EQ(json_object_size(r), 7, "keys of an xctl record");
		CHECK(llabs((long long)record_u64(r, "ts") / 1000 - (long long)time(NULL)) < 3600,
		      "ts: expected milliseconds since 1970, got %" PRIu64, record_u64(r, "ts"));
	}
}

TEST(text_events_are_one_readable_line_each)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--format", "text", "--interval", "0.2", NULL);
	struct maker m = maker_run(&ns, "stream");
	char *out, pid[16];
	int status = probe_signal(&p, SIGTERM);

	CHECK(status == 0, "expected exit 0, got %d", status);
	out = file_text(p.out);
	snprintf(pid, sizeof(pid), "%" PRIu64, record_u64(maker_report(&m, "client"), "pid"));
	CHECK(strstr(out, pid) && strstr(out, "client"),
	      "expected client and %s in it, got: %.200s", pid, out);
	CHECK(!strchr(out, '\033'), "expected no colours in a file");
	/* accounts in which nothing was lost are not for people */
	CHECK(!strstr(out, "probe.loss"),
	      "probe.loss without a loss: expected no line, got: %.300s",
	      strstr(out, "probe.loss"));
	free(out);
}

/* Cells of a line; quotes of CSV enclose separators. */
static unsigned int cells(const char *line, char separator)
{
	unsigned int n = 1;
	bool quoted = false;

	for (; *line; line++) {
		if (separator == ',' && *line == '"')
			quoted = !quoted;
		else if (*line == separator && !quoted)
			n++;
	}
	return n;
}

/* What is printed at its end by a run with traffic in the middle. */
static char *table_of(const char *command, const char *format)
{
	const char *const flows[] = { "flows", "--format", format, "--duration", "36000", NULL };
	const char *const top[] = { "top", "-n", "2", "--interval", "1", "--format", format, NULL };
	bool is_top = !strcmp(command, "top");
	struct netns ns = netns_new();
	struct probe p = probe_start_args(is_top ? top : flows);
	int status;

	maker_run(&ns, "stream --comm tea,spoon");
	status = is_top ? probe_wait(&p, 20000) : probe_signal(&p, SIGTERM);
	CHECK(status == 0, "%s --format %s: expected exit 0, got %d", command, format, status);
	return file_text(p.out);
}

static void check_table(const char *command, const char *format, char separator)
{
	char *out = table_of(command, format), *save;
	const char *head = NULL;
	unsigned int columns = 0, lines = 0;

	for (char *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned int n = cells(line, separator);

		if (!lines++) {
			columns = n;
			head = line;
		} else {
			CHECK(strcmp(line, head), "%s --format %s line %u: the columns again",
			      command, format, lines);
		}
		CHECK(n == columns, "%s --format %s line %u: expected %u cells, got %u: %s",
		      command, format, lines, columns, n, line);
	}
	CHECK(columns > 5, "%s --format %s: expected more than 5 columns, got %u", command, format,
	      columns);
	CHECK(lines > 1, "%s --format %s: expected rows, got %u lines", command, format, lines);
	free(out);
}

TEST(tables_of_flows_parse)
{
	check_table("flows", "csv", ',');
	check_table("flows", "tsv", '\t');
}

TEST(tables_of_top_parse)
{
	check_table("top", "csv", ',');
	check_table("top", "tsv", '\t');
}

TEST(json_of_top_parses)
{
	char *out = table_of("top", "json"), *save;
	unsigned int lines = 0;

	for (char *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_error_t e;
		json_t *one = json_loads(line, 0, &e);

		lines++;
		CHECK(one, "line %u: %s: %.100s", lines, e.text, line);
		json_decref(one);
	}
	CHECK(lines > 0, "expected lines, got none");
	free(out);
}

TEST(doctor_parses_and_names_every_hook_in_use)
{
	static const char *const args[] = { "doctor", "--format", "json", NULL };
	struct probe p;
	int status = probe_run(&p, args);
	char *out = file_text(p.out), *at;
	json_error_t e;
	json_t *doc = json_loads(out, JSON_DISABLE_EOF_CHECK, &e);

	CHECK(status == 0, "doctor: expected exit 0, got %d", status);
	CHECK(doc, "doctor --format json: %s: %.100s", e.text, out);
	CHECK(strstr(out, "errno") || strstr(out, "reason"), "expected reasons, got: %.200s", out);
	at = strstr(out, "the verifier of kernel");
	CHECK(!at, "expected programs that load, got: %.600s",
	      at && at - out > 400 ? at - 400 : out);
	json_decref(doc);
	free(out);
}
