/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces that change their name and their network namespace under guard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guard_run.h"
#include "tap.h"

static void folder_of(const struct netns *ns, char *ret, size_t size)
{
	snprintf(ret, size, "/sys/fs/bpf/netprobe/guard-%" PRIu64, ns->inode);
}

static bool has_folder(const struct netns *ns)
{
	char path[128];
	struct stat st;

	folder_of(ns, path, sizeof(path));
	return stat(path, &st) == 0;
}

static void state_is(const struct netns *ns, const char *ifname, const char *state)
{
	char want[64];

	guard_must(ns, "status --format json");
	snprintf(want, sizeof(want), "\"interface\":\"%s\"", ifname);
	CHECK(strstr(guard_out(), want), "%s is not told: %s", ifname, guard_out());
	snprintf(want, sizeof(want), "\"state\":\"%s\"", state);
	CHECK(strstr(guard_out(), want), "%s is not %s: %s", ifname, state, guard_out());
}

/* Renamed and moved by turns; where it is now another guard takes it on, and the old one may go. */
TEST(interface_that_is_renamed_and_moved_is_the_same_one)
{
	const char *all = getenv("NETPROBE_ALL");
	struct netns_pair p = netns_pair_new();
	struct netns there = netns_new(), *at = &p.a, *other = &there;
	char name[16], next[16], command[300];
	unsigned int rounds = all && *all == '1' ? 20 : 3;

	snprintf(name, sizeof(name), "%s", p.if_a);
	guard_must(at, "attach %s --mode filter", name);
	guard_must(at, "ban 10.77.0.2");
	for (unsigned int i = 0; i < rounds; i++) {
		struct netns *was = at;

		snprintf(next, sizeof(next), "npw%u", i);
		snprintf(command, sizeof(command),
			 "ip link set %s down && ip link set %s name %s && ip link set %s netns %d",
			 name, name, next, next, other->holder);
		netns_must(at, command);
		at = other;
		other = was;
		snprintf(name, sizeof(name), "%s", next);
		snprintf(command, sizeof(command),
			 "ip link set %s up && ip addr add 10.77.0.1/24 dev %s", name, name);
		netns_must(at, command);
		/* The old one is told where it is, and goes on there. */
		guard_must(was, "status");
		CHECK(strstr(guard_out(), "moved"), "%s", guard_out());
		CHECK_EQ(datagrams(&p.b, at, "10.77.0.1", 6001, 5), 0, "by the old list");
		guard_must(at, "attach %s --mode filter", name);
		CHECK(strstr(guard_log(), "of another network namespace"), "%s", guard_log());
		state_is(at, name, "on");
		CHECK_EQ(datagrams(&p.b, at, "10.77.0.1", 6001, 5), 5, "by the new list");
		guard_must(at, "ban 10.77.0.2");
		/* What is left of the old one has nothing to do with the new one. */
		guard_must(was, "status");
		CHECK(strstr(guard_out(), "gone"), "%s", guard_out());
		guard_must(was, "detach %s", i ? "npx" : p.if_a);
		CHECK(!has_folder(was), "pins are left where it was");
		CHECK_EQ(datagrams(&p.b, at, "10.77.0.1", 6001, 5), 0, "by the new list");
		/* A new device under the name that it has now is another one when it has moved on. */
		snprintf(command, sizeof(command),
			 "ip link set %s down && ip link set %s name npx && "
			 "ip link set npx up",
			 name, name);
		netns_must(at, command);
		snprintf(name, sizeof(name), "npx");
		state_is(at, name, "on");
		guard_must(at, "attach npx --mode filter");
		CHECK_EQ(datagrams(&p.b, at, "10.77.0.1", 6001, 5), 0, "under another name");
	}
	guard_must(at, "detach %s", name);
	CHECK(!has_folder(at), "pins are left");
}
