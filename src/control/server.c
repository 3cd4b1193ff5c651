/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients of a control socket (see server.h): an epoll set of their own holds the listener, the
 * clients and a timer that runs while there are any.
 */
#include "control/server.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "control/dir.h"

struct client {
	int fd; /* -1: free */
	int64_t deadline_ms;
	struct buf out; /* empty while the request comes in */
	size_t sent;
	size_t len;
	char in[CONTROL_MAX_BYTES];
};

struct control_server {
	struct control_dir dir;
	int epoll, listener, timer;
	bool deaf; /* there was no descriptor for a client: those wait until the timer's next time */
	control_answer_fn fn;
	void *arg;
	struct client clients[CONTROL_CLIENTS];
};

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int watch(const struct control_server *s, int op, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(s->epoll, op, fd, &ev) < 0 ? -errno : 0;
}

static void set_timer(const struct control_server *s, bool on)
{
	struct itimerspec its = {};

	if (on)
		its.it_interval.tv_nsec = its.it_value.tv_nsec = 250000000;
	(void)timerfd_settime(s->timer, 0, &its, NULL);
}

static void client_drop(struct control_server *s, struct client *c)
{
	bool any = false;

	(void)close(c->fd);
	buf_done(&c->out);
	c->fd = -1;
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		any |= s->clients[i].fd >= 0;
	set_timer(s, any || s->deaf);
}

static void write_error(struct buf *b, const struct netprobe_error *why)
{
	buf_reset(b);
	buf_puts(b, "{\"ok\":false");
	/* The exit code that fits: whose fault it is. */
	json_kv_u64(b, "code", why->code == -EPERM ? 1 : why->code == -EINVAL ? 3 : 4);
	json_kv_str(b, "error", why->msg);
	buf_puts(b, "}\n");
}

static void client_send(struct control_server *s, struct client *c)
{
	while (c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (watch(s, EPOLL_CTL_MOD, c->fd, EPOLLOUT))
				client_drop(s, c);
			return;
		}
		if (n < 0)
			break;
		c->sent += (size_t)n;
	}
	client_drop(s, c);
}

static void client_answer(struct control_server *s, struct client *c, size_t len)
{
	struct control_request q = {};
	struct netprobe_error err = {};
	int r = request_parse(c->in, len, &q, &err);

	buf_puts(&c->out, "{\"ok\":true");
	if (!r) {
		r = s->fn(&q, &c->out, &err, s->arg);
		request_done(&q);
	}
	buf_puts(&c->out, "}\n");
	if (!r && c->out.err)
		r = error_set(&err, -ENOMEM, "out of memory");
	if (r)
		write_error(&c->out, &err);
	client_send(s, c);
}

static void client_refuse(struct control_server *s, struct client *c, int code, const char *why)
{
	struct netprobe_error err = {};

	error_set(&err, code, "%s", why);
	write_error(&c->out, &err);
	client_send(s, c);
}

static void client_read(struct control_server *s, struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, 0);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_drop(s, c);
		return;
	}
	c->len += (size_t)n;
	end = memchr(c->in, '\n', c->len);
	if (end)
		client_answer(s, c, (size_t)(end - c->in));
	else if (c->len == sizeof(c->in))
		client_refuse(s, c, -EINVAL,
			      "the request is too long; takes a line of up to 16384 bytes");
}

/* The folder and the socket keep others out; this holds where somebody opened them by chmod. */
static bool is_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static struct client *free_client(struct control_server *s)
{
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		if (s->clients[i].fd < 0)
			return &s->clients[i];
	return NULL;
}

static void turn_away(int fd)
{
	static const char busy[] =
		"{\"ok\":false,\"code\":4,\"error\":\"too many clients at once; try again\"}\n";

	(void)send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}

static void accept_one(struct control_server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c;

	if (fd < 0) {
		/* It stays readable: to be called for it at once would take a processor for nothing. */
		if ((errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) &&
		    !watch(s, EPOLL_CTL_MOD, s->listener, 0)) {
			s->deaf = true;
			set_timer(s, true);
		}
		return;
	}
	c = free_client(s);
	if (!c || watch(s, EPOLL_CTL_ADD, fd, EPOLLIN)) {
		turn_away(fd);
		return;
	}
	c->fd = fd;
	c->deadline_ms = now_ms() + CONTROL_TIMEOUT_MS;
	c->len = c->sent = 0;
	c->out = (struct buf){};
	set_timer(s, true);
	if (!is_allowed(fd))
		client_refuse(s, c, -EPERM, "only this instance's user and root may ask it");
	else
		client_read(s, c); /* most have asked by now */
}

static void expire(struct control_server *s)
{
	int64_t now = now_ms();
	bool any = false;
	uint64_t n;

	(void)!read(s->timer, &n, sizeof(n));
	if (s->deaf && !watch(s, EPOLL_CTL_MOD, s->listener, EPOLLIN)) {
		s->deaf = false;
		for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
			any |= s->clients[i].fd >= 0;
		set_timer(s, any);
	}
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		if (s->clients[i].fd >= 0 && now >= s->clients[i].deadline_ms)
			client_drop(s, &s->clients[i]);
}

static void serve(struct control_server *s, int fd)
{
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *c = &s->clients[i];

		if (c->fd != fd)
			continue;
		if (c->out.len)
			client_send(s, c);
		else
			client_read(s, c);
		return;
	}
}

void control_server_run(struct control_server *s)
{
	struct epoll_event ev[CONTROL_CLIENTS + 2];
	int n = epoll_wait(s->epoll, ev, CONTROL_CLIENTS + 2, 0);

	for (int i = 0; i < n; i++) {
		if (ev[i].data.fd == s->timer)
			expire(s);
		else if (ev[i].data.fd == s->listener)
			accept_one(s);
		else
			serve(s, ev[i].data.fd);
	}
}

int control_server_fd(const struct control_server *s)
{
	return s->epoll;
}

static int open_fds(struct control_server *s)
{
	pid_t *pids = NULL;

	(void)control_dir_scan(&s->dir, &pids); /* tidies up */
	free(pids);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->epoll < 0 || s->timer < 0)
		return -errno;
	s->listener = control_dir_listen(&s->dir, getpid(), CONTROL_CLIENTS);
	if (s->listener < 0)
		return s->listener;
	return watch(s, EPOLL_CTL_ADD, s->listener, EPOLLIN)
		       ?: watch(s, EPOLL_CTL_ADD, s->timer, EPOLLIN);
}

int control_server_open(control_answer_fn fn, void *arg, struct control_server **ret_server,
			struct netprobe_error *err)
{
	struct control_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->epoll = s->listener = s->timer = -1;
	s->fn = fn;
	s->arg = arg;
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		s->clients[i].fd = -1;
	r = control_dir_find(&s->dir, true, err);
	if (!r) {
		r = open_fds(s);
		if (r)
			error_set(
				err, r, "%s/%d.sock: %s", s->dir.path, (int)getpid(),
				r == -EADDRINUSE
					? "an instance in another pid namespace has that number, NETPROBE_RUNTIME_DIR names another folder"
					: strerror(-r));
	}
	if (r)
		(void)control_server_close(s);
	else
		*ret_server = s;
	return r;
}

struct control_server *control_server_close(struct control_server *s)
{
	if (!s)
		return NULL;
	if (s->listener >= 0) {
		control_dir_unlink(&s->dir, getpid());
		(void)close(s->listener);
	}
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			client_drop(s, &s->clients[i]);
	if (s->timer >= 0)
		(void)close(s->timer);
	if (s->epoll >= 0)
		(void)close(s->epoll);
	free(s);
	return NULL;
}
