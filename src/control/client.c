/* SPDX-License-Identifier: BSD-2-Clause */
/* One question to one instance (see client.h). */
#include "control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define WAIT_MS 10000 /* an instance that walks over 100,000 sockets is busy for a while */

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int64_t left = deadline_ms - now_ms();
	int n = left > 0 ? poll(&pfd, 1, (int)left) : 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n ? 0 : -ETIMEDOUT;
}

static int send_all(int fd, const char *text, int64_t deadline_ms)
{
	size_t len = strlen(text);
	int r = 0;

	while (len && !r) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n >= 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			r = wait_for(fd, POLLOUT, deadline_ms);
		} else if (errno == EPIPE) {
			return 0; /* it may have said why */
		} else if (errno != EINTR) {
			r = -errno;
		}
	}
	return r;
}

static int receive(int fd, struct buf *b, int64_t deadline_ms)
{
	int r = 0;

	while (!r) {
		char text[16384];
		ssize_t n = recv(fd, text, sizeof(text), 0);

		if (n == 0)
			return b->len ? 0 : -EPROTO;
		if (n > 0)
			buf_put(b, text, (size_t)n);
		else if (errno == EAGAIN)
			r = wait_for(fd, POLLIN, deadline_ms);
		else if (errno == ECONNRESET)
			return b->len ? 0 : -EPROTO;
		else if (errno != EINTR)
			r = -errno;
		if (!r)
			r = b->err ? b->err : b->len > CONTROL_REPLY_MAX ? -EPROTO : 0;
	}
	return r;
}

static int say_why(int r, pid_t pid, const struct control_dir *d, struct netprobe_error *err)
{
	switch (r) {
	case -ENOENT:
	case -ECONNREFUSED:
		return error_set(err, -ENOENT,
				 "there is no instance %d in %s; takes a PID that 'ctl list' shows",
				 (int)pid, d->path);
	case -EACCES:
		return error_set(err, -EPERM, "instance %d is not this user's", (int)pid);
	case -ETIMEDOUT:
	case -EAGAIN: /* its backlog is full */
		return error_set(err, -ETIMEDOUT, "instance %d does not answer", (int)pid);
	case -EPROTO:
		return error_set(err, r, "instance %d gave no answer that can be read", (int)pid);
	default:
		return error_set(err, r, "instance %d: %s", (int)pid, strerror(-r));
	}
}

int control_call(const struct control_dir *d, pid_t pid, const char *request, json_t **ret_reply,
		 struct netprobe_error *err)
{
	int64_t deadline_ms = now_ms() + WAIT_MS;
	int fd = control_dir_connect(d, pid);
	struct buf b = {};
	json_t *reply = NULL;
	int r = fd < 0 ? fd : send_all(fd, request, deadline_ms);

	if (!r)
		r = receive(fd, &b, deadline_ms);
	if (!r) {
		reply = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(reply))
			r = -EPROTO;
	}
	if (fd >= 0)
		(void)close(fd);
	buf_done(&b);
	if (r) {
		json_decref(reply);
		return say_why(r, pid, d, err);
	}
	*ret_reply = reply;
	return 0;
}
