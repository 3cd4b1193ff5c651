/* SPDX-License-Identifier: BSD-2-Clause */
/* What an interface tells of itself in the rows by interface: against the kernel's own answer by another way (rtnetlink). */
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_run.h"
#include "maker.h"

#define FRAME 1000
#define FRAMES 500

struct seen {
	const char *name;
	bool there;
	struct netprobe_link link;
};

static int find(const struct netprobe_row *row, void *arg)
{
	struct seen *s = arg;

	if (strcmp(row->group, s->name) != 0 || !row->link)
		return 0;
	s->there = true;
	s->link = *row->link;
	return 1;
}

static struct seen see(struct netprobe_manager *m, const char *name)
{
	struct netprobe_view_query q = { .size = sizeof(q),
					 .kind = NETPROBE_VIEW_INTERFACE,
					 .sort = NETPROBE_SORT_RATE,
					 .idle = true };
	struct seen s = { .name = name };

	OK(netprobe_manager_tick(m));
	OK(netprobe_manager_view(m, &q, find, &s, NULL, &err));
	REQUIRE(s.there, "expected a row of %s with what it tells", name);
	return s;
}

static struct rtnl_link_stats asked(const char *name)
{
	struct rtnl_link_stats ret = { 0 };
	struct ifaddrs *all = NULL;

	REQUIRE(!getifaddrs(&all), "cannot list interfaces");
	for (const struct ifaddrs *a = all; a; a = a->ifa_next)
		if (a->ifa_data && a->ifa_addr && a->ifa_addr->sa_family == AF_PACKET &&
		    !strcmp(a->ifa_name, name))
			memcpy(&ret, a->ifa_data, sizeof(ret));
	freeifaddrs(all);
	return ret;
}

static void send_frames(const char *iface)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex(iface) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	/* of a protocol that nobody speaks: who receives them drops them */
	uint8_t frame[FRAME] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 2, 2, 2, 2, 2, 0x88, 0xb5 };

	for (unsigned int i = 0; i < FRAMES; i++)
		REQUIRE(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) ==
				FRAME,
			"cannot send a frame");
	(void)close(fd);
}

static void frames_from(const struct netns *ns, const char *iface)
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "cannot fork");
	if (!pid) {
		enter(ns);
		send_frames(iface);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && !status, "frames: status %d", status);
}

static void check_between(const char *what, uint64_t got, uint32_t start, uint32_t before,
			  uint32_t after)
{
	CHECK(got >= before - start && got <= after - start,
	      "%s: %" PRIu64 ", asked before %u and after %u", what, got, before - start,
	      after - start);
}

TEST(an_interface_tells_its_link_and_what_it_counted)
{
	struct netns_pair n = netns_pair_new();
	struct netprobe_config c = own_loop();
	struct rtnl_link_stats start, before, after;
	struct netprobe_manager *m;
	struct seen s;

	enter(&n.a);
	c.keep_closed = false;
	m = manager(&c);
	OK(netprobe_manager_load(m, &err));
	start = asked(n.if_a);
	s = see(m, n.if_a);
	CHECK_EQ(s.link.state, NETPROBE_LINK_UP, "state of a link with a peer");
	CHECK_EQ(s.link.speed_mbit, 10000, "speed of a veth");
	CHECK_EQ(s.link.duplex, NETPROBE_DUPLEX_FULL, "duplex of a veth");
	start.tx_packets -= (uint32_t)s.link.tx_packets;
	start.rx_packets -= (uint32_t)s.link.rx_packets;
	send_frames(n.if_a);
	frames_from(&n.b, n.if_b);
	(void)maker_run(NULL, "stream --bytes 100000");
	before = asked(n.if_a);
	s = see(m, n.if_a);
	after = asked(n.if_a);
	CHECK(s.link.tx_packets >= FRAMES && s.link.tx_bytes >= FRAMES * FRAME,
	      "%" PRIu64 " packets, %" PRIu64 " bytes sent", s.link.tx_packets, s.link.tx_bytes);
	check_between("packets sent", s.link.tx_packets, start.tx_packets, before.tx_packets,
		      after.tx_packets);
	check_between("packets received", s.link.rx_packets, start.rx_packets, before.rx_packets,
		      after.rx_packets);
	check_between("dropped", s.link.rx_dropped, start.rx_dropped, before.rx_dropped,
		      after.rx_dropped);
	CHECK(s.link.rx_dropped >= FRAMES && !s.link.rx_errors && !s.link.tx_errors,
	      "%" PRIu64 " dropped of %d that nobody speaks", s.link.rx_dropped, FRAMES);
	CHECK(s.link.tx_packets_per_s > 0, "no packets a second");
	OK(netprobe_manager_restart_sums(m, &err));
	before = asked(n.if_a);
	s = see(m, n.if_a);
	CHECK(s.link.tx_bytes < FRAME && s.link.rx_dropped < FRAMES, "sums begin anew");
	netprobe_manager_free(m);
}

static void wait_state(struct netprobe_manager *m, const char *name, uint32_t state)
{
	int64_t deadline = deadline_in(10000);
	struct seen s = see(m, name);

	while (s.link.state != state && now_ms() < deadline) {
		pause_ms(20);
		s = see(m, name);
	}
	CHECK_EQ(s.link.state, state, "state of the link");
	CHECK(state == NETPROBE_LINK_UP || (!s.link.speed_mbit && !s.link.duplex),
	      "a speed without a link");
}

TEST(a_link_that_goes_down_says_so)
{
	struct netns_pair n = netns_pair_new();
	struct netprobe_config c = own_loop();
	struct netprobe_manager *m = manager(&c);
	char command[64];

	enter(&n.a);
	OK(netprobe_manager_load(m, &err));
	(void)snprintf(command, sizeof(command), "ip link set %s down", n.if_b);
	netns_must(&n.b, command);
	wait_state(m, n.if_a, NETPROBE_LINK_DOWN);
	(void)snprintf(command, sizeof(command), "ip link set %s down", n.if_a);
	netns_must(&n.a, command);
	wait_state(m, n.if_a, NETPROBE_LINK_OFF);
	(void)snprintf(command, sizeof(command), "ip link set %s up", n.if_a);
	netns_must(&n.a, command);
	(void)snprintf(command, sizeof(command), "ip link set %s up", n.if_b);
	netns_must(&n.b, command);
	wait_state(m, n.if_a, NETPROBE_LINK_UP);
	netprobe_manager_free(m);
}

/* Frames of a packet socket have no owner: the share of their interval is told in the one after it. */
TEST(the_share_without_an_owner_is_told)
{
	struct netns_pair n = netns_pair_new();
	struct netprobe_config c = own_loop();
	struct netprobe_manager *m = manager(&c);
	int64_t deadline = deadline_in(20000);
	double most = -1;
	struct seen s;

	enter(&n.a);
	OK(netprobe_manager_load(m, &err));
	(void)see(m, n.if_a);
	while (most < 0.9 && now_ms() < deadline) {
		send_frames(n.if_a);
		pause_ms(50);
		s = see(m, n.if_a);
		most = s.link.tx_unowned > most ? s.link.tx_unowned : most;
	}
	CHECK(most >= 0.9 && most <= 1, "the share that nobody owns is %.2f", most);
	netprobe_manager_free(m);
}
