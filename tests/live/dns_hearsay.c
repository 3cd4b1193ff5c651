/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that look like answers: which of them name an address. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

#define ARGS "--dns-port", "5300"
#define NAME_ADDR "192.0.2."

/* A message with one question, and with an address where it is an answer; its bytes. */
static size_t dns_message(uint8_t m[128], const char *name, uint16_t type, int last)
{
	size_t n = strlen(name), at = 12;
	const char *dot = strchr(name, '.');

	memset(m, 0, 128);
	m[1] = 77; /* id */
	m[2] = last ? 0x80 : 0;
	m[5] = 1;
	m[at] = (uint8_t)(dot - name);
	memcpy(m + at + 1, name, n);
	m[at + 1 + (size_t)(dot - name)] = (uint8_t)strlen(dot + 1);
	at += n + 2;
	m[at + 1] = (uint8_t)type;
	m[at + 3] = 1;
	at += 4;
	if (!last)
		return at;
	m[7] = 1;
	/* its time is over in 136 years */
	memcpy(m + at, "\xc0\x0c\0\1\0\1\xff\xff\xff\xff\0\4\xc0\0\2", 15);
	m[at + 15] = (uint8_t)last;
	return at + 16;
}

static int dgram_at(const char *addr, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)inet_pton(AF_INET, addr, &a.sin_addr);
	return fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof(a)) ? fd : -1;
}

/* By name, from one socket of here to another; it is read there. */
static bool tell(int from, int to, const char *name, int last)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	uint8_t m[128], got[128];
	size_t n = dns_message(m, name, 1, last);

	return !getsockname(to, (struct sockaddr *)&a, &len) &&
	       sendto(from, m, n, 0, (struct sockaddr *)&a, len) == (ssize_t)n &&
	       recv(to, got, sizeof(got), 0) == (ssize_t)n;
}

/* As glibc asks: for both kinds of address in one call. */
static bool ask_both(int from, int to, const char *name)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	uint8_t m[2][128], got[128];
	struct iovec iov[2];
	struct mmsghdr both[2] = {};

	if (getsockname(to, (struct sockaddr *)&a, &len) ||
	    connect(from, (struct sockaddr *)&a, len))
		return false;
	for (int i = 0; i < 2; i++) {
		iov[i] = (struct iovec){ m[i], dns_message(m[i], name, i ? 28 : 1, 0) };
		both[i].msg_hdr.msg_iov = &iov[i];
		both[i].msg_hdr.msg_iovlen = 1;
	}
	return sendmmsg(from, both, 2, 0) == 2 && recv(to, got, sizeof(got), 0) > 0 &&
	       recv(to, got, sizeof(got), 0) > 0;
}

/* A connection to that address, which is local; kept. */
static bool connect_to(int last)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(7000) };
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
	char addr[32];

	snprintf(addr, sizeof(addr), NAME_ADDR "%d", last);
	(void)inet_pton(AF_INET, addr, &a.sin_addr);
	return !bind(l, (struct sockaddr *)&a, sizeof(a)) && !listen(l, 1) &&
	       !connect(c, (struct sockaddr *)&a, sizeof(a)) && send(c, "x", 1, 0) == 1;
}

/* The line where it went wrong; 0. */
static int hearsay(const struct netns *ns)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC), server, victim, asker, other;

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return __LINE__;
	server = dgram_at("127.0.0.66", 5300);
	other = dgram_at("127.0.0.67", 5300);
	victim = dgram_at("127.0.0.1", 7777);
	asker = dgram_at("127.0.0.1", 0);
	if (server < 0 || victim < 0 || asker < 0 || other < 0)
		return __LINE__;
	/* Nobody asked; then somebody asks, and is told of another name; by another server; and the truth. */
	if (!tell(server, victim, "login.bank", 1) || !ask_both(asker, server, "host.test") ||
	    !tell(server, asker, "login.bank", 2) || !tell(server, victim, "host.test", 3) ||
	    !tell(server, asker, "host.test", 4))
		return __LINE__;
	for (int last = 1; last <= 4; last++)
		if (!connect_to(last))
			return __LINE__;
	return 0;
}

static bool is_last(const json_t *r, const void *arg)
{
	const struct netns *ns = arg;

	return !strcmp(record_str(r, "event_type"), "conn.open") &&
	       record_u64(r, "netns") == ns->inode && record_u64(r, "rport") == 7000 &&
	       !strcmp(record_str(r, "raddr"), NAME_ADDR "4");
}

static unsigned int check_names(const json_t *records, const struct netns *ns, const char *key)
{
	unsigned int n = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		const char *addr = record_str(r, "raddr"), *rname = record_str(r, "rname");

		if (record_u64(r, "netns") != ns->inode || record_u64(r, "rport") != 7000 ||
		    (key && strcmp(record_str(r, "event_type"), key) != 0) ||
		    strncmp(addr, NAME_ADDR, strlen(NAME_ADDR)) != 0)
			continue;
		n++;
		if (!strcmp(addr, NAME_ADDR "4"))
			CHECK(!strcmp(rname, "host.test"), "%s: expected host.test, got %s", addr,
			      rname);
		else
			CHECK(json_is_null(json_object_get(r, "rname")),
			      "%s: expected no name, got %s", addr, rname);
	}
	return n;
}

TEST(only_answers_to_who_asked_name_addresses)
{
	struct netns ns = netns_new();
	struct probe p, f;
	json_t *r;
	pid_t pid;
	int status;

	for (int last = 1; last <= 4; last++) {
		char command[64];

		snprintf(command, sizeof(command), "ip addr add " NAME_ADDR "%d/32 dev lo", last);
		netns_must(&ns, command);
	}
	p = probe_start("events", "--format", "json", ARGS, NULL);
	f = probe_start("flows", "--format", "json", ARGS, "--duration", "36000", NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		status = hearsay(&ns);
		if (status)
			_exit(status & 127);
		pause();
	}
	r = probe_wait_record(&p, is_last, &ns, 10000);
	CHECK(r, "expected the last connection, got none (the maker: %d)",
	      waitpid(pid, &status, WNOHANG) == pid ? WEXITSTATUS(status) : -1);
	json_decref(r);
	probe_stop(&p);
	probe_stop(&f);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(check_names(p.records, &ns, "conn.open") >= 4, "expected 4 connections");
	CHECK(check_names(f.records, &ns, NULL) >= 4, "expected 4 flows");
}
