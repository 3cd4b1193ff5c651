/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways to send on a TCP socket; see methods.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "methods.h"
#include "uring.h"

static char buf[1 << 20];

static size_t least(uint64_t bytes, size_t chunk)
{
	if (chunk > sizeof(buf))
		chunk = sizeof(buf);
	return bytes < chunk ? (size_t)bytes : chunk;
}

static uint64_t took(struct report *r, ssize_t n, const char *what)
{
	if (n < 0)
		die(what);
	r->tx += (uint64_t)n;
	r->tx_pkts++;
	return (uint64_t)n;
}

static void by_send(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	while (bytes)
		bytes -= took(r, send(fd, buf, least(bytes, chunk), MSG_MORE), "send");
}

static void by_writev(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	while (bytes) {
		size_t len = least(bytes, chunk);
		struct iovec iov[2] = { { buf, len / 2 }, { buf, len - len / 2 } };

		bytes -= took(r, writev(fd, iov, 2), "writev");
	}
}

static void by_sendmsg(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	while (bytes) {
		struct iovec iov = { buf, least(bytes, chunk) };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

		bytes -= took(r, sendmsg(fd, &msg, 0), "sendmsg");
	}
}

static void by_sendmmsg(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	while (bytes) {
		struct iovec iov[8];
		struct mmsghdr msgs[8];
		uint64_t left = bytes;
		unsigned int n = 0;
		int sent;

		memset(msgs, 0, sizeof(msgs));
		for (; n < 8 && left; n++) {
			iov[n] = (struct iovec){ buf, least(left, chunk) };
			msgs[n].msg_hdr.msg_iov = &iov[n];
			msgs[n].msg_hdr.msg_iovlen = 1;
			left -= iov[n].iov_len;
		}
		sent = sendmmsg(fd, msgs, n, 0);
		if (sent < 0)
			die("sendmmsg");
		for (int i = 0; i < sent; i++)
			bytes -= took(r, msgs[i].msg_len, "sendmmsg");
	}
}

static void by_sendfile(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	int file = memfd_create("sendfile", MFD_CLOEXEC);
	off_t offset = 0;

	if (file < 0 || ftruncate(file, (off_t)bytes) < 0)
		die("memfd");
	while (bytes)
		bytes -= took(r, sendfile(fd, file, &offset, least(bytes, chunk)), "sendfile");
	close(file);
}

/* A page at a time, so that the receiver may find whole pages to map. */
static void by_splice(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	int p[2];

	if (chunk > 65536)
		chunk = 65536;
	if (pipe2(p, O_CLOEXEC) < 0)
		die("pipe");
	while (bytes) {
		ssize_t n = write(p[1], buf, least(bytes, chunk));
		size_t left;

		if (n < 0)
			die("write to pipe");
		for (left = (size_t)n; left;) {
			uint64_t moved = took(r, splice(p[0], NULL, fd, NULL, left, 0), "splice");

			left -= moved;
			bytes -= moved;
		}
	}
	close(p[0]);
	close(p[1]);
}

/* Wait for and read the completions: calls on the error queue, which carry no payload. */
static void zerocopy_reap(int fd, uint32_t sent)
{
	uint32_t done = 0;

	while (done < sent) {
		char control[128];
		struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
		struct pollfd pfd = { .fd = fd };
		struct sock_extended_err *e;

		if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0) {
			if (errno != EAGAIN || poll(&pfd, 1, 10000) <= 0)
				die("MSG_ERRQUEUE");
			continue;
		}
		e = (void *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
		if (e->ee_origin == SO_EE_ORIGIN_ZEROCOPY)
			done += e->ee_data - e->ee_info + 1;
	}
}

static void by_zerocopy(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) < 0)
		unsupported("SO_ZEROCOPY");
	while (bytes) {
		uint32_t sent = 0;

		for (; bytes && sent < 8; sent++)
			bytes -= took(r, send(fd, buf, least(bytes, chunk), MSG_ZEROCOPY),
				      "MSG_ZEROCOPY");
		zerocopy_reap(fd, sent);
	}
}

/* More than fits each time: what is counted is what was taken, not what was asked for. */
static void by_partial(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	(void)chunk;
	sock_int(fd, SOL_SOCKET, SO_SNDBUF, 30000);
	while (bytes) {
		ssize_t n = send(fd, buf, least(bytes, 250000), MSG_DONTWAIT);

		if (n >= 0)
			bytes -= took(r, n, "send");
		else if (errno != EAGAIN || poll(&pfd, 1, 10000) <= 0)
			die("send");
	}
}

static void by_uring(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	uring_init();
	while (bytes) {
		ssize_t n = uring_send(fd, buf, least(bytes, chunk));

		if (n < 0) {
			errno = (int)-n;
			n = -1;
		}
		bytes -= took(r, n, "io_uring send");
	}
}

send_method send_method_find(const char *name)
{
	static const struct {
		const char *name;
		send_method run;
	} methods[] = {
		{ "write", send_bytes },   { "send", by_send },		{ "writev", by_writev },
		{ "sendmsg", by_sendmsg }, { "sendmmsg", by_sendmmsg }, { "sendfile", by_sendfile },
		{ "splice", by_splice },   { "zerocopy", by_zerocopy }, { "partial", by_partial },
		{ "uring", by_uring },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strcmp(methods[i].name, name))
			return methods[i].run;
	errno = EINVAL;
	die(name);
}
