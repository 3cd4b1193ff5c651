/* SPDX-License-Identifier: BSD-2-Clause */
/* What was remembered of a socket and its process ends when it ends: peer, name, user, cgroup, the process itself. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "ownership.h"
#include "tap.h"

/* Bytes of the rows of that process in that namespace with this port at the far end. */
static uint64_t sent_to(const struct run *r, const json_t *report)
{
	uint64_t tx = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (r->probe.records, i, one)
		if (record_u64(one, "netns") == r->ns.inode &&
		    record_u64(one, "pid") == record_u64(report, "pid") &&
		    record_u64(one, "rport") == record_u64(report, "rport") &&
		    record_u64(one, "lport") == record_u64(report, "lport"))
			tx += record_u64(one, "tx_bytes");
	return tx;
}

TEST(a_datagram_socket_connected_again_has_a_row_for_each_peer)
{
	static const char *const roles[] = { "first", "second" };
	struct run r = { .ns = netns_new() };
	const json_t *first, *anew;

	r.probe = probe_start(FLOWS, "--interval", "600", NULL);
	r.maker = maker_run(&r.ns, "turn again");
	probe_stop(&r.probe);
	check_owners(r.probe.records, NULL, r.maker.reports, &r.ns);
	CHECK_EQ(sent_to(&r, maker_report(&r.maker, roles[1])), 2000, "bytes to the second peer");
	first = maker_report(&r.maker, roles[0]);
	anew = maker_report(&r.maker, "anew");
	CHECK_EQ(sent_to(&r, first), 1000, "bytes to the first peer");
	CHECK_EQ(sent_to(&r, anew), 500, "bytes to it from the port of later");
}

TEST(a_process_that_renames_itself_is_found_by_its_new_name)
{
	struct netns ns = netns_new();
	char name[16], old[16];
	char command[128];
	struct probe by_new, by_old;
	struct maker m;

	snprintf(name, sizeof(name), "new-%d", getpid());
	snprintf(old, sizeof(old), "old-%d", getpid());
	snprintf(command, sizeof(command), "turn rename --first-name %s --name %s", old, name);
	by_new = probe_start(FLOWS, "--comm", name, NULL);
	by_old = probe_start(FLOWS, "--comm", old, NULL);
	m = maker_run(&ns, command);
	probe_stop(&by_new);
	probe_stop(&by_old);
	CHECK_EQ(records_sum(by_new.records, NULL, "tx_bytes",
			     (pid_t)report_u64(maker_report(&m, "sender"), "pid")),
		 40000, "bytes under the new name");
	CHECK_EQ(records_sum(by_old.records, NULL, "tx_bytes",
			     (pid_t)report_u64(maker_report(&m, "sender"), "pid")),
		 1000, "bytes under the old name");
}

static const json_t *row_of(const struct probe *p, pid_t pid)
{
	const json_t *one, *found = NULL;
	size_t i;

	json_array_foreach (p->records, i, one)
		if (record_u64(one, "pid") == (uint64_t)pid && record_u64(one, "tx_bytes"))
			found = one;
	REQUIRE(found, "no row of pid %d", pid);
	return found;
}

TEST(a_process_that_becomes_another_user_is_shown_as_that_one)
{
	struct run r = { .ns = netns_new() };
	pid_t pid;

	r.probe = probe_start(FLOWS, "--interval", "0.2", NULL);
	r.maker = maker_run(&r.ns, "turn setuid --uid 1234 --last 2000");
	probe_stop(&r.probe);
	check_owners(r.probe.records, NULL, r.maker.reports, &r.ns);
	pid = (pid_t)report_u64(maker_report(&r.maker, "sender"), "pid");
	CHECK_EQ(record_u64(row_of(&r.probe, pid), "uid"), 1234, "uid of its connection");
}

TEST(a_process_that_moves_is_found_in_the_cgroup_it_is_in)
{
	struct netns ns = netns_new();
	struct cgroup_dir dir = cgroup_dir_new();
	struct probe by_new, all;
	char command[PATH_MAX + 64];
	const json_t *row;
	struct maker m;
	pid_t pid;

	by_new = probe_start(FLOWS, "-c", dir.name, NULL);
	all = probe_start(FLOWS, NULL);
	snprintf(command, sizeof(command), "turn cgroup --procs %s/cgroup.procs", dir.path);
	m = maker_run(&ns, command);
	probe_stop(&by_new);
	probe_stop(&all);
	pid = (pid_t)report_u64(maker_report(&m, "sender"), "pid");
	CHECK_EQ(records_sum(by_new.records, NULL, "tx_bytes", pid), 40000,
		 "bytes in its new cgroup");
	row = row_of(&all, pid);
	CHECK_EQ(record_u64(row, "tx_bytes"), 41000, "bytes of its connection");
	CHECK_EQ(record_u64(row, "cgroup_id"), dir.id, "its cgroup");
}

TEST(a_process_with_the_number_of_one_that_is_gone_is_another_one)
{
	struct run r = { .ns = netns_new() };
	uint64_t former = 0, latter = 0;
	const json_t *one;
	size_t i;

	r.probe = probe_start(FLOWS, NULL);
	r.maker = maker_run(&r.ns, "turn pid");
	probe_stop(&r.probe);
	json_array_foreach (r.probe.records, i, one) {
		if (record_u64(one, "netns") != r.ns.inode)
			continue;
		if (!strcmp(record_str(one, "comm"), "former"))
			former += record_u64(one, "tx_bytes");
		if (!strcmp(record_str(one, "comm"), "latter"))
			latter += record_u64(one, "tx_bytes");
	}
	CHECK_EQ(former, 500, "bytes of the one that is gone");
	CHECK_EQ(latter, 2500, "bytes of the one that has its number");
}

TEST(threads_that_send_in_turn_count_once_each)
{
	run_flows("turn threads --threads 4 --count 5000");
}
