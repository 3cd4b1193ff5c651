/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and responses of one byte over loopback, client and server pinned to a processor each.
 * A bare loop with nothing but the two system calls in it, unlike tests/traffic/pingpong, because
 * what is measured is what a call costs.
 *
 * --proto tcp|udp|udp-any   udp-any: unconnected sockets, sendto() and recvfrom()
 * --seconds S (decimals) --rate N (round trips a second; 0: as fast as it goes)
 * --client-cpu N --server-cpu N
 *
 * Prints {"round_trips":N,"seconds":S,"rate":R,"cpu":C}: N is 4 N calls, C processor time of both
 * ends in seconds, with what the kernel did in interrupts meanwhile.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

static bool any_peer;

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

static int serve(bool tcp, const struct gate *up, const struct gate *client_port)
{
	struct addr a = addr_parse("127.0.0.1", 0);
	int fd;

	pin_cpu((int)tm_num("server-cpu", 1));
	tm_comm("rr-server");
	fd = tcp ? tcp_listen(&a, 4) : udp_bind(&a);
	a = addr_of(fd);
	gate_open(up, addr_port(&a));
	if (tcp) {
		fd = tcp_accept(fd);
		sock_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	} else {
		addr_set_port(&a, gate_wait(client_port));
		if (!any_peer)
			sock_connect(fd, &a);
		gate_open(up, 1);
	}
	while (get(fd, &a))
		put(fd, &a, 'r');
	return 0;
}

static int client(bool tcp, struct addr *server, const struct gate *up,
		  const struct gate *client_port)
{
	int fd = sock_new(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM);
	struct addr local = addr_parse("127.0.0.1", 0);

	if (tcp) {
		sock_connect(fd, server);
		sock_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		return fd;
	}
	if (bind(fd, (struct sockaddr *)&local.ss, local.len) < 0)
		die("bind");
	if (!any_peer)
		sock_connect(fd, server);
	local = addr_of(fd);
	gate_open(client_port, addr_port(&local));
	gate_wait(up);
	return fd;
}

static uint64_t run(int fd, struct addr *server, uint64_t ns)
{
	uint64_t rate = tm_num("rate", 0), start = tm_now_ns(), done = 0, now = start;
	struct addr from;

	while (now < start + ns) {
		if (rate && now < start + done * 1000000000u / rate) {
			now = tm_now_ns(); /* spins: a sleep would be late */
			continue;
		}
		put(fd, server, 'q');
		if (!get(fd, &from))
			die("peer ended");
		done++;
		now = tm_now_ns();
	}
	return done;
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
	struct addr server;
	uint64_t started, ns, done;
	const char *proto;
	int fd, r;

	tm_init(argc, argv);
	proto = tm_str("proto", "tcp");
	any_peer = !strcmp(proto, "udp-any");
	ns = (uint64_t)(strtod(tm_str("seconds", "1"), NULL) * 1e9);
	up = gate_new();
	client_port = gate_new();
	if (tm_fork() == 0)
		return serve(!strcmp(proto, "tcp"), &up, &client_port);
	server = addr_parse("127.0.0.1", gate_wait(&up));
	pin_cpu((int)tm_num("client-cpu", 0));
	tm_comm("rr-client");
	fd = client(!strcmp(proto, "tcp"), &server, &up, &client_port);
	started = tm_now_ns();
	done = run(fd, &server, ns);
	ns = tm_now_ns() - started;
	put(fd, &server, 'e');
	r = tm_wait_all();
	printf("{\"round_trips\":%" PRIu64 ",\"seconds\":%.6f,\"rate\":%.1f,\"cpu\":%.6f}\n", done,
	       (double)ns / 1e9, (double)done * 1e9 / (double)ns,
	       cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN));
	return r;
}
