/* SPDX-License-Identifier: BSD-2-Clause */
/* What is lost without a packet that is seen dropped: SYNs at full listeners, datagrams that are refused. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drop_make.h"
#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

#define CLIENTS 12
#define SENDS 10

/* What `ss -m` shows as d. */
static uint32_t dropped_at(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		_exit(1);
	return info[SK_MEMINFO_DROPS];
}

struct queue_run {
	struct netns ns;
	bool mptcp;
	int backlog;
	pid_t listener;
	uint32_t at_socket;		  /* the listener's own count */
	uint64_t listen_drops, overflows; /* nstat */
};

/* Never accepts. Each byte that comes down is answered by the listener's own count of drops. */
static void listen_only(void *arg)
{
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, OPEN, &at);
	const struct queue_run *q = arg;
	int fd = socket(AF_INET, SOCK_STREAM, q->mptcp ? IPPROTO_MPTCP : 0);
	uint32_t n;
	char byte;

	close(down[1]);
	if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, q->backlog) < 0 ||
	    write(up[1], "", 1) != 1)
		_exit(1);
	while (read(down[0], &byte, 1) == 1) {
		n = dropped_at(fd);
		if (write(up[1], &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
}

static void connect_many(void *arg)
{
	struct sockaddr_storage to;
	socklen_t len = loopback(AF_INET, OPEN, &to);
	char byte;

	for (int i = 0; i < CLIENTS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (fd < 0 ||
		    (connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS))
			_exit(1);
	}
	(void)!read(*(int *)arg, &byte, 1); /* until the test has seen enough */
}

/* A listener with that backlog meets more clients than it has room for. */
static void fill_queue(struct queue_run *q, int backlog)
{
	int alive[2];
	pid_t clients;
	char byte;

	q->backlog = backlog;

	REQUIRE(pipe2(up, O_CLOEXEC) == 0 && pipe2(down, O_CLOEXEC) == 0 &&
			pipe2(alive, O_CLOEXEC) == 0,
		"pipe");
	q->listener = start_in(&q->ns, listen_only, q);
	REQUIRE(read(up[0], &byte, 1) == 1, "the listener did not come up");
	clients = start_in(&q->ns, connect_many, &alive[0]);
	netns_wait_counter(&q->ns, "TcpExt", "ListenDrops", 6);
	(void)!write(alive[1], "x", 1);
	finish(clients); /* from here on nobody sends a SYN */
	REQUIRE(write(down[1], "", 1) == 1 &&
			read(up[0], &q->at_socket, sizeof(q->at_socket)) == sizeof(q->at_socket),
		"the listener's count");
	q->listen_drops = netns_counter(&q->ns, "TcpExt", "ListenDrops");
	q->overflows = netns_counter(&q->ns, "TcpExt", "ListenOverflows");
}

static uint64_t told(const json_t *records, const struct queue_run *q, const char *reason)
{
	return count_drops(records, &q->ns, reason, q->listener).owned;
}

TEST(syns_that_find_the_accept_queue_full_are_drops_of_the_listener)
{
	struct queue_run q = { .ns = netns_new() };
	struct probe drops = start_drops(NULL, NULL, NULL);
	struct probe events = probe_start("events", "--format", "json", NULL);
	struct probe sums = start_drops("--summary", NULL, NULL);
	const json_t *r;
	uint64_t rows = 0;
	size_t i;

	fill_queue(&q, 1);
	probe_stop(&drops);
	probe_stop(&events);
	probe_stop(&sums);
	kill(q.listener, SIGKILL);
	CHECK_EQ(q.overflows, q.listen_drops, "all of them at the accept queue, by nstat");
	CHECK_EQ(q.at_socket, q.listen_drops, "the listener's own count, as ss -m shows it");
	CHECK_EQ(told(drops.records, &q, "LISTEN_OVERFLOW"), q.listen_drops,
		 "packets told by drops");
	CHECK_EQ(told(events.records, &q, "LISTEN_OVERFLOW"), q.listen_drops,
		 "packets told by events");
	json_array_foreach (sums.records, i, r)
		if (record_u64(r, "pid") == (uint64_t)q.listener &&
		    !strcmp(record_str(r, "reason"), "LISTEN_OVERFLOW") &&
		    !strcmp(record_str(r, "kind"), "loss") && record_u64(r, "lport") == OPEN)
			rows += record_u64(r, "packets");
	CHECK_EQ(rows, q.listen_drops, "packets in the summary");
}

/* The TCP socket below it has the queue and the count, and nobody holds that one. */
TEST(syns_that_an_mptcp_listener_has_no_room_for_are_its_drops)
{
	struct queue_run q = { .ns = netns_new(), .mptcp = true };
	struct probe drops = start_drops(NULL, NULL, NULL);
	struct probe events = probe_start("events", "--format", "json", NULL);

	fill_queue(&q, 1);
	probe_stop(&drops);
	probe_stop(&events);
	kill(q.listener, SIGKILL);
	CHECK(q.listen_drops >= 6, "ListenDrops: expected 6 at least, got %" PRIu64,
	      q.listen_drops);
	CHECK_EQ(told(drops.records, &q, "LISTEN_OVERFLOW"), q.listen_drops,
		 "packets told by drops");
	CHECK_EQ(told(events.records, &q, "LISTEN_OVERFLOW"), q.listen_drops,
		 "packets told by events");
}

TEST(syns_that_find_the_syn_queue_full_are_told_apart)
{
	struct queue_run q = { .ns = netns_new() };
	struct probe p;

	netns_must(&q.ns, "sysctl -q -w net.ipv4.tcp_syncookies=0");
	drop_output(&q.ns, "tcp sport 7000"); /* no SYN-ACK arrives: all stay half open */
	p = start_drops(NULL, NULL, NULL);
	fill_queue(&q, 4);
	probe_stop(&p);
	kill(q.listener, SIGKILL);
	CHECK_EQ(q.overflows, 0, "ListenOverflows");
	CHECK_EQ(q.at_socket, q.listen_drops, "the listener's own count");
	CHECK_EQ(told(p.records, &q, "SYN_QUEUE_FULL"), q.listen_drops, "packets told");
}

TEST(each_kind_of_loss_is_counted_as_the_kernel_counts_it)
{
	struct queue_run q = { .ns = netns_new() };
	struct dgrams nobody = { AF_INET, 40, 10, CLOSED, false };
	struct dgrams refused = { AF_INET, 7, 10, CLOSED + 1, true };
	struct dgrams flood = { AF_INET, 2000, 500, OPEN, false };
	int family = AF_INET;
	uint64_t errors, no_ports;
	pid_t receiver;
	struct probe p;
	char byte;

	drop_output(&q.ns, "udp dport 10000");
	p = start_drops(NULL, NULL, NULL);
	fill_queue(&q, 1);
	kill(q.listener, SIGKILL);
	REQUIRE(pipe2(up, O_CLOEXEC) == 0 && pipe2(down, O_CLOEXEC) == 0, "pipe");
	receiver = start_in(&q.ns, hold_socket, &family);
	REQUIRE(read(up[0], &byte, 1) == 1, "the receiver did not come up");
	finish(start_in(&q.ns, send_dgrams, &flood));
	finish(start_in(&q.ns, send_dgrams, &nobody));
	finish(start_in(&q.ns, send_dgrams, &refused));
	errors = rcvbuf_errors(&q.ns, AF_INET);
	no_ports = netns_counter(&q.ns, "Udp", "NoPorts");
	probe_stop(&p);
	kill(receiver, SIGKILL);
	/* it ended before a look may have seen its queue full */
	CHECK_EQ(told(p.records, &q, "LISTEN_OVERFLOW") + told(p.records, &q, "LISTEN_DROP"),
		 q.listen_drops, "SYNs, by ListenDrops");
	CHECK_EQ(count_drops(p.records, &q.ns, "SOCKET_RCVBUFF", receiver).owned, errors,
		 "datagrams, by RcvbufErrors");
	CHECK_EQ(count_drops(p.records, &q.ns, "NO_SOCKET", 0).packets, no_ports,
		 "datagrams, by NoPorts");
	CHECK_EQ(count_drops(p.records, &q.ns, "NETFILTER_DROP", 0).packets, 7, "by the rule");
}

static void ask_a_closed_port(void *arg)
{
	struct sockaddr_storage to;
	socklen_t len = loopback(AF_INET, CLOSED, &to);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint32_t refused = 0;

	(void)arg;
	if (connect(fd, (struct sockaddr *)&to, len) < 0)
		_exit(1);
	for (int i = 0; i < SENDS; i++)
		refused += send(fd, "x", 1, 0) < 0 && errno == ECONNREFUSED;
	if (write(up[1], &refused, sizeof(refused)) != sizeof(refused))
		_exit(1);
}

TEST(datagrams_that_are_refused_are_told_with_their_owner)
{
	struct netns ns = netns_new();
	uint32_t refused = 0;
	uint64_t n = 0;
	const json_t *r;
	struct probe p;
	pid_t pid;
	size_t i;

	p = probe_start("events", "--format", "json", NULL);
	REQUIRE(pipe2(up, O_CLOEXEC) == 0, "pipe");
	pid = start_in(&ns, ask_a_closed_port, NULL);
	finish(pid);
	REQUIRE(read(up[0], &refused, sizeof(refused)) == sizeof(refused), "the sender's count");
	probe_stop(&p);
	json_array_foreach (p.records, i, r)
		n += !strcmp(record_str(r, "event_type"), "error.net") &&
		     !strcmp(record_str(r, "value"), "CONNECT_REFUSED") &&
		     record_u64(r, "pid") == (uint64_t)pid && record_u64(r, "rport") == CLOSED;
	CHECK(refused >= SENDS / 2, "sends refused: expected %d at least, got %u", SENDS / 2,
	      refused);
	CHECK_EQ(n, refused, "records of the sender");
}
