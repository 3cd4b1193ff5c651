/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of netprobe beside reports of the makers; see maker.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maker.h"
#include "tap.h"

#define FEW 5 /* differences printed before the rest is only counted */

uint64_t record_u64(const json_t *record, const char *key)
{
	const json_t *v = json_object_get(record, key);

	return json_is_integer(v) ? (uint64_t)json_integer_value(v) : 0;
}

double record_num(const json_t *record, const char *key)
{
	return json_number_value(json_object_get(record, key));
}

const char *record_str(const json_t *record, const char *key)
{
	const char *text = json_string_value(json_object_get(record, key));

	return text ? text : "";
}

static bool is_type(const json_t *record, const char *event_type)
{
	return !event_type || !strcmp(record_str(record, "event_type"), event_type);
}

const json_t *record_find(const json_t *records, const char *event_type, const char *entity,
			  const char *value, pid_t pid)
{
	const json_t *one;
	size_t i;

	json_array_foreach (records, i, one)
		if (is_type(one, event_type) &&
		    (!entity || !strcmp(record_str(one, "entity_id"), entity)) &&
		    (!value || !strcmp(record_str(one, "value"), value)) &&
		    (!pid || record_u64(one, "pid") == (uint64_t)pid))
			return one;
	return NULL;
}

bool is_socket_of(const json_t *record, const json_t *report)
{
	uint64_t lport = record_u64(report, "lport");

	if (json_is_integer(json_object_get(record, "sock")))
		return record_u64(record, "sock") == record_u64(report, "cookie");
	return record_u64(record, "rport") == record_u64(report, "rport") &&
	       (!lport || record_u64(record, "lport") == lport);
}

const json_t *record_of_socket(const json_t *records, const char *event_type, const json_t *report)
{
	const json_t *one;
	size_t i;

	json_array_foreach (records, i, one)
		if (is_type(one, event_type) && is_socket_of(one, report))
			return one;
	return NULL;
}

uint64_t records_sum(const json_t *records, const char *event_type, const char *key, pid_t pid)
{
	const json_t *one;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (records, i, one)
		if (is_type(one, event_type) && record_u64(one, "pid") == (uint64_t)pid)
			sum += record_u64(one, key);
	return sum;
}

struct sum {
	pid_t pid;
	uint64_t tx, rx;
	const char *comm;
};

struct sums {
	struct sum *row;
	size_t n;
};

static int by_pid(const void *a, const void *b)
{
	pid_t x = ((const struct sum *)a)->pid, y = ((const struct sum *)b)->pid;

	return (x > y) - (x < y);
}

/* One row a process: what its reports add up to (threads report one by one). */
static struct sums sums_of_reports(const json_t *reports)
{
	struct sums s = { calloc(json_array_size(reports) + 1, sizeof(struct sum)), 0 };
	const json_t *one;
	size_t i, n = 0;

	REQUIRE(s.row, "out of memory");
	json_array_foreach (reports, i, one)
		s.row[s.n++] = (struct sum){ .pid = (pid_t)record_u64(one, "pid"),
					     .tx = record_u64(one, "tx"),
					     .rx = record_u64(one, "rx"),
					     .comm = record_str(one, "comm") };
	qsort(s.row, s.n, sizeof(*s.row), by_pid);
	for (i = 0; i < s.n; i++) {
		if (n && s.row[n - 1].pid == s.row[i].pid) {
			s.row[n - 1].tx += s.row[i].tx;
			s.row[n - 1].rx += s.row[i].rx;
		} else {
			s.row[n++] = s.row[i];
		}
	}
	s.n = n;
	return s;
}

static struct sum *sums_find(const struct sums *s, pid_t pid)
{
	struct sum key = { .pid = pid };

	return bsearch(&key, s->row, s->n, sizeof(*s->row), by_pid);
}

static void check_sum(const struct sum *want, const struct sum *got, unsigned int *wrong)
{
	if (want->tx == got->tx && want->rx == got->rx)
		return;
	if (++*wrong > FEW)
		return;
	CHECK(false,
	      "pid %d (%s): expected tx %" PRIu64 " rx %" PRIu64 ", got tx %" PRIu64 " rx %" PRIu64,
	      want->pid, want->comm, want->tx, want->rx, got->tx, got->rx);
}

/* Where the bytes of a process went that lacks some: the record of its socket. */
static void tell_socket(const json_t *records, const char *event_type, const json_t *reports,
			pid_t pid)
{
	const json_t *report, *r;
	size_t i;

	json_array_foreach (reports, i, report) {
		char *text;

		if (record_u64(report, "pid") != (uint64_t)pid)
			continue;
		r = record_of_socket(records, event_type, report);
		text = r ? json_dumps(r, JSON_COMPACT) : NULL;
		test_note("pid %d, its socket: %s", pid, text ? text : "no record");
		free(text);
	}
}

static void save_reports(const json_t *reports)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/reports.json", test_dir());
	json_dump_file(reports, path, JSON_INDENT(1));
}

void check_owners(const json_t *records, const char *event_type, const json_t *reports,
		  const struct netns *ns)
{
	struct sums want = sums_of_reports(reports), got = sums_of_reports(reports);
	uint64_t nobody = 0, strangers = 0;
	unsigned int wrong = 0, inexact = 0;
	const json_t *one;
	size_t i;

	save_reports(reports);
	for (i = 0; i < got.n; i++)
		got.row[i].tx = got.row[i].rx = 0;
	json_array_foreach (records, i, one) {
		pid_t pid = (pid_t)record_u64(one, "pid");
		uint64_t tx = record_u64(one, "tx_bytes"), rx = record_u64(one, "rx_bytes");
		struct sum *s = sums_find(&got, pid);

		if (!is_type(one, event_type))
			continue;
		if (s) {
			s->tx += tx;
			s->rx += rx;
			if (tx + rx && strcmp(record_str(one, "owner_match"), "exact") &&
			    !inexact++)
				CHECK(false, "pid %d: expected owner_match exact, got %s", pid,
				      record_str(one, "owner_match"));
		} else if (ns && record_u64(one, "netns") == ns->inode) {
			*(pid ? &strangers : &nobody) += tx + rx;
		}
	}
	for (i = 0; i < want.n; i++) {
		unsigned int before = wrong;

		check_sum(&want.row[i], &got.row[i], &wrong);
		if (wrong != before && wrong <= 2)
			tell_socket(records, event_type, reports, want.row[i].pid);
	}
	CHECK(wrong <= FEW, "... and %u more of %zu processes", wrong - FEW, want.n);
	CHECK(inexact <= 1, "... and %u more records that are not exact", inexact - 1);
	CHECK_EQ(nobody, 0, "bytes nobody owns");
	CHECK_EQ(strangers, 0, "bytes under a pid that sent none");
	free(want.row);
	free(got.row);
}
