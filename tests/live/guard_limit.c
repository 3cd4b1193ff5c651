/* SPDX-License-Identifier: BSD-2-Clause */
/* guard's limits: what is beyond them is dropped, all else passes, nobody is banned. */
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "guard_run.h"
#include "probe.h"
#include "tap.h"

#define SYN 0x02
#define ACK 0x10

#define JIFFY_MS 10 /* at most; the clock of buckets moves by them */

/* Of n that came since began: what a full bucket of a second holds passes, and what came into it meanwhile. */
static void check_beyond(const char *what, uint64_t dropped, unsigned int n, unsigned int rate,
			 int64_t began)
{
	uint64_t pass = rate + rate * (uint64_t)(now_ms() - began + JIFFY_MS) / 1000 + 1;
	uint64_t least = n > pass ? n - pass : 0;

	CHECK(dropped >= least && dropped <= n - rate,
	      "%s: expected %" PRIu64 " to %u of %u to be dropped at %u a second, got %" PRIu64,
	      what, least, n - rate, n, rate, dropped);
}

TEST(limit_drops_what_is_beyond_it_and_bans_nobody)
{
	struct netns_pair p = guard_pair(NULL);
	int64_t began;
	unsigned int got, allowed;

	guard_must(&p.a, "limit --pps 100");
	began = now_ms();
	got = datagrams(&p.b, &p.a, "10.77.0.1", 6001, 2000);
	allowed = 101 + (unsigned int)((now_ms() - began) / 10);
	CHECK(got >= 90 && got <= allowed, "expected 100 to %u of 2000 to pass, got %u", allowed,
	      got);
	CHECK_EQ(guard_stat(&p, "dropped.limit"), 2000 - got, "drops");
	guard_must(&p.a, "limit --pps 0");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 500), 500, "without the limit");
	guard_must(&p.a, "limit --pps 100 --per prefix");
	CHECK(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 2000) < 1500, "no limit for the prefix");
	guard_must(&p.a, "limit --pps 100 --per prefix --dry-run");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 500), 500, "dry run");
	CHECK(guard_stat(&p, "would_drop.limit") > 0, "nothing counted by the dry run");
	guard_must(&p.a, "allow 10.77.0.2");
	guard_must(&p.a, "limit --pps 100 --per prefix");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 500), 500, "allowed");
}

TEST(limit_of_syns_leaves_other_packets_alone)
{
	struct netns_pair p = guard_pair(NULL);
	uint64_t dropped;
	int64_t began;

	guard_must(&p.a, "limit --syn-rate 50");
	began = now_ms();
	forge_seen(&p, &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN }, 500, 100);
	dropped = guard_stat(&p, "dropped.limit");
	check_beyond("SYNs", dropped, 500, 50, began);
	forge_seen(&p, &(struct forged){ .proto = IPPROTO_TCP, .flags = ACK }, 500, 100);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 300), 300, "datagrams");
	CHECK_EQ(guard_stat(&p, "dropped.limit"), dropped, "drops of what is no SYN");
}

TEST(limits_of_a_port_leave_other_ports_alone)
{
	struct netns_pair p = guard_pair(NULL);
	unsigned int got;
	uint64_t before;
	int64_t began;

	guard_must(&p.a, "limit --port 6001 --pps 100");
	began = now_ms();
	got = datagrams(&p.b, &p.a, "10.77.0.1", 6001, 2000);
	check_beyond("datagrams to the port", 2000 - got, 2000, 100, began);
	CHECK_EQ(guard_stat(&p, "dropped.limit"), 2000 - got, "drops");
	before = guard_stat(&p, "dropped.limit");
	/* The first has the same last six bits. */
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001 + 64, 1000), 1000, "another port");
	CHECK_EQ(datagrams(&p.b, &p.a, "fd77::1", 6001 + 1, 1000), 1000, "another port");
	CHECK_EQ(guard_stat(&p, "dropped.limit"), before, "drops of other ports");
	CHECK(datagrams(&p.b, &p.a, "fd77::1", 6001, 2000) < 1000, "no limit for IPv6");
	guard_must(&p.a, "limit");
	CHECK(strstr(guard_out(), "--port 6001 --per source --pps 100\n"), "not told: %s",
	      guard_out());
	/* Each kind of its own, and all ports that there is room for. */
	guard_must(&p.a, "limit --port 6001 --pps 0");
	guard_must(&p.a, "limit --port 9 --per port --syn-rate 50");
	before = guard_stat(&p, "dropped.limit");
	began = now_ms();
	forge_seen(&p, &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN }, 500, 100);
	check_beyond("SYNs to the port", guard_stat(&p, "dropped.limit") - before, 500, 50, began);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 1000), 1000, "without its limit");
	for (unsigned int port = 1001; port < 1001 + 31; port++)
		guard_must(&p.a, "limit --port %u --pps 5", port);
	CHECK_EQ(guard_run(&p.a, "limit --port 2000 --pps 5"), 3, "too many ports");
	CHECK_EQ(guard_run(&p.a, "limit --per port --pps 5"), 3, "no port");
	CHECK_EQ(guard_run(&p.a, "limit --port 9 --icmp-rate 5"), 3, "ICMP");
}

/* A datagram of a byte is a frame of 43. */
TEST(limit_of_bytes_counts_whole_frames)
{
	struct netns_pair p = guard_pair(NULL);
	int64_t began;
	unsigned int got, allowed;

	guard_must(&p.a, "limit --bytes 215000");
	began = now_ms();
	got = datagrams(&p.b, &p.a, "10.77.0.1", 6001, 8000);
	allowed = 5001 + 5 * (unsigned int)(now_ms() - began);
	CHECK(got >= 4990 && got <= allowed, "expected 5000 to %u of 8000 to pass, got %u", allowed,
	      got);
	CHECK_EQ(guard_stat(&p, "dropped.limit"), 8000 - got, "drops");
	CHECK_EQ(guard_stat(&p, "dropped_bytes"), 43ULL * (8000 - got), "bytes of drops");
	guard_must(&p.a, "limit --bytes 0");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 500), 500, "without it");
}

TEST(limit_of_icmp_leaves_other_packets_alone)
{
	struct netns_pair p = guard_pair(NULL);
	uint64_t dropped;
	int64_t began;

	guard_must(&p.a, "limit --icmp-rate 50");
	began = now_ms();
	forge_seen(&p, &(struct forged){ .proto = IPPROTO_ICMP }, 500, 100);
	dropped = guard_stat(&p, "dropped.limit");
	check_beyond("ICMP", dropped, 500, 50, began);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 300), 300, "datagrams");
	forge_seen(&p, &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN }, 300, 50);
	CHECK_EQ(guard_stat(&p, "dropped.limit"), dropped, "drops of what is no ICMP");
}

TEST(limit_of_new_flows_leaves_those_that_are_known_alone)
{
	struct netns_pair p = guard_pair(NULL);
	uint64_t dropped, before;
	int64_t began;

	guard_must(&p.a, "limit --new-flows 50");
	began = now_ms();
	forge_seen(&p, &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN }, 500, 100);
	dropped = guard_stat(&p, "dropped.limit");
	check_beyond("SYNs", dropped, 500, 50, began);
	forge_seen(&p, &(struct forged){ .proto = IPPROTO_TCP, .flags = ACK }, 500, 100);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 300), 300, "flows are not counted");
	CHECK_EQ(guard_stat(&p, "dropped.limit"), dropped, "drops of what opens no flow");
	/* Datagrams where flows are counted: one from each source port, then many of one. */
	guard_must(&p.a, "attach %s --mode filter --flows on", p.if_a);
	before = guard_stat(&p, "dropped.limit");
	pause_ms(1100); /* a full bucket */
	forge_seen(&p, &(struct forged){ .proto = IPPROTO_UDP, .sport = 4000 }, 500, 100);
	CHECK_EQ(guard_stat(&p, "dropped.limit"), before, "drops of one flow");
	pause_ms(1100);
	began = now_ms();
	forge_seen(&p, &(struct forged){ .proto = IPPROTO_UDP }, 500, 100);
	check_beyond("flows", guard_stat(&p, "dropped.limit") - before, 500, 50, began);
}
