/* SPDX-License-Identifier: BSD-2-Clause */
/* The self-test's traffic (see selftest.h). What the hooks made of it is looked at by the caller. */
#include "probe/selftest.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

#define _cleanup_close_ __attribute__((cleanup(close_fd)))

/* Bound to a free port of loopback; *addr becomes its address. */
static int bound_socket(int family, int type, struct sockaddr_storage *addr, socklen_t *len)
{
	_cleanup_close_ int fd = socket(family, type | SOCK_CLOEXEC, 0);
	int out;

	if (fd < 0)
		return -errno;
	*addr = (struct sockaddr_storage){ .ss_family = (sa_family_t)family };
	if (family == AF_INET) {
		((struct sockaddr_in *)addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		*len = sizeof(struct sockaddr_in);
	} else {
		((struct sockaddr_in6 *)addr)->sin6_addr = in6addr_loopback;
		*len = sizeof(struct sockaddr_in6);
	}
	if (bind(fd, (struct sockaddr *)addr, *len) < 0 ||
	    getsockname(fd, (struct sockaddr *)addr, len) < 0)
		return -errno;
	out = fd;
	fd = -1;
	return out;
}

static int wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 500) == 1 ? 0 : -ETIMEDOUT;
}

/* reset: end the connection with an RST, which also proves those hooks. */
static int tcp_exchange(int family, int reset)
{
	const struct linger abort_now = { .l_onoff = 1 };
	_cleanup_close_ int lfd = -1, cfd = -1, sfd = -1;
	struct sockaddr_storage addr;
	socklen_t len = 0;
	char byte = 0;
	int r;

	r = lfd = bound_socket(family, SOCK_STREAM, &addr, &len);
	if (r < 0)
		return r;
	if (listen(lfd, 1) < 0)
		return -errno;
	cfd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (cfd < 0 || connect(cfd, (struct sockaddr *)&addr, len) < 0)
		return -errno;
	r = wait_readable(lfd);
	if (r)
		return r;
	sfd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
	if (sfd < 0 || send(cfd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -errno;
	r = wait_readable(sfd);
	if (r)
		return r;
	if (recv(sfd, &byte, 1, 0) != 1)
		return -errno;
	if (reset && setsockopt(cfd, SOL_SOCKET, SO_LINGER, &abort_now, sizeof(abort_now)) < 0)
		return -errno;
	close_fd(&cfd);
	return reset ? wait_readable(sfd) : 0;
}

static int udp_exchange(int family)
{
	_cleanup_close_ int a = -1, b = -1;
	struct sockaddr_storage addr, other;
	socklen_t len = 0, other_len = sizeof(other);
	char byte = 0;
	int r;

	r = a = bound_socket(family, SOCK_DGRAM, &addr, &len);
	if (r < 0)
		return r;
	b = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (b < 0 || sendto(b, &byte, 1, 0, (struct sockaddr *)&addr, len) != 1)
		return -errno;
	r = wait_readable(a);
	if (r)
		return r;
	if (recvfrom(a, &byte, 1, 0, (struct sockaddr *)&other, &other_len) != 1)
		return -errno;
	if (connect(b, (struct sockaddr *)&addr, len) < 0)
		return -errno;
	return 0;
}

static void make_child(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

static void name_self(void)
{
	char name[16];

	if (!prctl(PR_GET_NAME, name))
		(void)prctl(PR_SET_NAME, name);
}

int selftest_run(void)
{
	int r = tcp_exchange(AF_INET, 0);

	if (r)
		return r;
	r = tcp_exchange(AF_INET, 1);
	if (r)
		return r;
	r = udp_exchange(AF_INET);
	if (r)
		return r;
	/* IPv6 may be switched off: its hooks share their bodies with IPv4's. */
	(void)tcp_exchange(AF_INET6, 0);
	(void)udp_exchange(AF_INET6);
	make_child();
	name_self();
	return 0;
}
