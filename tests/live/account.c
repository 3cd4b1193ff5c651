/* SPDX-License-Identifier: BSD-2-Clause */
/* One account of losses: the stream, ctl and stderr tell of the same rows, and each is told of once at the end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "figures.h"
#include "loss.h"
#include "maker.h"
#include "ownership.h"
#include "probe.h"
#include "tap.h"

static bool is_loss(const json_t *r)
{
	return !strcmp(record_str(r, "event_type"), "probe.loss");
}

static const json_t *last_of(const json_t *records, const char *program)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (is_loss(r) && json_is_true(json_object_get(r, "final")) &&
		    !strcmp(record_str(r, "program"), program))
			return r;
	return NULL;
}

/* Once, also with 0, and after all that came between; before that only what lost something is told. */
static void check_ends(const json_t *records)
{
	unsigned int finals = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		const char *program = record_str(r, "program");

		if (!is_loss(r))
			continue;
		if (json_is_true(json_object_get(r, "final"))) {
			finals++;
			CHECK(last_of(records, program) == r, "%s: told twice at the end", program);
			continue;
		}
		CHECK(record_u64(r, "num") > 0 || record_u64(r, "helper_errors") > 0,
		      "%s: told of in an interval in which nothing was lost", program);
		CHECK(last_of(records, program), "%s: no last record", program);
	}
	CHECK(finals > 20, "last records: expected one of each program, got %u", finals);
}

TEST(each_program_table_and_queue_has_one_last_account)
{
	static const char *const rows[] = { "send",  "recv",   "state",		 "figures",
					    "sums",  "flows",  "cgroups",	 "latency",
					    "queue", "output", "output.packets", "containers" };
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--interval", "0.1", NULL);

	maker_run(&ns, "stream --bytes 100000");
	probe_stop(&p);
	check_ends(p.records);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK(last_of(p.records, rows[i]), "no last record of %s", rows[i]);
}

static const json_t *row_of(const json_t *programs, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach (programs, i, one)
		if (!strcmp(record_str(one, "program"), name))
			return one;
	return NULL;
}

/* Until it tells of the output too, which is put into the account at each tick. */
static json_t *stats_with_output(void)
{
	for (int64_t deadline = deadline_in(10000);;) {
		struct said s = ctl("stats", "--format", "json", NULL);
		json_t *reply = json_loads(s.out, 0, NULL);
		const json_t *output;

		REQUIRE(s.status == 0 && reply, "stats: exit %d: %s%s", s.status, s.out, s.log);
		output = row_of(json_object_get(reply, "programs"), "output");
		if ((output && record_u64(output, "submitted")) || now_ms() > deadline)
			return reply;
		json_decref(reply);
	}
}

/* What the stream tells at its end, ctl tells while it runs, and the other way. */
TEST(ctl_lists_what_the_stream_accounts_for)
{
	struct netns ns = netns_new();
	struct probe p;
	json_t *reply, *one, *programs;
	size_t i;

	own_run_dir();
	p = probe_start("events", "--interval", "0.1", NULL);
	maker_run(&ns, "stream --bytes 100000");
	reply = stats_with_output();
	probe_stop(&p);
	programs = json_object_get(reply, "programs");
	CHECK(json_array_size(programs) > 20, "programs: got %zu", json_array_size(programs));
	json_array_foreach (programs, i, one)
		CHECK(last_of(p.records, record_str(one, "program")), "no last record of %s",
		      record_str(one, "program"));
	json_array_foreach (p.records, i, one)
		CHECK(!is_loss(one) || row_of(programs, record_str(one, "program")),
		      "ctl stats has no row of %s", record_str(one, "program"));
}

/* So many sockets as were made, less those that have a row, found no room: the stream and stderr say so. */
TEST(a_table_that_is_full_is_in_the_account_to_the_socket)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--fail-at", "table", "--interval", "600", NULL);
	const json_t *flows;
	char *said;

	maker_run(&ns, "herd --procs 50");
	probe_stop(&p);
	flows = last_of(p.records, "flows");
	REQUIRE(flows, "no last record of flows");
	CHECK(record_u64(flows, "map_full") >= 101 - 64,
	      "101 sockets and a table of 64: expected 37 at least, got %" PRIu64,
	      record_u64(flows, "map_full"));
	CHECK(!strcmp(record_str(flows, "unit"), "sockets"), "unit: %s", record_str(flows, "unit"));
	said = file_text(p.log);
	CHECK(strstr(said, "losses of flows: "), "stderr: %s", said);
	free(said);
}

/* What a record says that nobody can have moved is in no sum, and each such record is in the account. */
TEST(records_with_figures_that_cannot_be_are_left_out_and_counted)
{
	struct netns ns = netns_new();
	uint64_t tx = 0, rx = 0;
	const json_t *r, *figures;
	struct probe p;
	char *said;
	size_t i;

	figures_may_be_implausible = true;
	p = probe_start("events", "--fail-at", "figures", "--interval", "0.2", NULL);
	/* only the server receives */
	maker_run(&ns, "stream --bytes 100000");
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		if (strcmp(record_str(r, "event_type"), "transport.bw") ||
		    record_u64(r, "netns") != ns.inode)
			continue;
		tx += record_u64(r, "tx_bytes");
		rx += record_u64(r, "rx_bytes");
	}
	CHECK_EQ(tx, 100000, "bytes of the client, whose figures are right");
	CHECK_EQ(rx, 0, "bytes of the server");
	figures = last_of(p.records, "figures");
	REQUIRE(figures, "no last record of figures");
	CHECK(record_u64(figures, "implausible") > 0, "implausible: expected some, got none");
	CHECK_EQ(record_u64(figures, "num"), record_u64(figures, "implausible"), "what was lost");
	said = file_text(p.log);
	CHECK(strstr(said, "losses of figures: ") && strstr(said, "figures that cannot be"),
	      "stderr: %s", said);
	free(said);
}
