/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of all intervals added up, beside what iperf3 counted itself: TCP, parallel TCP and
 * UDP over a cable between two namespaces. --seconds N
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "records.h"

#define IPERF_PORT 5201

struct kind {
	const char *id, *what, *args;
};

static const struct kind kinds[] = {
	{ "e.tcp", "Interval totals : iperf3, TCP, deviation", "" },
	{ "e.tcp4", "Interval totals : iperf3, 4 x TCP, deviation", "-P 4" },
	{ "e.udp", "Interval totals : iperf3, UDP, deviation", "-u -b 400M" },
};

/* Bytes of every process named iperf3 in that namespace. */
static uint64_t named(const json_t *records, uint64_t ns, const char *key,
		      unsigned int *ret_records)
{
	const json_t *r;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (records, i, r)
		if (rec_is(r, "event_type", "transport.bw") && rec_u64(r, "netns") == ns &&
		    rec_is(r, "comm", "iperf3")) {
			sum += rec_u64(r, key);
			++*ret_records;
		}
	return sum;
}

static uint64_t iperf_sum(const json_t *doc, const char *sum)
{
	const json_t *end = json_object_get(json_object_get(doc, "end"), sum);

	if (!end)
		bench_die("iperf3 tells no %s", sum);
	return rec_u64(end, "bytes");
}

static void run(const struct kind *k, const struct ns_pair *n, unsigned long seconds)
{
	const char *np[] = { "events", "--format", "json", NULL };
	const char *server[] = { "iperf3", "-s", "-1", NULL };
	const char *path = scratch_path("iperf.json");
	const char *out = scratch_path("intervals.json");
	struct child probe = netprobe_start(out, -1, np), s;
	uint64_t sent, received, tx, rx;
	json_t *doc, *records;
	unsigned int n_records = 0;
	int status;

	ns_enter(n->b);
	s = child_start(CHILD_SILENT, server);
	ns_wait_listen(IPERF_PORT);
	ns_enter(n->a);
	must("iperf3 -c 10.77.0.2 -t %lu -J %s >%s", seconds, k->args, path);
	status = child_wait(&s);
	if (status)
		bench_die("iperf3 -s ended with %d", status);
	ns_wait_quiet();
	if (child_stop(&probe, SIGTERM))
		bench_die("netprobe failed");
	doc = json_load_file(path, 0, NULL);
	records = records_of_file(out);
	if (!doc)
		bench_die("%s: no JSON", path);
	sent = iperf_sum(doc, "sum_sent");
	received = iperf_sum(doc, "sum_received");
	tx = named(records, n->inode_a, "tx_bytes", &n_records);
	rx = named(records, n->inode_b, "rx_bytes", &n_records);
	figure(k->id, k->what,
	       100 * (relative((double)tx, (double)sent) > relative((double)rx, (double)received)
			      ? relative((double)tx, (double)sent)
			      : relative((double)rx, (double)received)),
	       "%", AT_MOST, 0.1,
	       "sent %" PRIu64 ", iperf3 %" PRIu64 "; received %" PRIu64 ", iperf3 %" PRIu64
	       "; %u records of 1 s; iperf3's own control connection is in ours",
	       tx, sent, rx, received, n_records);
	json_decref(doc);
	json_decref(records);
}

int main(int argc, char **argv)
{
	struct ns_pair n;

	tm_init(argc, argv);
	bench_init();
	if (!command_exists("iperf3")) {
		figure_failed("e", "Interval totals : iperf3, deviation",
			      "iperf3 is not installed");
		return 0;
	}
	n = ns_pair_new();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		run(&kinds[i], &n, (unsigned long)tm_num("seconds", 5));
	return 0;
}
