/* SPDX-License-Identifier: BSD-2-Clause */
/* See check.h. */
#include "balance/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "balance/health.h"
#include "base/version.h"

#define NS_PER_MS 1000000ull
#define REPLY_BYTES 16 /* "HTTP/1.1 200 " and its end */

/* What an asking is at. */
#define IDLE 0
#define CONNECTING 1
#define READING 2

struct asking {
	int fd;	      /* valid unless IDLE */
	uint32_t uid; /* of the backend; another one's is thrown away */
	uint8_t phase;
	uint8_t got;
	bool ready; /* poll() said so */
	char reply[REPLY_BYTES];
	uint64_t due_ns, deadline_ns;
};

struct checker {
	struct balance *b;
	checker_fn fn;
	void *arg;
	struct asking at[LB_BACKENDS];
	uint32_t gen;		   /* step_ns is of that one */
	uint64_t step_ns[LB_VIPS]; /* when a slow start goes on; 0 none */
	uint64_t looked_ns;	   /* when gen was read: what others changed since was made later */
	struct pollfd fds[LB_BACKENDS];
	uint16_t slots[LB_BACKENDS]; /* of fds */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

struct checker *checker_new(struct balance *b, checker_fn fn, void *arg)
{
	struct checker *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->b = b;
	c->fn = fn;
	c->arg = arg;
	return c;
}

static void hang_up(struct asking *a)
{
	if (a->phase != IDLE)
		close(a->fd);
	a->phase = IDLE;
	a->ready = false;
}

struct checker *checker_free(struct checker *c)
{
	if (!c)
		return NULL;
	for (unsigned int i = 0; i < LB_BACKENDS; i++)
		hang_up(&c->at[i]);
	free(c);
	return NULL;
}

int check_http_status(const char *reply, size_t bytes)
{
	static const char begin[] = "HTTP/1.";
	size_t n = bytes < sizeof(begin) - 1 ? bytes : sizeof(begin) - 1;
	int status = 0;

	if (memcmp(reply, begin, n) != 0)
		return 0;
	if (bytes < sizeof("HTTP/1.1 200") - 1)
		return -EAGAIN;
	if (reply[8] != ' ')
		return 0;
	for (const char *p = reply + 9; p < reply + 12; p++) {
		if (*p < '0' || *p > '9')
			return 0;
		status = status * 10 + (*p - '0');
	}
	return status;
}

/* 0: under way; else why not. */
static int dial(struct asking *a, const struct lb_backend *b, const struct lb_backend_conf *conf)
{
	bool v4 = !b->v6;
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(conf->port) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(conf->port) };
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	memcpy(&sin.sin_addr, b->addr + 12, 4);
	memcpy(&sin6.sin6_addr, b->addr, 16);
	r = v4 ? connect(fd, (struct sockaddr *)&sin, sizeof(sin))
	       : connect(fd, (struct sockaddr *)&sin6, sizeof(sin6));
	if (r < 0 && errno != EINPROGRESS) {
		r = -errno;
		close(fd);
		return r;
	}
	a->fd = fd;
	a->uid = b->uid;
	a->phase = CONNECTING;
	a->got = 0;
	memset(a->reply, 0, sizeof(a->reply));
	return 0;
}

static int ask(const struct asking *a, const struct lb_backend *b,
	       const struct lb_backend_conf *conf)
{
	char addr[ADDR_TEXT_SIZE], text[LB_PATH_SIZE + LB_HOST_SIZE + 160];
	int n;

	addr_format(b->addr, addr);
	n = snprintf(
		text, sizeof(text),
		"GET %s HTTP/1.0\r\nHost: %s%s%s\r\nUser-Agent: netprobe/%.32s\r\nConnection: close\r\n\r\n",
		conf->path[0] ? conf->path : "/", !conf->host[0] && b->v6 ? "[" : "",
		conf->host[0] ? conf->host : addr, !conf->host[0] && b->v6 ? "]" : "",
		version_text);
	/* It fits into any socket's buffer. */
	return send(a->fd, text, (size_t)n, MSG_NOSIGNAL) == n ? 0 : errno ? -errno : -EIO;
}

/*
 * What has come of an asking whose descriptor is ready. -EAGAIN: nothing yet; 0 good; another -errno, or
 * the status that was no good.
 */
static int proceed(struct asking *a, const struct lb_backend *b, const struct lb_backend_conf *conf)
{
	socklen_t len = sizeof(int);
	ssize_t n;
	int r = 0;

	if (a->phase == CONNECTING) {
		if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &r, &len))
			r = errno;
		if (r || conf->check == LB_CHECK_TCP)
			return -r;
		r = ask(a, b, conf);
		a->phase = READING;
		return r ? r : -EAGAIN;
	}
	n = recv(a->fd, a->reply + a->got, sizeof(a->reply) - a->got, 0);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	a->got = (uint8_t)(a->got + n);
	r = check_http_status(a->reply, a->got);
	if (r == 0)
		return -EPROTO;
	if (r < 0)
		return r;
	return r >= 200 && r < 400 ? 0 : r;
}

static void explain(struct lb_backend_conf *conf, int result)
{
	if (result > 0)
		(void)snprintf(conf->why, sizeof(conf->why), "HTTP status %d", result);
	else if (result == -EPROTO)
		(void)snprintf(conf->why, sizeof(conf->why), "answer is not HTTP");
	else if (result)
		(void)snprintf(conf->why, sizeof(conf->why), "%s", strerror(-result));
	else
		conf->why[0] = '\0';
}

/* When a slow start of one of a VIP's backends goes on after that time; 0: none is under way. */
static uint64_t next_step(const struct checker *c, unsigned int vip, uint64_t after_ns)
{
	uint64_t least = 0;

	for (unsigned int i = 0; (i = model_next(c->b->model, vip, i));) {
		uint64_t step = health_next_step_ns(&c->b->model->confs[i], after_ns);

		if (step && (!least || step < least))
			least = step;
	}
	return least ? after_ns + least : 0;
}

/* What begins while the ring is made is not in it: the next step is that after the time before. */
static int update(struct checker *c, unsigned int vip, struct netprobe_error *err)
{
	uint64_t before = now_ns();
	int r = balance_update(c->b, vip, err);

	c->step_ns[vip] = next_step(c, vip, before);
	return r;
}

static void tell(const struct checker *c, unsigned int slot)
{
	const struct lb_backend *b = &c->b->model->backends[slot];
	const struct lb_backend_conf *conf = &c->b->model->confs[slot];
	char vip[VIP_TEXT_SIZE], backend[ADDR_TEXT_SIZE];

	if (!c->fn)
		return;
	vip_format(&c->b->model->vips[b->vip_slot].key, vip);
	addr_format(b->addr, backend);
	c->fn(vip, backend, !conf->down, conf->why, c->arg);
}

static int finish(struct checker *c, unsigned int slot, int result, struct netprobe_error *err)
{
	struct lb_backend_conf *conf = &c->b->model->confs[slot];
	uint64_t now = now_ns();
	bool changed;
	int r;

	hang_up(&c->at[slot]);
	c->at[slot].due_ns = now + conf->interval_ms * NS_PER_MS;
	explain(conf, result);
	changed = health_result(conf, result == 0, now);
	r = balance_save(c->b, slot);
	if (r)
		return error_set(err, r, "health could not be written: %s", strerror(-r));
	if (!changed)
		return 0;
	r = update(c, c->b->model->backends[slot].vip_slot, err);
	tell(c, slot);
	return r;
}

/* One backend's turn, under the lock. */
static int turn(struct checker *c, unsigned int slot, struct netprobe_error *err)
{
	const struct lb_backend *b = &c->b->model->backends[slot];
	const struct lb_backend_conf *conf = &c->b->model->confs[slot];
	struct asking *a = &c->at[slot];
	uint64_t now = now_ns();
	int r;

	if (!conf->used || conf->check == LB_CHECK_NONE || a->uid != b->uid) {
		hang_up(a);
		a->uid = b->uid;
		a->due_ns = 0;
	}
	if (!conf->used || conf->check == LB_CHECK_NONE)
		return 0;
	if (a->phase == IDLE) {
		if (now < a->due_ns)
			return 0;
		a->deadline_ns = now + conf->timeout_ms * NS_PER_MS;
		r = dial(a, b, conf);
		return r ? finish(c, slot, r, err) : 0;
	}
	r = a->ready ? proceed(a, b, conf) : -EAGAIN;
	a->ready = false;
	if (r != -EAGAIN)
		return finish(c, slot, r, err);
	return now >= a->deadline_ns ? finish(c, slot, -ETIMEDOUT, err) : 0;
}

/* Nanoseconds until something is due by itself, at most `most`. */
static uint64_t until_next(const struct checker *c, uint64_t most)
{
	uint64_t now = now_ns(), least = now + most;

	for (unsigned int i = 1; i < LB_BACKENDS; i++) {
		const struct asking *a = &c->at[i];
		const struct lb_backend_conf *conf = &c->b->model->confs[i];
		uint64_t at = a->phase == IDLE ? a->due_ns : a->deadline_ns;

		if (conf->used && conf->check != LB_CHECK_NONE && at < least)
			least = at;
	}
	for (unsigned int i = 0; i < LB_VIPS; i++)
		if (c->step_ns[i] && c->step_ns[i] < least)
			least = c->step_ns[i];
	return least > now ? least - now : 0;
}

static void wait_for_answers(struct checker *c, int timeout_ms)
{
	uint64_t wait = until_next(c, (uint64_t)timeout_ms * NS_PER_MS);
	nfds_t n = 0;

	for (unsigned int i = 1; i < LB_BACKENDS; i++) {
		if (c->at[i].phase == IDLE)
			continue;
		c->slots[n] = (uint16_t)i;
		c->fds[n++] = (struct pollfd){
			.fd = c->at[i].fd,
			.events = c->at[i].phase == CONNECTING ? POLLOUT : POLLIN,
		};
	}
	if (poll(c->fds, n, (int)((wait + NS_PER_MS - 1) / NS_PER_MS)) <= 0)
		return;
	for (nfds_t i = 0; i < n; i++)
		c->at[c->slots[i]].ready = c->fds[i].revents != 0;
}

/* All that is due or answered, under the lock. */
static int turns(struct checker *c, struct netprobe_error *err)
{
	uint32_t was = c->gen;
	int r = balance_take(c->b, err);
	uint64_t now = now_ns();

	if (r)
		return r;
	for (unsigned int i = 1; !r && i < LB_BACKENDS; i++)
		r = turn(c, i, err);
	for (unsigned int i = 0; !r && i < LB_VIPS; i++) {
		if (!c->b->model->vips[i].key.proto)
			continue;
		/* Others may have added what starts slowly. */
		if (was != c->b->gen)
			c->step_ns[i] = next_step(c, i, c->looked_ns);
		if (c->step_ns[i] && c->step_ns[i] <= now_ns())
			r = update(c, i, err);
	}
	c->gen = c->b->gen;
	c->looked_ns = now;
	balance_share(c->b);
	return r;
}

int checker_run(struct checker *c, int timeout_ms, struct netprobe_error *err)
{
	int r = turns(c, err);

	if (r)
		return r;
	wait_for_answers(c, timeout_ms);
	return turns(c, err);
}
