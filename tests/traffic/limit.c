/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One TCP connection that is slow for a reason that is known, for --seconds (3).
 *
 * --by application   a small message now and then
 *      reader        the server takes 4 KiB at a time and rests
 *      sndbuf        a small send buffer, each block waits for its ACKs; --reply-ms delays them
 *      network       as fast as it goes
 *      pause         the server reads nothing until --hold paused ends, or for --pause MS; then all of it
 *      wait          more than the server's queue holds waits for it; it reads --pause MS after --hold waiting
 *      late          requests that the server answers after --pause MS, and a rest between them
 *      half          messages with a rest between them, in two halves --pause MS apart; --take all: by MSG_WAITALL,
 *                    lowat: told of all of it, plain: one call after the other, splice: into a pipe
 *                    Of wait and half the reports tell how long bytes waited, at least and at most.
 * --messages N       no more than those
 * --idle MS          rests with all of it acknowledged before it ends
 * --addr, --port, --client-ns, --server-ns, --hold connected, waiting, paused, half (after each) or resting: as stream's
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib.h"

#define BLOCK 65536
#define MESSAGE 1000
#define CHUNK 16384
#define ROOM 65536
#define HALVES 64
#define JIFFIES_MS 30 /* more than two, at 100 Hz as well */

static char block[BLOCK];

/* When what happened, on one clock, for both processes to read. */
static struct times {
	uint64_t sent[HALVES];	/* a half, or all: the call that sent it began */
	uint64_t arrived;	/* the server saw that data was there */
	uint64_t filled;	/* the call returned that sent what has to wait last */
	volatile uint64_t read; /* the server's first read began; 0: it did not */
	uint64_t taken;		/* and returned */
	volatile uint32_t n;	/* of sent */
	volatile bool ended;	/* nothing is read any more */
} * times;
static struct gate filled;

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

/* Its time begins with the first bytes: the client may be held a long time before it sends any. */
static void read_slowly(struct report *r, int fd)
{
	uint64_t end = UINT64_MAX;

	while (tm_now_ns() < end) {
		ssize_t n = read(fd, block, 4096);

		if (n <= 0)
			return;
		if (!r->rx)
			end = tm_now_ns() + tm_num("seconds", 3) * 1000000000u;
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

/* Of the first bytes in its queue. */
static void read_late(struct report *r, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, -1) != 1)
		die("poll");
	times->arrived = tm_now_ns();
	(void)gate_wait(&filled);
	tm_hold("waiting");
	tm_sleep_ms((unsigned int)tm_num("pause", 500));
	times->read = tm_now_ns();
	n = read(fd, block, BLOCK);
	times->taken = tm_now_ns();
	if (n <= 0)
		die("read");
	r->rx += (uint64_t)n;
	r->wait_min_ns = times->read - times->arrived;
	r->wait_max_ns = times->taken - times->sent[0];
}

static uint64_t taken_by_reader(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int queued = 0;

	/* in this order: what comes between the two counts as not taken */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
	    len < offsetof(struct tcp_info, tcpi_bytes_received) + 8 ||
	    ioctl(fd, SIOCINQ, &queued) < 0)
		die("TCP_INFO");
	return info.tcpi_bytes_received - (uint64_t)queued;
}

/* How long the longest of the halves was under way and in the queue, whichever call takes it. */
static void *watch_queue(void *arg)
{
	int fd = *(int *)arg;
	uint64_t longest = 0, now, took;
	uint32_t k = 0;
	bool last;

	do {
		last = times->ended;
		took = taken_by_reader(fd);
		now = tm_now_ns();
		for (; k < times->n && took >= (k + 1) * (uint64_t)(MESSAGE / 2); k++)
			if (now - times->sent[k] > longest)
				longest = now - times->sent[k];
		tm_sleep_ms(1);
	} while (!last);
	times->taken = longest;
	return NULL;
}

static void take_watched(struct report *r, int fd)
{
	pthread_t watcher;

	errno = pthread_create(&watcher, NULL, watch_queue, &fd);
	if (errno)
		die("pthread_create");
	take(r, fd);
	times->ended = true;
	(void)pthread_join(watcher, NULL);
	r->wait_max_ns = times->taken;
}

static int serve(const struct gate *up)
{
	struct report r = { .role = "server" };
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), (uint16_t)tm_num("port", 0));
	int listener, fd;

	tm_enter("server");
	tm_comm("server");
	listener = tcp_listen(&a, 1);
	if (by("reader") || by("pause") || by("wait"))
		sock_int(listener, SOL_SOCKET, SO_RCVBUF, ROOM);
	a = addr_of(listener);
	gate_open(up, addr_port(&a));
	fd = tcp_accept(listener);
	if (by("late"))
		answer(&r, fd);
	if (by("pause")) {
		tm_hold("paused");
		tm_sleep_ms((unsigned int)tm_num("pause", 500));
	}
	if (by("reader"))
		read_slowly(&r, fd);
	if (by("wait"))
		read_late(&r, fd);
	if (by("half"))
		take_watched(&r, fd);
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

static void send_half(struct report *r, int fd)
{
	if (times->n < HALVES) {
		times->sent[times->n] = tm_now_ns();
		times->n++;
	}
	send_bytes(r, fd, MESSAGE / 2, MESSAGE);
	tm_sleep_ms((unsigned int)tm_num("pause", 500));
	tm_hold("half");
}

static int unsent(int fd)
{
	int left = 0;

	if (ioctl(fd, SIOCOUTQNSD, &left) < 0)
		die("SIOCOUTQNSD");
	return left;
}

static void send_last(struct report *r, int fd)
{
	send_bytes(r, fd, MESSAGE, MESSAGE);
	times->filled = tm_now_ns();
}

/*
 * More than its peer has room for: twice what it asked for, and a segment, however late a probe of its window
 * finds some of that. The last of it is sent when nothing was for some jiffies: waits are timed once in one, and one at
 * a time. An acknowledgement or a probe that comes late may take what is timed before it is read: then there is one more.
 */
static void fill(struct report *r, int fd)
{
	int left, now;

	sock_int(fd, SOL_SOCKET, SO_SNDBUF, 4 * ROOM);
	times->sent[0] = tm_now_ns();
	do {
		while (unsent(fd) < CHUNK || r->tx < 4 * ROOM)
			send_bytes(r, fd, CHUNK, CHUNK);
		tm_sleep_ms(JIFFIES_MS);
	} while (unsent(fd) < CHUNK);
	send_last(r, fd);
	gate_open(&filled, 1);
	for (left = unsent(fd); left; left = now) {
		tm_sleep_ms(1);
		now = unsent(fd);
		/* It was the last of what is timed, maybe; what is sent now is timed again, and waits for the reader. */
		if (now && now < left && !times->read) {
			send_last(r, fd);
			now = unsent(fd);
		}
	}
	r->wait_min_ns = times->read > times->filled ? times->read - times->filled : 1000;
	r->wait_max_ns = tm_now_ns() - times->sent[0];
}

static void drive(struct report *r, int fd)
{
	uint64_t end = tm_now_ns() + tm_num("seconds", 3) * 1000000000u;
	uint64_t messages = tm_num("messages", UINT64_MAX);

	while (tm_now_ns() < end && messages--) {
		if (by("application")) {
			send_bytes(r, fd, 200, 200);
			tm_sleep_ms(50);
		} else if (by("late")) {
			ask(r, fd);
		} else if (by("half")) {
			send_half(r, fd);
			send_half(r, fd);
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
	filled = gate_new();
	times = tm_shared(sizeof(*times));
	if (tm_fork() == 0)
		return serve(&up);
	a = addr_parse(tm_str("addr", "127.0.0.1"), gate_wait(&up));
	tm_comm("client");
	tm_enter("client");
	fd = sock_new(a.ss.ss_family, SOCK_STREAM);
	if (by("sndbuf"))
		sock_int(fd, SOL_SOCKET, SO_SNDBUF, 4608);
	if (by("wait"))
		sock_int(fd, SOL_SOCKET, SO_SNDBUF, 4 * BLOCK); /* no call waits for room */
	sock_connect(fd, &a);
	tm_hold("connected");
	if (by("wait"))
		fill(&r, fd);
	else
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
