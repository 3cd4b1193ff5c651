/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of intervals add up, here and beside others' counts, whatever is lost on the way. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ownership.h"
#include "tap.h"

#define BW "transport.bw"

static char *between(const struct netns_pair *n, const char *command)
{
	static char full[400];

	snprintf(full, sizeof(full), "%s --addr 10.77.0.2 --client-ns %s --server-ns %s", command,
		 n->a.path, n->b.path);
	return full;
}

static void check_bw(const json_t *r)
{
	uint64_t bytes = record_u64(r, "tx_bytes") + record_u64(r, "rx_bytes");
	double num = record_num(r, "num"), value = strtod(record_str(r, "value"), NULL);

	CHECK(bytes > 0, "a transport.bw record without bytes");
	CHECK(num >= 0 && fabs(num - value) <= 0.05 + num * 0.001, "value: expected num %f, got %s",
	      num, record_str(r, "value"));
	CHECK(!strcmp(record_str(r, "unit"), "Mbit/s"), "unit: expected Mbit/s, got %s",
	      record_str(r, "unit"));
	CHECK(!bytes || record_u64(r, "tx_pkts") + record_u64(r, "rx_pkts") > 0,
	      "bytes without packets");
}

TEST(interval_records_add_up_to_the_makers_bytes)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m = maker_run(NULL, between(&n, "stream --seconds 2"));
	unsigned int records = 0;
	const json_t *r;
	pid_t client;
	size_t i;

	probe_stop(&p);
	check_owners(p.records, BW, m.reports, &n.a);
	client = (pid_t)record_u64(maker_report(&m, "client"), "pid");
	json_array_foreach (p.records, i, r) {
		if (strcmp(record_str(r, "event_type"), BW) ||
		    record_u64(r, "pid") != (uint64_t)client)
			continue;
		records++;
		check_bw(r);
		CHECK(!strcmp(record_str(r, "entity_id"), n.if_a), "entity_id: expected %s, got %s",
		      n.if_a, record_str(r, "entity_id"));
	}
	CHECK(records >= 5, "records in two seconds at 0.2 s: expected about 10, got %u", records);
}

TEST(interval_records_of_datagrams_add_up)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m = maker_run(&ns, "dgram --peers 8 --count 50 --reply 70");

	probe_stop(&p);
	check_owners(p.records, BW, m.reports, &ns);
}

TEST(interval_records_of_short_lived_processes_add_up)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m = maker_run(&ns, test_slow() > 1 ? "herd --procs 100" : "herd --procs 500");

	probe_stop(&p);
	check_owners(p.records, BW, m.reports, &ns);
}

TEST(interval_records_of_spliced_bytes_add_up)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m = maker_run(&ns, "stream --bytes 5m --recv splice");

	probe_stop(&p);
	check_owners(p.records, BW, m.reports, &ns);
}

TEST(two_instances_count_the_same)
{
	struct netns ns = netns_new();
	struct probe one = probe_start(FLOWS, NULL), two = probe_start(FLOWS, NULL);
	struct maker m = maker_run(&ns, "herd --procs 100"), s;

	s = maker_run(&ns, "stream --bytes 1m --reply 5000 --recv splice");
	json_array_extend(m.reports, s.reports);
	probe_stop(&one);
	probe_stop(&two);
	check_owners(one.records, NULL, m.reports, &ns);
	check_owners(two.records, NULL, m.reports, &ns);
}

/* What iperf3 -J says its client sent, or its server received. */
static uint64_t iperf_bytes(const char *path, const char *sum)
{
	json_error_t e;
	json_t *doc = json_load_file(path, 0, &e), *end;
	uint64_t bytes;

	REQUIRE(doc, "%s: %s", path, e.text);
	end = json_object_get(json_object_get(doc, "end"), sum);
	REQUIRE(end, "%s: no %s in it", path, sum);
	bytes = record_u64(end, "bytes");
	json_decref(doc);
	return bytes;
}

/* Bytes of all processes named iperf3 in that namespace. */
static uint64_t named_bytes(const json_t *records, const struct netns *ns, const char *key)
{
	const json_t *r;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "event_type"), BW) &&
		    record_u64(r, "netns") == ns->inode && !strcmp(record_str(r, "comm"), "iperf3"))
			sum += record_u64(r, key);
	return sum;
}

static void check_within(const char *what, uint64_t got, uint64_t want)
{
	double off = want ? fabs((double)got - (double)want) / (double)want : 1;

	CHECK(off <= 0.001, "%s: expected %" PRIu64 " within 0.1%%, got %" PRIu64 " (%.4f%% off)",
	      what, want, got, off * 100);
}

static void check_iperf(const char *client_args, const char *sent_sum, const char *received_sum)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	char command[400], path[4200];

	if (netns_run(&n.a, "command -v iperf3"))
		test_skip("iperf3 is not installed");
	snprintf(command, sizeof(command), "iperf3 -s -1 -D -I %s/iperf.pid", test_dir());
	netns_must(&n.b, command);
	netns_wait_listener(&n.b, 5201); /* the daemon comes back before it listens */
	snprintf(command, sizeof(command), "iperf3 -c 10.77.0.2 -t 3 -J %s > %s/iperf.json",
		 client_args, test_dir());
	netns_must(&n.a, command);
	netns_wait_quiet(&n.a);
	probe_stop(&p);
	snprintf(path, sizeof(path), "%s/iperf.json", test_dir());
	check_within("bytes sent by iperf3's client", named_bytes(p.records, &n.a, "tx_bytes"),
		     iperf_bytes(path, sent_sum));
	check_within("bytes received by iperf3's server", named_bytes(p.records, &n.b, "rx_bytes"),
		     iperf_bytes(path, received_sum));
}

TEST(interval_totals_are_within_a_thousandth_of_iperf3s)
{
	check_iperf("", "sum_sent", "sum_received");
}

TEST(interval_totals_of_parallel_streams_are_within_a_thousandth_of_iperf3s)
{
	check_iperf("-P 4", "sum_sent", "sum_received");
}

TEST(full_ring_loses_events_never_counts)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, "--ring-size", "4096", NULL);
	uint64_t lost = 0;
	const json_t *r;
	struct maker m;
	size_t i;

	REQUIRE(kill(p.pid, SIGSTOP) == 0, "SIGSTOP failed");
	m = maker_run(&ns, "herd --procs 200");
	REQUIRE(kill(p.pid, SIGCONT) == 0, "SIGCONT failed");
	probe_stop(&p);
	check_owners(p.records, BW, m.reports, &ns);
	json_array_foreach (p.records, i, r)
		if (!strcmp(record_str(r, "event_type"), "probe.loss"))
			lost += record_u64(r, "ring_full");
	CHECK(lost > 0, "ring_full in probe.loss: expected some, got none");
}

TEST(probe_loss_adds_up)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, NULL);
	unsigned int records = 0;
	const json_t *r;
	size_t i;

	maker_run(&ns, "herd --procs 50");
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		if (strcmp(record_str(r, "event_type"), "probe.loss"))
			continue;
		records++;
		CHECK_EQ(record_u64(r, "submitted") + record_u64(r, "ring_full") +
				 record_u64(r, "filtered") + record_u64(r, "sampled_out") +
				 record_u64(r, "rate_limited") + record_u64(r, "map_full"),
			 record_u64(r, "seen"), "sum of the parts of probe.loss");
	}
	CHECK(records > 0, "probe.loss: expected some, got none");
}
