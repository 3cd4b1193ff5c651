/* SPDX-License-Identifier: BSD-2-Clause */
/* Trouble with its cause: why segments went out again, what stands still, what limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "far.h"
#include "ownership.h"
#include "tap.h"

#define HEALTH "events", "--format", "json", "--interval", "0.2"

static char *between(const struct netns_pair *n, const char *command)
{
	static char full[400];

	snprintf(full, sizeof(full), "%s --addr 10.77.0.2 --client-ns %s --server-ns %s", command,
		 n->a.path, n->b.path);
	return full;
}

static bool has_prefix(const json_t *r, const char *prefix)
{
	return !strncmp(record_str(r, "value"), prefix, strlen(prefix));
}

/* Segments of that process with that cause. */
static uint64_t segments_by(const json_t *records, pid_t pid, const char *cause)
{
	uint64_t sum = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (has_prefix(r, "RETRANSMIT:") && record_u64(r, "pid") == (uint64_t)pid &&
		    !strcmp(record_str(r, "cause"), cause))
			sum += record_u64(r, "segments");
	return sum;
}

static pid_t pid_of(const struct maker *m, const char *role)
{
	return (pid_t)record_u64(maker_report(m, role), "pid");
}

static void stop_when_quiet(struct probe *p, const struct netns_pair *n)
{
	netns_wait_quiet(&n->a);
	netns_wait_quiet(&n->b);
	probe_stop(p);
}

TEST(segments_lost_on_the_way_are_repaired_by_fast_retransmit)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HEALTH, NULL);
	struct maker m;

	netns_drop(&n.b, "", 3);
	m = maker_run(NULL,
		      between(&n, test_slow() > 1 ? "stream --bytes 3m" : "stream --bytes 50m"));
	stop_when_quiet(&p, &n);
	CHECK(segments_by(p.records, pid_of(&m, "client"), "fast") > 0,
	      "expected segments with cause fast, got none of %" PRIu64,
	      netns_counter(&n.a, "Tcp", "RetransSegs"));
}

TEST(a_silent_network_makes_a_loss_probe_and_then_timeouts)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HEALTH, NULL);
	struct maker m = maker_start(
		NULL, -1,
		between(&n, "stream --port 5001 --bytes 1000 --first 100000 --hold connected"));
	uint64_t probes;

	maker_wait_hold(&m);
	probes = netns_counter(&n.a, "TcpExt", "TCPLossProbes");
	netns_drop(&n.b, "tcp dport 5001", 100);
	maker_go(&m);
	netns_wait_counter(&n.a, "TcpExt", "TCPTimeouts", 1);
	netns_drop_end(&n.b);
	maker_finish(&m);
	stop_when_quiet(&p, &n);
	CHECK(segments_by(p.records, pid_of(&m, "client"), "timeout") > 0,
	      "expected segments with cause timeout, got none");
	CHECK(segments_by(p.records, pid_of(&m, "client"), "tail_loss_probe") >=
		      (netns_counter(&n.a, "TcpExt", "TCPLossProbes") > probes),
	      "expected a segment with cause tail_loss_probe, as the kernel counted one");
}

static bool is_stall(const json_t *r, const void *arg)
{
	return !strcmp(record_str(r, "event_type"), "transport.drop") && has_prefix(r, "STALL_") &&
	       (!arg || !strcmp(record_str(r, "cause"), arg));
}

static const json_t *find_stall(const json_t *records, pid_t pid, const char *cause, bool ended)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (is_stall(r, cause) && record_u64(r, "pid") == (uint64_t)pid &&
		    json_is_true(json_object_get(r, "ended")) == ended)
			return r;
	return NULL;
}

static void check_stall(const struct probe *p, pid_t pid, const char *cause, const char *side)
{
	const json_t *live = find_stall(p->records, pid, cause, false);
	const json_t *over = find_stall(p->records, pid, cause, true);

	CHECK(live, "expected a %s stall while it lasts, got none", cause);
	CHECK(over, "expected a record of the %s stall's end, got none", cause);
	if (over) {
		CHECK(record_num(over, "num") >= 300,
		      "length of the %s stall: expected at least 300 ms, got %.0f", cause,
		      record_num(over, "num"));
		CHECK(!strcmp(record_str(over, "side"), side), "side: expected %s, got %s", side,
		      record_str(over, "side"));
		CHECK(json_is_null(json_object_get(over, "cpu_pid")),
		      "cpu_pid of a stall: expected null, got %" PRIu64,
		      record_u64(over, "cpu_pid"));
	}
}

#define HALF_MS 700

struct stalled {
	const struct probe *p;
	const struct netns *ns;
	const char *cause;
	bool now;
};

/* Does the last record about such a stall in that namespace say so? */
static bool is_as_told(void *arg)
{
	const struct stalled *s = arg;
	json_t *records = probe_records(s->p);
	bool now = false;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (is_stall(r, s->cause) && record_u64(r, "netns") == s->ns->inode)
			now = !json_is_true(json_object_get(r, "ended"));
	json_decref(records);
	return now == s->now;
}

static void wait_stalled(const struct probe *p, const struct netns *ns, const char *cause, bool now)
{
	struct stalled s = { p, ns, cause, now };

	CHECK(wait_until(is_as_told, &s, 60000), "expected %s, %s", cause,
	      now ? "a stall" : "the end of the stall");
}

/*
 * A sender whose reader pauses until both ends were told of: how long that takes, a window's bytes and a look at each
 * end, is the machine's. Then long enough for both.
 */
static struct maker stall_both_ends(const struct probe *p, const struct netns_pair *n)
{
	struct maker m = maker_start(
		NULL, -1, between(n, "limit --by pause --pause 0 --seconds 2 --hold paused"));

	maker_wait_hold(&m);
	wait_stalled(p, &n->b, "receive_queue", true);
	wait_stalled(p, &n->a, "zero_window", true);
	pause_ms(HALF_MS);
	maker_go(&m);
	maker_finish(&m);
	return m;
}

TEST(a_reader_that_pauses_stalls_both_ends_with_their_causes)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HEALTH, NULL);
	struct maker m = stall_both_ends(&p, &n);

	stop_when_quiet(&p, &n);
	check_stall(&p, pid_of(&m, "server"), "receive_queue", "local");
	check_stall(&p, pid_of(&m, "client"), "zero_window", "remote");
}

TEST(a_network_that_is_gone_stalls_the_sender)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HEALTH, NULL);
	struct maker m = maker_start(
		NULL, -1,
		between(&n, "limit --by sndbuf --seconds 2 --port 5001 --hold connected"));

	maker_wait_hold(&m);
	netns_drop(&n.b, "tcp dport 5001", 100);
	maker_go(&m);
	netns_wait_counter(&n.a, "TcpExt", "TCPTimeouts", 2);
	json_decref(probe_wait_record(&p, is_stall, "send_buffer", 10000));
	netns_drop_end(&n.b);
	maker_finish(&m);
	stop_when_quiet(&p, &n);
	check_stall(&p, pid_of(&m, "client"), "send_buffer", "remote");
}

TEST(waiting_for_requests_and_late_answers_is_no_stall)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HEALTH, NULL);
	const json_t *r;
	struct maker m;
	size_t i;

	m = maker_run(NULL, between(&n, "limit --by late --pause 400 --seconds 3"));
	stop_when_quiet(&p, &n);
	json_array_foreach (p.records, i, r)
		CHECK(!is_stall(r, NULL) ||
			      (record_u64(r, "pid") != (uint64_t)pid_of(&m, "client") &&
			       record_u64(r, "pid") != (uint64_t)pid_of(&m, "server")),
		      "expected no stall, got %s %s", record_str(r, "value"),
		      record_str(r, "cause"));
	CHECK(record_find(p.records, "conn.close", NULL, NULL, pid_of(&m, "client")) &&
		      record_find(p.records, "conn.close", NULL, NULL, pid_of(&m, "server")),
	      "expected both ends to have been seen");
}

#define MESSAGES 2

/*
 * Each half lasts until it was looked at: looks are as rare as they have to be for what they cost, on a busy
 * machine with many sockets too. The longest time a stall can have lasted, in ms.
 */
static int64_t drive_halves(struct maker *m, const struct probe *p, const struct netns_pair *n)
{
	int64_t longest = 0, began = now_ms();

	for (unsigned int i = 0; i < MESSAGES; i++) {
		maker_wait_hold(m);
		wait_stalled(p, &n->b, "receive_wait", true);
		pause_ms(HALF_MS); /* so long it lasts at least */
		maker_go(m);
		maker_wait_hold(m);
		wait_stalled(p, &n->b, "receive_wait", false);
		if (now_ms() - began > longest)
			longest = now_ms() - began;
		began = now_ms();
		maker_go(m);
	}
	return longest;
}

/*
 * Stalls of the server while the client sends messages in halves, and rests between them. Halves that are held
 * are each looked at; with SO_RCVLOWAT the kernel wakes its reader when it likes, so some may fall between two looks.
 */
static void check_halves(const char *take, bool stalls)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HEALTH, NULL);
	const json_t *r, *over = NULL;
	bool held = !strcmp(take, "all");
	char command[120];
	struct maker m;
	uint64_t n_over = 0;
	int64_t longest = now_ms();
	size_t i;

	snprintf(command, sizeof(command),
		 "limit --by half --take %s --pause %d --seconds 600 --messages %d %s", take,
		 held || test_slow() <= 3 ? HALF_MS : 3000, MESSAGES, held ? "--hold half" : "");
	m = maker_start(NULL, -1, between(&n, command));
	if (held)
		longest = drive_halves(&m, &p, &n);
	maker_finish(&m);
	stop_when_quiet(&p, &n);
	longest = held ? longest : now_ms() - longest;
	json_array_foreach (p.records, i, r) {
		if (!is_stall(r, NULL) || (record_u64(r, "pid") != (uint64_t)pid_of(&m, "server") &&
					   record_u64(r, "pid") != (uint64_t)pid_of(&m, "client")))
			continue;
		CHECK(stalls && record_u64(r, "pid") == (uint64_t)pid_of(&m, "server") &&
			      !strcmp(record_str(r, "cause"), "receive_wait"),
		      "taken by %s: unexpected stall of %s, %s by %s", take, record_str(r, "comm"),
		      record_str(r, "value"), record_str(r, "cause"));
		if (json_is_true(json_object_get(r, "ended"))) {
			over = r;
			n_over++;
		}
	}
	if (!stalls)
		return;
	check_stall(&p, pid_of(&m, "server"), "receive_wait", "remote");
	CHECK(held ? n_over == MESSAGES : n_over <= MESSAGES,
	      "stalls, one in the middle of each message and none between them: expected %d, got %" PRIu64,
	      MESSAGES, n_over);
	CHECK(over && record_num(over, "num") <= (double)longest,
	      "length of the receive_wait stall: expected at most %" PRId64 " ms, got %.0f",
	      longest, over ? record_num(over, "num") : -1);
}

TEST(a_receive_that_waits_in_the_middle_of_a_message_is_a_stall)
{
	check_halves("all", true);
	check_halves("lowat", true);
}

TEST(waiting_for_the_next_message_is_no_stall)
{
	check_halves("plain", false);
	check_halves("splice", false);
}

TEST(conn_close_tells_the_time_spent_in_stalls)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HEALTH, NULL);
	struct maker m = stall_both_ends(&p, &n);
	const json_t *r;

	stop_when_quiet(&p, &n);
	r = record_of_socket(p.records, "conn.close", maker_report(&m, "client"));
	REQUIRE(r, "expected conn.close of the client");
	CHECK(record_num(r, "stall_ms") >= 300, "stall_ms: expected at least 300, got %.0f",
	      record_num(r, "stall_ms"));
}

/* A port of this test's own: why looks into all namespaces, and two runs at once have the same addresses. */
static const char *own_port(void)
{
	static char port[8];

	snprintf(port, sizeof(port), "%d", 10000 + getpid() % 20000);
	return port;
}

/* "limit --by WHAT --seconds 3" at that port. */
static char *limited(const struct netns_pair *n, const char *by)
{
	char command[100];

	snprintf(command, sizeof(command), "limit --by %s --port %s --seconds 3 --hold connected",
		 by, own_port());
	return between(n, command);
}

/* `why` of a connection that is there when it begins, and used from then on, by its port as option. */
static struct probe why_of(struct maker *m, const char *option)
{
	struct probe p;

	maker_wait_hold(m);
	p = probe_start("why", "--format", "json", option, own_port(), "--duration", "2", NULL);
	maker_go(m);
	return p;
}

/* What `why` says first of the client of a limit maker. */
static void check_why(const struct netns_pair *n, const char *by, const char *verdict)
{
	struct maker m = maker_start(NULL, -1, limited(n, by));
	struct probe p = why_of(&m, "--dst-port");
	const json_t *answer, *shares, *share;
	json_t *records;
	const char *key;
	double sum = 0;

	REQUIRE(probe_wait(&p, 30000) >= 0, "expected why to end by itself");
	CHECK(p.status == 0, "why: expected exit code 0, got %d", p.status);
	maker_finish(&m);
	records = probe_records(&p);
	REQUIRE(json_array_size(records) == 1, "expected one JSON object, got %zu",
		json_array_size(records));
	answer = json_array_get(records, 0);
	CHECK(!strcmp(record_str(answer, "verdict"), verdict), "verdict: expected %s, got %s in %s",
	      verdict, record_str(answer, "verdict"), json_dumps(answer, JSON_COMPACT));
	CHECK(record_str(json_array_get(json_object_get(answer, "flows"), 0), "now")[0],
	      "now: expected a verdict, got none in %s", json_dumps(answer, JSON_COMPACT));
	shares = json_object_get(answer, "shares");
	json_object_foreach ((json_t *)(uintptr_t)shares, key, share)
		sum += json_number_value(share);
	CHECK(sum > 0.99 && sum < 1.01, "shares: expected to add up to 1, got %f", sum);
	json_decref(records);
}

TEST(why_judges_what_an_expression_chooses)
{
	struct netns_pair n = netns_pair_new();
	struct maker m = maker_start(NULL, -1, limited(&n, "application"));
	char both[100], none[100];
	struct probe p[2];
	const char *const *e;

	maker_wait_hold(&m);
	snprintf(both, sizeof(both), "port=%s and laddr!=null", own_port());
	snprintf(none, sizeof(none), "port=%s and comm=nobody", own_port());
	e = (const char *const[]){ both, none };
	for (unsigned int i = 0; i < 2; i++)
		p[i] = probe_start("why", "--format", "json", "--match", e[i], "--duration", "1",
				   NULL);
	maker_go(&m);
	for (unsigned int i = 0; i < 2; i++) {
		json_t *records;

		REQUIRE(probe_wait(&p[i], 30000) >= 0, "expected why to end by itself");
		records = probe_records(&p[i]);
		CHECK_EQ(record_u64(json_array_get(records, 0), "connections"), i ? 0 : 2,
			 "connections that match: both ends, then none");
		json_decref(records);
	}
	maker_finish(&m);
}

TEST(why_of_nothing_says_that_nothing_matched)
{
	static const char *const args[] = { "why", "--host", "192.0.2.1", "--duration", "1", NULL };
	struct probe p;
	char *said;
	int status = probe_run(&p, args);

	said = file_text(p.out);
	CHECK(status == 0, "expected exit code 0, got %d", status);
	CHECK(strstr(said, "no TCP connection matched"),
	      "expected that no connection matched, got: %s", said);
	free(said);
}

TEST(why_says_application_of_an_idle_one)
{
	struct netns_pair n = netns_pair_new();

	check_why(&n, "application", "application");
}

TEST(why_says_receive_window_of_a_slow_reader)
{
	struct netns_pair n = netns_pair_new();

	check_why(&n, "reader", "receive_window");
}

TEST(why_says_of_a_slow_reader_that_it_reads_too_slowly)
{
	struct netns_pair n = netns_pair_new();
	struct maker m = maker_start(NULL, -1, limited(&n, "reader"));
	struct probe p = why_of(&m, "--src-port");
	const json_t *answer;
	json_t *records;

	REQUIRE(probe_wait(&p, 30000) >= 0, "expected why to end by itself");
	maker_finish(&m);
	records = probe_records(&p);
	answer = json_array_get(records, 0);
	REQUIRE(answer, "expected one JSON object, got none");
	CHECK(!strcmp(record_str(answer, "verdict"), "application"),
	      "verdict: expected application, got %s", record_str(answer, "verdict"));
	CHECK(strstr(record_str(answer, "advice"), "reads too slowly"),
	      "advice: expected that the process reads too slowly, got: %s",
	      record_str(answer, "advice"));
	answer = json_array_get(json_object_get(answer, "flows"), 0);
	CHECK(record_num(answer, "receive_queue_full") >= 0.5,
	      "receive_queue_full: expected at least half of the time, got %f",
	      record_num(answer, "receive_queue_full"));
	json_decref(records);
}

TEST(why_says_loss_of_a_lossy_link)
{
	/* Without a round trip losses cost nothing, and bbr does not heed them. */
	struct netns_pair n = netns_pair_far(10);

	netns_must(&n.a, "sysctl -q -w net.ipv4.tcp_congestion_control=reno");
	netns_drop(&n.b, "", 5);
	check_why(&n, "network", "loss");
}

static void slow_link(const struct netns_pair *n)
{
	char command[200];

	snprintf(command, sizeof(command),
		 "tc qdisc add dev %s root tbf rate 20mbit burst 20kb latency 50ms", n->if_a);
	if (netns_run(&n->a, command))
		test_note("no tbf here: the link is as fast as this machine");
}

TEST(why_says_congestion_window_of_a_slow_link)
{
	struct netns_pair n = netns_pair_new();

	slow_link(&n);
	check_why(&n, "network", "congestion_window");
}

TEST(why_says_send_buffer_of_a_small_one)
{
	/* a small send buffer is no limit without a round trip */
	struct netns_pair n = netns_pair_far(20);

	check_why(&n, "sndbuf", "send_buffer");
}

/* The verdict in the conn.close of a client that was slow for that reason, and idle at its end. */
static void check_life(const struct netns_pair *n, const char *interval, const char *limit,
		       const char *verdict)
{
	struct probe p = probe_start("events", "--format", "json", "--interval", interval, NULL);
	struct maker m = maker_run(NULL, between(n, limit));
	const json_t *r;

	stop_when_quiet(&p, n);
	r = record_of_socket(p.records, "conn.close", maker_report(&m, "client"));
	REQUIRE(r, "expected conn.close of the client");
	CHECK(!strcmp(record_str(r, "verdict"), verdict),
	      "verdict of %s: expected %s, got %s in %s", limit, verdict, record_str(r, "verdict"),
	      json_dumps(r, JSON_COMPACT));
}

TEST(conn_close_tells_what_limited_all_of_a_life_that_ended_idle)
{
	struct netns_pair slow = netns_pair_new(), far = netns_pair_far(20),
			  near = netns_pair_new();

	slow_link(&slow);
	check_life(&slow, "0.5", "limit --by network --seconds 2 --idle 500", "congestion_window");
	check_life(&far, "0.5", "limit --by sndbuf --seconds 2 --idle 500", "send_buffer");
	/* over a round trip what this reader takes is as much as a young congestion window lets pass */
	check_life(&near, "0.5", "limit --by reader --seconds 2", "receive_window");
	check_life(&far, "0.5", "limit --by application --seconds 1 --idle 500", "application");
	check_life(&far, "0.5", "limit --by late --seconds 1 --idle 500", "application");
}

TEST(conn_close_tells_what_limited_a_life_between_two_looks)
{
	struct netns_pair slow = netns_pair_new(), far = netns_pair_far(20);

	slow_link(&slow);
	check_life(&slow, "60", "limit --by network --seconds 1 --idle 200", "congestion_window");
	check_life(&far, "60", "limit --by sndbuf --seconds 1 --idle 200", "send_buffer");
	check_life(&far, "60", "limit --by application --seconds 1 --idle 200", "application");
}

TEST(conn_close_tells_that_losses_limited_a_life_that_ended_idle)
{
	struct netns_pair n = netns_pair_far(10);

	netns_must(&n.a, "sysctl -q -w net.ipv4.tcp_congestion_control=reno");
	netns_drop(&n.b, "", 5);
	check_life(&n, "0.5", "limit --by network --seconds 2 --idle 500", "loss");
	check_life(&n, "60", "limit --by network --seconds 1 --idle 200", "loss");
}

TEST(flows_tells_of_an_open_connection_what_limited_it_before_it_went_idle)
{
	struct netns_pair n = netns_pair_new();
	char command[100];
	struct probe p;
	struct maker m;
	const json_t *r;

	slow_link(&n);
	p = probe_start("flows", "--format", "json", "--dst-port", own_port(), "--interval", "0.5",
			"--duration", "3600", NULL);
	snprintf(command, sizeof(command),
		 "limit --by network --port %s --seconds 2 --idle 500 --hold resting", own_port());
	m = maker_start(NULL, -1, between(&n, command));
	maker_wait_hold(&m);
	probe_stop(&p);
	maker_go(&m);
	maker_finish(&m);
	r = json_array_get(p.records, 0);
	REQUIRE(r, "expected a flow, got none");
	CHECK(!strcmp(record_str(r, "state"), "ESTABLISHED"), "state: expected ESTABLISHED, got %s",
	      record_str(r, "state"));
	CHECK(!strcmp(record_str(r, "verdict"), "congestion_window"),
	      "verdict: expected congestion_window, got %s in %s", record_str(r, "verdict"),
	      json_dumps(r, JSON_COMPACT));
}
