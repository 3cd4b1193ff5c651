/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that take the processor from each other, and softirqs from all of them: no record is mixed with another one.
 * Worth its time where tasks are preempted in the kernel (preempt=full), holds everywhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loss.h"
#include "ownership.h"
#include "tap.h"

struct udp_sum {
	uint64_t tx, tx_pkts, rx, rx_pkts;
};

static struct udp_sum made_by(const struct maker *m)
{
	struct udp_sum sum = {};
	const json_t *one;
	size_t i;

	json_array_foreach (m->reports, i, one) {
		sum.tx += report_u64(one, "tx");
		sum.rx += report_u64(one, "rx");
		sum.tx_pkts += report_u64(one, "tx_pkts");
		sum.rx_pkts += report_u64(one, "rx_pkts");
	}
	return sum;
}

static struct udp_sum told_of(const struct probe *p, const struct netns *ns)
{
	struct udp_sum sum = {};
	const json_t *one;
	size_t i;

	json_array_foreach (p->records, i, one) {
		if (strcmp(record_str(one, "event_type"), "transport.bw") != 0 ||
		    record_u64(one, "netns") != ns->inode)
			continue;
		sum.tx += record_u64(one, "tx_bytes");
		sum.rx += record_u64(one, "rx_bytes");
		sum.tx_pkts += record_u64(one, "tx_pkts");
		sum.rx_pkts += record_u64(one, "rx_pkts");
	}
	return sum;
}

/* What was told is what was made, but for calls that the kernel left a program out of, and says so. */
static void check_told(const char *what, uint64_t told, uint64_t made, uint64_t missed,
		       uint64_t each)
{
	CHECK(told <= made && told + missed * each >= made,
	      "%s: expected %" PRIu64 " but for %" PRIu64 " missed calls, got %" PRIu64, what, made,
	      missed, told);
}

/* The last record of each connection is its own: with its process, its ports and its bytes. */
static void check_ends(const struct probe *p, const struct maker *m, const struct netns *ns,
		       uint64_t lost)
{
	unsigned int wrong = 0, none = 0;
	const json_t *report, *one;
	size_t i;

	json_array_foreach (m->reports, i, report) {
		if (strcmp(record_str(report, "role"), "child") != 0)
			continue;
		one = record_of_socket(p->records, "conn.close", report);
		if (!one)
			none++;
		else if (record_u64(one, "pid") != record_u64(report, "pid") ||
			 record_u64(one, "netns") != ns->inode ||
			 record_u64(one, "lport") != record_u64(report, "lport") ||
			 record_u64(one, "tx_bytes") != record_u64(report, "tx"))
			wrong++;
	}
	CHECK_EQ(wrong, 0, "ends of connections with figures of others");
	CHECK(none <= lost, "ends that are missing: expected at most %" PRIu64 ", got %u", lost,
	      none);
}

static unsigned int many(void)
{
	const char *herd = getenv("NETPROBE_TEST_HERD");

	return herd ? (unsigned int)strtoul(herd, NULL, 10) : 300;
}

TEST(processes_that_preempt_each_other_cost_no_byte)
{
	struct netns tcp = netns_new(), udp = netns_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct udp_sum made, told;
	struct maker a, b;
	char command[80];
	uint64_t missed;

	snprintf(command, sizeof(command), "herd --at-once 8 --procs %u", many());
	a = maker_start(&tcp, -1, command);
	snprintf(command, sizeof(command), "herd --udp --bytes 1500 --at-once 8 --procs %u",
		 many());
	b = maker_start(&udp, -1, command);
	maker_finish_within(&a, 300000);
	maker_finish_within(&b, 300000);
	probe_stop(&p);
	check_owners(p.records, "transport.bw", a.reports, &tcp);
	made = made_by(&b);
	told = told_of(&p, &udp);
	missed = loss_sum(p.records, "missed");
	test_note("%" PRIu64 " calls missed", missed);
	check_ends(&p, &a, &tcp, missed + loss_sum(p.records, "ring_full"));
	check_told("datagrams sent", told.tx_pkts, made.tx_pkts, missed, 1);
	check_told("bytes sent in them", told.tx, made.tx, missed, 1500);
	check_told("datagrams received", told.rx_pkts, made.rx_pkts, missed, 1);
	check_told("bytes received in them", told.rx, made.rx, missed, 1500);
}
