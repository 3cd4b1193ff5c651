/* SPDX-License-Identifier: BSD-2-Clause */
/* VLAN: tagged packets count as what they carry, once. */
#include <net/if.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../bpf/packet.h"
#include "rung.h"
#include "tap.h"

#define FRAMES 40
#define PAYLOAD 300

static struct probe start(const struct netns *ns)
{
	static const char *const args[] = { "flows",	  "--format",	    "json",
					    "-q",	  "--capture-mode", "afpacket",
					    "--duration", "36000",	    NULL };
	struct probe_opts opts = { .args = args, .plain = true };

	rung_go(ns);
	return probe_spawn(&opts);
}

/* UDP datagrams in frames with so many tags, from a to b, by hand: tags beyond what a device does. */
static void send_frames(const struct netns_pair *pair, unsigned int tags)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct pkt f;

	to.sll_ifindex = (int)if_nametoindex(pair->if_a);
	to.sll_protocol = htons(tags > 1 ? ETH_P_8021AD : tags ? ETH_P_8021Q : ETH_P_IP);
	pkt_eth(&f, ETH_P_IP);
	for (unsigned int i = 0; i < tags; i++)
		pkt_tag(&f, tags > 1 && !i ? ETH_P_8021AD : ETH_P_8021Q, 10 + i);
	pkt_ip4(&f, "10.77.0.1", "10.77.0.2", IPPROTO_UDP, 0, 0);
	pkt_udp(&f, 4000, 4001);
	f.len += PAYLOAD;
	pkt_done(&f);
	for (unsigned int i = 0; i < FRAMES; i++)
		REQUIRE(sendto(fd, f.b, f.len, 0, (struct sockaddr *)&to, sizeof(to)) ==
				(ssize_t)f.len,
			"cannot send a frame");
	(void)close(fd);
}

/* What one side's records say of the datagrams; how many flows did. */
static unsigned int sum(const json_t *records, const char *bytes, const char *packets,
			uint64_t *ret_bytes, uint64_t *ret_packets)
{
	unsigned int n = 0;
	const json_t *r;
	size_t i;

	*ret_bytes = *ret_packets = 0;
	json_array_foreach (records, i, r) {
		if (record_u64(r, "lport") != 4000 && record_u64(r, "lport") != 4001)
			continue;
		n++;
		*ret_bytes += record_u64(r, bytes);
		*ret_packets += record_u64(r, packets);
	}
	return n;
}

static void check_frames(unsigned int tags)
{
	struct netns_pair pair = netns_pair_new();
	struct probe b = start(&pair.b), a = start(&pair.a);
	uint64_t bytes, packets;

	send_frames(&pair, tags);
	probe_stop(&a);
	probe_stop(&b);
	CHECK_EQ(sum(a.records, "tx_bytes", "tx_pkts", &bytes, &packets), 1, "flows going out");
	CHECK_EQ(bytes, FRAMES * PAYLOAD, "bytes going out");
	CHECK_EQ(packets, FRAMES, "packets going out");
	CHECK_EQ(sum(b.records, "rx_bytes", "rx_pkts", &bytes, &packets), 1, "flows coming in");
	CHECK_EQ(bytes, FRAMES * PAYLOAD, "bytes coming in");
	CHECK_EQ(packets, FRAMES, "packets coming in");
}

TEST(frames_with_one_tag_and_with_two_count_as_what_they_carry)
{
	for (unsigned int tags = 0; tags <= 2; tags++)
		check_frames(tags);
}

/* Through devices of the kernel: the same packet is seen at the VLAN's and at the one below. */
TEST(connections_over_a_vlan_device_count_once)
{
	struct netns_pair pair = netns_pair_new();
	char command[400];
	const json_t *r, *report;
	struct probe p;
	struct maker m;
	uint64_t out;

	snprintf(command, sizeof(command),
		 "ip link add link %s name %s.7 type vlan id 7 && "
		 "ip addr add 10.78.0.1/24 dev %s.7 && ip link set %s.7 up",
		 pair.if_a, pair.if_a, pair.if_a, pair.if_a);
	if (netns_run(&pair.a, command))
		test_skip("no VLAN devices on this kernel (CONFIG_VLAN_8021Q)");
	snprintf(command, sizeof(command),
		 "ip link add link %s name %s.7 type vlan id 7 && "
		 "ip addr add 10.78.0.2/24 dev %s.7 && ip link set %s.7 up",
		 pair.if_b, pair.if_b, pair.if_b, pair.if_b);
	netns_must(&pair.b, command);
	rung_go(&pair.a);
	p = rung_events("afpacket", 0, 0);
	out = netns_counter(&pair.a, "Tcp", "OutSegs") +
	      netns_counter(&pair.a, "Tcp", "RetransSegs");
	snprintf(command, sizeof(command),
		 "stream --addr 10.78.0.2 --server-ns %s --bytes 3000000 --hold sent", pair.b.path);
	m = maker_start(NULL, -1, command);
	(void)maker_wait_hold(&m);
	maker_go(&m);
	maker_finish(&m);
	netns_wait_quiet(&pair.a);
	rung_wait_closed(&p, 1);
	out = netns_counter(&pair.a, "Tcp", "OutSegs") +
	      netns_counter(&pair.a, "Tcp", "RetransSegs") - out;
	probe_stop(&p);
	report = maker_report(&m, "client");
	r = record_of_socket(p.records, "conn.close", report);
	REQUIRE(r, "no conn.close");
	CHECK_EQ(record_u64(r, "tx_bytes"), report_u64(report, "tx"), "bytes sent");
	CHECK_EQ(record_u64(r, "pid"), report_u64(report, "pid"), "owner");
	CHECK(record_u64(r, "tx_pkts") <= out && record_u64(r, "tx_pkts") + 8 >= out,
	      "packets: expected the kernel's %" PRIu64 " segments, got %" PRIu64, out,
	      record_u64(r, "tx_pkts"));
}
