/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes have the right owner, whatever moves them and however briefly. */
#include "ownership.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define PROCS 2000

struct run run_flows(const char *command)
{
	struct run r = { .ns = netns_new() };

	r.probe = probe_start(FLOWS, NULL);
	r.maker = maker_run(&r.ns, command);
	probe_stop(&r.probe);
	check_owners(r.probe.records, NULL, r.maker.reports, &r.ns);
	return r;
}

/* As many as the machine makes in some seconds. */
static unsigned int herd_size(void)
{
	const char *text = getenv("NETPROBE_TEST_HERD"); /* tests/run sets it in guests */

	if (text)
		return (unsigned int)strtoul(text, NULL, 10);
	return (unsigned int)(PROCS / test_slow()) + 100 * (test_slow() > 1);
}

static void check_names(const struct run *r)
{
	unsigned int unnamed = 0, n = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (r->probe.records, i, one) {
		if (record_u64(one, "netns") != r->ns.inode || !record_u64(one, "tx_bytes"))
			continue;
		n++;
		unnamed += strcmp(record_str(one, "comm"), "herd") != 0;
	}
	CHECK(unnamed == 0,
	      "flows of short-lived processes: expected comm herd in all %u, %u differ", n,
	      unnamed);
}

TEST(short_lived_tcp_processes_own_every_byte)
{
	char command[64];
	struct run r;

	snprintf(command, sizeof(command), "herd --procs %u", herd_size());
	r = run_flows(command);
	check_names(&r);
}

TEST(short_lived_udp_processes_own_every_byte)
{
	char command[64];
	struct run r;

	snprintf(command, sizeof(command), "herd --udp --procs %u --bytes 1500", herd_size());
	r = run_flows(command);
	check_names(&r);
}

TEST(short_lived_processes_over_ipv6_own_every_byte)
{
	struct run r = { .ns = netns_new() };
	struct maker udp;

	r.probe = probe_start(FLOWS, NULL);
	r.maker = maker_run(&r.ns, "herd --procs 100 --addr ::1");
	udp = maker_run(&r.ns, "herd --procs 100 --udp --addr ::1");
	probe_stop(&r.probe);
	json_array_extend(r.maker.reports, udp.reports);
	check_owners(r.probe.records, NULL, r.maker.reports, &r.ns);
}

#define OWNS(sentence, command)     \
	TEST(sentence)              \
	{                           \
		run_flows(command); \
	}

OWNS(bytes_of_write_and_read_have_their_owner, "stream --bytes 1m --reply 5000")
OWNS(bytes_of_send_and_recv_have_their_owner, "stream --bytes 1m --send send --recv recv")
OWNS(bytes_of_writev_and_readv_have_their_owner, "stream --bytes 1m --send writev --recv readv")
OWNS(bytes_of_sendmsg_and_recvmsg_have_their_owner,
     "stream --bytes 1m --send sendmsg --recv recvmsg")
OWNS(bytes_of_sendmmsg_and_recvmmsg_have_their_owner,
     "stream --bytes 1m --send sendmmsg --recv recvmmsg")
OWNS(bytes_of_sendfile_have_their_owner, "stream --bytes 1m --send sendfile")
OWNS(bytes_spliced_to_a_socket_have_their_owner, "stream --bytes 1m --send splice")
OWNS(bytes_of_io_uring_have_their_owner, "stream --bytes 1m --send uring --recv uring")
OWNS(bytes_of_msg_zerocopy_have_their_owner, "stream --bytes 1m --send zerocopy --chunk 65536")
OWNS(partial_sends_count_what_was_taken, "stream --bytes 2m --send partial --recv nonblock")
OWNS(peek_counts_nothing, "stream --bytes 300k --recv peek")
OWNS(truncated_reads_of_a_stream_count_what_was_consumed, "stream --bytes 1m --recv trunc")
OWNS(waiting_for_all_counts_once, "stream --bytes 1m --recv waitall")
OWNS(failed_writes_count_nothing, "fail pipe")
OWNS(bytes_read_before_a_reset_count, "fail linger")
OWNS(fast_open_counts_the_bytes_in_the_syn, "fail fastopen")
OWNS(error_queue_reads_count_nothing, "fail errqueue")
OWNS(tcp_over_ipv6_has_its_owner, "stream --addr ::1 --bytes 300k --reply 1000")
OWNS(request_and_response_have_their_owners, "pingpong --count 2000")
OWNS(connected_datagrams_have_their_owner, "pingpong --udp --count 2000")

static void check_datagrams(const char *command)
{
	struct run r = run_flows(command);
	const json_t *client = maker_report(&r.maker, "client");
	const json_t *server = maker_report(&r.maker, "server");

	CHECK_EQ(records_sum(r.probe.records, NULL, "tx_pkts", (pid_t)record_u64(client, "pid")),
		 record_u64(client, "tx_pkts"), "datagrams sent by the client");
	CHECK_EQ(records_sum(r.probe.records, NULL, "rx_pkts", (pid_t)record_u64(server, "pid")),
		 record_u64(server, "rx_pkts"), "datagrams received by the server");
}

#define DATAGRAMS(sentence, command)      \
	TEST(sentence)                    \
	{                                 \
		check_datagrams(command); \
	}

DATAGRAMS(unconnected_datagrams_have_their_owner, "dgram --reply 300")
DATAGRAMS(answers_read_without_asking_for_their_sender_have_their_owner,
	  "dgram --reply 300 --blind")
DATAGRAMS(datagrams_of_connected_sockets_have_their_owner, "dgram --send send --recv connected")
DATAGRAMS(datagrams_of_sendmsg_and_recvmsg_have_their_owner, "dgram --send sendmsg --recv recvmsg")
DATAGRAMS(datagrams_of_sendmmsg_and_recvmmsg_have_their_owner,
	  "dgram --send sendmmsg --recv recvmmsg")
DATAGRAMS(datagrams_of_io_uring_have_their_owner, "dgram --send uring --recv uring")
DATAGRAMS(peeked_datagrams_count_once, "dgram --recv peek")
DATAGRAMS(cut_datagrams_count_what_was_returned, "dgram --recv short")
DATAGRAMS(cut_datagrams_asked_for_their_length_count_what_was_returned, "dgram --recv trunc")
DATAGRAMS(datagrams_over_ipv6_have_their_owner, "dgram --addr ::1 --reply 300")

DATAGRAMS(udp_lite_has_its_owner_where_the_kernel_has_it, "dgram --lite --reply 300")

OWNS(processes_of_another_pid_namespace_have_their_outer_pid, "stream --pid-ns --reply 5000")

/* The flow with traffic of that process is one between IPv4 addresses. */
static void check_ipv4(const struct run *r, const char *role)
{
	pid_t pid = (pid_t)record_u64(maker_report(&r->maker, role), "pid");
	bool found = false;
	const json_t *f;
	size_t i;

	json_array_foreach (r->probe.records, i, f) {
		if (record_u64(f, "pid") != (uint64_t)pid ||
		    !(record_u64(f, "tx_bytes") + record_u64(f, "rx_bytes")))
			continue;
		found = true;
		CHECK(!strcmp(record_str(f, "family"), "ipv4"),
		      "family of the %s: expected ipv4, got %s", role, record_str(f, "family"));
		CHECK(!strcmp(record_str(f, "raddr"), "127.0.0.1"),
		      "raddr of the %s: expected 127.0.0.1, got %s", role, record_str(f, "raddr"));
	}
	CHECK(found, "expected a flow of the %s, got none", role);
}

static void check_mapped(const char *command)
{
	struct run r = run_flows(command);

	check_ipv4(&r, "client");
	check_ipv4(&r, "server");
}

TEST(mapped_addresses_of_a_stream_are_ipv4)
{
	check_mapped("stream --addr ::ffff:127.0.0.1 --reply 300");
}

TEST(mapped_addresses_of_datagrams_are_ipv4)
{
	check_mapped("dgram --addr ::ffff:127.0.0.1 --reply 300");
}

TEST(ipv4_clients_of_a_server_for_both_families_are_ipv4)
{
	check_mapped("stream --listen :: --reply 300");
	check_mapped("dgram --listen :: --reply 300");
}

/*
 * What no hook sees is in rx_bytes all the same, and told apart. seen: some hook families see that
 * call as any other.
 */
static void check_unseen(const char *command, bool seen)
{
	struct run r = run_flows(command);
	const json_t *server = maker_report(&r.maker, "server");
	uint64_t want = record_u64(server, "unseen");
	uint64_t got = records_sum(r.probe.records, NULL, "rx_unseen_bytes",
				   (pid_t)record_u64(server, "pid"));

	if (!want)
		test_skip("the kernel mapped no page");
	CHECK(got == want || (seen && got == 0),
	      "rx_unseen_bytes: expected %" PRIu64 "%s, got %" PRIu64, want, seen ? " or 0" : "",
	      got);
}

TEST(splice_from_socket_is_reported_as_its_own_field)
{
	check_unseen("stream --bytes 1m --recv splice", true);
}

TEST(zerocopy_receive_is_reported_as_its_own_field)
{
	check_unseen("stream --bytes 1m --send splice --recv zerocopy --mss 4108 --chunk 4096",
		     false);
}

TEST(flows_lists_udp_peers)
{
	struct run r = run_flows("dgram --peers 20 --count 10");
	pid_t server = (pid_t)record_u64(maker_report(&r.maker, "server"), "pid");
	unsigned int peers = 0;
	const json_t *one;
	size_t i;

	/* --peers: each sends ten datagrams, every socket's a byte longer than the last's */
	json_array_foreach (r.probe.records, i, one) {
		uint64_t rx = record_u64(one, "rx_bytes");

		if (record_u64(one, "pid") != (uint64_t)server || !rx)
			continue;
		CHECK(record_u64(one, "rport"), "flow of %" PRIu64 " bytes: expected a peer's port",
		      rx);
		CHECK(rx % 10 == 0 && rx >= 10000 && rx < 10200,
		      "bytes of one peer: expected 10000 to 10190 in tens, got %" PRIu64, rx);
		peers++;
	}
	CHECK_EQ(peers, 20, "flows of the server");
}

TEST(other_network_namespaces_count)
{
	struct netns_pair p = netns_pair_new();
	struct probe probe = probe_start(FLOWS, NULL);
	const json_t *flow;
	struct maker m;
	char command[256];

	snprintf(command, sizeof(command),
		 "stream --bytes 2m --addr 10.77.0.2 --client-ns %s --server-ns %s", p.a.path,
		 p.b.path);
	m = maker_run(NULL, command);
	probe_stop(&probe);
	check_owners(probe.records, NULL, m.reports, &p.a);
	flow = record_find(probe.records, NULL, NULL, NULL,
			   (pid_t)record_u64(maker_report(&m, "client"), "pid"));
	REQUIRE(flow, "expected a flow of the client, got none");
	CHECK_EQ(record_u64(flow, "netns"), p.a.inode, "netns of the client's flow");
	CHECK(!strcmp(record_str(flow, "iface"), p.if_a), "iface: expected %s, got %s", p.if_a,
	      record_str(flow, "iface"));
	flow = record_find(probe.records, NULL, NULL, NULL,
			   (pid_t)record_u64(maker_report(&m, "server"), "pid"));
	REQUIRE(flow, "expected a flow of the server, got none");
	CHECK_EQ(record_u64(flow, "netns"), p.b.inode, "netns of the server's flow");
	CHECK(!strcmp(record_str(flow, "iface"), p.if_b), "iface: expected %s, got %s", p.if_b,
	      record_str(flow, "iface"));
}

uint64_t sent_from_to(const struct probe *p, const struct netns *ns, uint16_t lport, uint16_t rport)
{
	uint64_t sum = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (p->records, i, one)
		if (record_u64(one, "netns") == ns->inode && record_u64(one, "lport") == lport &&
		    record_u64(one, "rport") == rport)
			sum += record_u64(one, "tx_bytes");
	return sum;
}
