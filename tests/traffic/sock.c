/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and sockets of the traffic makers; see lib.h. */
#include "lib.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

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

static bool listens; /* the next socket is a listener */

int sock_new(int family, int type)
{
	bool lite = tm_flag("lite") && (type & 0xf) == SOCK_DGRAM;
	bool mptcp = type == SOCK_STREAM &&
		     (tm_flag("mptcp") || tm_flag(listens ? "mptcp-server" : "mptcp-client"));
	int fd = socket(family, type | SOCK_CLOEXEC,
			lite	? IPPROTO_UDPLITE
			: mptcp ? IPPROTO_MPTCP
				: 0);

	if (fd < 0 && lite)
		unsupported("IPPROTO_UDPLITE");
	if (fd < 0 && mptcp)
		unsupported("IPPROTO_MPTCP");
	if (fd < 0)
		die("socket");
	return fd;
}

int tcp_listen(const struct addr *a, int backlog)
{
	int fd;

	listens = true;
	fd = sock_new(a->ss.ss_family, SOCK_STREAM);
	listens = false;
	sock_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (const struct sockaddr *)&a->ss, a->len) < 0)
		die("bind");
	if (listen(fd, backlog) < 0)
		die("listen");
	return fd;
}

int tcp_accept(int listener)
{
	/* As most servers do, with the peer's address; --blind without. */
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	bool blind = tm_flag("blind");
	int fd = accept4(listener, blind ? NULL : (struct sockaddr *)&ss, blind ? NULL : &len,
			 SOCK_CLOEXEC);

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
