/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds while commands come, go and die: the filter never pauses, and nothing is left behind. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard_run.h"
#include "probe.h"
#include "tap.h"

#define ROUNDS 10

static uint64_t bans_dropped(const struct netns *ns, const char *iface)
{
	json_t *r = guard_stats(ns, iface);
	uint64_t n = json_at(r, "drops.ban");

	json_decref(r);
	return n;
}

/* An attach that is killed so many microseconds after it began. */
static void attach_killed(const struct netns *ns, const char *iface, const char *how,
			  useconds_t after)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0) {
		int fd = open(ns->path, O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_RDWR);

		if (fd < 0 || setns(fd, CLONE_NEWNET))
			_exit(126);
		dup2(null, 1);
		dup2(null, 2);
		execl(probe_binary(), "netprobe", "guard", "attach", iface, "--mode", "filter",
		      "--xdp", how, (char *)NULL);
		_exit(127);
	}
	usleep(after);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* The whole of what a restart does, again and again, while a banned source sends. */
static void restarted_in_a_flood(const char *how, const char *const *changes, unsigned int n)
{
	struct netns_pair p = netns_pair_new();
	uint64_t sent, got, before, after;
	struct flood f;

	guard_must(&p.a, "attach %s --mode filter --xdp %s", p.if_a, how);
	guard_must(&p.a, "ban 10.77.0.2");
	f = flood_begin(&p.b, &p.a, "10.77.0.1", 6001);
	before = bans_dropped(&p.a, p.if_a);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		guard_must(&p.a, "attach %s --xdp %s %s", p.if_a, how, changes[i % n]);
		attach_killed(&p.a, p.if_a, how, 4000 * i);
	}
	guard_must(&p.a, "attach %s --mode filter --xdp %s", p.if_a, how);
	after = bans_dropped(&p.a, p.if_a);
	got = flood_end(&f, &sent);
	CHECK_EQ(got, 0, "packets of the banned source came through");
	CHECK(after > before + 1000, "no flood: %" PRIu64 " dropped, then %" PRIu64, before, after);
	guard_must(&p.a, "status --format json");
	CHECK(strstr(guard_out(), "\"state\":\"on\""), "not on: %s", guard_out());
	guard_must(&p.a, "detach %s", p.if_a);
}

TEST(filter_never_pauses_while_commands_restart_in_a_flood)
{
	static const char *const changes[] = { "--mode filter", "--mode filter --flows on",
					       "--mode balance" };

	restarted_in_a_flood("native", changes, 3);
}

TEST(generic_filter_never_pauses_either)
{
	static const char *const changes[] = { "--mode filter", "--mode filter --flows on" };

	restarted_in_a_flood("generic", changes, 2);
}

TEST(list_replaced_in_a_flood_lets_nothing_through)
{
	struct netns_pair p = netns_pair_new();
	uint64_t sent, got;
	char path[512];
	struct flood f;
	FILE *list;

	snprintf(path, sizeof(path), "%s/list", test_dir());
	list = fopen(path, "we");
	REQUIRE(list, "%s: %s", path, strerror(errno));
	for (unsigned int i = 0; i < 20000; i++)
		fprintf(list, "198.18.%u.%u\n", i >> 8, i & 255);
	fprintf(list, "10.77.0.2\n");
	REQUIRE(fclose(list) == 0, "%s", path);
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "import --replace %s", path);
	f = flood_begin(&p.b, &p.a, "10.77.0.1", 6001);
	for (unsigned int i = 0; i < ROUNDS; i++)
		guard_must(&p.a, "import --replace %s", path);
	got = flood_end(&f, &sent);
	CHECK_EQ(got, 0, "packets of the banned source came through");
	CHECK(sent > 1000, "no flood");
}

/* Wherever an attach dies, the next command goes on from there and detach finds all of it. */
TEST(attach_killed_at_any_moment_is_adopted_and_detached_without_a_trace)
{
	static const char *const hows[] = { "native", "generic" };
	struct netns_pair p = netns_pair_new();
	char command[256], path[128];
	struct stat st;
	int status;

	snprintf(path, sizeof(path), "/sys/fs/bpf/netprobe/guard-%" PRIu64, p.a.inode);
	for (unsigned int i = 0; i < 24; i++) {
		attach_killed(&p.a, p.if_a, hows[i & 1], 2500 * i);
		if (i & 2)
			guard_must(&p.a, "attach %s --mode filter", p.if_a);
		/* 3: it died before anything was done. */
		status = guard_run(&p.a, "detach %s", p.if_a);
		CHECK(status == 0 || (status == 3 && !(i & 2)), "detach ended with %d: %s", status,
		      guard_log());
		CHECK(stat(path, &st) < 0, "round %u: pins are left", i);
		snprintf(command, sizeof(command), "! ip link show %s | grep -q xdp", p.if_a);
		CHECK_EQ(netns_run(&p.a, command), 0, "an XDP program is left; status");
	}
}
