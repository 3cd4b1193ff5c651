/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of every command against the table of fields: keys, their order, types and null in JSON, names of columns in CSV
 * and TSV. Events are held to it wherever a test reads them (probe.c).
 */
#include "fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "ownership.h"
#include "tap.h"

#define ARGS 24

/* What it printed; free() it. */
static char *print(const char *command, const char *format)
{
	char line[256], *save = NULL;
	const char *args[ARGS];
	struct probe p = { 0 };
	unsigned int n = 0;
	char *log;
	int r;

	(void)snprintf(line, sizeof(line), "%s --format %s", command, format);
	for (char *word = strtok_r(line, " ", &save); word && n < ARGS - 1;
	     word = strtok_r(NULL, " ", &save))
		args[n++] = word;
	args[n] = NULL;
	r = probe_run(&p, args);
	log = file_text(p.log);
	REQUIRE(r == 0, "%s --format %s: exit %d, %s", command, format, r, log);
	free(log);
	return file_text(p.out);
}

static void check_json(const char *command, const struct record_type *type, bool rows_are_due)
{
	char *text = print(command, "json"), *save = NULL, why[256] = "";
	unsigned int n = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *r = json_loads(line, 0, NULL);

		n++;
		CHECK(fields_hold(r, type, why, sizeof(why)), "%s: line %u: %s: %.2000s", command,
		      n, why, line);
		json_decref(r);
	}
	CHECK(n || !rows_are_due, "%s: expected rows, got none", command);
	free(text);
}

static void check_heading(const char *command, const struct record_type *type)
{
	static const struct {
		const char *name;
		char separator;
	} formats[] = { { "csv", ',' }, { "tsv", '\t' } };
	char why[256] = "";

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		char *text = print(command, formats[i].name);

		CHECK(fields_hold_heading(text, formats[i].separator, type, why, sizeof(why)),
		      "%s --format %s: %s", command, formats[i].name, why);
		free(text);
	}
}

static const struct record_type *type(const char *name)
{
	const struct record_type *t = record_type_find(name);

	REQUIRE(t, "no type %s", name);
	return t;
}

TEST(rows_of_top_and_flows_are_as_the_table_of_fields_says)
{
	static const char *const views[] = { "process", "connection", "container", "remote",
					     "interface" };
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, "stream --hold sent");
	char command[128];

	maker_wait_hold(&m);
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		(void)snprintf(command, sizeof(command), "top --once --idle --interval 0.2 --by %s",
			       views[i]);
		check_json(command, type("top"), true);
	}
	check_json("top --once --idle --health --interval 0.2", type("top"), true);
	check_heading("top --once --interval 0.1", type("top"));
	check_json("flows --duration 0.3", type("flows"), true);
	check_heading("flows --duration 0.2", type("flows"));
	check_json("why --duration 0.5 --port 5001", type("why"), true);
	check_json("flows --duration 0.5 --histograms --interval 0.1", type("flows histograms"),
		   false);
	check_heading("flows --duration 0.2 --histograms", type("flows histograms slot"));
	maker_go(&m);
	maker_finish(&m);
}

TEST(rows_of_summaries_are_as_the_table_of_fields_says)
{
	check_json("drops --summary --all --duration 1", type("drops summary"), false);
	check_json("dns --summary --duration 1", type("dns summary"), false);
	check_heading("dns --summary --duration 0.3", type("dns summary"));
}

TEST(the_answer_of_doctor_is_as_the_table_of_fields_says)
{
	check_json("doctor", type("doctor"), true);
}

TEST(instances_are_listed_as_the_table_of_fields_says)
{
	struct probe p;
	char *text;

	own_run_dir();
	p = probe_start("events", NULL);
	check_json("ctl list", type("ctl list"), true);
	check_json("ctl stats", type("ctl stats"), true);
	text = print("ctl get", "json");
	CHECK(!strncmp(text, "{\"schema\":1,", 12), "ctl get: %s", text);
	free(text);
	probe_stop(&p);
}

/* Not only piped: text unless asked otherwise, and words where there is nothing. */
TEST(a_table_is_text_piped_and_says_that_it_is_empty)
{
	static const struct {
		const char *args[10];
		const char *says;
	} empty[] = {
		{ { "flows", "--duration", "0.2", "--comm", "nobody-at-all" },
		  "no flow matched\n" },
		{ { "dns", "--summary", "--duration", "0.2", "--comm", "nobody-at-all" },
		  "no DNS transaction was seen\n" },
		{ { "drops", "--summary", "--duration", "0.2", "--comm", "nobody-at-all" },
		  "no packet was dropped\n" },
		{ { "top", "--once", "--interval", "0.2", "--comm", "nobody-at-all" },
		  "nothing moved\n\n" },
	};

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		struct probe p = { 0 };
		int r = probe_run(&p, empty[i].args);
		char *text = file_text(p.out);

		CHECK(r == 0 && !strcmp(text, empty[i].says),
		      "%s: exit %d, expected '%s', got '%s'", empty[i].args[0], r, empty[i].says,
		      text);
		free(text);
	}
}

/* Of several tables each tells when it was made; of one nobody asks. */
TEST(a_table_that_comes_again_tells_its_time)
{
	static const char *const args[] = { "top", "-n", "2", "--interval", "0.2", "--idle", NULL };
	struct probe p = { 0 };
	char *text, *second;
	int hours, minutes, n = 0;

	REQUIRE(probe_run(&p, args) == 0, "top -n 2 failed");
	text = file_text(p.out);
	second = strstr(text, "\n\n");
	CHECK(sscanf(text, "%*d-%*d-%*d %d:%d:%*d%n", &hours, &minutes, &n) == 2 && n == 19 &&
		      second && sscanf(second + 2, "%*d-%*d-%*d %d:%d", &hours, &minutes) == 2,
	      "expected a time above each table, got %.300s", text);
	free(text);
}
