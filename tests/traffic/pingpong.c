/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and responses of --size bytes over one connection (TCP, or --udp) for --seconds S, or
 * --count N of them. rate is round trips a second.
 *
 * --addr A --client-ns --server-ns --hold connected
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib.h"

static char buf[65536];

/* False at the peer's end. */
static bool get(struct report *r, int fd, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(fd, buf + got, size - got);

		if (n == 0)
			return false;
		if (n < 0)
			die("read");
		r->rx += (uint64_t)n;
		got += (size_t)n;
		if (buf[0] == 'e')
			return false;
	}
	r->rx_pkts++;
	return true;
}

static void put(struct report *r, int fd, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(fd, buf + done, size - done);

		if (n < 0)
			die("write");
		r->tx += (uint64_t)n;
		done += (size_t)n;
	}
	r->tx_pkts++;
}

static int serve(const struct gate *up, const struct gate *client_port, size_t size)
{
	struct report r = { .role = "server" };
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), 0);
	int fd;

	tm_enter("server");
	tm_comm("server");
	fd = tm_flag("udp") ? udp_bind(&a) : tcp_listen(&a, 4);
	a = addr_of(fd);
	gate_open(up, addr_port(&a));
	if (tm_flag("udp")) {
		a = addr_parse(tm_str("client-addr", tm_str("addr", "127.0.0.1")),
			       gate_wait(client_port));
		sock_connect(fd, &a);
		gate_open(up, 1);
	} else {
		fd = tcp_accept(fd);
		sock_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	}
	while (get(&r, fd, size)) {
		buf[0] = 'r';
		put(&r, fd, size);
	}
	report_socket(&r, fd);
	report_print(&r);
	return 0;
}

static int client_socket(const struct gate *up, const struct gate *client_port)
{
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), gate_wait(up)), local;
	int fd;

	tm_enter("client");
	tm_comm("client");
	fd = sock_new(a.ss.ss_family, tm_flag("udp") ? SOCK_DGRAM : SOCK_STREAM);
	sock_connect(fd, &a);
	if (tm_flag("udp")) {
		local = addr_of(fd);
		gate_open(client_port, addr_port(&local));
		gate_wait(up);
	} else {
		sock_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct report r = { .role = "client" };
	struct gate up, client_port;
	uint64_t started, end, count, done = 0;
	size_t size;
	int fd;

	tm_init(argc, argv);
	size = tm_num("size", 64);
	if (!size || size > sizeof(buf)) {
		errno = EINVAL;
		die("--size");
	}
	up = gate_new();
	client_port = gate_new();
	if (tm_fork() == 0)
		return serve(&up, &client_port, size);
	fd = client_socket(&up, &client_port);
	tm_hold("connected");
	count = tm_num("count", 0);
	started = tm_now_ns();
	end = started + tm_num("seconds", 1) * 1000000000u;
	while (count ? done < count : tm_now_ns() < end) {
		buf[0] = 'q';
		put(&r, fd, size);
		if (!get(&r, fd, size))
			die("peer ended");
		done++;
	}
	r.rate = (double)done * 1e9 / (double)(tm_now_ns() - started);
	buf[0] = 'e'; /* end: a datagram socket has no other way to say so */
	put(&r, fd, size);
	report_socket(&r, fd);
	report_print(&r);
	return tm_wait_all();
}
