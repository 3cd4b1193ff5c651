/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A descriptor for event loops: readable when netprobe_manager_poll has something to do. The capture's own, that of
 * links, and a timer for what nobody tells of: rings that are not full, guard's log, batches and intervals.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "api/internal.h"

#define NS_PER_MS 1000000ull
#define RING_MS 50   /* an event may wait so long in a ring that is not full */
#define GUARD_MS 100 /* the same in guard's log */
#define CHECK_MS 10  /* health checks wait for answers */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool has_intervals(const struct netprobe_manager *m)
{
	if (m->config.own_intervals)
		return false;
	return m->session || m->config.enable_health_checks ||
	       queue_wanted(m, NETPROBE_EVENT_STATISTICS) ||
	       queue_wanted(m, NETPROBE_EVENT_BALANCING) ||
	       queue_wanted(m, NETPROBE_EVENT_SECURITY);
}

static uint64_t due_ns(const struct netprobe_manager *m)
{
	uint64_t now = clock_monotonic_ns(), due = queue_due_ns(m);

	if (m->finished)
		return due;
	if (m->session)
		due = sooner(due, now + RING_MS * NS_PER_MS);
	if (security_asked(m) && security_watches(m))
		due = sooner(due, now + GUARD_MS * NS_PER_MS);
	if (m->checker && m->config.enable_health_checks)
		due = sooner(due, now + CHECK_MS * NS_PER_MS);
	if (has_intervals(m))
		due = sooner(due, m->next_tick_ns);
	return due;
}

/* 0 would be no time at all. */
static void set_timer(int fd, uint64_t at_ns)
{
	struct itimerspec at = {};

	at_ns = at_ns ? at_ns : 1;
	if (at_ns != UINT64_MAX) {
		at.it_value.tv_sec = (time_t)(at_ns / 1000000000ull);
		at.it_value.tv_nsec = (long)(at_ns % 1000000000ull);
	}
	(void)timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* In the set as long as somebody looks at it: what nobody takes would keep that readable. */
static void follow(const struct netprobe_manager *m, int fd, bool looked_at, int *joined)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (looked_at && fd >= 0 && *joined < 0 &&
	    !epoll_ctl(m->wake.epoll, EPOLL_CTL_ADD, fd, &ev)) {
		*joined = fd;
	} else if (!looked_at && *joined >= 0) {
		(void)epoll_ctl(m->wake.epoll, EPOLL_CTL_DEL, *joined, NULL);
		*joined = -1;
	}
}

void wake_set(struct netprobe_manager *m)
{
	if (!m->wake.open)
		return;
	follow(m, m->session ? session_fd(m->session) : -1, !m->finished, &m->wake.session);
	follow(m, m->follows ? m->links_fd : -1, !m->finished && m->config.follow_interfaces,
	       &m->wake.links);
	set_timer(m->wake.timer, due_ns(m));
}

void wake_done(struct netprobe_manager *m)
{
	if (!m->wake.open)
		return;
	(void)close(m->wake.timer);
	(void)close(m->wake.epoll);
	m->wake.open = false;
}

static int wake_open(struct netprobe_manager *m)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct wake w = { .epoll = epoll_create1(EPOLL_CLOEXEC), .session = -1, .links = -1 };
	int r = w.epoll < 0 ? -errno : 0;

	if (r)
		return r;
	w.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w.timer < 0 || epoll_ctl(w.epoll, EPOLL_CTL_ADD, w.timer, &ev)) {
		r = -errno;
		if (w.timer >= 0)
			(void)close(w.timer);
		(void)close(w.epoll);
		return r;
	}
	w.open = true;
	m->wake = w;
	wake_set(m);
	/* What the first look begins has not begun. */
	set_timer(w.timer, 1);
	return 0;
}

API_PUBLIC int netprobe_manager_fd(struct netprobe_manager *m)
{
	API_ENTER(m, NULL);
	int r = api_check_listing(NULL);

	if (r)
		return r;
	api_lock(m);
	r = m->config.workers ? -EBUSY : m->wake.open ? 0 : wake_open(m);
	if (!r)
		r = m->wake.epoll;
	api_unlock(m);
	return r;
}
