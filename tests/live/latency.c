/* SPDX-License-Identifier: BSD-2-Clause */
/* Latencies that are made on purpose are found in the slot they belong to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "far.h"
#include "ownership.h"
#include "tap.h"

#define HISTOGRAMS "flows", "--histograms", "--format", "json", "--duration", "3600"

static char *between(const struct netns_pair *n, const char *command)
{
	static char full[400];

	snprintf(full, sizeof(full), "%s --addr 10.77.0.2 --client-ns %s --server-ns %s", command,
		 n->a.path, n->b.path);
	return full;
}

static const json_t *of_pid(const json_t *records, uint64_t pid)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (record_u64(r, "pid") == pid)
			return r;
	return NULL;
}

static const json_t *of_role(const struct probe *p, const struct maker *m, const char *role)
{
	const json_t *r = of_pid(p->records, record_u64(maker_report(m, role), "pid"));

	REQUIRE(r, "expected histograms of the %s, got none", role);
	return r;
}

/* Figures of from_us to to_us. */
static uint64_t figures(const json_t *process, const char *what, uint64_t from, uint64_t to)
{
	const json_t *slots = json_object_get(json_object_get(process, what), "slots"), *s;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (slots, i, s)
		if (record_u64(s, "from_us") >= from && record_u64(s, "from_us") < to)
			sum += record_u64(s, "count");
	return sum;
}

/* Where the slots begin that figures of that long fall into, and the next ones. */
static uint64_t slot_of(uint64_t us)
{
	uint64_t from = 1;

	while (from * 2 <= us)
		from *= 2;
	return us ? from : 0;
}

/* A wait as long as the maker says that bytes were in its queue, give or take what it cannot know. */
static void check_wait(const struct probe *p, const struct maker *m, const char *role,
		       const char *what)
{
	const json_t *r = of_role(p, m, role), *report = maker_report(m, role);
	uint64_t min = report_u64(report, "wait_min_us"), max = report_u64(report, "wait_max_us");

	REQUIRE(min && min <= max, "the %s told of no wait", role);
	CHECK(figures(r, what, slot_of(min), 2 * slot_of(max)) >= 1,
	      "%s of the %s: expected one of %" PRIu64 " to %" PRIu64 " us, got none in %s", what,
	      role, min, max, json_dumps(json_object_get(r, what), JSON_COMPACT));
}

/* Data waits at both ends; it is read when who tells that it left the send queue is there. */
static struct maker make_wait(const struct probe *p, const struct netns_pair *n)
{
	struct maker m =
		maker_start(NULL, -1, between(n, "limit --by wait --pause 190 --hold waiting"));

	maker_wait_hold(&m);
	probe_wait_tracepoint(p, "net_dev_queue");
	maker_go(&m);
	maker_finish(&m);
	return m;
}

TEST(data_that_waits_for_a_slow_reader_is_in_the_slot_of_its_wait)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HISTOGRAMS, NULL);
	struct maker m = make_wait(&p, &n);

	probe_stop(&p);
	check_wait(&p, &m, "server", "receive_wait");
	check_wait(&p, &m, "client", "send_wait");
	CHECK_EQ(figures(of_role(&p, &m, "client"), "connect", 0, UINT64_MAX), 1,
		 "connects of the client");
	CHECK(json_is_null(json_object_get(of_role(&p, &m, "server"), "connect")),
	      "connects of the server: expected null");
}

TEST(a_stall_is_in_the_slot_of_its_length)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HISTOGRAMS, NULL);
	/* Where a look at all sockets takes long, there are few of them. */
	struct maker m = maker_run(
		NULL, between(&n, test_slow() > 1 ? "limit --by pause --pause 5000 --seconds 6"
						  : "limit --by pause --pause 1200 --seconds 2"));

	probe_stop(&p);
	/* it is found some time after it began, and counts from there */
	CHECK(figures(of_role(&p, &m, "server"), "stall", 524288,
		      test_slow() > 1 ? UINT64_MAX : 2097152) >= 1,
	      "expected a stall of about 1.2 s in the server's receive queue, got none");
	CHECK(figures(of_role(&p, &m, "client"), "stall", 524288, UINT64_MAX) >= 1,
	      "expected the client to stall meanwhile");
}

TEST(datagrams_that_wait_for_a_slow_reader_are_timed_one_by_one)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(HISTOGRAMS, NULL);
	struct maker m;

	m = maker_run(&ns, "dgram --count 5 --reply 10 --pause 190");
	probe_stop(&p);
	CHECK_EQ(figures(of_role(&p, &m, "server"), "receive_wait", 131072, UINT64_MAX), 5,
		 "datagrams that waited 190 ms and more");
	CHECK_EQ(figures(of_role(&p, &m, "server"), "receive_wait", 0, UINT64_MAX), 5,
		 "datagrams that waited");
}

TEST(round_trips_and_connects_over_a_long_way_are_as_long_as_it)
{
	struct netns_pair n = netns_pair_far(20);
	const json_t *client;
	struct probe p;
	struct maker m;

	p = probe_start(HISTOGRAMS, "--interval", "0.1", NULL);
	m = maker_run(NULL, between(&n, "limit --by late --pause 1 --seconds 2"));
	probe_stop(&p);
	client = of_role(&p, &m, "client");
	CHECK(figures(client, "rtt", 16384, test_slow() > 1 ? UINT64_MAX : 65536) >= 1,
	      "expected round trips of about 20 ms, got none of %" PRIu64,
	      figures(client, "rtt", 0, UINT64_MAX));
	CHECK_EQ(figures(client, "rtt", 0, 16384), 0, "round trips shorter than the way");
	CHECK_EQ(figures(client, "connect", 16384, test_slow() > 1 ? UINT64_MAX : 65536), 1,
		 "connects of about 20 ms");
}

TEST(a_connect_whose_first_syn_is_lost_is_in_the_slot_of_a_second)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HISTOGRAMS, NULL);
	struct maker m;

	netns_drop(&n.b, "tcp dport 5001", 100);
	m = maker_start(NULL, -1, between(&n, "stream --port 5001 --bytes 1000"));
	netns_wait_counter(&n.a, "Tcp", "RetransSegs", 1);
	netns_drop_end(&n.b);
	maker_finish(&m);
	probe_stop(&p);
	/* the SYN is sent again after one second, and after two more if that was lost as well */
	CHECK_EQ(figures(of_role(&p, &m, "client"), "connect", 524288,
			 test_slow() > 1 ? UINT64_MAX : 4194304),
		 1, "connects of a second and more");
	CHECK_EQ(figures(of_role(&p, &m, "client"), "connect", 0, UINT64_MAX), 1, "connects");
}

TEST(histograms_do_without_waits_where_these_cannot_be_timed)
{
	const char *forced[] = { "flows",	   "--histograms", "--latency",
				 "--capture-mode", "proc",	   NULL };
	const char *args[] = { "flows", "--histograms", "--capture-mode",
			       "proc",	"--duration",	"0.2",
			       NULL };
	struct probe p;
	char *log;

	CHECK_EQ(probe_run(&p, args), 0, "exit code");
	log = file_text(p.log);
	CHECK(strstr(log, "no waits"), "expected to be told that waits are missing, got: %s", log);
	free(log);
	CHECK_EQ(probe_run(&p, forced), 2, "exit code where waits were asked for by name");
}

/*
 * The first half of each message is taken when it comes, by a call that returns when the other half is there;
 * or by splice, which no receive call tells. Neither waited in the queue.
 */
static void check_no_wait(const char *take)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HISTOGRAMS, "--interval", "0.1", NULL);
	const json_t *server;
	char command[100];
	struct maker m;
	uint64_t most;

	snprintf(command, sizeof(command), "limit --by half --take %s --pause 400 --seconds 3",
		 take);
	m = maker_run(NULL, between(&n, command));
	probe_stop(&p);
	server = of_role(&p, &m, "server");
	most = report_u64(maker_report(&m, "server"), "wait_max_us");
	REQUIRE(most, "taken by %s: the server saw none of it taken", take);
	CHECK(!figures(server, "receive_wait", 2 * slot_of(most), UINT64_MAX),
	      "taken by %s: expected no wait of more than %" PRIu64 " us, got %s", take, most,
	      json_dumps(json_object_get(server, "receive_wait"), JSON_COMPACT));
	CHECK(figures(server, "receive_wait", 0, UINT64_MAX) >= 1,
	      "taken by %s: expected short waits in the receive queue, got none", take);
}

TEST(what_was_taken_before_a_call_returned_did_not_wait_for_that)
{
	check_no_wait("all");
	check_no_wait("splice");
	check_no_wait("plain");
}

TEST(a_shaped_link_makes_data_wait_in_the_send_queue)
{
	struct netns_pair n = netns_pair_new();
	const json_t *client;
	struct probe p;
	struct maker m;
	char command[200];

	snprintf(command, sizeof(command),
		 "tc qdisc add dev %s root tbf rate 20mbit burst 20kb latency 50ms", n.if_a);
	if (netns_run(&n.a, command))
		test_skip("no tbf here: no link is slow");
	p = probe_start(HISTOGRAMS, NULL);
	/* 64 KiB a call, 26 ms of this link, and the buffer before them */
	m = maker_run(NULL, between(&n, "limit --by network --seconds 2"));
	probe_stop(&p);
	client = of_role(&p, &m, "client");
	CHECK(figures(client, "send_wait", 16384, UINT64_MAX) >= 3,
	      "expected waits of 16 ms and more in the send queue, got %" PRIu64 " of %" PRIu64,
	      figures(client, "send_wait", 16384, UINT64_MAX),
	      figures(client, "send_wait", 0, UINT64_MAX));
	CHECK(figures(client, "rtt", 8192, UINT64_MAX) >= 1,
	      "expected a round trip of 8 ms and more through the queue of the link, got none of "
	      "%" PRIu64,
	      figures(client, "rtt", 0, UINT64_MAX));
}

TEST(waits_are_null_until_they_are_asked_for)
{
	struct netns ns = netns_new();
	const json_t *client;
	struct probe p;
	struct maker m;

	p = probe_start("top", "-n", "1000", "--health", "--format", "json", "--interval", "0.2",
			NULL);
	m = maker_run(&ns, "pingpong --seconds 1");
	probe_stop(&p);
	client = of_role(&p, &m, "client");
	CHECK(json_is_null(json_object_get(client, "receive_wait_p99_us")),
	      "receive_wait_p99_us without --latency: expected null");
	p = probe_start("top", "-n", "1000", "--health", "--format", "json", "--interval", "0.2",
			"--latency", NULL);
	m = maker_run(&ns, "pingpong --seconds 1");
	probe_stop(&p);
	for (size_t i = json_array_size(p.records); i > 0; i--) {
		client = json_array_get(p.records, i - 1);
		if (record_u64(client, "pid") == record_u64(maker_report(&m, "client"), "pid"))
			break;
	}
	CHECK(record_u64(client, "receive_wait_p50_us") > 0 &&
		      record_u64(client, "receive_wait_p99_us") >=
			      record_u64(client, "receive_wait_p50_us"),
	      "receive waits of the client: expected some, got %" PRIu64,
	      record_u64(client, "receive_wait_p50_us"));
	CHECK(record_u64(client, "send_wait_p50_us") > 0,
	      "send waits of the client: expected some, got none");
}

TEST(ctl_has_waits_timed_from_now_on)
{
	struct netns_pair n = netns_pair_new();
	struct maker before, m;
	const json_t *r;
	struct probe p;

	own_run_dir();
	p = probe_start(HISTOGRAMS, NULL);
	must_set("latency=false");
	before = maker_run(NULL, between(&n, "limit --by wait --pause 190"));
	must_set("latency=true");
	m = make_wait(&p, &n);
	probe_stop(&p);
	check_wait(&p, &m, "server", "receive_wait");
	r = of_pid(p.records, record_u64(maker_report(&before, "server"), "pid"));
	CHECK(!r || json_is_null(json_object_get(r, "receive_wait")),
	      "expected no waits from while they were not timed");
}
