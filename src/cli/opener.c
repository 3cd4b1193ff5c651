/* SPDX-License-Identifier: BSD-2-Clause */
/* See opener.h. */
#include "cli/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine/confine.h"

int opener_open(const char *path)
{
	/* Data that others truncate or move goes on at the end of what is there then. */
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);

	return fd < 0 ? -errno : fd;
}

/* The answer: an errno, and with 0 the descriptor. */
static void answer(int to, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {};
	int err = fd < 0 ? -fd : 0;
	struct iovec iov = { .iov_base = &err, .iov_len = sizeof(err) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	(void)sendmsg(to, &msg, MSG_NOSIGNAL);
}

static _Noreturn void serve(int fd, const char *path)
{
	sigset_t all;
	char ask;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)prctl(PR_SET_NAME, "netprobe-open");
	/* No reader of the command's output may wait for this one's end. */
	if (dup2(fd, 3) != 3 || close_range(4, ~0U, 0) || close_range(0, 2, 0))
		_exit(1);
	confine_opener();
	while (recv(3, &ask, 1, 0) == 1) {
		int got = opener_open(path);

		answer(3, got);
		if (got >= 0)
			(void)close(got);
	}
	_exit(0);
}

int opener_start(const char *path)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		(void)close(fds[0]);
		serve(fds[1], path);
	}
	(void)close(fds[1]);
	if (pid < 0) {
		int r = -errno;

		(void)close(fds[0]);
		return r;
	}
	return fds[0];
}

int opener_ask(int opener)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {};
	int err = 0, fd = -1;
	struct iovec iov = { .iov_base = &err, .iov_len = sizeof(err) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c;
	ssize_t n;

	if (send(opener, "o", 1, MSG_NOSIGNAL) != 1)
		return -errno;
	do
		n = recvmsg(opener, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(err))
		return n < 0 ? -errno : -ECONNRESET;
	c = CMSG_FIRSTHDR(&msg);
	if (!err && c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return err ? -err : fd >= 0 ? fd : -EBADF;
}
