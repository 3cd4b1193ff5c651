/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers at the seams: a first call that fails, a table that is full. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ownership.h"
#include "tap.h"

static const json_t *flow_of(const struct probe *p, const struct netns *ns, const json_t *report)
{
	const json_t *one;
	size_t i;

	json_array_foreach (p->records, i, one)
		if (record_u64(one, "netns") == ns->inode && is_socket_of(one, report) &&
		    record_u64(one, "lport") == record_u64(report, "lport"))
			return one;
	return NULL;
}

TEST(a_failed_first_call_moves_nothing_and_tells_who_holds_the_socket)
{
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, "handover late --hold queued");
	const json_t *server, *flow;
	struct probe probe;

	maker_wait_hold(&m);
	probe = probe_start(FLOWS, "--interval", "0.2", NULL);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&probe);
	server = maker_report(&m, "server");
	flow = flow_of(&probe, &ns, server);
	REQUIRE(flow, "expected a flow of the accepted connection, got none");
	CHECK_EQ(record_u64(flow, "rx_bytes"), 0, "bytes of a socket that received none");
	CHECK_EQ(record_u64(flow, "pid"), record_u64(server, "pid"), "pid");
	CHECK(!strcmp(record_str(flow, "owner_match"), "exact"),
	      "owner_match: expected exact, got %s", record_str(flow, "owner_match"));
}

TEST(a_failed_first_call_does_not_spoil_what_comes_after)
{
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, "handover late --bytes 30000 --hold queued");
	struct probe probe;

	maker_wait_hold(&m);
	probe = probe_start(FLOWS, "--interval", "0.2", NULL);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&probe);
	check_owners(probe.records, NULL, m.reports, &ns);
}

/* Room for one entry, which another socket's peer takes: the child's bytes are lost, and nobody's. */
TEST(a_full_map_of_shared_sockets_gives_no_bytes_to_the_wrong_one)
{
	struct netns ns = netns_new(), other = netns_new();
	struct probe probe = probe_start(FLOWS, "--interval", "600", "--parts-size", "1", NULL);
	struct maker filler = maker_run(&other, "dgram --peers 2 --count 1");
	struct maker m = maker_run(&ns, "handover fork --first 1000 --bytes 50000");
	uint64_t accepted = record_u64(maker_report(&m, "acceptor"), "pid");

	(void)filler;
	probe_stop(&probe);
	CHECK_EQ(records_sum(probe.records, NULL, "rx_bytes", (pid_t)accepted), 1000,
		 "bytes of the process that read the first thousand");
	CHECK_EQ(records_sum(probe.records, NULL, "rx_unseen_bytes", (pid_t)accepted), 0,
		 "of which unseen");
	/* what found no room is in a sum of who read it */
	check_owners(probe.records, NULL, m.reports, &ns);
}
