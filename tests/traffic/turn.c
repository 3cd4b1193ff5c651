/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process, or its socket, is not what it was when it was first used.
 *
 * turn again    a datagram socket is connected to a peer, to another one, to none, and to the first again
 * turn rename   the sender takes another name (--name) after its first bytes
 * turn setuid   the sender becomes another user (--uid)
 * turn cgroup   the sender moves itself into another cgroup (--procs, its cgroup.procs)
 * turn pid      the sender of a socket's first datagrams is gone, and another process has its number
 * turn threads  --threads N threads send on one connected datagram socket in turn; prints calls a second
 *
 * Senders of the second to fourth send --first N bytes, turn, and send --bytes N in small pieces for --last MS.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

static void send_datagrams(struct report *r, int fd, unsigned int n, size_t size)
{
	while (n--)
		send_bytes(r, fd, size, size);
}

/* One report for each peer: what the maker sent to it. */
static void report_peer(const char *role, struct report *r, const struct addr *to)
{
	r->role = role;
	r->rport = addr_port(to);
	report_print(r);
}

static int again(void)
{
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), 0), b = a;
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int sink_a = udp_bind(&a), sink_b = udp_bind(&b), fd = sock_new(a.ss.ss_family, SOCK_DGRAM);
	struct report to_a = { 0 }, to_b = { 0 }, anew = { 0 };

	a = addr_of(sink_a);
	b = addr_of(sink_b);
	sock_connect(fd, &a);
	report_socket(&to_a, fd);
	send_datagrams(&to_a, fd, 10, 100);
	sock_connect(fd, &b);
	report_socket(&to_b, fd);
	send_datagrams(&to_b, fd, 20, 100);
	if (connect(fd, &none, sizeof(none)) < 0)
		die("connect to none");
	sock_connect(fd, &a);
	report_socket(&anew, fd);
	send_datagrams(&anew, fd, 5, 100);
	report_peer("first", &to_a, &a);
	report_peer("second", &to_b, &b);
	report_peer("anew", &anew, &a);
	return 0;
}

static void turn(const char *how)
{
	int fd;

	if (!strcmp(how, "rename")) {
		tm_comm(tm_str("name", "turned"));
	} else if (!strcmp(how, "setuid")) {
		if (setuid((uid_t)tm_num("uid", 1234)) < 0)
			die("setuid");
	} else {
		fd = open(tm_str("procs", ""), O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1)
			die("cgroup.procs");
		close(fd);
	}
}

static int sender(const char *how)
{
	uint64_t last_ms = tm_num("last", 0), bytes = tm_num("bytes", 40000), sent = 0;
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), 0);
	int listener = tcp_listen(&a, 1), fd;
	struct report r = { .role = "sender" };

	a = addr_of(listener);
	if (!tm_fork()) {
		struct report sink = { .role = "sink" };

		tm_comm("sink");
		recv_to_end(&sink, tcp_accept(listener));
		report_print(&sink);
		return 0;
	}
	tm_comm(tm_str("first-name", "turning"));
	fd = sock_new(a.ss.ss_family, SOCK_STREAM);
	sock_connect(fd, &a);
	send_bytes(&r, fd, tm_num("first", 1000), 1000);
	r.before = r.tx;
	turn(how);
	for (; sent < bytes; sent += 1000) {
		send_bytes(&r, fd, 1000, 1000);
		if (last_ms)
			tm_sleep_ms((unsigned int)(last_ms * 1000 / bytes));
	}
	report_socket(&r, fd);
	close(fd);
	report_print(&r);
	return tm_wait_all();
}

/* A child of that number; the kernel gives it to whom it would trust with one (5.5). */
static pid_t fork_as(pid_t pid)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = pid ? (uint64_t)(uintptr_t)&pid : 0,
				   .set_tid_size = pid ? 1 : 0 };
	long r = syscall(SYS_clone3, &args, sizeof(args));

	if (r < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL))
		unsupported("clone3 with set_tid");
	if (r < 0)
		die("clone3");
	return (pid_t)r;
}

static pid_t pid_sender(int fd, pid_t as, const char *role, unsigned int n)
{
	pid_t pid = fork_as(as);

	if (!pid) {
		struct report r = { .role = role };

		tm_comm(role);
		send_datagrams(&r, fd, n, 100);
		report_print(&r);
		_exit(0);
	}
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
	return pid;
}

static int same_pid(void)
{
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), 0);
	int sink = udp_bind(&a), fd = sock_new(a.ss.ss_family, SOCK_DGRAM);
	pid_t pid;

	a = addr_of(sink);
	sock_connect(fd, &a);
	pid = pid_sender(fd, 0, "former", 5);
	pid_sender(fd, pid, "latter", 25);
	return 0;
}

struct caller {
	pthread_t thread;
	struct report r;
	int fd;
	uint64_t n;
};

static void *call(void *arg)
{
	struct caller *c = arg;

	for (uint64_t i = 0; i < c->n; i++)
		send_datagrams(&c->r, c->fd, 1, 10);
	return NULL;
}

static int threads(void)
{
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), 0);
	int sink = udp_bind(&a), fd = sock_new(a.ss.ss_family, SOCK_DGRAM);
	unsigned int n = (unsigned int)tm_num("threads", 2);
	struct report r = { .role = "caller" };
	struct caller callers[64] = { 0 };
	uint64_t begin;

	a = addr_of(sink);
	sock_connect(fd, &a);
	begin = tm_now_ns();
	for (unsigned int i = 0; i < n && i < 64; i++) {
		callers[i] = (struct caller){ .fd = fd, .n = tm_num("count", 1000) };
		if (pthread_create(&callers[i].thread, NULL, call, &callers[i]))
			die("pthread_create");
	}
	for (unsigned int i = 0; i < n && i < 64; i++) {
		pthread_join(callers[i].thread, NULL);
		r.tx += callers[i].r.tx;
		r.tx_pkts += callers[i].r.tx_pkts;
	}
	r.rate = (double)r.tx_pkts * 1e9 / (double)(tm_now_ns() - begin);
	report_socket(&r, fd);
	report_print(&r);
	return 0;
}

int main(int argc, char **argv)
{
	const char *how;

	tm_init(argc, argv);
	how = tm_word(0);
	if (!how)
		return 2;
	if (!strcmp(how, "again"))
		return again();
	if (!strcmp(how, "pid"))
		return same_pid();
	if (!strcmp(how, "threads"))
		return threads();
	return sender(how);
}
