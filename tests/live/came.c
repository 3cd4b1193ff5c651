/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that read one socket, which two interfaces feed: no datagram is told by an interface that it did not come by. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "maker.h"
#include "ownership.h"
#include "tap.h"

#define READERS 6
#define EACH 20000 /* datagrams by each interface; what finds no room is not read */
#define BY_LO 100  /* bytes of one */
#define BY_CABLE 200
#define PORT 7414

static void enter_ns(const struct netns *ns)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		_exit(1);
	(void)close(fd);
}

/* Without asking who sent it, until nothing comes any more. */
static void *read_all(void *arg)
{
	char buf[BY_CABLE];

	while (recv(*(int *)arg, buf, sizeof(buf), 0) > 0)
		;
	return NULL;
}

static void send_to(const char *addr, size_t size)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static const char buf[BY_CABLE];

	(void)inet_pton(AF_INET, addr, &to.sin_addr);
	for (int i = 0; i < EACH; i++) {
		(void)sendto(fd, buf, size, 0, (struct sockaddr *)&to, sizeof(to));
		if (i % 16 == 15)
			(void)sched_yield();
	}
	_exit(0);
}

/* One process with the readers; two that send. */
static void feed(struct netns_pair *n, unsigned int readers)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd, bytes = 4 << 20, ready[2];
	const struct timeval over = { .tv_sec = 2 };
	pthread_t threads[READERS];
	pid_t pid, lo, cable;
	char byte;

	REQUIRE(pipe2(ready, O_CLOEXEC) == 0, "pipe");
	pid = fork();
	if (pid == 0) {
		enter_ns(&n->a);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &over, sizeof(over));
		if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
			_exit(1);
		for (unsigned int i = 0; i < readers; i++)
			(void)pthread_create(&threads[i], NULL, read_all, &fd);
		(void)!write(ready[1], "", 1);
		for (unsigned int i = 0; i < readers; i++)
			(void)pthread_join(threads[i], NULL);
		_exit(0);
	}
	REQUIRE(read(ready[0], &byte, 1) == 1, "no reader");
	lo = fork();
	if (lo == 0) {
		enter_ns(&n->a);
		send_to("127.0.0.1", BY_LO);
	}
	cable = fork();
	if (cable == 0) {
		enter_ns(&n->b);
		send_to("10.77.0.1", BY_CABLE);
	}
	(void)waitpid(lo, NULL, 0);
	(void)waitpid(cable, NULL, 0);
	(void)waitpid(pid, NULL, 0);
}

/* What came by each, as it is told: of a datagram that is another one's its size tells. */
static void check(const struct probe *p, const struct netns_pair *n, uint64_t *ret_known)
{
	uint64_t packets = 0, bytes = 0;
	const json_t *one;
	size_t i;

	*ret_known = 0;
	json_array_foreach (p->records, i, one) {
		const char *iface = record_str(one, "iface");
		uint64_t size = !strcmp(iface, "lo") ? BY_LO : BY_CABLE;

		if (record_u64(one, "netns") != n->a.inode || record_u64(one, "lport") != PORT)
			continue;
		packets += record_u64(one, "rx_pkts");
		bytes += record_u64(one, "rx_bytes");
		if (!*iface)
			continue;
		*ret_known += record_u64(one, "rx_bytes");
		CHECK(record_u64(one, "rx_bytes") == record_u64(one, "rx_pkts") * size,
		      "by %s: %" PRIu64 " bytes in %" PRIu64 " datagrams of %" PRIu64, iface,
		      record_u64(one, "rx_bytes"), record_u64(one, "rx_pkts"), size);
	}
	CHECK(packets > 1000, "expected some thousand datagrams, got %" PRIu64, packets);
	test_note("%" PRIu64 " datagrams, %" PRIu64 " bytes, %" PRIu64 " of a known interface",
		  packets, bytes, *ret_known);
}

TEST(threads_that_read_one_socket_have_no_datagram_of_another_interface)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(FLOWS, NULL);
	uint64_t known;

	feed(&n, READERS);
	probe_stop(&p);
	check(&p, &n, &known);
}

/* All by itself it has its interfaces, however fast they come. */
TEST(one_thread_that_two_interfaces_feed_fast_has_the_datagrams_of_each)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(FLOWS, NULL);
	uint64_t known;

	feed(&n, 1);
	probe_stop(&p);
	check(&p, &n, &known);
	CHECK(known > 100000, "bytes of a known interface: expected more than 100000, got %" PRIu64,
	      known);
}
