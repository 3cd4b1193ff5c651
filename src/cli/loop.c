/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of the capturing commands: epoll over a timer, signals, the event ring and the keyboard. */
#include <errno.h>
#include <netprobe/netprobe.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/inherit.h"
#include "cli/instance.h"
#include "confine/confine.h"

#define DRAIN_MS 50 /* how long an event may wait in the ring when nothing presses */

struct fds {
	int epoll, timer, signals;
	struct instance *instance; /* NULL: nobody can ask */
	double interval;	   /* opts->interval that the timer knows of */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static int timer_set(int fd, double seconds)
{
	struct itimerspec its;

	its.it_interval.tv_sec = (time_t)seconds;
	its.it_interval.tv_nsec = (long)((seconds - (double)its.it_interval.tv_sec) * 1e9);
	if (!its.it_interval.tv_sec && !its.it_interval.tv_nsec)
		its.it_interval.tv_nsec = 1000000;
	its.it_value = its.it_interval;
	return timerfd_settime(fd, 0, &its, NULL) < 0 ? -errno : 0;
}

static int timer_new(double seconds)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int r = fd < 0 ? -errno : timer_set(fd, seconds);

	if (r && fd >= 0)
		(void)close(fd);
	return r ? r : fd;
}

/* A signal that is blocked waits in a signalfd even where it is ignored. */
static void loop_signals(sigset_t *set)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

	(void)sigemptyset(set);
	for (unsigned int i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!signal_is_ignored(ends[i]))
			(void)sigaddset(set, ends[i]);
	(void)sigaddset(set, SIGWINCH);
}

void loop_hold_signals(void)
{
	sigset_t set;

	loop_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static int signals_new(const struct loop *l)
{
	sigset_t set;

	loop_signals(&set);
	if (l->on_stop) {
		(void)sigaddset(&set, SIGCONT);
		if (!signal_is_ignored(SIGTSTP))
			(void)sigaddset(&set, SIGTSTP);
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int watch(int epoll, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

/* Capture runs and every file is open: what is not needed any more goes. */
static void give_up(const struct loop *l)
{
	struct netprobe_capture now = { .size = sizeof(now) };
	bool known = !netprobe_manager_get_capture(l->manager, &now, NULL);
	bool bpf = known && now.capture == NETPROBE_CAPTURE_EBPF;
	struct confine_opts opts = {
		.bpf = bpf,
		.nat = known && now.capture == NETPROBE_CAPTURE_AFPACKET,
		/* a service of its own user has no other processes to look at */
		.landlock = bpf && getenv("INVOCATION_ID") && geteuid(),
	};
	struct confined c;

	if (l->opts->no_sandbox)
		return;
	confine(&opts, &c);
	log_info("capabilities kept: %s; seccomp %s; Landlock %s", c.caps,
		 c.seccomp_err ? strerror(c.seccomp_err) : "on",
		 c.landlock_err < 0 ? "not used"
		 : c.landlock_err   ? strerror(c.landlock_err)
				    : "on");
}

static int fds_open(struct fds *f, struct loop *l)
{
	int r;

	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	f->timer = timer_new(l->interval);
	f->signals = signals_new(l);
	if (f->epoll < 0 || f->signals < 0)
		return -errno;
	if (f->timer < 0)
		return f->timer;
	r = watch(f->epoll, f->timer) ?: watch(f->epoll, f->signals) ?: watch(f->epoll, netprobe_manager_fd(l->manager));
	/* Input that is a plain file cannot be watched: then there are no keys. */
	r = r ?: watch(f->epoll, l->input_fd);
	if (r || !l->opts)
		return r;
	f->instance = instance_open(l);
	if (!f->instance)
		return -ENOMEM;
	f->interval = l->opts->interval;
	give_up(l);
	cli_ready(l->opts); /* signals are caught, ctl is answered */
	return watch(f->epoll, instance_fd(f->instance));
}

static void fds_close(struct fds *f)
{
	(void)instance_close(f->instance);
	(void)close(f->epoll);
	(void)close(f->timer);
	(void)close(f->signals);
}

/* Options may have changed: an interval that did begins now. */
static int heed(struct loop *l, struct fds *f)
{
	if (f->interval == l->opts->interval)
		return 0;
	l->interval = f->interval = l->opts->interval;
	return timer_set(f->timer, l->interval);
}

/* False: nothing can be read again or opened anew. */
static bool on_hangup(struct loop *l, struct fds *f)
{
	bool reloads = f->instance && l->opts->config && l->input_fd < 0;
	bool turns = l->sink && !l->sink->once && l->input_fd < 0 && sink_turn(l->sink);

	if (reloads)
		instance_reload(f->instance);
	return reloads || turns;
}

/* 1: end. */
static int on_signal(struct loop *l, struct fds *f)
{
	struct signalfd_siginfo si;
	int r = 0;

	while (!r && read(f->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGHUP && on_hangup(l, f)) {
			r = heed(l, f);
		} else if (si.ssi_signo == SIGTSTP || si.ssi_signo == SIGCONT) {
			r = l->on_stop(l->arg, si.ssi_signo == SIGCONT);
		} else if (si.ssi_signo != SIGWINCH) {
			/* Ctrl-C ends the capture of a snapshot, another one the wait for its reader. */
			if (si.ssi_signo != SIGINT || !l->sink || !l->sink->once)
				sink_hurry();
			return 1;
		} else if (l->on_resize) {
			r = l->on_resize(l->arg);
		}
	}
	return r;
}

static int on_control(struct loop *l, struct fds *f)
{
	instance_run(f->instance);
	return heed(l, f);
}

static int drain(struct loop *l)
{
	int r = netprobe_manager_poll(l->manager, 0);

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
	r = netprobe_manager_tick(l->manager);
	if (r < 0)
		return r;
	if (l->sink)
		sink_tell(l->sink, l->manager);
	r = l->on_tick(l->arg);
	if (!r && l->count && ++*ticks >= l->count)
		r = 1;
	return r;
}

/* *drained: when the manager was looked at last. */
static int dispatch(struct loop *l, struct fds *f, int fd, uint32_t *ticks, uint64_t *drained)
{
	if (fd == f->timer)
		return on_timer(l, fd, ticks);
	if (fd == f->signals)
		return on_signal(l, f);
	if (fd == l->input_fd)
		return l->on_input(l->arg);
	if (f->instance && fd == instance_fd(f->instance))
		return on_control(l, f);
	*drained = now_ns();
	return drain(l);
}

int loop_run(struct loop *l)
{
	uint64_t end = l->duration > 0 ? now_ns() + (uint64_t)(l->duration * 1e9) : 0;
	struct fds f = { -1, -1, -1, NULL, 0 };
	uint64_t drained = now_ns();
	uint32_t ticks = 0;
	int r = fds_open(&f, l);

	while (!r) {
		struct epoll_event ev[8];
		int wait = DRAIN_MS, n;

		if (end) {
			uint64_t now = now_ns();

			if (now >= end)
				break;
			if ((end - now) / 1000000 < DRAIN_MS)
				wait = (int)((end - now) / 1000000) + 1;
		}
		n = epoll_wait(f.epoll, ev, 8, wait);
		if (n < 0 && errno != EINTR)
			r = -errno;
		for (int i = 0; i < n && !r; i++)
			r = dispatch(l, &f, ev[i].data.fd, &ticks, &drained);
		/* also while keys or requests keep coming */
		if (!r && (n <= 0 || now_ns() - drained > DRAIN_MS * 1000000ULL)) {
			r = drain(l);
			drained = now_ns();
		}
	}
	fds_close(&f);
	return r < 0 ? r : 0;
}
