/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of the capturing commands: epoll over a timer, signals, the event ring and the keyboard. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cli/cli.h"

#define DRAIN_MS 50 /* how long an event may wait in the ring when nothing presses */

struct fds {
	int epoll, timer, signals;
};

static int timer_new(double seconds)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct itimerspec its;

	if (fd < 0)
		return -errno;
	its.it_interval.tv_sec = (time_t)seconds;
	its.it_interval.tv_nsec = (long)((seconds - (double)its.it_interval.tv_sec) * 1e9);
	if (!its.it_interval.tv_sec && !its.it_interval.tv_nsec)
		its.it_interval.tv_nsec = 1000000;
	its.it_value = its.it_interval;
	if (timerfd_settime(fd, 0, &its, NULL) < 0) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	return fd;
}

static int signals_new(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int watch(int epoll, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static int fds_open(struct fds *f, const struct loop *l)
{
	int r;

	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	f->timer = timer_new(l->interval);
	f->signals = signals_new();
	if (f->epoll < 0 || f->signals < 0)
		return -errno;
	if (f->timer < 0)
		return f->timer;
	r = watch(f->epoll, f->timer) ?: watch(f->epoll, f->signals) ?: watch(f->epoll, session_fd(l->session));
	/* Input that is a plain file cannot be watched: then there are no keys. */
	return r ?: watch(f->epoll, l->input_fd);
}

static void fds_close(struct fds *f)
{
	(void)close(f->epoll);
	(void)close(f->timer);
	(void)close(f->signals);
}

/* 1: end. */
static int on_signal(struct loop *l, int fd)
{
	struct signalfd_siginfo si;
	int r = 0;

	while (!r && read(fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo != SIGWINCH)
			return 1;
		if (l->on_resize)
			r = l->on_resize(l->arg);
	}
	return r;
}

static int drain(struct loop *l)
{
	int r = session_poll(l->session);

	if (r >= 0)
		r = l->on_poll ? l->on_poll(l->arg) : 0;
	return r;
}

static int on_timer(struct loop *l, int fd, uint32_t *ticks)
{
	uint64_t expired;
	int r;

	if (read(fd, &expired, sizeof(expired)) != sizeof(expired))
		return 0;
	r = session_tick(l->session);
	if (r < 0)
		return r;
	r = l->on_tick(l->arg);
	if (!r && l->count && ++*ticks >= l->count)
		r = 1;
	return r;
}

static int dispatch(struct loop *l, struct fds *f, int fd, uint32_t *ticks)
{
	if (fd == f->timer)
		return on_timer(l, fd, ticks);
	if (fd == f->signals)
		return on_signal(l, fd);
	if (fd == l->input_fd)
		return l->on_input(l->arg);
	return drain(l);
}

int loop_run(struct loop *l)
{
	uint64_t end = l->duration > 0 ? clock_monotonic_ns() + (uint64_t)(l->duration * 1e9) : 0;
	struct fds f = { -1, -1, -1 };
	uint32_t ticks = 0;
	int r = fds_open(&f, l);

	while (!r) {
		struct epoll_event ev[8];
		int wait = DRAIN_MS, n;

		if (end) {
			uint64_t now = clock_monotonic_ns();

			if (now >= end)
				break;
			if ((end - now) / 1000000 < DRAIN_MS)
				wait = (int)((end - now) / 1000000) + 1;
		}
		n = epoll_wait(f.epoll, ev, 8, wait);
		if (n < 0 && errno != EINTR)
			r = -errno;
		for (int i = 0; i < n && !r; i++)
			r = dispatch(l, &f, ev[i].data.fd, &ticks);
		if (!r && n <= 0)
			r = drain(l);
	}
	fds_close(&f);
	return r < 0 ? r : 0;
}
