/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways to receive on a TCP socket; see methods.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "methods.h"
#include "uring.h"

#define ZC_WINDOW (1u << 20) /* address space offered to TCP_ZEROCOPY_RECEIVE */

static char buf[1 << 17];

/* True until the peer's FIN. */
static bool took(struct report *r, ssize_t n, const char *what)
{
	if (n < 0)
		die(what);
	if (n == 0)
		return false;
	r->rx += (uint64_t)n;
	r->rx_pkts++;
	return true;
}

static void by_recv(struct report *r, int fd)
{
	while (took(r, recv(fd, buf, sizeof(buf), 0), "recv"))
		;
}

static void by_readv(struct report *r, int fd)
{
	struct iovec iov[2] = { { buf, 1000 }, { buf + 1000, sizeof(buf) - 1000 } };

	while (took(r, readv(fd, iov, 2), "readv"))
		;
}

static void by_recvmsg(struct report *r, int fd)
{
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	while (took(r, recvmsg(fd, &msg, 0), "recvmsg"))
		;
}

static void by_recvmmsg(struct report *r, int fd)
{
	for (;;) {
		struct iovec iov = { buf, sizeof(buf) };
		struct mmsghdr msg;

		memset(&msg, 0, sizeof(msg));
		msg.msg_hdr.msg_iov = &iov;
		msg.msg_hdr.msg_iovlen = 1;
		if (recvmmsg(fd, &msg, 1, 0, NULL) < 0)
			die("recvmmsg");
		if (!took(r, msg.msg_len, "recvmmsg"))
			return;
	}
}

static void by_waitall(struct report *r, int fd)
{
	while (took(r, recv(fd, buf, sizeof(buf), MSG_WAITALL), "MSG_WAITALL"))
		;
}

/* Look at the same bytes three times, then take them. */
static void by_peek(struct report *r, int fd)
{
	do {
		for (int i = 0; i < 3; i++)
			if (recv(fd, buf, sizeof(buf), MSG_PEEK) < 0)
				die("MSG_PEEK");
	} while (took(r, recv(fd, buf, 3000, 0), "recv"));
}

/* On TCP MSG_TRUNC takes bytes and drops them uncopied: they were received all the same. */
static void by_trunc(struct report *r, int fd)
{
	while (took(r, recv(fd, buf, sizeof(buf), MSG_TRUNC), "MSG_TRUNC"))
		;
}

/* Ask far too often: EAGAIN counts nothing. */
static void by_nonblock(struct report *r, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	for (;;) {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN && poll(&pfd, 1, 10000) > 0)
			continue;
		if (!took(r, n, "recv"))
			return;
	}
}

static void by_splice(struct report *r, int fd)
{
	int p[2], sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	uint64_t before;

	if (sink < 0 || pipe2(p, O_CLOEXEC) < 0)
		die("pipe");
	for (before = r->rx; took(r, splice(fd, NULL, p[1], NULL, 65536, 0), "splice");
	     before = r->rx) {
		uint64_t left = r->rx - before;

		r->unseen += left;
		while (left) {
			ssize_t n = splice(p[0], NULL, sink, NULL, (size_t)left, 0);

			if (n <= 0)
				die("splice to /dev/null");
			left -= (uint64_t)n;
		}
	}
}

/*
 * Pages that can be mapped are, the rest is read: recv_skip_hint says how much of it comes next.
 * Mapped bytes pass no receive hook at all.
 */
static void by_zerocopy(struct report *r, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	void *window = mmap(NULL, ZC_WINDOW, PROT_READ, MAP_SHARED, fd, 0);

	if (window == MAP_FAILED)
		unsupported("mmap of a TCP socket");
	for (;;) {
		struct tcp_zerocopy_receive zc;
		socklen_t len = sizeof(zc);
		size_t rest;

		if (poll(&pfd, 1, 10000) <= 0)
			die("poll");
		memset(&zc, 0, sizeof(zc));
		zc.address = (uint64_t)(uintptr_t)window;
		zc.length = ZC_WINDOW;
		if (getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &zc, &len) < 0) {
			if (errno == EIO)
				return; /* nothing left after the peer's FIN */
			unsupported("TCP_ZEROCOPY_RECEIVE");
		}
		if (zc.length) {
			took(r, zc.length, "TCP_ZEROCOPY_RECEIVE");
			r->unseen += zc.length;
			madvise(window, zc.length, MADV_DONTNEED);
		}
		rest = zc.recv_skip_hint;
		if (!rest && zc.length)
			continue;
		if (!rest || rest > sizeof(buf))
			rest = sizeof(buf);
		if (!took(r, recv(fd, buf, rest, 0), "recv"))
			return;
	}
}

static void by_uring(struct report *r, int fd)
{
	ssize_t n;

	uring_init();
	do {
		n = uring_recv(fd, buf, sizeof(buf));
		if (n < 0) {
			errno = (int)-n;
			n = -1;
		}
	} while (took(r, n, "io_uring receive"));
}

recv_method recv_method_find(const char *name)
{
	static const struct {
		const char *name;
		recv_method run;
	} methods[] = {
		{ "read", recv_to_end },   { "recv", by_recv },		{ "readv", by_readv },
		{ "recvmsg", by_recvmsg }, { "recvmmsg", by_recvmmsg }, { "waitall", by_waitall },
		{ "peek", by_peek },	   { "trunc", by_trunc },	{ "nonblock", by_nonblock },
		{ "splice", by_splice },   { "zerocopy", by_zerocopy }, { "uring", by_uring },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strcmp(methods[i].name, name))
			return methods[i].run;
	errno = EINVAL;
	die(name);
}
