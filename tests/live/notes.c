/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the address of a call waits for its result goes by the thread's number: two threads whose numbers differ by a
 * multiple of the places (NP_NOTES in bpf/lib/note.h) have the same one, and keep what is theirs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "maker.h"
#include "ownership.h"
#include "tap.h"

#define PLACES 1024
#define SENDERS 2
#define CALLS 100000
#define PORT 7420

struct sender {
	pid_t pid;
	uint16_t port;
	size_t size;
};

/* As fork(), with that number; -1: it is taken, or may not be asked for. */
static pid_t fork_as(pid_t pid)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uint64_t)(uintptr_t)&pid,
				   .set_tid_size = 1 };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* Both at once and over one socket: what is told apart is the thread alone. */
static void send_all(int fd, const struct sender *s, atomic_int *ready)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(s->port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	static const char buf[256];

	for (atomic_fetch_add(ready, 1); *ready < SENDERS;)
		(void)sched_yield();
	for (int i = 0; i < CALLS; i++)
		if (sendto(fd, buf, s->size, 0, (struct sockaddr *)&to, sizeof(to)) !=
		    (ssize_t)s->size)
			_exit(1);
	_exit(0);
}

/* Free numbers that all have the same remainder. */
static void start_senders(int fd, struct sender *all, atomic_int *ready)
{
	pid_t number = PLACES + 77;

	for (int i = 0; i < SENDERS; i++) {
		do {
			all[i].pid = fork_as(number);
			if (all[i].pid == 0) {
				all[i].pid = number;
				send_all(fd, &all[i], ready);
			}
			number += PLACES;
		} while (all[i].pid < 0 && errno == EEXIST && number < 32000);
		if (all[i].pid < 0 && i == 0 && errno != EEXIST)
			test_skip("a process cannot choose its number here: %s", strerror(errno));
		REQUIRE(all[i].pid > 0, "clone3: %s", strerror(errno));
	}
	CHECK(all[0].pid % PLACES == all[1].pid % PLACES, "pids %d and %d", all[0].pid, all[1].pid);
}

static uint64_t sent(const struct probe *p, pid_t pid, uint16_t port, uint64_t *ret_all)
{
	uint64_t sum = 0;
	const json_t *one;
	size_t i;

	*ret_all = 0;
	json_array_foreach (p->records, i, one) {
		if (record_u64(one, "pid") != (uint64_t)pid)
			continue;
		*ret_all += record_u64(one, "tx_bytes");
		sum += record_u64(one, "rport") == port ? record_u64(one, "tx_bytes") : 0;
	}
	return sum;
}

TEST(threads_that_share_a_place_for_addresses_keep_their_peers)
{
	struct sender all[SENDERS] = { { .port = PORT, .size = 100 },
				       { .port = PORT + 1, .size = 237 } };
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);
	atomic_int *ready = mmap(NULL, sizeof(*ready), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t every, to;
	int fd, status;

	REQUIRE(ready != MAP_FAILED, "mmap: %s", strerror(errno));
	fd = open(ns.path, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && setns(fd, CLONE_NEWNET) == 0, "%s: %s", ns.path, strerror(errno));
	(void)close(fd);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	REQUIRE(fd >= 0, "socket: %s", strerror(errno));
	start_senders(fd, all, ready);
	for (int i = 0; i < SENDERS; i++)
		CHECK(waitpid(all[i].pid, &status, 0) == all[i].pid && status == 0,
		      "a sender failed: %#x", status);
	(void)close(fd);
	probe_stop(&p);
	for (int i = 0; i < SENDERS; i++) {
		to = sent(&p, all[i].pid, all[i].port, &every);
		CHECK_EQ(to, CALLS * all[i].size, "bytes to the sender's own peer");
		CHECK_EQ(every, CALLS * all[i].size, "bytes to any");
	}
}
