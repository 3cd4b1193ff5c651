/* SPDX-License-Identifier: BSD-2-Clause */
/* Namespaces that no process is in, and that are there all the same: their pins stay. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "tap.h"

#define STATUS "${NETPROBE:-build/netprobe} guard status"

enum holds { LEADER_GONE, OWN_FILES, OWN_MOUNTS };

struct holder {
	enum holds how;
	int ready;
	char path[40], mount[40];
};

static void *hold(void *arg)
{
	const struct holder *h = arg;
	bool held = true;

	if (h->how == OWN_FILES)
		held = !unshare(CLONE_FILES);
	if (h->how == OWN_MOUNTS)
		held = !unshare(CLONE_NEWNS) && !mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		       !mount(h->path, h->mount, NULL, MS_BIND, NULL);
	else
		held = held && open(h->path, O_RDONLY | O_CLOEXEC) >= 0;
	(void)!write(h->ready, held ? "y" : "n", 1);
	(void)pause();
	return NULL;
}

/* A process of which one thread has the namespace. */
static pid_t held_by_a_thread(const struct netns *ns, enum holds how, const char *mount_at)
{
	char answer = 'n';
	int ready[2];
	pid_t pid;

	REQUIRE(!pipe2(ready, O_CLOEXEC), "pipe");
	pid = fork();
	REQUIRE(pid >= 0, "fork");
	if (!pid) {
		static struct holder h;
		pthread_t thread;

		h = (struct holder){ .how = how, .ready = ready[1] };
		(void)snprintf(h.path, sizeof(h.path), "%s", ns->path);
		(void)snprintf(h.mount, sizeof(h.mount), "%s", mount_at);
		(void)alarm(60);
		if (pthread_create(&thread, NULL, hold, &h))
			_exit(1);
		if (how == LEADER_GONE)
			pthread_exit(NULL);
		for (;;)
			pause();
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &answer, 1) == 1 && answer == 'y', "a thread that holds it");
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	REQUIRE(!kill(pid, SIGKILL), "%d", (int)pid);
	(void)waitpid(pid, NULL, 0);
}

static bool is_gone(void *arg)
{
	return access(arg, F_OK) && errno == ENOENT;
}

struct left {
	const struct netns *here;
	const char *pins;
};

static bool gone_after_status(void *arg)
{
	struct left *l = arg;

	(void)netns_run(l->here, STATUS);
	return is_gone((void *)l->pins);
}

TEST(pins_of_a_namespace_that_one_thread_holds_stay)
{
	static const char *const how[] = { "first thread gone", "own descriptors", "own mounts" };
	struct netns here = netns_new();
	char at[] = "/tmp/netprobe-live-XXXXXX";
	struct stat st;
	int fd;

	if (stat("/proc/1/ns/net", &st))
		test_skip("the first process may not be looked at here");
	fd = mkstemp(at);
	REQUIRE(fd >= 0, "%s", at);
	close(fd);
	for (enum holds i = LEADER_GONE; i <= OWN_MOUNTS; i++) {
		struct netns ns = netns_new();
		struct netns_pins pins = netns_pins_of(ns.path);
		pid_t pid;

		netns_unpin_later(ns.path);
		netns_must(&ns, "${NETPROBE:-build/netprobe} guard vip add 192.0.2.1:80/tcp");
		pid = held_by_a_thread(&ns, i, at);
		end(ns.holder);
		(void)netns_run(&here, STATUS);
		CHECK(!access(pins.lb, F_OK), "%s", how[i]);
		end(pid);
		CHECK(wait_until(gone_after_status, &(struct left){ &here, pins.lb }, 10000),
		      "%s: nobody has it", how[i]);
	}
	(void)unlink(at);
}

TEST(who_does_not_see_all_processes_takes_no_namespace_for_gone)
{
	struct netns here = netns_new(), ns = netns_new();
	struct netns_pins pins = netns_pins_of(ns.path);

	netns_unpin_later(ns.path);
	netns_must(&ns, "${NETPROBE:-build/netprobe} guard vip add 192.0.2.1:80/tcp");
	/* Others' processes are no error there: they are not listed. */
	if (netns_run(&here, "unshare -m sh -c 'mount -t proc -o hidepid=4 proc /proc' && "
			     "setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace true"))
		test_skip("no hidepid=ptraceable, or no setpriv");
	(void)netns_run(&here, "unshare -m sh -c 'mount -t proc -o hidepid=4 proc /proc && setpriv "
			       "--bounding-set -sys_ptrace --inh-caps -sys_ptrace " STATUS "'");
	CHECK(!access(pins.lb, F_OK), "its process lives");
	netns_must(&ns, "${NETPROBE:-build/netprobe} guard vip remove 192.0.2.1:80/tcp");
}
