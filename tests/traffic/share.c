/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets several tasks use at the same time, each with a count of its own.
 *
 * share alternate   two processes write to one connection while two read from its other end
 * share threads     --threads N threads of one process write to one connection
 * share named       a thread with a name of its own does everything, the main thread nothing
 * share prefork     --workers N processes accept from one listening socket; --conns N connections;
 *                   each echoes what it gets, or, with --splice, splices it away
 *
 * --bytes N  of each writer, or of each connection; --addr A
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

#define MAX_TASKS 64

struct task {
	pthread_t thread;
	struct report r;
	int fd;
};

static int listen_any(struct addr *ret_a)
{
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), 0);
	int fd = tcp_listen(&a, 256);

	*ret_a = addr_of(fd);
	return fd;
}

/* Two readers: whoever is quicker gets the bytes; EOF reaches both. */
static int reader(int listener)
{
	int fd = tcp_accept(listener);

	tm_comm("reader");
	for (int i = 0; i < 2; i++) {
		struct report r = { .role = "reader" };

		if (tm_fork())
			continue;
		recv_to_end(&r, fd);
		report_socket(&r, fd);
		report_print(&r);
		return 0;
	}
	return tm_wait_all();
}

static int alternate(void)
{
	struct addr a;
	int listener = listen_any(&a), fd;

	if (tm_fork() == 0)
		return reader(listener);
	fd = sock_new(a.ss.ss_family, SOCK_STREAM);
	sock_connect(fd, &a);
	tm_comm("writer");
	for (uint64_t i = 0; i < 2; i++) {
		struct report r = { .role = "writer" };

		if (tm_fork())
			continue;
		send_bytes(&r, fd, tm_num("bytes", 300000) + i, 777);
		report_socket(&r, fd);
		report_print(&r);
		return 0;
	}
	close(fd);
	return tm_wait_all();
}

static void *thread_main(void *arg)
{
	struct task *t = arg;

	if (!strcmp(tm_word(0), "named"))
		tm_comm("own-name");
	t->r.tid = gettid();
	send_bytes(&t->r, t->fd, tm_num("bytes", 300000), 777);
	report_socket(&t->r, t->fd);
	report_print(&t->r);
	return NULL;
}

static int threads(uint64_t n)
{
	static struct task tasks[MAX_TASKS];
	struct addr a;
	int listener = listen_any(&a), fd;

	if (tm_fork() == 0) {
		struct report r = { .role = "reader" };

		fd = tcp_accept(listener);
		tm_comm("reader");
		recv_to_end(&r, fd);
		report_socket(&r, fd);
		report_print(&r);
		return 0;
	}
	tm_comm("leader");
	fd = sock_new(a.ss.ss_family, SOCK_STREAM);
	sock_connect(fd, &a);
	for (uint64_t i = 0; i < n && i < MAX_TASKS; i++) {
		tasks[i].fd = fd;
		tasks[i].r.role = "thread";
		if (pthread_create(&tasks[i].thread, NULL, thread_main, &tasks[i]))
			die("pthread_create");
	}
	for (uint64_t i = 0; i < n && i < MAX_TASKS; i++)
		pthread_join(tasks[i].thread, NULL);
	close(fd);
	return tm_wait_all();
}

static void splice_away(struct report *r, int fd)
{
	int p[2], sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (sink < 0 || pipe2(p, O_CLOEXEC) < 0)
		die("pipe");
	while ((n = splice(fd, NULL, p[1], NULL, 65536, 0)) > 0) {
		r->rx += (uint64_t)n;
		r->unseen += (uint64_t)n;
		if (splice(p[0], NULL, sink, NULL, (size_t)n, 0) != n)
			die("splice to /dev/null");
	}
	if (n < 0)
		die("splice");
	close(p[0]);
	close(p[1]);
	close(sink);
}

/* Accepts while there are connections left to come. */
static int worker(int listener, atomic_uint *left)
{
	struct report r = { .role = "worker" };
	struct pollfd pfd = { .fd = listener, .events = POLLIN };

	while (atomic_load(left)) {
		struct report one = { .role = "" };
		int fd;

		if (poll(&pfd, 1, 20) == 0)
			continue;
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && errno == EAGAIN)
			continue;
		if (fd < 0)
			die("accept");
		atomic_fetch_sub(left, 1);
		if (tm_flag("splice")) {
			splice_away(&one, fd);
		} else {
			recv_to_end(&one, fd);
			send_bytes(&one, fd, one.rx, 4096);
		}
		report_socket(&r, fd);
		close(fd);
		r.rx += one.rx;
		r.tx += one.tx;
		r.unseen += one.unseen;
	}
	report_print(&r);
	return 0;
}

static int prefork(void)
{
	struct report r = { .role = "client" };
	struct addr a;
	uint64_t conns = tm_num("conns", 50);
	int listener = sock_new(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	atomic_uint *left = tm_shared(sizeof(*left));

	atomic_store(left, (unsigned int)conns);
	a = addr_parse("127.0.0.1", 0);
	if (bind(listener, (struct sockaddr *)&a.ss, a.len) < 0 || listen(listener, 256) < 0)
		die("listen");
	a = addr_of(listener);
	tm_comm("worker");
	for (uint64_t i = 0; i < tm_num("workers", 4); i++)
		if (tm_fork() == 0)
			return worker(listener, left);
	tm_comm("client");
	for (uint64_t i = 0; i < conns; i++) {
		int fd = sock_new(AF_INET, SOCK_STREAM);

		sock_connect(fd, &a);
		send_bytes(&r, fd, tm_num("bytes", 1000) + i, 500);
		if (shutdown(fd, SHUT_WR) < 0)
			die("shutdown");
		recv_to_end(&r, fd);
		report_socket(&r, fd);
		close(fd);
	}
	report_print(&r);
	return tm_wait_all();
}

int main(int argc, char **argv)
{
	const char *how;

	tm_init(argc, argv);
	how = tm_word(0) ? tm_word(0) : "";
	if (!strcmp(how, "alternate"))
		return alternate();
	if (!strcmp(how, "threads"))
		return threads(tm_num("threads", 8));
	if (!strcmp(how, "named"))
		return threads(1);
	if (!strcmp(how, "prefork"))
		return prefork();
	errno = EINVAL;
	die(how);
}
