/* SPDX-License-Identifier: BSD-2-Clause */
/* Network namespaces that end while netprobe runs: it holds none of them. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ownership.h"
#include "tap.h"

#define GONE_MS 8000
#define SETTLE_MS 3000
#define TOLD_MS 30000
#define MANY 100
#define BATCH 20
#define BYTES 321

struct cable {
	const struct netns *ns;
	const char *name;
};

static bool is_gone(void *arg)
{
	const struct cable *c = arg;
	char path[80], *text;
	bool there;

	snprintf(path, sizeof(path), "/proc/%d/net/dev", c->ns->holder);
	text = file_text(path);
	there = strstr(text, c->name);
	free(text);
	return !there;
}

static bool is_of_namespace(const json_t *r, const void *arg)
{
	return record_u64(r, "netns") == *(const uint64_t *)arg &&
	       !strcmp(record_str(r, "event_type"), "transport.bw") && *record_str(r, "iface");
}

static void told(const struct probe *p, uint64_t inode)
{
	json_t *r = probe_wait_record(p, is_of_namespace, &inode, TOLD_MS);

	REQUIRE(r, "expected bytes of namespace %" PRIu64 " told with their interface, got none",
		inode);
	json_decref(r);
}

/* The cable's other end is another namespace's: it goes with the one that ended. */
TEST(a_namespace_that_ends_takes_the_other_end_of_its_cable_along)
{
	struct netns_pair n = netns_pair_new();
	struct cable c = { &n.a, n.if_a };
	struct probe p = probe_start(EVENTS, NULL);

	/* a datagram without a route of its own: netprobe asks there which interface it left by */
	(void)maker_run(&n.b, "dgram --send sendto --count 3 --size 100 --addr 10.77.0.2");
	told(&p, n.b.inode);
	REQUIRE(!is_gone(&c), "%s: expected it to be there", n.if_a);
	kill(n.b.holder, SIGKILL);
	REQUIRE(waitpid(n.b.holder, NULL, 0) == n.b.holder, "waitpid: %s", strerror(errno));
	CHECK(wait_until(is_gone, &c, GONE_MS),
	      "%s: expected it gone with its namespace within %d ms", n.if_a, GONE_MS);
	probe_stop(&p);
}

/* In a namespace of its own: lo up, a datagram to itself by a socket without a peer; then it waits. */
static _Noreturn void lone_sender(pid_t parent, int up)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	char bytes[BYTES] = { 0 };
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || unshare(CLONE_NEWNET))
		_exit(1);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) ||
	    sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    write(up, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static pid_t start_sender(void)
{
	pid_t parent = getpid(), pid;
	int up[2];
	char byte;

	REQUIRE(!pipe2(up, O_CLOEXEC), "pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0)
		lone_sender(parent, up[1]);
	close(up[1]);
	if (read(up[0], &byte, 1) != 1)
		test_skip("no new network namespace: root is needed");
	close(up[0]);
	return pid;
}

static uint64_t inode_of(pid_t pid)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	REQUIRE(!stat(path, &st), "%s: %s", path, strerror(errno));
	return st.st_ino;
}

/* Descriptors that keep a namespace: sockets, and its files. Programs and walks come and go with what others do. */
static unsigned int keepers(pid_t pid)
{
	char path[40], to[64];
	unsigned int n = 0;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	REQUIRE(d, "%s: %s", path, strerror(errno));
	while ((e = readdir(d))) {
		ssize_t len = readlinkat(dirfd(d), e->d_name, to, sizeof(to) - 1);

		to[len > 0 ? len : 0] = '\0';
		n += !strncmp(to, "socket:", 7) || !strncmp(to, "net:", 4);
	}
	closedir(d);
	return n;
}

/* One is closed a second after it was opened, others are opened at their first use and stay. */
static unsigned int least_keepers(pid_t pid)
{
	unsigned int least = UINT_MAX, n;

	for (int64_t end = deadline_in(SETTLE_MS); now_ms() < end; pause_ms(20)) {
		n = keepers(pid);
		least = n < least ? n : least;
	}
	return least;
}

struct few {
	pid_t pid;
	unsigned int most;
};

static bool are_few(void *arg)
{
	const struct few *f = arg;

	return keepers(f->pid) <= f->most;
}

static void run_senders(const struct probe *p)
{
	pid_t pids[BATCH];

	for (unsigned int j = 0; j < BATCH; j++)
		pids[j] = start_sender();
	for (unsigned int j = 0; j < BATCH; j++)
		told(p, inode_of(pids[j]));
	for (unsigned int j = 0; j < BATCH; j++) {
		kill(pids[j], SIGKILL);
		waitpid(pids[j], NULL, 0);
	}
}

TEST(no_descriptors_pile_up_over_a_hundred_namespaces)
{
	struct probe p = probe_start(EVENTS, "--port", "9", NULL);
	struct few few = { .pid = p.pid };

	run_senders(&p);
	few.most = least_keepers(p.pid) + 1;
	for (unsigned int i = BATCH; i < MANY; i += BATCH)
		run_senders(&p);
	/* while it goes on reading events, and nobody asks for any interface */
	CHECK(wait_until(are_few, &few, GONE_MS),
	      "descriptors that keep a namespace, after %d of them: expected at most %u, got %u",
	      MANY, few.most, keepers(p.pid));
	probe_stop(&p);
}
