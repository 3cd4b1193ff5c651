/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces that change their name and their network namespace under guard, or have a program that is not in its place. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard_run.h"
#include "tap.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* since 5.14 */
#endif

static void state_is(const struct netns *ns, const char *ifname, const char *state)
{
	char want[64];

	guard_must(ns, "status --format json");
	snprintf(want, sizeof(want), "\"iface\":\"%s\"", ifname);
	CHECK(strstr(guard_out(), want), "%s is not told: %s", ifname, guard_out());
	snprintf(want, sizeof(want), "\"state\":\"%s\"", state);
	CHECK(strstr(guard_out(), want), "%s is not %s: %s", ifname, state, guard_out());
}

/* Renamed and moved by turns; where it is now another guard takes it on, and the old one may go. */
TEST(interface_that_is_renamed_and_moved_is_the_same_one)
{
	struct netns_pair p = netns_pair_new();
	struct netns there = netns_new(), *at = &p.a, *other = &there;
	char name[16], next[16], command[300];
	unsigned int rounds = test_whole() ? 20 : 3;

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
		CHECK(!guard_has_pins(was), "pins are left where it was");
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
	CHECK(!guard_has_pins(at), "pins are left");
}

/* A program that passes everything, by whose name nobody is known. */
static int attach_foreign(const struct netns *ns, const char *iface)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int there = open(ns->path, O_RDONLY | O_CLOEXEC), fd;

	if (there < 0 || setns(there, CLONE_NEWNET))
		return 1;
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "npt_pass", "GPL", pass, 2, NULL);
	return fd < 0 || bpf_xdp_attach((int)if_nametoindex(iface), fd, 0, NULL) ? 1 : 0;
}

TEST(foreign_xdp_program_is_named_and_never_replaced)
{
	struct netns_pair p = netns_pair_new();
	char command[128];
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(attach_foreign(&p.a, p.if_a));
	REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
		"a program of somebody else's could not be attached");
	CHECK_EQ(guard_run(&p.a, "attach %s --mode filter", p.if_a), 2, "exit code");
	CHECK(strstr(guard_log(), "npt_pass") && strstr(guard_log(), "tag "),
	      "it does not name the program: %s", guard_log());
	CHECK(!guard_has_pins(&p.a), "it left its folder behind");
	snprintf(command, sizeof(command), "ip -d link show dev %s | grep -q npt_pass", p.if_a);
	netns_must(&p.a, command);
}

/* As after a change by hand: the program is known by what it is, and its counters begin anew. */
TEST(own_xdp_program_without_its_pins_is_replaced_and_it_is_said)
{
	struct netns_pair p = netns_pair_new();
	char command[256];

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	snprintf(command, sizeof(command),
		 "mkdir /sys/fs/bpf/npt-%" PRIu64 " && mv /sys/fs/bpf/netprobe/guard-%" PRIu64
		 "/xdp-* /sys/fs/bpf/npt-%" PRIu64
		 "/xdp && rm -r /sys/fs/bpf/netprobe/guard-%" PRIu64,
		 p.a.inode, p.a.inode, p.a.inode, p.a.inode);
	netns_must(&p.a, command);
	CHECK_EQ(guard_run(&p.a, "attach %s --mode filter", p.if_a), 0, "exit code");
	CHECK(strstr(guard_log(), "which went"), "it does not say what it met: %s", guard_log());
	snprintf(command, sizeof(command), "rm -r /sys/fs/bpf/npt-%" PRIu64, p.a.inode);
	netns_must(&p.a, command);
	guard_must(&p.a, "ban 10.77.0.2 --force");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned by the new one");
}

/* Its value begins as in every version: state, cookie of the namespace, version. */
static int pin_other_version(const char *path, uint64_t cookie)
{
	uint64_t value[4] = { 0, cookie, 99, 0 };
	uint32_t zero = 0;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "np_guard_conf", sizeof(zero), sizeof(value), 1,
				NULL);
	int r = fd < 0 ? fd : bpf_map_update_elem(fd, &zero, value, BPF_ANY);

	(void)unlink(path);
	if (!r)
		r = bpf_obj_pin(fd, path);
	if (fd >= 0)
		(void)close(fd);
	return r;
}

TEST(pins_of_another_version_are_named_but_those_of_a_dead_namespace_go)
{
	struct netns_pair p = netns_pair_new();
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie;
	socklen_t len = sizeof(cookie);
	char path[128];

	(void)mkdir("/sys/fs/bpf/netprobe", 0700);
	(void)snprintf(path, sizeof(path), "/sys/fs/bpf/netprobe/guard-%" PRIu64, p.a.inode);
	REQUIRE(!mkdir(path, 0700), "mkdir %s", path);
	(void)snprintf(path, sizeof(path), "/sys/fs/bpf/netprobe/guard-%" PRIu64 "/np_guard_conf",
		       p.a.inode);
	REQUIRE(!pin_other_version(path, 0), "cannot pin %s", path);
	CHECK(guard_run(&p.a, "attach %s --mode filter", p.if_a) &&
		      strstr(guard_log(), "another version"),
	      "it does not say whose the pins are: %s", guard_log());
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		test_skip("network namespaces have no cookies here (before 5.14)");
	(void)close(fd);
	/* A cookie is never used again, as an inode number is. */
	REQUIRE(!pin_other_version(path, 1), "cannot pin %s", path);
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "detach %s", p.if_a);
	CHECK(!guard_has_pins(&p.a), "pins are left");
}
