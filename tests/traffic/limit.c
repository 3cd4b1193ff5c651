/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One TCP connection that is slow for a reason that is known, for --seconds (3).
 *
 * --by application   a small message now and then
 *      reader        the server takes 4 KiB at a time and rests
 *      sndbuf        a small send buffer, each block waits for its ACKs; --reply-ms delays them
 *      network       as fast as it goes
 *      pause         the server reads nothing for --pause MS, then all of it
 *      late          requests that the server answers after --pause MS, and a rest between them
 *      half          messages with a rest between them, in two halves --pause MS apart; --take all: by MSG_WAITALL,
 *                    lowat: told of all of it, plain: one call after the other, splice: into a pipe
 * --idle MS          rests with all of it acknowledged before it ends
 * --addr, --port, --client-ns, --server-ns, --hold connected or resting: as stream's
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib.h"

#define BLOCK 65536
#define MESSAGE 1000

static char block[BLOCK];

static bool by(const char *what)
{
	return !strcmp(tm_str("by", "network"), what);
}

static void answer(struct report *r, int fd)
{
	for (;;) {
		ssize_t n = read(fd, block, BLOCK);

		if (n <= 0)
			return;
		r->rx += (uint64_t)n;
		tm_sleep_ms((unsigned int)tm_num("pause", 500));
		send_bytes(r, fd, 100, 100);
	}
}

static void read_slowly(struct report *r, int fd)
{
	uint64_t end = tm_now_ns() + tm_num("seconds", 3) * 1000000000u;

	while (tm_now_ns() < end) {
		ssize_t n = read(fd, block, 4096);

		if (n <= 0)
			return;
		r->rx += (uint64_t)n;
		tm_sleep_ms(5);
	}
}

static void splice_all(struct report *r, int fd)
{
	int to[2];
	ssize_t n;

	if (pipe(to) < 0)
		die("pipe");
	for (;;) {
		n = splice(fd, NULL, to[1], NULL, BLOCK, 0);
		if (n <= 0 || read(to[0], block, (size_t)n) != n)
			return;
		r->rx += (uint64_t)n;
		r->unseen += (uint64_t)n;
	}
}

/* Messages one after the other, each as a whole. */
static void take(struct report *r, int fd)
{
	const char *how = tm_str("take", "all");
	int flags = !strcmp(how, "all") ? MSG_WAITALL : 0;
	ssize_t n = 1;

	if (!strcmp(how, "splice")) {
		splice_all(r, fd);
		return;
	}
	if (!strcmp(how, "lowat"))
		sock_int(fd, SOL_SOCKET, SO_RCVLOWAT, MESSAGE);
	while (n > 0) {
		for (size_t got = 0; got < MESSAGE && n > 0; got += (size_t)n) {
			n = recv(fd, block + got, MESSAGE - got, flags);
			r->rx += n > 0 ? (uint64_t)n : 0;
		}
	}
}

static int serve(const struct gate *up)
{
	struct report r = { .role = "server" };
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), (uint16_t)tm_num("port", 0));
	int listener, fd;

	tm_enter("server");
	tm_comm("server");
	listener = tcp_listen(&a, 1);
	if (by("reader") || by("pause"))
		sock_int(listener, SOL_SOCKET, SO_RCVBUF, 65536);
	a = addr_of(listener);
	gate_open(up, addr_port(&a));
	fd = tcp_accept(listener);
	if (by("late"))
		answer(&r, fd);
	if (by("pause"))
		tm_sleep_ms((unsigned int)tm_num("pause", 500));
	if (by("reader"))
		read_slowly(&r, fd);
	if (by("half"))
		take(&r, fd);
	recv_to_end(&r, fd);
	report_socket(&r, fd);
	close(fd);
	report_print(&r);
	return 0;
}

/* A round trip each: request, answer, rest. */
static void ask(struct report *r, int fd)
{
	send_bytes(r, fd, 100, 100);
	recv_bytes(r, fd, 100);
	tm_sleep_ms(300);
}

static void drive(struct report *r, int fd)
{
	uint64_t end = tm_now_ns() + tm_num("seconds", 3) * 1000000000u;

	while (tm_now_ns() < end) {
		if (by("application")) {
			send_bytes(r, fd, 200, 200);
			tm_sleep_ms(50);
		} else if (by("late")) {
			ask(r, fd);
		} else if (by("half")) {
			send_bytes(r, fd, MESSAGE / 2, MESSAGE);
			tm_sleep_ms((unsigned int)tm_num("pause", 500));
			send_bytes(r, fd, MESSAGE / 2, MESSAGE);
			tm_sleep_ms((unsigned int)tm_num("pause", 500));
		} else {
			send_bytes(r, fd, BLOCK, BLOCK);
		}
	}
}

static void rest(int fd)
{
	int left = 1;

	while (left > 0) {
		if (ioctl(fd, SIOCOUTQ, &left) < 0)
			die("SIOCOUTQ");
		tm_sleep_ms(5);
	}
	tm_sleep_ms((unsigned int)tm_num("idle", 0));
}

int main(int argc, char **argv)
{
	struct report r = { .role = "client" };
	struct gate up;
	struct addr a;
	int fd;

	tm_init(argc, argv);
	up = gate_new();
	if (tm_fork() == 0)
		return serve(&up);
	a = addr_parse(tm_str("addr", "127.0.0.1"), gate_wait(&up));
	tm_comm("client");
	tm_enter("client");
	fd = sock_new(a.ss.ss_family, SOCK_STREAM);
	if (by("sndbuf"))
		sock_int(fd, SOL_SOCKET, SO_SNDBUF, 4608);
	sock_connect(fd, &a);
	tm_hold("connected");
	drive(&r, fd);
	report_socket(&r, fd);
	if (tm_num("idle", 0))
		rest(fd);
	tm_hold("resting");
	if (shutdown(fd, SHUT_WR) < 0)
		die("shutdown");
	recv_to_end(&r, fd);
	close(fd);
	report_print(&r);
	return tm_wait_all();
}
