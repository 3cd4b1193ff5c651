/* SPDX-License-Identifier: BSD-2-Clause */
/* See far.h. */
#include "far.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define PACKETS 4096 /* on their way; more are lost */
#define PACKET_BYTES 2048

struct packet {
	int64_t due_ns;
	ssize_t len;
	char data[PACKET_BYTES];
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* The node is there once the module is, where nothing made it before. */
static int tun_open(void)
{
	const char *path = "/dev/net/tun";
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 || (errno != ENOENT && errno != ENODEV))
		return fd;
	if (system("modprobe tun 2>/dev/null") < 0)
		return -1;
	return open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

/* A tun device in that namespace; this process comes back to where it was. */
static int tun_in(const struct netns *ns, const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(ns->path, O_RDONLY | O_CLOEXEC), fd;

	REQUIRE(own >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0, "setns: %s",
		strerror(errno));
	fd = tun_open();
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		test_skip("no tun devices here: nothing makes a way long (%s)", strerror(errno));
	REQUIRE(setns(own, CLONE_NEWNET) == 0, "setns: %s", strerror(errno));
	close(own);
	close(there);
	return fd;
}

/* From b to a in order, each when it is due. */
static _Noreturn void carry(int a, int b, int64_t delay_ns)
{
	struct packet *way = calloc(PACKETS, sizeof(*way));
	unsigned int first = 0, n = 0;
	char data[PACKET_BYTES];

	while (way) {
		struct pollfd pfd[2] = { { .fd = a, .events = POLLIN },
					 { .fd = b, .events = POLLIN } };
		struct packet *p = &way[first % PACKETS];
		int64_t left = n ? p->due_ns - now_ns() : 1000000000;
		struct timespec ts = { .tv_sec = left > 0 ? left / 1000000000 : 0,
				       .tv_nsec = left > 0 ? left % 1000000000 : 0 };
		ssize_t len;

		if (ppoll(pfd, 2, &ts, NULL) < 0 && errno != EINTR)
			break;
		while ((len = read(a, data, sizeof(data))) > 0)
			(void)!write(b, data, (size_t)len);
		while (n < PACKETS) {
			p = &way[(first + n) % PACKETS];
			p->len = read(b, p->data, sizeof(p->data));
			if (p->len <= 0)
				break;
			p->due_ns = now_ns() + delay_ns;
			n++;
		}
		for (; n && way[first % PACKETS].due_ns <= now_ns(); first++, n--)
			(void)!write(a, way[first % PACKETS].data,
				     (size_t)way[first % PACKETS].len);
	}
	_exit(1);
}

static void configure(const struct netns *ns, const char *name, unsigned int host)
{
	char command[200];

	snprintf(command, sizeof(command),
		 "ip addr add 10.77.0.%u/24 dev %s && ip link set %s up txqueuelen 1000", host,
		 name, name);
	netns_must(ns, command);
}

struct netns_pair netns_pair_far(unsigned int ms)
{
	struct netns_pair n = { .a = netns_new(), .b = netns_new() };
	pid_t parent = getpid(), pid;
	int a, b;

	snprintf(n.if_a, sizeof(n.if_a), "ta%d", getpid());
	snprintf(n.if_b, sizeof(n.if_b), "tb%d", getpid());
	a = tun_in(&n.a, n.if_a);
	b = tun_in(&n.b, n.if_b);
	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		carry(a, b, (int64_t)ms * 1000000);
	}
	close(a);
	close(b);
	configure(&n.a, n.if_a, 1);
	configure(&n.b, n.if_b, 2);
	return n;
}
