/* SPDX-License-Identifier: BSD-2-Clause */
/* Single packets, step by step through the stack. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

static struct probe start(const char *port)
{
	return probe_start("drops", "--trace", "--format", "json", "--port", port, NULL);
}

static bool is_step(const json_t *r, uint64_t packet, const char *step)
{
	return record_u64(r, "packet") == packet && !strcmp(record_str(r, "step"), step);
}

static const json_t *find_step(const json_t *records, uint64_t packet, const char *step)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (is_step(r, packet, step))
			return r;
	return NULL;
}

/* First packet that was queued in ns for that port and carries data, or is a SYN. */
static const json_t *first_packet(const json_t *records, const struct netns *ns, uint16_t port,
				  bool syn)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "step"), "queue") && record_u64(r, "rport") == port &&
		    record_u64(r, "netns") == ns->inode &&
		    (syn ? !strcmp(record_str(r, "tcp_flags"), "SYN")
			 : record_u64(r, "payload_bytes") > 0))
			return r;
	return NULL;
}

TEST(a_packet_is_followed_from_its_sender_to_its_receiver)
{
	static const char *const steps[] = { "queue", "transmit", "receive", "socket" };
	struct netns_pair n = netns_pair_new();
	struct probe p = start("5001");
	char command[200];
	struct maker m;
	const json_t *sent;
	uint64_t packet, nth = 0;

	snprintf(command, sizeof(command),
		 "stream --bytes 1000 --port 5001 --addr 10.77.0.2 --client-ns %s --server-ns %s",
		 n.a.path, n.b.path);
	m = maker_run(NULL, command);
	probe_stop(&p);
	sent = first_packet(p.records, &n.a, 5001, false);
	REQUIRE(sent, "a packet with data on its way out: expected one, got none");
	packet = record_u64(sent, "packet");
	for (unsigned int i = 0; i < 4; i++) {
		const json_t *r = find_step(p.records, packet, steps[i]);

		CHECK(r, "step %s of packet %" PRIu64 ": expected, got none", steps[i], packet);
		CHECK(record_u64(r, "nth") > nth, "step %s: expected after step %" PRIu64, steps[i],
		      nth);
		nth = record_u64(r, "nth");
		CHECK_EQ(record_u64(r, "ttl"), 64, "TTL");
		CHECK_EQ(record_u64(r, "seq"), record_u64(sent, "seq"), "sequence number");
	}
	CHECK_EQ(record_u64(sent, "netns"), n.a.inode, "namespace it was sent from");
	CHECK_EQ(record_u64(find_step(p.records, packet, "receive"), "netns"), n.b.inode,
		 "namespace it was received in");
	CHECK(strlen(record_str(sent, "mac_src")) == 17, "mac_src: got %s",
	      record_str(sent, "mac_src"));
	CHECK_EQ(record_u64(sent, "pid"), record_u64(maker_report(&m, "client"), "pid"),
		 "its owner");
	CHECK_EQ(record_u64(find_step(p.records, packet, "socket"), "pid"),
		 record_u64(maker_report(&m, "server"), "pid"), "owner of the socket it is for");
}

TEST(events_can_follow_packets_beside_all_they_tell)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--trace", "--format", "json", "--interval", "0.2",
				     "--port", "5001", NULL);
	struct maker m = maker_run(&ns, "stream --bytes 1000 --port 5001");
	const json_t *sent;

	maker_run(&ns, "stream --bytes 1000 --port 5002");
	probe_stop(&p);
	CHECK(record_of_socket(p.records, "conn.close", maker_report(&m, "client")),
	      "conn.close of the client: expected beside the steps, got none");
	sent = first_packet(p.records, &ns, 5001, false);
	REQUIRE(sent, "a packet with data on its way out: expected one, got none");
	CHECK(!strcmp(record_str(sent, "event_type"), "packet.trace"),
	      "event_type: expected packet.trace, got %s", record_str(sent, "event_type"));
	CHECK(find_step(p.records, record_u64(sent, "packet"), "socket"),
	      "its arrival at the socket: expected, got none");
	CHECK(!first_packet(p.records, &ns, 5002, false),
	      "expected no steps of packets that do not match");
}

TEST(only_packets_that_match_are_followed)
{
	struct netns ns = netns_new();
	struct probe p = start("5001");
	const json_t *r;
	size_t i;

	maker_run(&ns, "stream --bytes 1000 --port 5002");
	maker_run(&ns, "stream --bytes 1000 --port 5001");
	probe_stop(&p);
	CHECK(json_array_size(p.records) > 0, "steps: expected some, got none");
	json_array_foreach (p.records, i, r)
		CHECK(!strcmp(record_str(r, "event_type"), "probe.loss") ||
			      record_u64(r, "lport") == 5001 || record_u64(r, "rport") == 5001,
		      "expected only port 5001, got %" PRIu64 " and %" PRIu64,
		      record_u64(r, "lport"), record_u64(r, "rport"));
}

TEST(a_packet_that_is_dropped_ends_there_with_the_reason)
{
	struct netns ns = netns_new();
	struct probe p;
	const json_t *r;
	size_t i;
	bool found = false, verdict = false, netfilter = false;

	netns_drop(&ns, "udp dport 5001", 100);
	p = start("5001");
	netns_must(&ns, "echo x >/dev/udp/127.0.0.1/5001 2>/dev/null || "
			"bash -c 'echo x >/dev/udp/127.0.0.1/5001'");
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		if (record_u64(r, "netns") != ns.inode)
			continue;
		if (!strcmp(record_str(r, "step"), "drop") &&
		    !strcmp(record_str(r, "reason"), "NETFILTER_DROP"))
			found = true;
		if (strcmp(record_str(r, "step"), "netfilter"))
			continue;
		netfilter = true;
		if (!strcmp(record_str(r, "verdict"), "drop") &&
		    !strcmp(record_str(r, "hook"), "INPUT"))
			verdict = true;
	}
	CHECK(found, "a step drop with NETFILTER_DROP: expected, got none");
	/* Where the kernel shows what netfilter says at all. */
	CHECK(verdict || !netfilter, "verdict of the hook INPUT: expected drop, got none");
}

TEST(conntrack_knows_the_other_end_of_a_translated_connection)
{
	struct netns ns = netns_new();
	const json_t *syn, *other;
	struct probe p;

	if (netns_run(&ns, "nft add table ip t && "
			   "nft add chain ip t o '{ type nat hook output priority -100; }' && "
			   "nft add rule ip t o tcp dport 5001 redirect to :5002"))
		test_skip("nftables cannot translate addresses on this kernel");
	p = start("5001-5002");
	netns_run(&ns, "bash -c 'echo x >/dev/tcp/127.0.0.1/5001'"); /* nobody listens */
	probe_stop(&p);
	syn = first_packet(p.records, &ns, 5002, true);
	REQUIRE(syn, "a SYN to the translated port: expected one, got none");
	other = json_object_get(syn, "conntrack_other");
	CHECK(json_is_object(other), "conntrack_other: expected an object");
	CHECK_EQ(record_u64(other, "sport"), 5002, "port that answers");
	CHECK_EQ(record_u64(other, "dport"), record_u64(syn, "lport"), "port that is answered");
}

TEST(following_packets_needs_a_filter_of_hosts_or_ports)
{
	const char *all[] = { "drops", "--trace", NULL };
	const char *events[] = { "events", "--trace", NULL };
	const char *pid[] = { "drops", "--trace", "--port", "80", "-p", "1", NULL };
	struct probe p;
	char *log;

	CHECK_EQ(probe_run(&p, all), 3, "exit code without a filter");
	log = file_text(p.log);
	CHECK(strstr(log, "--trace") && strstr(log, "--port"), "expected what it takes, got: %s",
	      log);
	free(log);
	CHECK_EQ(probe_run(&p, pid), 3, "exit code with a filter of owners");
	CHECK_EQ(probe_run(&p, events), 3, "exit code of events without a filter");
}
