/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets that change hands, are shared, or are older than the probe. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "ownership.h"
#include "tap.h"

TEST(forked_child_owns_from_its_first_use)
{
	run_flows("handover fork --bytes 20000 --reply 3000");
	run_flows("handover fork --first 700 --bytes 20000 --reply 3000");
}

TEST(passed_fd_belongs_to_its_user)
{
	run_flows("handover pass --bytes 20000 --reply 3000");
	run_flows("handover pass --first 700 --bytes 20000 --reply 3000");
}

/* The process stays the same one, so its bytes stay together; its name is that of the program it runs now. */
TEST(exec_keeps_pid_changes_comm)
{
	struct run r = run_flows("handover exec --first 700 --bytes 20000 --reply 3000");
	const json_t *heir = maker_report(&r.maker, "heir"), *one;
	uint64_t rx = 0;
	size_t i;

	json_array_foreach (r.probe.records, i, one) {
		if (record_u64(one, "pid") != record_u64(heir, "pid") ||
		    !record_u64(one, "rx_bytes"))
			continue;
		rx += record_u64(one, "rx_bytes");
		CHECK(!strcmp(record_str(one, "comm"), record_str(heir, "comm")),
		      "comm: expected %s, got %s", record_str(heir, "comm"),
		      record_str(one, "comm"));
	}
	CHECK_EQ(rx, record_u64(heir, "rx"), "bytes read before and after exec");
}

TEST(two_processes_on_one_socket_each_own_their_bytes)
{
	run_flows("share alternate");
}

TEST(threads_on_one_socket_count_for_their_process)
{
	run_flows("share threads --threads 8");
}

TEST(thread_with_its_own_name_counts_under_its_process)
{
	struct run r = run_flows("share named");
	const json_t *thread = maker_report(&r.maker, "thread");
	const json_t *flow =
		record_find(r.probe.records, NULL, NULL, NULL, (pid_t)record_u64(thread, "pid"));

	REQUIRE(flow, "expected a flow of the process, got none");
	CHECK(!strcmp(record_str(flow, "comm"), "leader"), "comm: expected leader, got %s",
	      record_str(flow, "comm"));
	CHECK_EQ(record_u64(flow, "tid"), record_u64(thread, "tid"), "tid");
}

TEST(rates_of_flows_are_averages_over_the_run)
{
	struct run r = run_flows("stream --reply 3000");
	double seconds = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (r.probe.records, i, one) {
		uint64_t bytes = record_u64(one, "tx_bytes");
		double rate = record_num(one, "tx_bytes_per_s");

		if (!bytes) {
			CHECK(rate == 0, "tx_bytes_per_s: expected 0, got %f", rate);
			continue;
		}
		REQUIRE(rate > 0, "tx_bytes_per_s of %" PRIu64 " bytes: expected some, got 0",
			bytes);
		if (!seconds)
			seconds = (double)bytes / rate;
		CHECK((double)bytes / rate > seconds * 0.999 &&
			      (double)bytes / rate < seconds * 1.001,
		      "expected an average over %f s, got one over %f s", seconds,
		      (double)bytes / rate);
	}
	CHECK(seconds > 0, "expected flows with bytes, got none");
}

TEST(workers_that_share_a_listener_own_what_they_accept)
{
	run_flows("share prefork --workers 4 --conns 60");
}

TEST(spliced_bytes_belong_to_the_worker_that_accepted)
{
	run_flows("share prefork --workers 4 --conns 60 --splice");
}

TEST(workers_that_share_a_datagram_socket_own_what_they_receive)
{
	run_flows("dgram --workers 4 --peers 16 --count 20");
}

TEST(connection_nobody_accepted_belongs_to_the_listener)
{
	struct netns ns = netns_new();
	struct probe probe = probe_start(FLOWS, NULL);
	struct maker m = maker_start(&ns, -1, "fail unaccepted --hold sent");
	const json_t *one, *client;
	bool found = false;
	size_t i;

	maker_wait_hold(&m);
	probe_stop(&probe);
	maker_go(&m);
	maker_finish(&m);
	client = maker_report(&m, "client");
	json_array_foreach (probe.records, i, one) {
		if (record_u64(one, "netns") != ns.inode ||
		    record_u64(one, "lport") != record_u64(client, "rport") ||
		    record_u64(one, "rport") != record_u64(client, "lport"))
			continue;
		found = true;
		CHECK(!strcmp(record_str(one, "owner_match"), "listener"),
		      "owner_match: expected listener, got %s", record_str(one, "owner_match"));
		CHECK_EQ(record_u64(one, "pid"), record_u64(maker_report(&m, "listener"), "pid"),
			 "pid");
	}
	CHECK(found, "expected a flow of the connection in the backlog, got none");
}

/* No stable hook sees it accepted, none sees it read: who holds it is found among the open files. */
TEST(connection_accepted_blindly_and_only_spliced_is_its_holders)
{
	struct netns ns = netns_new();
	struct probe probe = probe_start(FLOWS, NULL);
	struct maker m =
		maker_start(&ns, -1, "stream --blind --recv splice --bytes 50000 --hold sent");
	const json_t *one, *server;
	bool found = false;
	size_t i;

	maker_wait_hold(&m);
	/* What was sent may wait for its server: until that has accepted, it is nobody's but the listener's. */
	netns_wait_taken(&ns);
	probe_stop(&probe);
	maker_go(&m);
	maker_finish(&m);
	server = maker_report(&m, "server");
	json_array_foreach (probe.records, i, one) {
		if (record_u64(one, "pid") != record_u64(server, "pid") ||
		    !strcmp(record_str(one, "state"), "LISTEN"))
			continue;
		found = true;
		CHECK(!strcmp(record_str(one, "owner_match"), "exact"),
		      "owner_match: expected exact, got %s", record_str(one, "owner_match"));
	}
	CHECK(found, "expected a flow of the server, got none");
}

TEST(older_sockets_are_seeded)
{
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, "stream --hold connected --first 5000 --bytes 70000");
	pid_t pid = maker_wait_hold(&m);
	struct probe probe = probe_start(FLOWS, NULL);
	const json_t *flow;

	maker_go(&m);
	maker_finish(&m);
	probe_stop(&probe);
	CHECK_EQ(records_sum(probe.records, NULL, "tx_bytes", pid), 70000,
		 "bytes the client sent since the probe started");
	CHECK_EQ(records_sum(probe.records, NULL, "rx_bytes",
			     (pid_t)record_u64(maker_report(&m, "server"), "pid")),
		 70000, "bytes the server received since the probe started, none from before");
	flow = record_find(probe.records, NULL, NULL, NULL, pid);
	REQUIRE(flow, "expected a flow of the client, got none");
	CHECK(!strcmp(record_str(flow, "owner_match"), "exact"),
	      "owner_match: expected exact, got %s", record_str(flow, "owner_match"));
}

TEST(older_idle_sockets_have_their_owner_before_any_use)
{
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, "stream --hold connected --first 5000");
	pid_t pid = maker_wait_hold(&m);
	struct probe probe = probe_start(FLOWS, NULL);
	const json_t *flow;

	probe_stop(&probe);
	maker_go(&m);
	maker_finish(&m);
	flow = record_find(probe.records, NULL, NULL, NULL, pid);
	REQUIRE(flow, "expected a flow of the idle client, got none");
	CHECK(!strcmp(record_str(flow, "state"), "ESTABLISHED"),
	      "state: expected ESTABLISHED, got %s", record_str(flow, "state"));
	CHECK(!strcmp(record_str(flow, "comm"), "client"), "comm: expected client, got %s",
	      record_str(flow, "comm"));
	CHECK_EQ(record_u64(flow, "tx_bytes"), 0, "tx_bytes");
}

TEST(listeners_older_than_the_probe_hand_their_owner_on)
{
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, "stream --hold start --reply 500");
	struct probe probe;

	maker_wait_hold(&m);
	probe = probe_start(FLOWS, NULL);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&probe);
	check_owners(probe.records, NULL, m.reports, &ns);
}

TEST(flows_tell_cgroup_uid_parent_and_program)
{
	struct netns ns = netns_new();
	struct cgroup_dir c = cgroup_dir_new();
	struct probe probe = probe_start(FLOWS, NULL);
	struct maker m = maker_start(&ns, c.procs, "stream --hold sent");
	pid_t pid = maker_wait_hold(&m);
	const json_t *flow;
	const char *exe;

	probe_stop(&probe);
	maker_go(&m);
	maker_finish(&m);
	flow = record_find(probe.records, NULL, NULL, NULL, pid);
	REQUIRE(flow, "expected a flow of the client, got none");
	CHECK_EQ(record_u64(flow, "cgroup_id"), c.id, "cgroup_id");
	CHECK(strstr(record_str(flow, "cgroup"), c.name), "cgroup: expected %s, got %s", c.name,
	      record_str(flow, "cgroup"));
	CHECK(json_is_integer(json_object_get(flow, "uid")) && record_u64(flow, "uid") == 0,
	      "uid: expected 0, got %" PRIu64, record_u64(flow, "uid"));
	CHECK_EQ(record_u64(flow, "ppid"), getpid(), "ppid");
	exe = strrchr(record_str(flow, "exe"), '/');
	CHECK(exe && !strcmp(exe, "/stream"), "exe: expected .../stream, got %s",
	      record_str(flow, "exe"));
	CHECK(!strcmp(record_str(flow, "transport"), "tcp"), "transport: expected tcp, got %s",
	      record_str(flow, "transport"));
	CHECK(!strcmp(record_str(flow, "raddr"), "127.0.0.1"), "raddr: expected 127.0.0.1, got %s",
	      record_str(flow, "raddr"));
	CHECK(record_u64(flow, "lport") && record_u64(flow, "rport"), "ports: expected both");
}
