/* SPDX-License-Identifier: BSD-2-Clause */
/* See lib.h. */
#include "lib.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int g_argc;
static char **g_argv;

void tm_init(int argc, char **argv)
{
	g_argc = argc;
	g_argv = argv;
	signal(SIGPIPE, SIG_IGN);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("prctl");
}

const char *tm_word(int n)
{
	for (int i = 1; i < g_argc; i++) {
		if (!strncmp(g_argv[i], "--", 2)) {
			if (i + 1 < g_argc && strncmp(g_argv[i + 1], "--", 2))
				i++;
			continue;
		}
		if (n-- == 0)
			return g_argv[i];
	}
	return NULL;
}

const char *tm_str(const char *name, const char *fallback)
{
	for (int i = 1; i + 1 < g_argc; i++)
		if (!strncmp(g_argv[i], "--", 2) && !strcmp(g_argv[i] + 2, name))
			return g_argv[i + 1];
	return fallback;
}

uint64_t tm_num(const char *name, uint64_t fallback)
{
	const char *text = tm_str(name, NULL);
	char *end;
	uint64_t value;

	if (!text)
		return fallback;
	value = strtoull(text, &end, 10);
	if (*end == 'k')
		value <<= 10;
	else if (*end == 'm')
		value <<= 20;
	else if (*end == 'g')
		value <<= 30;
	else if (*end) {
		errno = EINVAL;
		die(name);
	}
	return value;
}

bool tm_flag(const char *name)
{
	for (int i = 1; i < g_argc; i++)
		if (!strncmp(g_argv[i], "--", 2) && !strcmp(g_argv[i] + 2, name))
			return true;
	return false;
}

void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", g_argv ? g_argv[0] : "maker", what, strerror(errno));
	exit(1);
}

void unsupported(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(EXIT_UNSUPPORTED);
}

pid_t tm_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("prctl");
	if (getppid() != parent)
		_exit(1);
	return 0;
}

int tm_wait_all(void)
{
	int status, worst = 0;

	while (wait(&status) > 0) {
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;

		if (code == EXIT_UNSUPPORTED)
			return code;
		if (code > worst)
			worst = code;
	}
	return worst;
}

void tm_enter(const char *who)
{
	char name[32];
	const char *path;
	int fd;

	snprintf(name, sizeof(name), "%s-ns", who);
	path = tm_str(name, NULL);
	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die(path);
	close(fd);
}

void tm_hold(const char *point)
{
	char line[128], byte;
	int n;

	if (strcmp(tm_str("hold", ""), point))
		return;
	n = snprintf(line, sizeof(line), "{\"hold\":\"%s\",\"pid\":%d}\n", point, getpid());
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		die("write");
	if (read(STDIN_FILENO, &byte, 1) != 1)
		exit(0); /* whoever held us is gone */
}

void tm_comm(const char *name)
{
	if (prctl(PR_SET_NAME, name) < 0)
		die("prctl");
}

uint64_t tm_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void tm_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

struct addr addr_parse(const char *text, uint16_t port)
{
	struct addr a = { .len = 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a.ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a.ss;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		a.len = sizeof(*v4);
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		a.len = sizeof(*v6);
	} else {
		errno = EINVAL;
		die(text);
	}
	addr_set_port(&a, port);
	return a;
}

struct addr addr_of(int fd)
{
	struct addr a = { .len = sizeof(a.ss) };

	if (getsockname(fd, (struct sockaddr *)&a.ss, &a.len) < 0)
		die("getsockname");
	return a;
}

uint16_t addr_port(const struct addr *a)
{
	/* sin_port and sin6_port share their place */
	return ntohs(((const struct sockaddr_in *)&a->ss)->sin_port);
}

void addr_set_port(struct addr *a, uint16_t port)
{
	((struct sockaddr_in *)&a->ss)->sin_port = htons(port);
}

void sock_int(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		die("setsockopt");
}

int sock_new(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

int tcp_listen(const struct addr *a, int backlog)
{
	int fd = sock_new(a->ss.ss_family, SOCK_STREAM);

	sock_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (const struct sockaddr *)&a->ss, a->len) < 0)
		die("bind");
	if (listen(fd, backlog) < 0)
		die("listen");
	return fd;
}

int tcp_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		die("accept");
	return fd;
}

int udp_bind(const struct addr *a)
{
	int fd = sock_new(a->ss.ss_family, SOCK_DGRAM);

	/* room for a burst while the reader waits for its turn; capped by rmem_max */
	sock_int(fd, SOL_SOCKET, SO_RCVBUF, 8 << 20);
	if (bind(fd, (const struct sockaddr *)&a->ss, a->len) < 0)
		die("bind");
	return fd;
}

void sock_connect(int fd, const struct addr *a)
{
	if (connect(fd, (const struct sockaddr *)&a->ss, a->len) < 0)
		die("connect");
}

void *tm_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

struct gate gate_new(void)
{
	struct gate g;

	if (pipe2(g.fd, O_CLOEXEC) < 0)
		die("pipe");
	return g;
}

void gate_open(const struct gate *g, uint16_t value)
{
	if (write(g->fd[1], &value, sizeof(value)) != sizeof(value))
		die("gate");
}

uint16_t gate_wait(const struct gate *g)
{
	uint16_t value;

	if (read(g->fd[0], &value, sizeof(value)) != sizeof(value))
		die("gate");
	return value;
}

void send_bytes(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	static char buf[1 << 17];

	if (chunk > sizeof(buf))
		chunk = sizeof(buf);
	while (bytes) {
		ssize_t n = write(fd, buf, bytes < chunk ? (size_t)bytes : chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("write");
		r->tx += (uint64_t)n;
		r->tx_pkts++;
		bytes -= (uint64_t)n;
	}
}

void recv_bytes(struct report *r, int fd, uint64_t bytes)
{
	static char buf[1 << 17];

	while (bytes) {
		ssize_t n = read(fd, buf, bytes < sizeof(buf) ? (size_t)bytes : sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("read");
		if (n == 0) {
			errno = ENODATA;
			die("read: peer closed early");
		}
		r->rx += (uint64_t)n;
		r->rx_pkts++;
		bytes -= (uint64_t)n;
	}
}

void recv_to_end(struct report *r, int fd)
{
	static char buf[1 << 17];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("read");
		r->rx += (uint64_t)n;
		r->rx_pkts++;
	}
}

void report_socket(struct report *r, int fd)
{
	struct addr peer = { .len = sizeof(peer.ss) }, local = addr_of(fd);
	socklen_t len = sizeof(r->cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &r->cookie, &len) < 0)
		die("SO_COOKIE");
	r->lport = addr_port(&local);
	if (getpeername(fd, (struct sockaddr *)&peer.ss, &peer.len) == 0)
		r->rport = addr_port(&peer);
}

void report_print(const struct report *r)
{
	char line[1024], comm[17] = "";
	int n;

	if (prctl(PR_GET_NAME, comm) < 0)
		die("prctl");
	n = snprintf(line, sizeof(line),
		     "{\"role\":\"%s\",\"pid\":%d,\"tid\":%d,\"comm\":\"%s\",\"tx\":%" PRIu64
		     ",\"rx\":%" PRIu64 ",\"tx_pkts\":%" PRIu64 ",\"rx_pkts\":%" PRIu64
		     ",\"unseen\":%" PRIu64 ",\"before\":%" PRIu64 ",\"cookie\":%" PRIu64
		     ",\"lport\":%u,\"rport\":%u,\"rate\":%.1f,\"error\":%s%s%s}\n",
		     r->role, r->pid ? r->pid : getpid(), r->tid ? r->tid : gettid(), comm, r->tx,
		     r->rx, r->tx_pkts, r->rx_pkts, r->unseen, r->before, r->cookie, r->lport,
		     r->rport, r->rate, r->err ? "\"" : "",
		     r->err ? strerrorname_np(r->err) : "null", r->err ? "\"" : "");
	/* one write: lines of concurrent processes do not mix */
	if (n < 0 || (size_t)n >= sizeof(line) || write(STDOUT_FILENO, line, (size_t)n) != n)
		die("report");
}
