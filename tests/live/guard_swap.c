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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guard_run.h"
#include "probe.h"
#include "tap.h"
#include "wire/guard.h"

#define ROUNDS 10

static uint64_t bans_dropped(const struct netns *ns, const char *iface)
{
	json_t *r = guard_stats(ns, iface);
	uint64_t n = json_at(r, "dropped.ban");

	json_decref(r);
	return n;
}

/* A command of guard (its words after "guard") that is killed so many microseconds after it began. */
static void killed(const struct netns *ns, useconds_t after, const char *const *words)
{
	const char *args[12] = { "netprobe", "guard" };
	pid_t pid;
	int status;

	for (unsigned int i = 0; words[i]; i++)
		args[2 + i] = words[i];
	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0) {
		int fd = open(ns->path, O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_RDWR);

		if (fd < 0 || setns(fd, CLONE_NEWNET))
			_exit(126);
		dup2(null, 1);
		dup2(null, 2);
		execv(probe_binary(), (char *const *)(uintptr_t)args);
		_exit(127);
	}
	usleep(after);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void attach_killed(const struct netns *ns, const char *iface, const char *how,
			  useconds_t after)
{
	const char *words[] = { "attach", iface, "--mode", "filter", "--xdp", how, NULL };

	killed(ns, after, words);
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

/* What waits at the socket: how many, and the time between the first and the last, by the kernel's stamps. */
static unsigned int came_within(int fd, double *ret_ms)
{
	double first = 0, last = 0;
	unsigned int n = 0;

	for (;;) {
		char byte, control[256];
		struct iovec iov = { &byte, 1 };
		struct msghdr m = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };
		struct timespec ts;

		if (recvmsg(fd, &m, MSG_DONTWAIT) < 0)
			break;
		REQUIRE(CMSG_FIRSTHDR(&m), "no time with a packet");
		memcpy(&ts, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(ts));
		last = (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
		first = n++ ? first : last;
	}
	*ret_ms = last - first;
	return n;
}

/* The kernel takes them only one after the other. */
TEST(change_between_native_and_generic_says_how_long_nothing_was_filtered)
{
	static const char *const hows[] = { "native", "generic" };
	struct netns_pair p = netns_pair_new();
	int on = 1, room = 64 << 20;
	struct flood f;
	uint64_t sent;

	guard_must(&p.a, "attach %s --mode filter --xdp generic", p.if_a);
	CHECK(!strstr(guard_log(), "nothing was filtered"), "of the first: %s", guard_log());
	guard_must(&p.a, "ban 10.77.0.2");
	f = flood_begin(&p.b, &p.a, "10.77.0.1", 6001);
	REQUIRE(!setsockopt(f.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) &&
			!setsockopt(f.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)),
		"%s", strerror(errno));
	for (unsigned int i = 0; i < 2; i++) {
		double told = -1, seen;
		int64_t from = now_ms(), took;
		const char *at;
		unsigned int n;

		guard_must(&p.a, "attach %s --mode filter --xdp %s", p.if_a, hows[i]);
		took = now_ms() - from;
		at = strstr(guard_log(), "nothing was filtered for ");
		if (at)
			(void)sscanf(at, "nothing was filtered for %lf ms", &told);
		n = came_within(f.fd, &seen);
		printf("# to %s: %.1f ms, %u packets within %.1f ms\n", hows[i], told, n, seen);
		CHECK(told >= 0 && told <= (double)took + 1, "%s: told %.1f ms, took %d: %s",
		      hows[i], told, (int)took, guard_log());
		/* A packet may have its stamp a while before it meets the filter. */
		CHECK(seen <= told + 100 * test_slow(), "%s: %u came within %.1f ms, told %.1f",
		      hows[i], n, seen, told);
	}
	guard_must(&p.a, "attach %s --mode filter --xdp generic", p.if_a);
	CHECK(!strstr(guard_log(), "nothing was filtered"), "of no change: %s", guard_log());
	CHECK_EQ(flood_end(&f, &sent), 0, "packets that came through after the last change");
	guard_must(&p.a, "detach %s", p.if_a);
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

/* With NETPROBE_ALL=1 so many that each system call of a command is the last one some time. */
static unsigned int kills(void)
{
	return test_whole() ? 240 : 10;
}

/* How long the command takes that is killed: its whole life is gone through. */
static useconds_t life_of(const struct netns *ns, const char *command, const char *iface)
{
	int64_t from = now_ms();

	guard_must(ns, "%s %s", command, iface);
	return (useconds_t)(now_ms() - from) * 1000;
}

/* status 0 or, where it found nothing, 3. */
static void check_gone(const struct netns_pair *p, int status, bool was_on, unsigned int round)
{
	char command[256], path[128];
	struct stat st;

	snprintf(path, sizeof(path), "/sys/fs/bpf/netprobe/guard-%" PRIu64, p->a.inode);
	CHECK(status == 0 || (status == 3 && !was_on), "detach ended with %d: %s", status,
	      guard_log());
	CHECK(stat(path, &st) < 0, "round %u: pins are left", round);
	snprintf(command, sizeof(command), "! ip link show %s | grep -q xdp", p->if_a);
	CHECK_EQ(netns_run(&p->a, command), 0, "an XDP program is left; status");
	snprintf(command, sizeof(command), "! tc filter show dev %s ingress 2>&1 | grep -q bpf",
		 p->if_a);
	CHECK_EQ(netns_run(&p->a, command), 0, "a tc program is left; status");
}

/* Wherever an attach dies, the next command goes on from there and detach finds all of it. */
TEST(attach_killed_at_any_moment_is_adopted_and_detached_without_a_trace)
{
	static const char *const hows[] = { "native", "generic" };
	struct netns_pair p = netns_pair_new();
	useconds_t life = life_of(&p.a, "attach", p.if_a);

	guard_must(&p.a, "detach %s", p.if_a);
	for (unsigned int i = 0; i < kills(); i++) {
		attach_killed(&p.a, p.if_a, hows[i & 1], life * i / (kills() - 4));
		if (i & 2)
			guard_must(&p.a, "attach %s --mode filter", p.if_a);
		/* 3: it died before anything was done. */
		check_gone(&p, guard_run(&p.a, "detach %s", p.if_a), i & 2, i);
	}
}

/* All maps are pinned by then, and the version is written last. */
TEST(pins_of_an_attach_that_died_before_its_version_are_made_anew)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	struct netns_pair p = netns_pair_new();
	char dir[128], path[160];
	int fd;

	snprintf(dir, sizeof(dir), "/sys/fs/bpf/netprobe/guard-%" PRIu64, p.a.inode);
	snprintf(path, sizeof(path), "%s/np_guard_conf", dir);
	netns_unpin_later(p.a.path);
	(void)mkdir("/sys/fs/bpf/netprobe", 0700);
	REQUIRE(mkdir(dir, 0700) == 0, "%s: %s", dir, strerror(errno));
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "np_guard_conf", 4, sizeof(struct np_guard_conf), 1,
			    &opts);
	REQUIRE(fd >= 0 && bpf_obj_pin(fd, path) == 0, "%s: %s", path, strerror(errno));
	close(fd);
	CHECK_EQ(guard_run(&p.a, "status"), 0, "status");
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	check_gone(&p, guard_run(&p.a, "detach %s", p.if_a), true, 0);
}

/* And wherever a detach dies, what is left is detached, or attached again, as if it had not been. */
TEST(detach_killed_at_any_moment_is_ended_or_undone_by_the_next_command)
{
	static const char *const hows[] = { "native", "generic" };
	struct netns_pair p = netns_pair_new();
	const char *words[] = { "detach", p.if_a, NULL };
	useconds_t life;

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	life = life_of(&p.a, "detach", p.if_a);
	for (unsigned int i = 0; i < kills(); i++) {
		guard_must(&p.a, "attach %s --mode filter --xdp %s", p.if_a, hows[i & 1]);
		guard_must(&p.a, "ban 10.77.0.2");
		killed(&p.a, life * i / (kills() - 4), words);
		CHECK_EQ(guard_run(&p.a, "status"), 0, "status after a killed detach");
		if (i & 2) {
			guard_must(&p.a, "attach %s --mode filter", p.if_a);
			guard_must(&p.a, "status --format json");
			CHECK(strstr(guard_out(), "\"state\":\"on\""), "round %u: not on: %s", i,
			      guard_out());
		}
		check_gone(&p, guard_run(&p.a, "detach %s", p.if_a), i & 2, i);
	}
}
