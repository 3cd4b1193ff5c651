/* SPDX-License-Identifier: BSD-2-Clause */
/* MPTCP: one connection is one row, whatever TCP connections carry it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ownership.h"
#include "tap.h"

/* Rows of that namespace with a peer, of that transport; NULL: of any other. */
static unsigned int rows_of(const json_t *records, const struct netns *ns, const char *transport)
{
	unsigned int n = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (records, i, one)
		n += record_u64(one, "netns") == ns->inode && record_u64(one, "rport") &&
		     (transport ? !strcmp(record_str(one, "transport"), transport)
				: strcmp(record_str(one, "transport"), "mptcp") != 0);
	return n;
}

static const json_t *row_of(const json_t *records, const char *type, const json_t *report)
{
	const json_t *one;
	size_t i;

	json_array_foreach (records, i, one)
		if (record_u64(one, "pid") == record_u64(report, "pid") &&
		    record_u64(one, "rport") == record_u64(report, "rport") &&
		    (!type || !strcmp(record_str(one, "event_type"), type)))
			return one;
	return NULL;
}

static void check_row(const json_t *row, const char *who)
{
	REQUIRE(row, "expected a row of the %s, got none", who);
	CHECK(!strcmp(record_str(row, "transport"), "mptcp"),
	      "%s: transport: expected mptcp, got %s", who, record_str(row, "transport"));
	CHECK_EQ(record_u64(row, "subflows"), 1, "subflows");
	CHECK(!strcmp(record_str(row, "iface"), "lo"), "%s: iface: expected lo, got %s", who,
	      record_str(row, "iface"));
	CHECK(json_is_integer(json_object_get(row, "retransmits")) &&
		      !record_u64(row, "retransmits"),
	      "%s: retransmits: expected 0, got %" PRIu64, who, record_u64(row, "retransmits"));
	CHECK(json_is_null(json_object_get(row, "srtt_us")) &&
		      json_is_null(json_object_get(row, "bytes_acked")) &&
		      json_is_null(json_object_get(row, "tx_pkts")),
	      "%s: expected none of TCP's figures", who);
}

TEST(an_mptcp_connection_is_one_row_with_the_bytes_of_its_calls)
{
	struct run r = run_flows("stream --mptcp --bytes 60000 --reply 120");

	CHECK_EQ(rows_of(r.probe.records, &r.ns, "mptcp"), 2, "rows of mptcp, one at each end");
	CHECK_EQ(rows_of(r.probe.records, &r.ns, NULL), 0, "rows of subflows");
	check_row(row_of(r.probe.records, NULL, maker_report(&r.maker, "client")), "client");
	check_row(row_of(r.probe.records, NULL, maker_report(&r.maker, "server")), "server");
}

/* Before 6.5 it comes by two functions, of which one calls the other. */
TEST(what_sendfile_puts_into_an_mptcp_connection_counts_once)
{
	struct run r = run_flows("stream --mptcp --send sendfile --bytes 200000 --reply 120");

	CHECK_EQ(rows_of(r.probe.records, &r.ns, "mptcp"), 2, "rows of mptcp, one at each end");
}

TEST(an_mptcp_connection_older_than_the_probe_is_one_row)
{
	struct netns ns = netns_new();
	struct maker m =
		maker_start(&ns, -1, "stream --mptcp --hold connected --first 5000 --bytes 70000");
	pid_t pid = maker_wait_hold(&m);
	struct probe probe = probe_start(FLOWS, NULL);

	maker_go(&m);
	maker_finish(&m);
	probe_stop(&probe);
	CHECK_EQ(records_sum(probe.records, NULL, "tx_bytes", pid), 70000,
		 "bytes the client sent since the probe started");
	CHECK_EQ(rows_of(probe.records, &ns, "mptcp"), 2, "rows of mptcp");
	CHECK_EQ(rows_of(probe.records, &ns, NULL), 0, "rows of subflows");
}

TEST(a_plain_peer_of_an_mptcp_socket_is_plain)
{
	struct run r = run_flows("stream --mptcp-server --bytes 60000 --reply 120");

	CHECK_EQ(rows_of(r.probe.records, &r.ns, "tcp"), 2, "rows of tcp where the client is");
	CHECK_EQ(rows_of(r.probe.records, &r.ns, NULL), 2, "rows in all");
	r = run_flows("stream --mptcp-client --bytes 60000 --reply 120");
	CHECK_EQ(rows_of(r.probe.records, &r.ns, "mptcp"), 1, "rows of mptcp where the client is");
	CHECK_EQ(rows_of(r.probe.records, &r.ns, "tcp"), 1, "rows of tcp where the client is");
}

static unsigned int events_of(const json_t *records, const struct netns *ns, const char *type)
{
	unsigned int n = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (records, i, one)
		n += record_u64(one, "netns") == ns->inode &&
		     !strcmp(record_str(one, "event_type"), type);
	return n;
}

TEST(an_mptcp_connection_opens_and_closes_once_at_each_end)
{
	struct netns ns = netns_new();
	struct probe probe = probe_start(EVENTS, NULL);
	struct maker m = maker_run(&ns, "stream --mptcp --bytes 60000 --reply 120");
	const json_t *client, *server, *one;

	probe_stop(&probe);
	client = maker_report(&m, "client");
	server = maker_report(&m, "server");
	CHECK_EQ(events_of(probe.records, &ns, "conn.open"), 2, "conn.open");
	CHECK_EQ(events_of(probe.records, &ns, "conn.close"), 2, "conn.close");
	CHECK_EQ(events_of(probe.records, &ns, "conn.fail"), 0, "conn.fail");
	CHECK_EQ(events_of(probe.records, &ns, "transport.drop"), 0, "stalls");
	one = row_of(probe.records, "conn.open", client);
	REQUIRE(one, "expected conn.open of the client with its peer, got none");
	CHECK(record_num(one, "num") > 0, "connect_ms: expected some");
	one = row_of(probe.records, "conn.close", client);
	REQUIRE(one, "expected conn.close of the client, got none");
	CHECK_EQ(record_u64(one, "tx_bytes"), 60000, "tx_bytes");
	CHECK_EQ(record_u64(one, "rx_bytes"), 120, "rx_bytes");
	CHECK_EQ(record_u64(one, "subflows"), 1, "subflows");
	CHECK(!strcmp(record_str(one, "transport"), "mptcp"), "transport: expected mptcp, got %s",
	      record_str(one, "transport"));
	one = row_of(probe.records, "conn.close", server);
	REQUIRE(one, "expected conn.close of the server, got none");
	CHECK_EQ(record_u64(one, "rx_bytes"), 60000, "rx_bytes of the server");
}

static bool is_stall_of(const json_t *r, const void *inode)
{
	return !strcmp(record_str(r, "event_type"), "transport.drop") &&
	       !strncmp(record_str(r, "value"), "STALL_", 6) &&
	       record_u64(r, "netns") == *(const uint64_t *)inode;
}

/*
 * A subflow's data goes to its connection's queue by another way than a read: nothing of it waits. Another connection
 * stalls meanwhile, later and for as long as it takes to be told: who stalls was looked for.
 */
TEST(an_mptcp_connection_that_idles_is_no_stall)
{
	struct netns ns = netns_new(), other = netns_new();
	struct probe probe = probe_start(EVENTS, NULL);
	struct maker m = maker_start(
		&ns, -1, "stream --mptcp --first 5000 --hold connected --bytes 60000 --reply 120");
	const json_t *r;
	json_t *one;
	size_t i;

	maker_wait_hold(&m);
	for (unsigned int times = 0; times < 2; times++)
		(void)maker_run(&other, "limit --by pause --pause 700 --seconds 1");
	one = probe_wait_record(&probe, is_stall_of, &other.inode, 10000);
	REQUIRE(one, "expected a stall of the reader that pauses, got none");
	json_decref(one);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&probe);
	json_array_foreach (probe.records, i, r)
		CHECK(!is_stall_of(r, &ns.inode), "expected no stall, got %s %s",
		      record_str(r, "value"), record_str(r, "cause"));
	check_owners(probe.records, "transport.bw", m.reports, &ns);
}

TEST(mptcp_sockets_that_only_come_and_go_have_no_figures)
{
	struct netns ns = netns_new();
	struct probe probe = probe_start(FLOWS, NULL);
	const json_t *one;
	size_t i;

	netns_must(
		&ns,
		"python3 -c 'import socket\n"
		"for i in range(20): socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262).close()'");
	probe_stop(&probe);
	json_array_foreach (probe.records, i, one) {
		if (record_u64(one, "netns") != ns.inode)
			continue;
		CHECK_EQ(record_u64(one, "retransmits"), 0,
			 "retransmits of a socket that did nothing");
		CHECK_EQ(record_u64(one, "tx_bytes") + record_u64(one, "rx_bytes"), 0, "bytes");
	}
}

struct settled {
	const struct netns *ns;
	uint64_t out, since;
};

static bool is_settled(void *arg)
{
	struct settled *s = arg;
	uint64_t out = netns_counter(s->ns, "Tcp", "OutSegs");

	if (out != s->out || netns_unacked(s->ns)) {
		s->out = out;
		s->since = (uint64_t)now_ms();
	}
	return (uint64_t)now_ms() - s->since > 1500;
}

/*
 * Until no segment left for longer than a timeout takes here, nor waits for its ACK: one that got lost again is sent after
 * twice the time, and a guest's clock may jump.
 */
static void wait_settled(const struct netns *ns)
{
	struct settled s = { .ns = ns };

	REQUIRE(wait_until(is_settled, &s, 60000), "expected the transfer to end, it went on");
}

/* Two paths, from 10.77.0.1 and from 10.77.0.11: what both sent again is their connection's. */
TEST(retransmits_of_two_subflows_are_in_one_row)
{
	struct netns_pair p = netns_pair_new();
	struct probe probe;
	const json_t *client, *server, *row;
	uint64_t made, told;
	struct maker m;
	char command[400];

	netns_must(&p.b, "ip mptcp limits set subflow 2");
	snprintf(command, sizeof(command),
		 "ip mptcp limits set subflow 2 && ip addr add 10.77.0.11/24 dev %s && "
		 "ip mptcp endpoint add 10.77.0.11 dev %s subflow && ip link set dev %s mtu 1100",
		 p.if_a, p.if_a, p.if_a);
	netns_must(&p.a, command);
	snprintf(command, sizeof(command), "ip link set dev %s mtu 1100", p.if_b);
	netns_must(&p.b, command);
	probe = probe_start(FLOWS, "--interval", "0.5", NULL);
	snprintf(command, sizeof(command),
		 "stream --mptcp --addr 10.77.0.2 --port 7777 --client-ns %s --server-ns %s "
		 "--first 1000 --hold connected --bytes 3m",
		 p.a.path, p.b.path);
	m = maker_start(NULL, -1, command);
	maker_wait_hold(&m);
	netns_wait_counter(&p.a, "MPTcpExt", "MPJoinSynAckRx", 1);
	netns_wait_counter(&p.b, "MPTcpExt", "MPJoinAckRx", 1);
	netns_drop(&p.b, "tcp dport 7777", 3);
	maker_go(&m);
	maker_finish(&m);
	netns_drop_end(&p.b);
	netns_wait_quiet(&p.a);
	netns_wait_quiet(&p.b);
	made = netns_counter(&p.a, "Tcp", "RetransSegs");
	probe_stop(&probe);
	client = maker_report(&m, "client");
	server = maker_report(&m, "server");
	told = records_sum(probe.records, NULL, "retransmits", (pid_t)record_u64(client, "pid"));
	check_owners(probe.records, NULL, m.reports, &p.a);
	CHECK_EQ(rows_of(probe.records, &p.a, "mptcp"), 1, "rows of mptcp at the client");
	CHECK_EQ(rows_of(probe.records, &p.a, NULL), 0, "rows of subflows at the client");
	CHECK_EQ(rows_of(probe.records, &p.b, "mptcp"), 1, "rows of mptcp at the server");
	CHECK_EQ(rows_of(probe.records, &p.b, NULL), 0, "rows of subflows at the server");
	row = row_of(probe.records, NULL, client);
	REQUIRE(row, "expected a row of the client, got none");
	/* at an end that asks for the second path none is told before a look, which may be too late */
	CHECK(record_u64(row, "subflows") >= 1, "subflows at the client: expected some, got none");
	row = row_of(probe.records, NULL, server);
	CHECK_EQ(row ? record_u64(row, "subflows") : 0, 2, "subflows at the server");
	CHECK(made > 0, "expected retransmits, got none");
	/* the FINs of subflows go out when the connection is over for its process */
	CHECK(told <= made && told + 4 >= made,
	      "retransmits of the client's row: expected %" PRIu64 " but for FINs, got %" PRIu64,
	      made, told);
}

TEST(why_says_of_an_mptcp_connection_that_it_is_not_judged)
{
	struct netns ns = netns_new();
	char port[8], command[96];
	const char *const text[] = { "why", "--port", port, "--duration", "0.5", NULL };
	const char *const json[] = { "why", "--port",	port,	"--duration",
				     "0.5", "--format", "json", NULL };
	struct maker m;
	struct probe p;
	json_t *records;
	char *said;

	snprintf(port, sizeof(port), "%d", 10000 + getpid() % 20000);
	snprintf(command, sizeof(command),
		 "stream --mptcp --port %s --first 5000 --hold connected --bytes 1000", port);
	m = maker_start(&ns, -1, command);
	maker_wait_hold(&m);
	CHECK_EQ(probe_run(&p, text), 0, "exit code");
	said = file_text(p.out);
	CHECK(strstr(said, "2 MPTCP connections matched") && strstr(said, "not judged here"),
	      "expected that they are not judged, got: %s", said);
	free(said);
	CHECK_EQ(probe_run(&p, json), 0, "exit code");
	records = probe_records(&p);
	CHECK_EQ(record_u64(json_array_get(records, 0), "mptcp_connections"), 2,
		 "connections that are not judged");
	CHECK_EQ(record_u64(json_array_get(records, 0), "connections"), 0,
		 "connections, which subflows are not");
	json_decref(records);
	maker_go(&m);
	maker_finish(&m);
}

/* Not the FINs of subflows, which go out when the connection is over for its process. */
TEST(retransmits_of_subflows_are_their_connections)
{
	struct netns_pair p = netns_pair_new();
	struct probe probe;
	uint64_t made, told;
	struct maker m;
	char command[256];

	/* small segments: TCP_MAXSEG is refused by MPTCP's sockets of older kernels */
	snprintf(command, sizeof(command), "ip link set dev %s mtu 1100", p.if_a);
	netns_must(&p.a, command);
	snprintf(command, sizeof(command), "ip link set dev %s mtu 1100", p.if_b);
	netns_must(&p.b, command);
	netns_drop(&p.b, "tcp dport 7777", 3);
	probe = probe_start(FLOWS, "--interval", "0.5", NULL);
	snprintf(command, sizeof(command),
		 "stream --mptcp --addr 10.77.0.2 --port 7777 --client-ns %s --server-ns %s "
		 "--bytes 3m --hold sent",
		 p.a.path, p.b.path);
	m = maker_start(NULL, -1, command);
	maker_wait_hold(&m);
	wait_settled(&p.a);
	made = netns_counter(&p.a, "Tcp", "RetransSegs");
	probe_stop(&probe);
	maker_go(&m);
	netns_drop_end(&p.b);
	maker_finish(&m);
	told = records_sum(probe.records, NULL, "retransmits",
			   (pid_t)record_u64(maker_report(&m, "client"), "pid"));
	CHECK(made > 0, "expected retransmits, got none");
	CHECK_EQ(told, made, "retransmits of the client's row, by the kernel's count");
	CHECK_EQ(rows_of(probe.records, &p.a, "mptcp"), 1, "rows of mptcp at the client");
	CHECK_EQ(rows_of(probe.records, &p.a, NULL), 0, "rows of subflows at the client");
}
