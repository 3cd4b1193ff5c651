/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and responses of one byte over loopback, client and server pinned to a processor each.
 * A bare loop with nothing but the two system calls in it, unlike tests/traffic/pingpong, because
 * what is measured is what a call costs.
 *
 * --proto tcp|udp|udp-any   udp-any: unconnected sockets, sendto() and recvfrom()
 * --seconds S (decimals) --rate N (round trips a second; 0: as fast as it goes)
 * --client-cpu N --server-cpu N
 * --threads N   of client and server each, all on the one socket of theirs (1)
 * --sockets N   connections, used in turn, one round trip each (1); TCP
 * --hold warm   once each was used, wait for a byte on stdin (tests/traffic/lib.h)
 *
 * Prints {"round_trips":N,"seconds":S,"rate":R,"cpu":C}: N is 4 N calls, C processor time of both
 * ends in seconds, with what the kernel did in interrupts meanwhile.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define THREADS_MAX 64
#define SOCKETS_MAX 20000

static bool any_peer;
static unsigned int n_threads, n_sockets;
static int fds[SOCKETS_MAX]; /* of this process */
static struct addr peer;
static uint64_t end_ns, trips[THREADS_MAX];

static bool get(int fd, struct addr *from)
{
	char byte;
	ssize_t n;

	if (any_peer) {
		from->len = sizeof(from->ss);
		n = recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from->ss, &from->len);
	} else {
		n = recv(fd, &byte, 1, 0);
	}
	if (n < 0)
		die("recv");
	return n == 1 && byte != 'e';
}

static void put(int fd, const struct addr *to, char byte)
{
	ssize_t n = any_peer ? sendto(fd, &byte, 1, 0, (const struct sockaddr *)&to->ss, to->len)
			     : send(fd, &byte, 1, 0);

	if (n != 1)
		die("send");
}

/* Until each thread was sent an end: bytes have no address, so any of them takes any. */
static void *answer(void *unused)
{
	unsigned int i = 0;
	struct addr from = peer;

	while (get(fds[i], &from)) {
		put(fds[i], &from, 'r');
		if (++i == n_sockets)
			i = 0;
	}
	return unused;
}

static void in_threads(void *(*body)(void *))
{
	pthread_t threads[THREADS_MAX];

	for (unsigned int i = 1; i < n_threads; i++)
		if (pthread_create(&threads[i], NULL, body, &trips[i]))
			die("pthread_create");
	(void)body(&trips[0]);
	for (unsigned int i = 1; i < n_threads; i++)
		(void)pthread_join(threads[i], NULL);
}

static int serve(bool tcp, const struct gate *up, const struct gate *client_port)
{
	struct addr a = addr_parse("127.0.0.1", 0);
	int fd;

	pin_cpu((int)tm_num("server-cpu", 1));
	tm_comm("rr-server");
	fd = tcp ? tcp_listen(&a, 128) : udp_bind(&a);
	a = addr_of(fd);
	gate_open(up, addr_port(&a));
	if (tcp) {
		for (unsigned int i = 0; i < n_sockets; i++) {
			fds[i] = tcp_accept(fd);
			sock_int(fds[i], IPPROTO_TCP, TCP_NODELAY, 1);
		}
	} else {
		fds[0] = fd;
		addr_set_port(&a, gate_wait(client_port));
		if (!any_peer)
			sock_connect(fd, &a);
		gate_open(up, 1);
	}
	peer = a;
	in_threads(answer);
	return 0;
}

static void client(bool tcp, struct addr *server, const struct gate *up,
		   const struct gate *client_port)
{
	struct addr local = addr_parse("127.0.0.1", 0);

	for (unsigned int i = 0; i < n_sockets; i++) {
		fds[i] = sock_new(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM);
		if (!tcp)
			continue;
		sock_connect(fds[i], server);
		sock_int(fds[i], IPPROTO_TCP, TCP_NODELAY, 1);
	}
	if (tcp)
		return;
	if (bind(fds[0], (struct sockaddr *)&local.ss, local.len) < 0)
		die("bind");
	if (!any_peer)
		sock_connect(fds[0], server);
	local = addr_of(fds[0]);
	gate_open(client_port, addr_port(&local));
	gate_wait(up);
}

static void *ask(void *done)
{
	uint64_t rate = tm_num("rate", 0), start = tm_now_ns(), now = start, n = 0;
	struct addr from, server = peer;
	unsigned int i = 0;

	while (now < end_ns) {
		if (rate && now < start + n * 1000000000u / rate) {
			now = tm_now_ns(); /* spins: a sleep would be late */
			continue;
		}
		put(fds[i], &server, 'q');
		if (!get(fds[i], &from))
			die("peer ended");
		if (++i == n_sockets)
			i = 0;
		n++;
		now = tm_now_ns();
	}
	*(uint64_t *)done = n;
	/* the answering thread that stands at this socket, or any one */
	put(fds[i], &server, 'e');
	return NULL;
}

static void warm_up(void)
{
	struct addr from;

	for (unsigned int i = 0; i < n_sockets; i++) {
		put(fds[i], &peer, 'q');
		if (!get(fds[i], &from))
			die("peer ended");
	}
	tm_hold("warm");
}

static void room_for(unsigned int sockets)
{
	struct rlimit limit = { sockets + 64, sockets + 64 };

	if (sockets > 900 && setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit");
}

static double cpu_seconds(int who)
{
	struct rusage u;

	if (getrusage(who, &u) < 0)
		die("getrusage");
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	struct gate up, client_port;
	uint64_t started, ns, done = 0;
	const char *proto;
	int r;

	tm_init(argc, argv);
	proto = tm_str("proto", "tcp");
	any_peer = !strcmp(proto, "udp-any");
	ns = (uint64_t)(strtod(tm_str("seconds", "1"), NULL) * 1e9);
	n_threads = (unsigned int)tm_num("threads", 1);
	n_sockets = (unsigned int)tm_num("sockets", 1);
	if (!n_threads || n_threads > THREADS_MAX || !n_sockets || n_sockets > SOCKETS_MAX ||
	    (n_threads > 1 && n_sockets > 1) || (n_sockets > 1 && strcmp(proto, "tcp") != 0)) {
		fprintf(stderr,
			"rr: threads up to %d on one socket, or one thread with up to %d of TCP\n",
			THREADS_MAX, SOCKETS_MAX);
		return 1;
	}
	room_for(n_sockets);
	up = gate_new();
	client_port = gate_new();
	if (tm_fork() == 0)
		return serve(!strcmp(proto, "tcp"), &up, &client_port);
	peer = addr_parse("127.0.0.1", gate_wait(&up));
	pin_cpu((int)tm_num("client-cpu", 0));
	tm_comm("rr-client");
	client(!strcmp(proto, "tcp"), &peer, &up, &client_port);
	warm_up();
	started = tm_now_ns();
	end_ns = started + ns;
	in_threads(ask);
	ns = tm_now_ns() - started;
	for (unsigned int i = 0; i < n_threads; i++)
		done += trips[i];
	r = tm_wait_all();
	printf("{\"round_trips\":%" PRIu64 ",\"seconds\":%.6f,\"rate\":%.1f,\"cpu\":%.6f}\n", done,
	       (double)ns / 1e9, (double)done * 1e9 / (double)ns,
	       cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN));
	return r;
}
