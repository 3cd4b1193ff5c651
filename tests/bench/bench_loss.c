/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Retransmits under random loss on a cable between two namespaces: is every record's owner the
 * process that sent, and is their sum the kernel's own TcpRetransSegs? --bytes N --percent N
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "records.h"

struct tally {
	uint64_t records, right, segments, sums, kernel, other_cpu;
};

static pid_t pid_of(const json_t *reports, const char *role)
{
	const json_t *r;
	size_t i;

	json_array_foreach (reports, i, r)
		if (rec_is(r, "role", role))
			return (pid_t)rec_u64(r, "pid");
	bench_die("no report of the %s", role);
}

/* Records with an owner are counted; those without are the interface's sums. */
static void take(struct tally *t, const json_t *records, uint64_t ns, pid_t owner)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		uint64_t segments = rec_u64(r, "segments");

		if (!rec_is(r, "event_type", "error.net") || rec_u64(r, "netns") != ns ||
		    strncmp(rec_str(r, "value"), "RETRANSMIT:", 11))
			continue;
		if (json_is_null(json_object_get(r, "owner_match"))) {
			t->sums += segments;
			continue;
		}
		t->records++;
		t->segments += segments;
		if (rec_u64(r, "pid") == (uint64_t)owner)
			t->right++;
		if (rec_u64(r, "cpu_pid") != (uint64_t)owner)
			t->other_cpu++;
	}
}

int main(int argc, char **argv)
{
	/* short intervals: more records to be right or wrong about */
	const char *np[] = { "events", "--format", "json", "--interval", "0.05", NULL };
	const char *out = scratch_path("loss.json");
	struct tally t = { 0 };
	struct ns_pair n;
	struct child probe, maker;
	json_t *reports, *records;
	char *text;

	tm_init(argc, argv);
	bench_init();
	n = ns_pair_new();
	must("nsenter --net=%s nft 'table inet np { chain in { type filter hook input priority 0; "
	     "numgen random mod 1000 < %lu drop; }; }'",
	     n.b, (unsigned long)tm_num("percent", 3) * 10);
	probe = netprobe_start(out, -1, np);
	maker = child_start(CHILD_OUT,
			    (const char *[]){ maker_path("stream"), "--bytes",
					      tm_str("bytes", "200m"), "--chunk", "65536", "--addr",
					      "10.77.0.2", "--client-ns", n.a, "--server-ns", n.b,
					      NULL });
	text = child_text(&maker);
	if (child_wait(&maker))
		bench_die("stream failed");
	ns_wait_quiet();
	ns_enter(n.b);
	ns_wait_quiet();
	t.kernel = ns_counter("Tcp", "RetransSegs");
	ns_enter(n.a);
	t.kernel += ns_counter("Tcp", "RetransSegs");
	if (child_stop(&probe, SIGTERM))
		bench_die("netprobe failed");
	reports = records_of_text(text);
	records = records_of_file(out);
	take(&t, records, n.inode_a, pid_of(reports, "client"));
	take(&t, records, n.inode_b, pid_of(reports, "server"));
	json_decref(records);
	json_decref(reports);
	free(text);
	if (!t.records)
		bench_die("no retransmit was recorded; the kernel counted %" PRIu64, t.kernel);
	figure("d.owner", "Retransmit records with the right owner",
	       100.0 * (double)t.right / (double)t.records, "%", AT_LEAST, 100,
	       "%" PRIu64 " records; in %" PRIu64 " another task was on the processor", t.records,
	       t.other_cpu);
	figure("d.sum", "Their segments : the kernel's TcpRetransSegs, deviation",
	       100 * relative((double)t.segments, (double)t.kernel), "%", AT_MOST, 0,
	       "%" PRIu64 " segments, the kernel %" PRIu64 ", sums of interfaces %" PRIu64,
	       t.segments, t.kernel, t.sums);
	return 0;
}
