/* SPDX-License-Identifier: BSD-2-Clause */
/* A change of one thing leaves others as they are: the other list, another interface, the way to the gateway. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard_run.h"
#include "tap.h"

static const char *listed(const struct netns *ns, const char *options)
{
	guard_must(ns, "export %s", options);
	return guard_out();
}

TEST(import_that_replaces_bans_keeps_what_is_allowed_and_the_other_way_round)
{
	struct netns_pair p = netns_pair_new();
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/list", test_dir());
	f = fopen(path, "we");
	REQUIRE(f && fputs("203.0.113.1\n", f) >= 0 && !fclose(f), "cannot write %s", path);
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "allow 192.0.2.10");
	guard_must(&p.a, "ban 198.51.100.1");
	guard_must(&p.a, "import --replace %s", path);
	CHECK(!strcmp(listed(&p.a, ""), "203.0.113.1\n"), "bans: %s", guard_out());
	CHECK(!strcmp(listed(&p.a, "--allow"), "192.0.2.10\n"), "allowed: %s", guard_out());
	guard_must(&p.a, "ban 198.51.100.2");
	guard_must(&p.a, "import --replace --allow %s", path);
	CHECK(strstr(listed(&p.a, ""), "198.51.100.2\n") && strstr(guard_out(), "203.0.113.1\n"),
	      "bans: %s", guard_out());
	CHECK(!strcmp(listed(&p.a, "--allow"), "203.0.113.1\n"), "allowed: %s", guard_out());
	guard_must(&p.a, "detach %s", p.if_a);
}

TEST(detach_by_a_name_that_another_device_has_now_takes_nothing_off)
{
	struct netns_pair p = netns_pair_new();
	char line[256];

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban 10.77.0.2");
	(void)snprintf(
		line, sizeof(line),
		"ip link set %s down && ip link set %s name wan0 && ip link set wan0 up && "
		"ip addr replace 10.77.0.1/24 dev wan0 && ip link add %s type veth peer name other0",
		p.if_a, p.if_a, p.if_a);
	netns_must(&p.a, line);
	CHECK_EQ(guard_run(&p.a, "detach %s", p.if_a), 3, "exit code");
	CHECK(!strcmp(listed(&p.a, ""), "10.77.0.2\n"), "bans: %s", guard_out());
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "of the banned source, at wan0");
	guard_must(&p.a, "detach wan0");
}

/* As `redirect-gateway def1` of OpenVPN makes them, in both families; and ways that are no default ones. */
TEST(gateway_of_two_routes_that_are_all_there_is_takes_force)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	netns_must(&p.a, "ip route add 0.0.0.0/1 via 10.77.0.2 && "
			 "ip route add 198.51.100.0/24 via 10.77.0.3 && "
			 "ip route add 8000::/1 via fd77::2 && ip route add ::/1 via fd77::2");
	CHECK(guard_run(&p.a, "ban 10.77.0.2") && strstr(guard_log(), "gateway"),
	      "a gateway of one half is banned: %s", guard_log());
	netns_must(&p.a, "ip route add 128.0.0.0/1 via 10.77.0.2");
	CHECK(guard_run(&p.a, "ban 10.77.0.2") && strstr(guard_log(), "gateway"),
	      "a gateway of two halves is banned: %s", guard_log());
	CHECK(guard_run(&p.a, "ban fd77::/64") && strstr(guard_log(), "gateway"),
	      "the same of IPv6: %s", guard_log());
	guard_must(&p.a, "ban 10.77.0.3");
	guard_must(&p.a, "ban 10.77.0.2 --force");
	guard_must(&p.a, "detach %s", p.if_a);
}
