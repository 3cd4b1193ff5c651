/* SPDX-License-Identifier: BSD-2-Clause */
/* Drops that interfaces count themselves, in namespaces other than netprobe's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drop_make.h"
#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

/* A queue of a few packets that are let go slowly. */
static void narrow(const struct netns_pair *n)
{
	char command[200];

	snprintf(command, sizeof(command),
		 "tc qdisc add dev %s root tbf rate 64kbit burst 2000 limit 4000", n->if_a);
	if (netns_run(&n->a, command))
		test_skip("no tbf here: no queue is full");
}

/* What tc says the queue dropped. */
static uint64_t tc_dropped(const struct netns_pair *n)
{
	char command[300], path[200], *text, *at;
	uint64_t dropped = 0;

	snprintf(path, sizeof(path), "%s/tc", test_dir());
	snprintf(command, sizeof(command), "tc -s qdisc show dev %s >%s", n->if_a, path);
	netns_must(&n->a, command);
	text = file_text(path);
	at = strstr(text, "(dropped ");
	if (at)
		dropped = strtoull(at + strlen("(dropped "), NULL, 10);
	free(text);
	return dropped;
}

static void flood(const struct netns_pair *n)
{
	netns_must(&n->a, "bash -c 'exec 3>/dev/udp/10.77.0.2/7000; for i in $(seq 60); do "
			  "printf %0500d 1 >&3 || :; done'");
	REQUIRE(tc_dropped(n) > 0, "expected the queue to drop packets");
}

/* Packets of that reason in n's first namespace, at its interface. */
static uint64_t counted(const json_t *records, const struct netns_pair *n, const char *reason)
{
	uint64_t sum = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "reason"), reason) &&
		    record_u64(r, "netns") == n->a.inode &&
		    !strcmp(record_str(r, "iface"), n->if_a))
			sum += record_u64(r, "packets");
	return sum;
}

TEST(a_full_queue_of_another_namespace_is_told_as_its_interface_counts_it)
{
	struct netns_pair n = netns_pair_new();
	struct probe p;

	need_tracepoint();
	narrow(&n);
	p = probe_start("drops", "--format", "json", "--interval", "0.2", NULL);
	flood(&n);
	probe_stop(&p);
	CHECK_EQ(counted(p.records, &n, "QDISC"), tc_dropped(&n), "packets, as tc counts them");
}

TEST(a_summary_has_what_interfaces_count_apart)
{
	struct netns_pair n = netns_pair_new();
	const json_t *r;
	struct probe p;
	size_t i;

	need_tracepoint();
	narrow(&n);
	p = probe_start("drops", "--summary", "--format", "json", "--interval", "0.2", NULL);
	flood(&n);
	probe_stop(&p);
	CHECK_EQ(counted(p.records, &n, "QDISC"), tc_dropped(&n), "packets, as tc counts them");
	json_array_foreach (p.records, i, r)
		CHECK(!strcmp(record_str(r, "seen_as"),
			      strcmp(record_str(r, "reason"), "QDISC") ? "packet" : "counter") ||
			      record_u64(r, "netns") != n.a.inode,
		      "source of %s: got %s", record_str(r, "reason"), record_str(r, "seen_as"));
}

TEST(drops_of_a_namespace_that_came_later_are_counted_from_when_it_was_found)
{
	struct netns_pair n;
	struct probe p;
	json_t *all;
	int64_t end = deadline_in(30000);

	need_tracepoint();
	p = probe_start("drops", "--format", "json", "--interval", "0.05", NULL);
	n = netns_pair_new();
	narrow(&n);
	do {
		flood(&n);
		pause_ms(100);
		all = probe_records(&p);
		if (counted(all, &n, "QDISC"))
			break;
		json_decref(all);
		all = NULL;
	} while (now_ms() < end);
	CHECK(all, "expected drops of the new namespace's queue, got none");
	json_decref(all);
	probe_stop(&p);
	CHECK(counted(p.records, &n, "QDISC") <= tc_dropped(&n),
	      "expected no more than the queue dropped");
}
