/* SPDX-License-Identifier: BSD-2-Clause */
/* Events by perf buffer, as kernels without a ring buffer have them: what depends on events holds all the same. */
#include <stdio.h>
#include <stdlib.h>

#include "probe.h"
#include "tap.h"

static void by_perf(void)
{
	const char *more = getenv("NETPROBE_ARGS");
	char args[1024];

	snprintf(args, sizeof(args), "%s --event-buffer perf", more ? more : "");
	setenv("NETPROBE_ARGS", args, 1);
}

#define PERF(id) AGAIN(perf_buffer, id, by_perf)

PERF(older_sockets_are_seeded)
PERF(conn_close_totals_equal_the_makers)
PERF(conn_open_comes_before_close_and_tells_connect_latency)
PERF(refused_connects_fail_with_their_reason)
PERF(retransmits_under_loss_have_true_owner_and_equal_kernel_count)
PERF(a_reader_that_pauses_stalls_both_ends_with_their_causes)
PERF(interval_records_of_short_lived_processes_add_up)
PERF(two_instances_count_the_same)
PERF(full_ring_loses_events_never_counts)
PERF(ends_that_find_no_room_leave_their_bytes_to_their_owners)
PERF(probe_loss_adds_up)
PERF(max_events_bounds_their_rate_and_loses_no_byte)

TEST(perf_buffer_is_what_they_run_by)
{
	static const char *const args[] = {
		"events", "--names", "none", "--duration", "36000", NULL
	};
	struct probe_opts opts = { .args = args };
	char command[128];
	struct probe p;

	by_perf();
	p = probe_spawn(&opts);
	/* a perf event for each processor, and no ring buffer */
	snprintf(command, sizeof(command),
		 "ls -l /proc/%d/fd | grep -q 'anon_inode:\\[perf_event\\]'", p.pid);
	CHECK_EQ(system(command), 0, "perf events are open; status");
	snprintf(command, sizeof(command),
		 "cat /proc/%d/fdinfo/* 2>/dev/null | grep -q '^map_type:\t27$'", p.pid);
	CHECK(system(command) != 0, "there is a ring buffer");
	probe_stop(&p);
}
