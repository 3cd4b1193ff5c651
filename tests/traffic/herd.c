/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Very many processes that live a few milliseconds: each is forked and exec'ed, connects, sends a
 * number of bytes of its own, and exits. One report line for each, and one for the server.
 *
 * herd [--udp] [--procs N] [--at-once N] [--bytes BASE] [--addr A] [--life MS]
 *
 * --life MS: each lives so long after it has connected.
 *
 * The client half is this same program exec'ed as `herd child`; fd 3 is where it writes its report.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define REPORT_FD 3

/* What a child tells the parent, in one write shorter than PIPE_BUF. */
struct child_report {
	pid_t pid;
	uint32_t life_us; /* from main() to the report; printed as "rate" */
	uint64_t tx, tx_pkts, cookie;
	uint16_t lport, rport;
};

static struct report server = { .role = "server" };
static atomic_bool stopping;

static int child(void)
{
	uint64_t started = tm_now_ns();
	struct child_report c = { .pid = getpid() };
	struct report r = { .role = "child" };
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), (uint16_t)tm_num("port", 0));
	bool udp = tm_flag("udp");
	int fd = sock_new(a.ss.ss_family, udp ? SOCK_DGRAM : SOCK_STREAM);

	sock_connect(fd, &a);
	send_bytes(&r, fd, tm_num("bytes", 0), udp ? 700 : 4000);
	report_socket(&r, fd);
	if (tm_num("life", 0))
		tm_sleep_ms((unsigned int)tm_num("life", 0));
	c.tx = r.tx;
	c.tx_pkts = r.tx_pkts;
	c.cookie = r.cookie;
	c.lport = r.lport;
	c.rport = r.rport;
	c.life_us = (uint32_t)((tm_now_ns() - started) / 1000);
	return write(REPORT_FD, &c, sizeof(c)) == sizeof(c) ? 0 : 1;
}

static void serve_one(int ep, struct epoll_event *ev, int listener, bool udp)
{
	static char buf[65536];
	int fd = ev->data.fd;
	ssize_t n;

	if (!udp && fd == listener) {
		struct epoll_event add = { .events = EPOLLIN };

		add.data.fd = tcp_accept(listener);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, add.data.fd, &add) < 0)
			die("epoll_ctl");
		return;
	}
	n = read(fd, buf, sizeof(buf));
	if (n < 0)
		die("read");
	server.rx += (uint64_t)n;
	server.rx_pkts++;
	if (n == 0 && !udp) {
		/* a child between fork and exec may hold it open a little longer than we do */
		epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
		close(fd);
	}
}

static void *serve(void *arg)
{
	int listener = *(int *)arg, ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = { .events = EPOLLIN };
	bool udp = tm_flag("udp");
	int n;

	ev.data.fd = listener;
	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) < 0)
		die("epoll");
	do {
		struct epoll_event evs[64];

		n = epoll_wait(ep, evs, 64, 50);
		for (int i = 0; i < n; i++)
			serve_one(ep, &evs[i], listener, udp);
	} while (n > 0 || !atomic_load(&stopping));
	return NULL;
}

static pid_t spawn(uint64_t i, uint16_t port, int out)
{
	char port_text[8], bytes_text[24];
	static char self[PATH_MAX]; /* not /proc/self/exe: its comm would be "exe" */
	const char *argv[] = { "herd",
			       "child",
			       "--port",
			       port_text,
			       "--bytes",
			       bytes_text,
			       "--addr",
			       tm_str("addr", "127.0.0.1"),
			       "--life",
			       tm_str("life", "0"),
			       tm_flag("udp") ? "--udp" : NULL,
			       NULL };
	pid_t pid;

	if (!self[0] && readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("readlink");
	/* sizes differ, so that bytes under a wrong pid show */
	snprintf(bytes_text, sizeof(bytes_text), "%lu",
		 (unsigned long)(tm_num("bytes", 500) + i % 997));
	snprintf(port_text, sizeof(port_text), "%u", port);
	pid = vfork();
	if (pid < 0)
		die("vfork");
	if (pid == 0) {
		if (out != REPORT_FD)
			dup2(out, REPORT_FD);
		execv(self, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static void take_report(int fd)
{
	struct child_report c;
	struct report r = { .role = "child" };

	if (read(fd, &c, sizeof(c)) != sizeof(c))
		die("report of a child");
	r.pid = r.tid = c.pid;
	r.tx = c.tx;
	r.tx_pkts = c.tx_pkts;
	r.cookie = c.cookie;
	r.lport = c.lport;
	r.rport = c.rport;
	r.rate = c.life_us;
	report_print(&r);
}

static void run(uint16_t port)
{
	uint64_t procs = tm_num("procs", 2000), at_once = tm_num("at-once", 8);
	uint64_t started = 0, ended = 0;
	int out[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		die("pipe");
	while (ended < procs) {
		int status;

		while (started < procs && started - ended < at_once)
			spawn(started++, port, out[1]);
		if (wait(&status) < 0)
			die("wait");
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			errno = ECHILD;
			die("a child failed");
		}
		take_report(out[0]);
		ended++;
	}
}

int main(int argc, char **argv)
{
	struct addr a;
	pthread_t thread;
	int listener;

	tm_init(argc, argv);
	if (tm_word(0) && !strcmp(tm_word(0), "child"))
		return child();
	a = addr_parse(tm_str("addr", "127.0.0.1"), 0);
	listener = tm_flag("udp") ? udp_bind(&a) : tcp_listen(&a, 1024);
	a = addr_of(listener);
	if (pthread_create(&thread, NULL, serve, &listener))
		die("pthread_create");
	run(addr_port(&a));
	atomic_store(&stopping, true);
	pthread_join(thread, NULL);
	report_print(&server);
	return 0;
}
