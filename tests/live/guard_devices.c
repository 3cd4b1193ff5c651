/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that not every kernel has: their packets are parsed, or attach refuses and says so. */
#include <stdio.h>
#include <string.h>

#include "guard_run.h"
#include "tap.h"

#define N 20

/* A device of that kind, as `ip link add` makes it; the test is skipped where the kernel has none. */
static void make(const struct netns *ns, const char *how)
{
	char command[256], why[128];

	snprintf(command, sizeof(command), "ip link add np0 %s && ip link set np0 up", how);
	if (!netns_run(ns, command))
		return;
	snprintf(why, sizeof(why), "this kernel makes no device by `ip link add np0 %s`", how);
	test_skip("%s", why);
}

static void refused(const char *how)
{
	struct netns_pair p = netns_pair_new();

	make(&p.a, how);
	CHECK(guard_run(&p.a, "attach np0 --mode filter") != 0, "attached to %s", how);
	CHECK(strstr(guard_log(), "np0: its packets have no Ethernet header"), "%s: %s", how,
	      guard_log());
	CHECK(!guard_has_pins(&p.a), "%s: pins are left", how);
}

TEST(wireguard_is_refused_as_it_has_no_ethernet_header)
{
	refused("type wireguard");
}

TEST(ipip_is_refused_as_it_has_no_ethernet_header)
{
	refused("type ipip local 10.77.0.1 remote 10.77.0.2");
}

static uint64_t banned(struct netns_pair *p, const char *iface)
{
	json_t *r = guard_stats(&p->a, iface);
	uint64_t n = json_at(r, "dropped.ban");

	json_decref(r);
	return n;
}

/* At the Ethernet interface below: what is wrapped goes by the addresses outside. */
TEST(ban_drops_what_comes_by_ipip_by_its_outer_address)
{
	struct netns_pair p = netns_pair_new();

	make(&p.a, "type ipip local 10.77.0.1 remote 10.77.0.2");
	make(&p.b, "type ipip local 10.77.0.2 remote 10.77.0.1");
	netns_must(&p.a, "ip addr add 10.88.0.1/24 dev np0");
	netns_must(&p.b, "ip addr add 10.88.0.2/24 dev np0");
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban 10.88.0.2");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.88.0.1", 6001, N), N, "of an inner address");
	CHECK_EQ(banned(&p, p.if_a), 0, "dropped by an inner address");
	guard_must(&p.a, "ban 10.77.0.2");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.88.0.1", 6001, N), 0, "of a banned outer address");
	CHECK_EQ(banned(&p, p.if_a), N, "dropped");
	guard_must(&p.a, "detach %s", p.if_a);
}

static bool comes_through(void *arg)
{
	struct netns_pair *p = arg;

	return datagrams(&p->b, &p->a, "10.77.0.1", 6001, 1) == 1;
}

static void source_is(const struct netns_pair *p, const char *addr)
{
	char command[128];

	snprintf(command, sizeof(command), "ip route replace 10.77.0.1/32 dev %s src %s", p->if_b,
		 addr);
	netns_must(&p->b, command);
}

static void bond_filters(struct netns_pair *p, const char *how)
{
	uint64_t before;

	guard_must(&p->a, "attach np0 --mode filter --xdp %s", how);
	REQUIRE(wait_until(comes_through, p, 10000), "nothing comes through the bond: %s", how);
	guard_must(&p->a, "ban 10.77.0.2");
	before = banned(p, "np0");
	CHECK_EQ(datagrams(&p->b, &p->a, "10.77.0.1", 6001, N), 0, "of the banned one");
	CHECK_EQ(banned(p, "np0") - before, N, "dropped");
	source_is(p, "10.77.0.3");
	CHECK_EQ(datagrams(&p->b, &p->a, "10.77.0.1", 6001, N), N, "of another one");
	CHECK_EQ(banned(p, "np0") - before, N, "dropped after those of another one");
	source_is(p, "10.77.0.2");
	guard_must(&p->a, "detach np0");
}

TEST(ban_drops_exactly_the_senders_packets_at_a_bond)
{
	struct netns_pair p = netns_pair_new();
	char command[400];

	make(&p.a, "type bond mode active-backup miimon 100");
	snprintf(command, sizeof(command),
		 "ip link set %s down && ip addr flush dev %s && ip link set %s master np0 && "
		 "ip link set %s up && ip addr add 10.77.0.1/24 dev np0",
		 p.if_a, p.if_a, p.if_a, p.if_a);
	netns_must(&p.a, command);
	snprintf(command, sizeof(command), "ip addr add 10.77.0.3/24 dev %s", p.if_b);
	netns_must(&p.b, command);
	source_is(&p, "10.77.0.2");
	bond_filters(&p, "auto");
	bond_filters(&p, "generic");
}
