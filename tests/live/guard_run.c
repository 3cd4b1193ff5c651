/* SPDX-License-Identifier: BSD-2-Clause */
/* See guard_run.h. */
#include "guard_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"
#include "tap.h"

#define SECOND_MS 1050 /* 15 ticks of 2^26 ns, and a jiffy */

static char *out_text, *log_text;

static int run(const struct netns *ns, const char *fmt, va_list ap)
{
	char args[1024], command[4096], path[512];
	int status;

	netns_unpin_later(ns->path);
	vsnprintf(args, sizeof(args), fmt, ap);
	snprintf(command, sizeof(command), "%s guard %s >%s/out 2>%s/log", probe_binary(), args,
		 test_dir(), test_dir());
	status = netns_run(ns, command);
	free(out_text);
	free(log_text);
	snprintf(path, sizeof(path), "%s/out", test_dir());
	out_text = file_text(path);
	snprintf(path, sizeof(path), "%s/log", test_dir());
	log_text = file_text(path);
	return status;
}

int guard_run(const struct netns *ns, const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = run(ns, fmt, ap);
	va_end(ap);
	return status;
}

void guard_must(const struct netns *ns, const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = run(ns, fmt, ap);
	va_end(ap);
	REQUIRE(status == 0, "`guard %s` ended with %d: %s", fmt, status, log_text);
}

const char *guard_out(void)
{
	return out_text;
}

const char *guard_log(void)
{
	return log_text;
}

json_t *guard_stats(const struct netns *ns, const char *iface)
{
	char *save = NULL;

	guard_must(ns, "stats --format json");
	for (char *line = strtok_r(out_text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		json_t *record = json_loads(line, 0, NULL);
		const char *name = json_string_value(json_object_get(record, "iface"));

		if (name && !strcmp(name, iface))
			return record;
		json_decref(record);
	}
	REQUIRE(false, "no record of %s in `guard stats`", iface);
	return NULL;
}

uint64_t json_at(const json_t *record, const char *path)
{
	char part[64];

	while (record) {
		size_t n = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		record = json_object_get(record, part);
		if (!path[n])
			break;
		path += n + 1;
	}
	REQUIRE(json_is_integer(record), "no number there: %s", path);
	return (uint64_t)json_integer_value(record);
}

static socklen_t address(const char *addr, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (void *)ret;
	struct sockaddr_in6 *v6 = (void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, addr, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	REQUIRE(inet_pton(AF_INET6, addr, &v6->sin6_addr) == 1, "%s is not an address", addr);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return sizeof(*v6);
}

static void enter(const struct netns *ns)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		_exit(126);
	close(fd);
}

/* A bound socket in that namespace, made by a child and passed by being its descriptor: fork. */
static int bound_in(const struct netns *ns, int type, const char *addr, uint16_t port)
{
	struct sockaddr_storage a;
	socklen_t len = address(addr, port, &a);
	int back = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there, fd, one = 1;

	there = open(ns->path, O_RDONLY | O_CLOEXEC);
	REQUIRE(there >= 0 && setns(there, CLONE_NEWNET) == 0, "setns: %s", strerror(errno));
	fd = socket(a.ss_family, type | SOCK_CLOEXEC, 0);
	REQUIRE(fd >= 0, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	REQUIRE(bind(fd, (void *)&a, len) == 0, "bind %s: %s", addr, strerror(errno));
	REQUIRE(setns(back, CLONE_NEWNET) == 0, "setns back: %s", strerror(errno));
	close(there);
	close(back);
	return fd;
}

unsigned int datagrams(const struct netns *from, const struct netns *to, const char *addr,
		       uint16_t port, unsigned int n)
{
	struct sockaddr_storage a;
	socklen_t len = address(addr, port, &a);
	int fd = bound_in(to, SOCK_DGRAM, addr, port), status, room = 64 << 20;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned int got = 0;
	pid_t pid;
	char byte;

	/* All of them may wait there. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int s;

		enter(from);
		s = socket(a.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		for (unsigned int i = 0; i < n; i++)
			if (sendto(s, "x", 1, 0, (void *)&a, len) != 1)
				_exit(1);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status),
		"datagrams to %s could not be sent", addr);
	/* veth delivers before or soon after sendto() returns; what is dropped never comes. */
	while (got < n && poll(&p, 1, (int)(300 * test_slow())) > 0)
		got += recv(fd, &byte, 1, 0) == 1;
	close(fd);
	return got;
}

struct flood flood_begin(const struct netns *from, const struct netns *to, const char *addr,
			 uint16_t port)
{
	struct flood f = { .fd = bound_in(to, SOCK_DGRAM, addr, port) };
	struct sockaddr_storage a;
	socklen_t len = address(addr, port, &a);

	f.sent = mmap(NULL, sizeof(*f.sent), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	REQUIRE(f.sent != MAP_FAILED, "mmap: %s", strerror(errno));
	fflush(NULL);
	f.pid = fork();
	REQUIRE(f.pid >= 0, "fork: %s", strerror(errno));
	if (f.pid == 0) {
		int s;

		enter(from);
		s = socket(a.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		for (;;)
			*f.sent += sendto(s, "x", 1, 0, (void *)&a, len) == 1;
	}
	return f;
}

uint64_t flood_end(struct flood *f, uint64_t *ret_sent)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };
	uint64_t got = 0;
	char byte;

	kill(f->pid, SIGKILL);
	waitpid(f->pid, NULL, 0);
	while (poll(&p, 1, (int)(300 * test_slow())) > 0)
		got += recv(f->fd, &byte, 1, 0) == 1;
	close(f->fd);
	*ret_sent = *f->sent;
	munmap((void *)f->sent, sizeof(*f->sent));
	return got;
}

static void receive_all(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	char buf[65536];
	int fd;

	if (poll(&p, 1, (int)(2000 * test_slow())) <= 0)
		_exit(1);
	fd = accept(listener, NULL, NULL);
	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		;
	_exit(0);
}

bool stream(const struct netns *from, const struct netns *to, const char *addr, uint16_t port,
	    uint64_t bytes)
{
	static const char zeros[65536];
	struct sockaddr_storage a;
	socklen_t len = address(addr, port, &a);
	int listener = bound_in(to, SOCK_STREAM, addr, port), status, sent = 1;
	pid_t receiver, sender;

	REQUIRE(listen(listener, 1) == 0, "listen: %s", strerror(errno));
	fflush(NULL);
	receiver = fork();
	if (receiver == 0)
		receive_all(listener);
	sender = fork();
	if (sender == 0) {
		struct timeval limit = { .tv_sec = 1 };
		int s;

		enter(from);
		s = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (connect(s, (void *)&a, len))
			_exit(1);
		limit.tv_sec = 60;
		setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		while (bytes) {
			ssize_t n = write(s, zeros, bytes < sizeof(zeros) ? bytes : sizeof(zeros));

			if (n <= 0)
				_exit(2);
			bytes -= (uint64_t)n;
		}
		_exit(0);
	}
	close(listener);
	if (waitpid(sender, &status, 0) == sender)
		sent = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	waitpid(receiver, &status, 0);
	return sent == 0;
}

static void answer_all(int listener, unsigned int n)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	char buf[16];

	while (n-- && poll(&p, 1, (int)(2000 * test_slow())) > 0) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		if (read(fd, buf, sizeof(buf)) > 0)
			(void)!write(fd, buf, 4);
		close(fd);
	}
	_exit(0);
}

unsigned int connections(const struct netns *from, const struct netns *to, const char *addr,
			 uint16_t port, unsigned int n)
{
	struct sockaddr_storage a;
	socklen_t len = address(addr, port, &a);
	int listener = bound_in(to, SOCK_STREAM, addr, port), status, out[2];
	unsigned int done = 0;
	pid_t server, client;

	REQUIRE(listen(listener, 1024) == 0 && pipe(out) == 0, "listen: %s", strerror(errno));
	fflush(NULL);
	server = fork();
	if (server == 0)
		answer_all(listener, n);
	client = fork();
	if (client == 0) {
		struct timeval limit = { .tv_sec = 1 };

		enter(from);
		for (unsigned int i = 0; i < n; i++) {
			int s = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
			char buf[16];

			setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
			setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
			if (connect(s, (void *)&a, len) || write(s, "ping", 4) != 4 ||
			    read(s, buf, sizeof(buf)) <= 0)
				break;
			close(s);
			done++;
		}
		_exit(write(out[1], &done, sizeof(done)) != sizeof(done));
	}
	close(listener);
	REQUIRE(read(out[0], &done, sizeof(done)) == sizeof(done), "the client died");
	waitpid(client, &status, 0);
	kill(server, SIGKILL);
	waitpid(server, &status, 0);
	return done;
}

static void forge_all(const struct forged *what, unsigned int n, int ms)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int64_t began = now_ms();
	uint8_t p[40] = { 0 };
	int s = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	size_t size = what->proto == IPPROTO_TCP ? 40 : 28;

	inet_pton(AF_INET, "10.77.0.1", &to.sin_addr);
	p[0] = 0x45;
	p[3] = (uint8_t)size;
	p[8] = 64;
	p[9] = what->proto;
	inet_pton(AF_INET, "10.77.0.2", p + 12);
	memcpy(p + 16, &to.sin_addr, 4);
	for (unsigned int i = 0; i < n; i++) {
		unsigned int port = what->ports ? i % what->ports + 1 : 9;

		while (now_ms() - began < (int64_t)ms * i / n)
			pause_ms(1);
		if (what->hosts) {
			/* The way is that to 10.77.0.1. */
			p[16] = 198;
			p[17] = 18;
			p[18] = (uint8_t)(i % what->hosts >> 8);
			p[19] = (uint8_t)(i % what->hosts);
		}
		if (what->proto == IPPROTO_ICMP) {
			p[20] = 8;
		} else {
			p[20] = (uint8_t)((what->sport ? what->sport : 1024 + i % 50000) >> 8);
			p[21] = (uint8_t)(what->sport ? what->sport : 1024 + i % 50000);
			p[22] = (uint8_t)(port >> 8);
			p[23] = (uint8_t)port;
			p[25] = 8; /* UDP: its length */
			p[32] = what->proto == IPPROTO_TCP ? 5 << 4 : 0;
			p[33] = what->flags;
		}
		if (sendto(s, p, size, 0, (void *)&to, sizeof(to)) < 0 && errno != ENOBUFS)
			_exit(1);
	}
	_exit(0);
}

void forge(const struct netns *from, const struct forged *what, unsigned int n, int ms)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		enter(from);
		forge_all(what, n, ms);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status),
		"packets could not be sent");
}

void forge_second(const struct netns *from, const struct forged *what, unsigned int n)
{
	forge(from, what, n, 100);
	pause_ms(SECOND_MS);
}

bool guard_has_pins(const struct netns *ns)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/sys/fs/bpf/netprobe/guard-%" PRIu64, ns->inode);
	return !access(path, F_OK);
}
