/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A burst: many processes, each of which opens, uses and closes many sockets as fast as it can. One report line for
 * each process, one for the server, and one for the sums of all processes.
 *
 * burst [--procs N] [--conns C] [--dgrams D] [--at-once N]
 *
 * --conns C    TCP connections of all of them: two sockets each, the other end is the server's
 * --dgrams D   connected UDP sockets of all of them, a datagram each; nobody reads them
 *
 * Processes are forked, not exec'ed. Connections go to as many addresses of 127.0.0.0/8 as their ports need.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define PORTS_EACH 20000 /* of an address: inside the 28,000 ephemeral ones */

struct child_report {
	pid_t pid;
	uint64_t tx, calls;
};

static struct report server = { .role = "server" };
static atomic_bool stopping;

static struct addr address(uint64_t nth, uint16_t port)
{
	char text[32];

	snprintf(text, sizeof(text), "127.1.%u.1", (unsigned int)(nth / PORTS_EACH % 250));
	return addr_parse(text, port);
}

static void serve_one(int ep, int fd, int listener)
{
	struct epoll_event add = { .events = EPOLLIN };
	static char buf[65536];
	ssize_t n;

	if (fd == listener) {
		add.data.fd = tcp_accept(listener);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, add.data.fd, &add) < 0)
			die("epoll_ctl");
		return;
	}
	n = read(fd, buf, sizeof(buf));
	if (n < 0)
		die("read");
	server.rx += (uint64_t)n;
	if (n == 0) {
		epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
		close(fd);
	}
}

static void *serve(void *arg)
{
	int listener = *(int *)arg, ep = epoll_create1(EPOLL_CLOEXEC), n;
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = listener };

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) < 0)
		die("epoll");
	do {
		struct epoll_event evs[256];

		n = epoll_wait(ep, evs, 256, 50);
		for (int i = 0; i < n; i++)
			serve_one(ep, evs[i].data.fd, listener);
	} while (n > 0 || !atomic_load(&stopping));
	return NULL;
}

/* What the i-th of n has to do of all. */
static uint64_t share(uint64_t all, uint64_t i, uint64_t n)
{
	return all / n + (i < all % n);
}

static void one(struct child_report *c, int type, const struct addr *to, uint64_t bytes)
{
	static const char zero[256];
	int fd = sock_new(AF_INET, type);
	ssize_t n;

	sock_connect(fd, to);
	n = write(fd, zero, bytes);
	if (n < 0)
		die("write");
	c->tx += (uint64_t)n;
	c->calls++;
	close(fd);
}

static _Noreturn void child(uint64_t nth, uint16_t port, uint16_t dgram_port, int out)
{
	uint64_t procs = tm_num("procs", 100), conns = share(tm_num("conns", 0), nth, procs);
	uint64_t dgrams = share(tm_num("dgrams", 0), nth, procs);
	uint64_t first = nth * (tm_num("conns", 0) / procs);
	struct addr sink = address(0, dgram_port);
	struct child_report c = { .pid = getpid() };

	tm_comm("burst-part");
	for (uint64_t i = 0; i < conns; i++) {
		struct addr to = address(first + i, port);

		one(&c, SOCK_STREAM, &to, 1 + (nth * 7 + i) % 97);
	}
	/* sizes differ, so that bytes under a wrong pid show */
	for (uint64_t i = 0; i < dgrams; i++)
		one(&c, SOCK_DGRAM, &sink, 1 + (nth * 5 + i) % 89);
	_exit(write(out, &c, sizeof(c)) == sizeof(c) ? 0 : 1);
}

static void take_report(int fd, struct report *all)
{
	struct child_report c;
	struct report r = { .role = "child" };

	if (read(fd, &c, sizeof(c)) != sizeof(c))
		die("report of a child");
	r.pid = r.tid = c.pid;
	r.tx = c.tx;
	r.tx_pkts = c.calls;
	all->tx += c.tx;
	all->tx_pkts += c.calls;
	report_print(&r);
}

static void run(uint16_t port, uint16_t dgram_port, struct report *all)
{
	uint64_t procs = tm_num("procs", 100), at_once = tm_num("at-once", 4);
	uint64_t started = 0, ended = 0;
	int out[2], status;

	if (pipe(out) < 0)
		die("pipe");
	while (ended < procs) {
		while (started < procs && started - ended < at_once) {
			if (tm_fork() == 0)
				child(started, port, dgram_port, out[1]);
			started++;
		}
		if (wait(&status) < 0)
			die("wait");
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			errno = ECHILD;
			die("a child failed");
		}
		take_report(out[0], all);
		ended++;
	}
}

int main(int argc, char **argv)
{
	struct report all = { .role = "all" };
	struct rlimit files;
	struct addr a, sink;
	pthread_t thread;
	int listener, dgrams;

	tm_init(argc, argv);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	a = addr_parse("0.0.0.0", 0);
	listener = tcp_listen(&a, 4096);
	dgrams = udp_bind(&a);
	a = addr_of(listener);
	sink = addr_of(dgrams);
	if (pthread_create(&thread, NULL, serve, &listener))
		die("pthread_create");
	run(addr_port(&a), addr_port(&sink), &all);
	atomic_store(&stopping, true);
	pthread_join(thread, NULL);
	report_print(&server);
	report_print(&all);
	return 0;
}
