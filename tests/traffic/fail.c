/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections that fail, end badly or never get going. The errno met is in the report.
 *
 * fail connect --addr A --port P [--syncnt N] [--nonblock] [--give-up MS] [--client-ns NS]
 *                  whatever that gives: refused, timed out, unreachable, EINPROGRESS given up
 * fail linger      the client ends with SO_LINGER 0: it sends a RST, the server receives it
 * fail disconnect  the client sends --first N of the bytes, --hold connected, the rest, and is connected to none then
 * fail unread      the server closes with bytes unread: the kernel sends the RST for it
 * fail pipe        the client writes on after the server has gone: EPIPE and ECONNRESET
 * fail unaccepted  bytes reach a connection nobody accepts; --hold sent
 * fail fastopen    the second connection carries data in its SYN
 * fail abandon     the client sends and is gone, its bytes still on their way; --hold connected
 * fail errqueue    a datagram refused comes back on the sender's error queue
 *
 * --bytes N moved before the trouble
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib.h"

static char buf[65536];

static struct addr here(void)
{
	return addr_parse(tm_str("addr", "127.0.0.1"), (uint16_t)tm_num("port", 0));
}

/* connect() to its very end; the socket error, 0 when it connected. */
static int connect_err(int fd, const struct addr *a)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int err = 0;
	socklen_t len = sizeof(err);

	if (connect(fd, (const struct sockaddr *)&a->ss, a->len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	switch (poll(&pfd, 1, (int)tm_num("give-up", 0) ?: -1)) {
	case 0:
		return EINPROGRESS;
	case 1:
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0)
			return err;
	}
	die("poll");
}

static int fail_connect(void)
{
	struct report r = { .role = "client" };
	struct addr a = here();
	int fd;

	tm_enter("client");
	tm_comm("client");
	fd = sock_new(a.ss.ss_family, SOCK_STREAM | (tm_flag("nonblock") ? SOCK_NONBLOCK : 0));
	if (tm_num("syncnt", 0))
		sock_int(fd, IPPROTO_TCP, TCP_SYNCNT, (int)tm_num("syncnt", 0));
	report_socket(&r, fd);
	r.rport = addr_port(&a);
	r.err = connect_err(fd, &a);
	close(fd);
	report_print(&r);
	return 0;
}

static struct gate accepted, served;

/*
 * A connected pair: the server's half of it runs in a child that calls fn, which opens the gate
 * `served` once the client may go on to end it.
 */
static int pair(int (*fn)(struct report *, int))
{
	struct addr a = here();
	int listener, fd;
	struct gate up = gate_new();

	accepted = gate_new();
	served = gate_new();
	if (tm_fork() == 0) {
		struct report r = { .role = "server" };

		tm_enter("server");
		tm_comm("server");
		listener = tcp_listen(&a, 4);
		a = addr_of(listener);
		gate_open(&up, addr_port(&a));
		fd = tcp_accept(listener);
		report_socket(&r, fd);
		gate_open(&accepted, 1);
		fn(&r, fd);
		report_print(&r);
		exit(0);
	}
	addr_set_port(&a, gate_wait(&up));
	tm_enter("client");
	tm_comm("client");
	fd = sock_new(a.ss.ss_family, SOCK_STREAM);
	sock_connect(fd, &a);
	gate_wait(&accepted);
	return fd;
}

static int serve_to_error(struct report *r, int fd)
{
	ssize_t n;

	recv_bytes(r, fd, tm_num("bytes", 5000));
	gate_open(&served, 1);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		r->rx += (uint64_t)n;
	r->err = n < 0 ? errno : 0;
	return 0;
}

static void set_linger_zero(int fd)
{
	struct linger l = { 1, 0 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) < 0)
		die("SO_LINGER");
}

static int fail_linger(void)
{
	struct report r = { .role = "client" };
	int fd = pair(serve_to_error);

	send_bytes(&r, fd, tm_num("bytes", 5000), 1000);
	report_socket(&r, fd);
	gate_wait(&served);
	set_linger_zero(fd);
	close(fd);
	report_print(&r);
	return tm_wait_all();
}

static int fail_disconnect(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct report r = { .role = "client" };
	uint64_t first = tm_num("first", 0);
	int fd = pair(serve_to_error);

	send_bytes(&r, fd, first, 1000);
	tm_hold("connected");
	send_bytes(&r, fd, tm_num("bytes", 5000) - first, 1000);
	report_socket(&r, fd);
	gate_wait(&served);
	if (connect(fd, &none, sizeof(none)) < 0)
		die("connect to none");
	close(fd);
	report_print(&r);
	return tm_wait_all();
}

/* Takes what it was promised and goes. */
static int serve_and_go(struct report *r, int fd)
{
	recv_bytes(r, fd, tm_num("bytes", 5000));
	close(fd);
	gate_open(&served, 1);
	return 0;
}

/* Writes on until the socket is broken; failed calls add nothing. */
static int write_to_error(void)
{
	struct report r = { .role = "client" };
	int fd = pair(serve_and_go);
	ssize_t n;

	send_bytes(&r, fd, tm_num("bytes", 5000), 1000);
	report_socket(&r, fd);
	gate_wait(&served);
	while ((n = send(fd, buf, 100, MSG_NOSIGNAL)) > 0) {
		r.tx += (uint64_t)n;
		tm_sleep_ms(1);
	}
	r.err = errno;
	for (int i = 0; i < 5; i++)
		if (send(fd, buf, 100, MSG_NOSIGNAL) >= 0 || errno != EPIPE)
			die("EPIPE did not come");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		r.rx += (uint64_t)n;
	close(fd);
	report_print(&r);
	return tm_wait_all();
}

static int serve_unread(struct report *r, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, -1) < 0)
		die("poll");
	recv_bytes(r, fd, 100);
	close(fd);
	return 0;
}

static int fail_unread(void)
{
	struct report r = { .role = "client" };
	int fd = pair(serve_unread);

	report_socket(&r, fd);
	r.tx = (uint64_t)send(fd, buf, 1000, 0);
	if (read(fd, buf, sizeof(buf)) < 0)
		r.err = errno;
	close(fd);
	report_print(&r);
	return tm_wait_all();
}

static int fail_unaccepted(void)
{
	struct report r = { .role = "client" }, l = { .role = "listener" };
	struct addr a = here();
	struct gate up = gate_new(), end = gate_new();
	int listener, fd;

	if (tm_fork() == 0) {
		tm_comm("listener");
		listener = tcp_listen(&a, 4);
		a = addr_of(listener);
		report_socket(&l, listener);
		gate_open(&up, addr_port(&a));
		gate_wait(&end);
		report_print(&l);
		return 0;
	}
	addr_set_port(&a, gate_wait(&up));
	tm_comm("client");
	fd = sock_new(a.ss.ss_family, SOCK_STREAM);
	sock_connect(fd, &a);
	send_bytes(&r, fd, tm_num("bytes", 5000), 1000);
	report_socket(&r, fd);
	tm_hold("sent");
	gate_open(&end, 1);
	report_print(&r);
	return tm_wait_all();
}

static int serve_twice(struct report *r, int listener)
{
	for (int i = 0; i < 2; i++) {
		int fd = tcp_accept(listener);

		recv_to_end(r, fd);
		report_socket(r, fd);
		close(fd);
	}
	report_print(r);
	return 0;
}

static int fail_fastopen(void)
{
	struct report r = { .role = "client" }, s = { .role = "server" };
	struct addr a = here();
	int listener = tcp_listen(&a, 4);

	sock_int(listener, IPPROTO_TCP, TCP_FASTOPEN, 16);
	a = addr_of(listener);
	if (tm_fork() == 0) {
		tm_comm("server");
		return serve_twice(&s, listener);
	}
	tm_comm("client");
	for (int i = 0; i < 2; i++) {
		int fd = sock_new(a.ss.ss_family, SOCK_STREAM);
		ssize_t n = sendto(fd, buf, 900, MSG_FASTOPEN, (struct sockaddr *)&a.ss, a.len);

		if (n < 0)
			unsupported("MSG_FASTOPEN");
		r.tx += (uint64_t)n;
		send_bytes(&r, fd, tm_num("bytes", 5000), 1000);
		report_socket(&r, fd);
		if (shutdown(fd, SHUT_WR) < 0)
			die("shutdown");
		recv_to_end(&r, fd); /* the cookie has come by now */
		close(fd);
	}
	report_print(&r);
	return tm_wait_all();
}

static int fail_abandon(void)
{
	struct report r = { .role = "client" }, s = { .role = "server" };
	struct gate up = gate_new();
	struct addr a = here();
	int fd;

	if (tm_fork() == 0) {
		addr_set_port(&a, gate_wait(&up));
		tm_enter("client");
		tm_comm("client");
		fd = sock_new(a.ss.ss_family, SOCK_STREAM);
		sock_connect(fd, &a);
		report_socket(&r, fd);
		tm_hold("connected");
		send_bytes(&r, fd, tm_num("bytes", 5000), 1000);
		report_print(&r);
		return 0;
	}
	tm_enter("server");
	tm_comm("server");
	fd = tcp_listen(&a, 4);
	a = addr_of(fd);
	gate_open(&up, addr_port(&a));
	fd = tcp_accept(fd);
	recv_to_end(&s, fd);
	report_socket(&s, fd);
	close(fd);
	report_print(&s);
	return tm_wait_all();
}

static int fail_errqueue(void)
{
	struct report r = { .role = "client" };
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), (uint16_t)tm_num("port", 9));
	int fd = sock_new(a.ss.ss_family, SOCK_DGRAM);
	struct pollfd pfd = { .fd = fd };
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	tm_comm("client");
	sock_int(fd, IPPROTO_IP, IP_RECVERR, 1);
	sock_connect(fd, &a);
	r.tx = (uint64_t)send(fd, buf, 800, 0);
	r.tx_pkts = 1;
	report_socket(&r, fd);
	/* as much of our own datagram as the ICMP error quoted: nothing anybody sent us */
	if (poll(&pfd, 1, 10000) != 1 || recvmsg(fd, &msg, MSG_ERRQUEUE) <= 0)
		die("MSG_ERRQUEUE");
	report_print(&r);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} modes[] = {
		{ "connect", fail_connect },	   { "linger", fail_linger },
		{ "pipe", write_to_error },	   { "unread", fail_unread },
		{ "unaccepted", fail_unaccepted }, { "fastopen", fail_fastopen },
		{ "errqueue", fail_errqueue },	   { "abandon", fail_abandon },
		{ "disconnect", fail_disconnect },
	};
	const char *how;

	tm_init(argc, argv);
	how = tm_word(0) ? tm_word(0) : "";
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(modes[i].name, how))
			return modes[i].run();
	errno = EINVAL;
	die(how);
}
