/* SPDX-License-Identifier: BSD-2-Clause */
/* MPTCP without BPF: one connection is one row, whatever TCP connections carry it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rung.h"
#include "tap.h"

static const json_t *close_of(const json_t *records, const json_t *report)
{
	const json_t *one;
	size_t i;

	json_array_foreach (records, i, one)
		if (!strcmp(record_str(one, "event_type"), "conn.close") &&
		    record_u64(one, "pid") == record_u64(report, "pid"))
			return one;
	return NULL;
}

/* Of what MPTCP sent again each time counts: a busy machine makes it do so. fin: of one more the kernel may know no better. */
static void check_bytes(const struct netns *ns, uint64_t got, uint64_t want, uint64_t fin,
			const char *what)
{
	bool again = netns_counter(ns, "MPTcpExt", "MPTCPRetrans");

	CHECK(got >= want && (again || got <= want + fin), "%s: expected %" PRIu64 ", got %" PRIu64,
	      what, want, got);
}

/* The kernel takes a FIN for a byte, unless it is seen to be one. */
static void check_close(const struct netns *ns, const json_t *records, const json_t *report,
			uint64_t fin)
{
	const json_t *one = close_of(records, report);

	REQUIRE(one, "expected conn.close of process %" PRIu64 ", got none",
		record_u64(report, "pid"));
	CHECK_EQ(record_u64(one, "subflows"), 1, "subflows");
	check_bytes(ns, record_u64(one, "tx_bytes"), report_u64(report, "tx"), 0, "bytes sent");
	check_bytes(ns, record_u64(one, "rx_bytes"), report_u64(report, "rx"), fin,
		    "bytes received");
	CHECK(json_is_null(json_object_get(one, "sock")) &&
		      json_is_null(json_object_get(one, "srtt_us")),
	      "expected neither a cookie nor TCP's figures");
}

static bool has_received(const json_t *one, const void *arg)
{
	const uint64_t *want = arg;

	return !strcmp(record_str(one, "event_type"), "transport.bw") &&
	       record_u64(one, "rx_bytes") >= *want;
}

/* The kernel forgets a subflow's figures where the other end closes first: in proc they count once a look has seen them. */
static void wait_looked(const struct probe *p, uint64_t bytes)
{
	json_t *one = probe_wait_record(p, has_received, &bytes, 20000);

	REQUIRE(one, "expected %" PRIu64 " bytes to be received, they were not told", bytes);
	json_decref(one);
}

static void one_row(const char *mode, const char *traffic, uint64_t looked, uint64_t fin)
{
	unsigned int opens = 0, closes = 0;
	struct netns ns;
	const json_t *one;
	struct maker m;
	struct probe p;
	pid_t pid;
	size_t i;

	ns = rung_enter();
	p = rung_events(mode, 0, 0);
	m = maker_start(NULL, -1, traffic);
	pid = maker_wait_hold(&m);
	rung_wait_open(&p, pid);
	if (looked)
		wait_looked(&p, looked);
	maker_go(&m);
	maker_finish(&m);
	rung_wait_closed(&p, 2);
	probe_stop(&p);
	json_array_foreach (p.records, i, one) {
		const char *type = record_str(one, "event_type");

		opens += !strcmp(type, "conn.open");
		closes += !strcmp(type, "conn.close");
		if (!strncmp(type, "conn.", 5))
			CHECK(!strcmp(record_str(one, "transport"), "mptcp"),
			      "%s: transport: expected mptcp, got %s", type,
			      record_str(one, "transport"));
	}
	CHECK_EQ(opens, 2, "conn.open");
	CHECK_EQ(closes, 2, "conn.close");
	check_close(&ns, p.records, maker_report(&m, "client"), fin);
	check_close(&ns, p.records, maker_report(&m, "server"), fin);
}

TEST(proc_tells_an_mptcp_connection_once_with_the_bytes_of_its_subflows)
{
	one_row("proc", "stream --mptcp --hold sent --bytes 60000", 60000, 1);
}

TEST(that_mptcp_is_used_is_said_once_without_bpf)
{
	const char *const args[] = { "events", "--format",	 "json",     "--interval",
				     "0.2",    "--capture-mode", "afpacket", NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns ns = rung_enter();
	struct probe p = probe_spawn(&opts);
	struct maker m;
	char *said, *at;

	m = maker_start(NULL, -1, "stream --mptcp --hold connected --bytes 60000");
	rung_wait_open(&p, maker_wait_hold(&m));
	maker_go(&m);
	maker_finish(&m);
	netns_wait_quiet(&ns);
	probe_stop(&p);
	said = file_text(p.log);
	at = strstr(said, "MPTCP is used here");
	CHECK(at && !strstr(at + 1, "MPTCP is used here"), "expected it once, got: %s", said);
	free(said);
}

TEST(packets_of_subflows_are_their_mptcp_connections)
{
	one_row("afpacket", "stream --mptcp --hold connected --bytes 60000 --reply 120", 0, 0);
}

/* A connection of two paths, from 10.77.0.1 and from 10.77.0.11, of which netprobe sees end "client" or "server". */
static void two_paths(const char *end, const char *match)
{
	const char *const args[] = { "events",
				     "--format",
				     "json",
				     "--interval",
				     "0.2",
				     "-q",
				     "--capture-mode",
				     "afpacket",
				     match ? "--match" : NULL,
				     match,
				     NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns_pair ns = netns_pair_new();
	bool server = !strcmp(end, "server");
	const json_t *one, *report;
	char command[400];
	struct maker m;
	struct probe p;

	netns_must(&ns.b, "ip mptcp limits set subflow 2");
	snprintf(command, sizeof(command),
		 "ip mptcp limits set subflow 2 && ip addr add 10.77.0.11/24 dev %s && "
		 "ip mptcp endpoint add 10.77.0.11 dev %s subflow",
		 ns.if_a, ns.if_a);
	netns_must(&ns.a, command);
	snprintf(command, sizeof(command),
		 "stream --mptcp --addr 10.77.0.2 --port 7777 --client-ns %s --server-ns %s "
		 "--first 1000 --hold connected --bytes 500000",
		 ns.a.path, ns.b.path);
	m = maker_start(NULL, -1, command);
	maker_wait_hold(&m);
	netns_wait_counter(&ns.a, "MPTcpExt", "MPJoinSynAckRx", 1);
	netns_wait_counter(&ns.b, "MPTcpExt", "MPJoinAckRx", 1);
	rung_go(server ? &ns.b : &ns.a);
	p = probe_spawn(&opts);
	maker_go(&m);
	maker_finish(&m);
	rung_wait_closed(&p, 1);
	probe_stop(&p);
	report = maker_report(&m, end);
	one = close_of(p.records, report);
	REQUIRE(one, "expected conn.close of the %s, got none", end);
	CHECK_EQ(record_u64(one, "subflows"), 2, "subflows");
	CHECK(!strcmp(record_str(one, server ? "raddr" : "laddr"), "10.77.0.1"),
	      "expected 10.77.0.1, which it began with, got %s",
	      record_str(one, server ? "raddr" : "laddr"));
	/* the client sends, and knows what it sent again */
	check_bytes(&ns.a, record_u64(one, server ? "rx_bytes" : "tx_bytes"), 500000, 2,
		    "bytes since the probe started");
}

TEST(two_subflows_are_one_row_of_their_mptcp_connection)
{
	two_paths("client", NULL);
}

/* What an expression says of its ends is of the connection's: the kernel half's filters too. */
TEST(an_expression_of_ends_takes_all_paths_of_an_mptcp_connection)
{
	two_paths("server", "transport=mptcp and raddr=10.77.0.1");
}

/* b is between: of what it forwards it has no socket. */
TEST(subflows_that_are_forwarded_are_rows_of_tcp_without_an_owner)
{
	struct netns_pair ns = netns_pair_new();
	struct netns c = netns_new();
	uint64_t bytes = 0;
	unsigned int rows = 0;
	const json_t *one;
	char command[500];
	struct maker m;
	struct probe p;
	size_t i;

	snprintf(command, sizeof(command),
		 "echo 1 >/proc/sys/net/ipv4/ip_forward && "
		 "ip link add npf type veth peer name npg netns /proc/%d/ns/net && "
		 "ip addr add 10.78.0.1/24 dev npf && ip link set npf up",
		 (int)c.holder);
	netns_must(&ns.b, command);
	netns_must(&c, "ip addr add 10.78.0.2/24 dev npg && ip link set npg up && "
		       "ip route add default via 10.78.0.1");
	netns_must(&ns.a, "ip route add 10.78.0.0/24 via 10.77.0.2");
	rung_go(&ns.b);
	p = rung_events("afpacket", 0, 0);
	snprintf(command, sizeof(command),
		 "stream --mptcp --addr 10.78.0.2 --port 7777 --client-ns %s --server-ns %s "
		 "--bytes 60000",
		 ns.a.path, c.path);
	m = maker_run(NULL, command);
	rung_wait_closed(&p, 1);
	probe_stop(&p);
	REQUIRE(report_u64(maker_report(&m, "client"), "tx") == 60000, "the makers");
	json_array_foreach (p.records, i, one) {
		if (strcmp(record_str(one, "event_type"), "conn.close") != 0 ||
		    record_u64(one, "rport") != 7777)
			continue;
		rows++;
		bytes += record_u64(one, "tx_bytes");
		CHECK(!strcmp(record_str(one, "transport"), "tcp") &&
			      json_is_null(json_object_get(one, "pid")),
		      "expected tcp of nobody, got %s of %" PRIu64, record_str(one, "transport"),
		      record_u64(one, "pid"));
	}
	CHECK(rows > 0, "expected a row of what is forwarded, got none");
	check_bytes(&ns.a, bytes, 60000, 0, "bytes that went by");
}
