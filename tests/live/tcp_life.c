/* SPDX-License-Identifier: BSD-2-Clause */
/* How TCP connections begin, end and fail, each with its owner and its figures. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ownership.h"
#include "tap.h"

#define EVENT_MS 10000

/* An event of a kind about one socket, or with one value of one process. */
struct wanted {
	const char *event_type;
	const json_t *socket; /* report of whoever had it */
	const char *value;
	pid_t pid;
};

static bool is_wanted(const json_t *r, const void *arg)
{
	const struct wanted *w = arg;

	return !strcmp(record_str(r, "event_type"), w->event_type) &&
	       (!w->socket || is_socket_of(r, w->socket)) &&
	       (!w->value || !strcmp(record_str(r, "value"), w->value)) &&
	       (!w->pid || record_u64(r, "pid") == (uint64_t)w->pid);
}

static json_t *expect(const struct probe *p, struct wanted w)
{
	json_t *r = probe_wait_record(p, is_wanted, &w, EVENT_MS);

	REQUIRE(r, "expected %s %s of pid %d, socket %" PRIu64 ", got none", w.event_type,
		w.value ? w.value : "", w.pid, w.socket ? record_u64(w.socket, "cookie") : 0);
	return r;
}

static void check_text(const json_t *r, const char *key, const char *want)
{
	CHECK(!strcmp(record_str(r, key), want), "%s: expected %s, got %s", key, want,
	      record_str(r, key));
}

static void check_owned(const json_t *r, const json_t *report)
{
	char entity[40];

	snprintf(entity, sizeof(entity), "socket-%" PRIu64, record_u64(report, "cookie"));
	if (!strncmp(record_str(r, "event_type"), "conn.", 5) &&
	    !json_is_null(json_object_get(r, "sock")))
		check_text(r, "entity_id", entity);
	CHECK_EQ(record_u64(r, "pid"), record_u64(report, "pid"), "pid");
	check_text(r, "comm", record_str(report, "comm"));
	check_text(r, "owner_match", "exact");
	CHECK_EQ(record_u64(r, "lport"), record_u64(report, "lport"), "lport");
	CHECK_EQ(record_u64(r, "rport"), record_u64(report, "rport"), "rport");
}

/* The kernel's counters of acknowledged and received bytes take SYN and FIN for one each. */
static void check_near(const json_t *r, const char *key, uint64_t want)
{
	uint64_t got = record_u64(r, key);

	CHECK(got >= want && got <= want + 2, "%s: expected %" PRIu64 ", got %" PRIu64, key, want,
	      got);
}

/* Spliced bytes are told apart, unless the hook family sees splice as it sees any call. */
static void check_unseen(const json_t *r, uint64_t want)
{
	uint64_t got = record_u64(r, "rx_unseen_bytes");

	CHECK(got == want || got == 0, "rx_unseen_bytes: expected %" PRIu64 " or 0, got %" PRIu64,
	      want, got);
}

/* Returns its retransmits: a slow machine has some even on loopback, which the kernel counts too. */
static uint64_t check_close(const struct probe *p, const json_t *report)
{
	json_t *r = expect(p, (struct wanted){ "conn.close", report, NULL, 0 });
	uint64_t retransmits = record_u64(r, "retransmits");

	check_owned(r, report);
	CHECK_EQ(record_u64(r, "tx_bytes"), record_u64(report, "tx"), "conn.close tx_bytes");
	CHECK_EQ(record_u64(r, "rx_bytes"), record_u64(report, "rx"), "conn.close rx_bytes");
	check_unseen(r, record_u64(report, "unseen"));
	CHECK_EQ(record_u64(r, "tx_unseen_bytes"), 0, "conn.close tx_unseen_bytes");
	CHECK_EQ(record_u64(r, "bytes_sent") - record_u64(r, "bytes_retrans"),
		 record_u64(report, "tx"), "conn.close bytes_sent but for bytes_retrans");
	CHECK(!record_u64(r, "bytes_retrans") == !retransmits,
	      "expected bytes_retrans with retransmits, got %" PRIu64 " with %" PRIu64,
	      record_u64(r, "bytes_retrans"), retransmits);
	check_near(r, "bytes_acked", record_u64(report, "tx"));
	check_near(r, "bytes_received", record_u64(report, "rx"));
	CHECK(record_u64(r, "srtt_us") > 0, "srtt_us: expected some, got none");
	CHECK(record_u64(r, "min_rtt_us") > 0, "min_rtt_us: expected some, got none");
	CHECK(record_num(r, "duration_ms") > 0, "duration_ms: expected some, got %f",
	      record_num(r, "duration_ms"));
	CHECK(record_num(r, "num") == record_num(r, "duration_ms"),
	      "num: expected duration_ms %f, got %f", record_num(r, "duration_ms"),
	      record_num(r, "num"));
	check_text(r, "unit", "ms");
	json_decref(r);
	return retransmits;
}

TEST(conn_close_totals_equal_the_makers)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m = maker_run(&ns, "stream --bytes 300k --reply 20000");

	uint64_t retransmits = check_close(&p, maker_report(&m, "client"));

	retransmits += check_close(&p, maker_report(&m, "server"));
	CHECK_EQ(retransmits, netns_counter(&ns, "Tcp", "RetransSegs"), "retransmits of both ends");
	probe_stop(&p);
}

TEST(conn_close_tells_spliced_bytes_apart)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m = maker_run(&ns, "stream --bytes 300k --recv splice");

	check_close(&p, maker_report(&m, "server"));
	probe_stop(&p);
}

TEST(conn_open_comes_before_close_and_tells_connect_latency)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m = maker_run(&ns, "stream");
	const json_t *client = maker_report(&m, "client"), *server = maker_report(&m, "server");
	json_t *open = expect(&p, (struct wanted){ "conn.open", client, NULL, 0 });
	json_t *close = expect(&p, (struct wanted){ "conn.close", client, NULL, 0 });

	check_owned(open, client);
	CHECK(record_u64(open, "ktime_ns") < record_u64(close, "ktime_ns"),
	      "ktime_ns: expected open before close");
	CHECK(record_num(close, "connect_ms") > 0, "connect_ms of the client: expected some");
	CHECK(record_num(close, "connect_ms") < record_num(close, "duration_ms"),
	      "connect_ms: expected less than the whole duration");
	json_decref(expect(&p, (struct wanted){ "conn.open", server, NULL, 0 }));
	probe_stop(&p);
}

static bool is_to_itself(const json_t *r, const void *arg)
{
	return !strcmp(record_str(r, "event_type"), "conn.open") &&
	       record_u64(r, "netns") == *(const uint64_t *)arg;
}

/* Both ends ask at once: no listener has made this connection. */
TEST(a_socket_that_is_connected_to_itself_has_connected)
{
	struct netns ns = netns_new();
	struct probe probe = probe_start("events", NULL);
	json_t *open;

	netns_must(&ns, "python3 -c 'import socket\n"
			"s=socket.socket(); s.bind((\"127.0.0.1\",45678))\n"
			"s.connect((\"127.0.0.1\",45678)); s.sendall(b\"x\"*5000)'");
	open = probe_wait_record(&probe, is_to_itself, &ns.inode, EVENT_MS);
	REQUIRE(open, "expected conn.open, got none");
	check_text(open, "owner_match", "exact");
	CHECK(record_num(open, "connect_ms") > 0, "connect_ms: expected some");
	json_decref(open);
	probe_stop(&probe);
}

TEST(connect_latency_includes_syns_sent_again)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	char command[256];
	struct maker m;
	json_t *r;

	netns_drop(&n.b, "tcp dport 5001", 100);
	snprintf(command, sizeof(command),
		 "stream --addr 10.77.0.2 --port 5001 --client-ns %s --server-ns %s", n.a.path,
		 n.b.path);
	m = maker_start(NULL, -1, command);
	netns_wait_counter(&n.a, "Tcp", "RetransSegs", 1);
	netns_drop_end(&n.b);
	maker_finish(&m);
	r = expect(&p, (struct wanted){ "conn.close", maker_report(&m, "client"), NULL, 0 });
	/* the first SYN is sent again after a second */
	CHECK(record_num(r, "connect_ms") > 900, "connect_ms: expected more than 900, got %f",
	      record_num(r, "connect_ms"));
	json_decref(r);
	probe_stop(&p);
}

/*
 * A connect() that must fail; conn.fail and error.net tell why and whose it was. error may be null
 * where no_route: such a connect() ends before the socket leaves CLOSE, and tracepoints do not see
 * what it returned.
 */
static bool sees_returns(void)
{
	const char *hook = getenv("NETPROBE_HOOK");

	return hook && (!strcmp(hook, "fentry") || !strcmp(hook, "kprobe"));
}

static void check_failure(const struct netns *ns, const char *command, const char *value,
			  const char *name, bool no_route)
{
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m = maker_run(ns, command);
	const json_t *client = maker_report(&m, "client");
	pid_t pid = (pid_t)record_u64(client, "pid");
	json_t *r;

	check_text(client, "error", name);
	r = expect(&p, (struct wanted){ "conn.fail", client, NULL, 0 });
	CHECK_EQ(record_u64(r, "pid"), pid, "pid of conn.fail");
	check_text(r, "comm", "client");
	check_text(r, "owner_match", "exact");
	if (!no_route || *record_str(r, "error") || sees_returns())
		check_text(r, "error", name);
	check_text(r, "cause", *record_str(r, "error") ? "" : "no_route");
	CHECK_EQ(record_u64(r, "rport"), record_u64(client, "rport"), "rport of conn.fail");
	json_decref(r);
	r = expect(&p, (struct wanted){ "error.net", NULL, value, pid });
	check_text(r, "unit", "count");
	CHECK(record_num(r, "num") == 1, "num: expected 1, got %f", record_num(r, "num"));
	json_decref(r);
	probe_stop(&p);
	CHECK(!record_of_socket(p.records, "conn.open", client),
	      "conn.open of a connection that failed");
	CHECK(!record_of_socket(p.records, "conn.close", client),
	      "conn.close of a connection that failed");
}

TEST(refused_connects_fail_with_their_reason)
{
	struct netns ns = netns_new();

	check_failure(&ns, "fail connect --port 9", "CONNECT_REFUSED", "ECONNREFUSED", false);
	check_failure(&ns, "fail connect --addr ::1 --port 9", "CONNECT_REFUSED", "ECONNREFUSED",
		      false);
}

TEST(refused_nonblocking_connects_fail_with_their_reason)
{
	struct netns_pair n = netns_pair_new();

	check_failure(&n.a, "fail connect --nonblock --addr 10.77.0.2 --port 9", "CONNECT_REFUSED",
		      "ECONNREFUSED", false);
}

TEST(timed_out_connects_fail_with_their_reason)
{
	struct netns_pair n = netns_pair_new();

	netns_drop(&n.b, "tcp dport 5001", 100);
	check_failure(&n.a, "fail connect --addr 10.77.0.2 --port 5001 --syncnt 1",
		      "CONNECT_TIMEOUT", "ETIMEDOUT", false);
}

/* Met in the middle it is no open connection, whose segments the kernel would count anew when the call returns. */
TEST(a_connect_that_was_under_way_fails_as_one)
{
	struct netns_pair n = netns_pair_new();
	struct maker m;
	struct probe p;
	json_t *r;

	netns_drop(&n.b, "tcp dport 5001", 100);
	m = maker_start(&n.a, -1, "fail connect --addr 10.77.0.2 --port 5001 --syncnt 4");
	netns_wait_counter(&n.a, "Tcp", "RetransSegs", 1);
	p = probe_start(EVENTS, NULL);
	netns_drop_end(&n.b); /* the next SYN is answered: nobody listens */
	maker_finish(&m);
	r = expect(&p, (struct wanted){ "conn.fail", maker_report(&m, "client"), NULL, 0 });
	check_text(r, "error", "ECONNREFUSED");
	json_decref(r);
	probe_stop(&p);
	CHECK(!record_of_socket(p.records, "conn.close", maker_report(&m, "client")),
	      "conn.close of a connection that failed");
}

TEST(connects_answered_with_unreachable_fail_with_their_reason)
{
	struct netns_pair n = netns_pair_new();

	if (netns_run(&n.b, "nft add table inet np && "
			    "nft add chain inet np in '{ type filter hook input priority 0; }' && "
			    "nft add rule inet np in tcp dport 5001 "
			    "reject with icmp type host-unreachable"))
		test_skip("nftables cannot reject packets on this kernel");
	check_failure(&n.a, "fail connect --addr 10.77.0.2 --port 5001", "UNREACHABLE",
		      "EHOSTUNREACH", false);
}

TEST(connects_without_a_route_fail_with_their_reason)
{
	struct netns_pair n = netns_pair_new();

	netns_must(&n.a, "ip route add unreachable 10.99.0.0/16");
	check_failure(&n.a, "fail connect --addr 10.99.0.1 --port 5001", "UNREACHABLE",
		      "EHOSTUNREACH", true);
	check_failure(&n.a, "fail connect --addr 10.88.0.1 --port 5001", "UNREACHABLE",
		      "ENETUNREACH", true);
}

/* As curl --connect-timeout: the kernel tells no errno, and none of the words of error.net is true. */
TEST(connects_given_up_say_so_and_nothing_else)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	const json_t *client;
	struct maker m;
	json_t *r;

	netns_drop(&n.b, "tcp dport 5001", 100);
	m = maker_run(&n.a, "fail connect --nonblock --give-up 100 --addr 10.77.0.2 --port 5001");
	client = maker_report(&m, "client");
	check_text(client, "error", "EINPROGRESS");
	r = expect(&p, (struct wanted){ "conn.fail", client, NULL, 0 });
	CHECK_EQ(record_u64(r, "pid"), record_u64(client, "pid"), "pid of conn.fail");
	check_text(r, "cause", "given_up");
	check_text(r, "error", "");
	CHECK(record_num(r, "num") >= 99, "num: expected 100 ms, got %f", record_num(r, "num"));
	json_decref(r);
	probe_stop(&p);
	CHECK(!record_find(p.records, "error.net", NULL, "UNREACHABLE",
			   (pid_t)record_u64(client, "pid")),
	      "UNREACHABLE of a connect() that was given up");
}

TEST(connects_without_a_free_port_say_so)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m, held;
	const json_t *client;
	json_t *r;

	netns_drop(&n.b, "tcp dport 5001", 100);
	netns_must(&n.a, "echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range");
	held = maker_start(&n.a, -1, "fail connect --addr 10.77.0.2 --port 5001 --syncnt 1");
	netns_wait_counter(&n.a, "Tcp", "ActiveOpens", 1);
	m = maker_run(&n.a, "fail connect --addr 10.77.0.2 --port 5001");
	client = maker_report(&m, "client");
	check_text(client, "error", "EADDRNOTAVAIL");
	r = expect(&p, (struct wanted){ "conn.fail", client, NULL, 0 });
	CHECK_EQ(record_u64(r, "pid"), record_u64(client, "pid"), "pid of conn.fail");
	check_text(r, "cause", *record_str(r, "error") ? "" : "no_port");
	json_decref(r);
	probe_stop(&p);
	CHECK(!record_find(p.records, "error.net", NULL, "UNREACHABLE",
			   (pid_t)record_u64(client, "pid")),
	      "UNREACHABLE of a connect() that found no port");
	maker_finish(&held);
}

static void check_resets(const char *command, const char *sender, const char *receiver)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	char full[256];
	struct maker m;
	const json_t *from, *to;
	json_t *r;

	snprintf(full, sizeof(full), "%s --addr 10.77.0.2 --client-ns %s --server-ns %s", command,
		 n.a.path, n.b.path);
	m = maker_run(NULL, full);
	from = maker_report(&m, sender);
	to = maker_report(&m, receiver);
	r = expect(&p, (struct wanted){ "error.net", NULL, "RESET_SENT",
					(pid_t)record_u64(from, "pid") });
	check_owned(r, from);
	check_text(r, "entity_id", strcmp(sender, "client") ? n.if_b : n.if_a);
	json_decref(r);
	r = expect(&p, (struct wanted){ "error.net", NULL, "RESET_RECEIVED",
					(pid_t)record_u64(to, "pid") });
	check_owned(r, to);
	check_text(r, "entity_id", strcmp(receiver, "client") ? n.if_b : n.if_a);
	json_decref(r);
	probe_stop(&p);
}

TEST(resets_by_linger_name_sender_and_receiver)
{
	check_resets("fail linger", "client", "server");
}

TEST(resets_for_unread_bytes_name_sender_and_receiver)
{
	check_resets("fail unread", "server", "client");
}
