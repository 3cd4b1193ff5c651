/* SPDX-License-Identifier: BSD-2-Clause */
/* What a loaded manager does again and again: look, end intervals, hand out, wait. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "api/internal.h"
#include "base/error.h"

#define NS_PER_MS 1000000ull
#define STEP_MS 50  /* the event ring asks to be read only when it gets full */
#define CHECK_MS 10 /* health checks wait for answers */
#define SHORT_MS 5  /* between looks at what another thread does */

/* One look at everything that may have something. 0 or -errno. */
static int look(struct netprobe_manager *m)
{
	int r = m->session ? session_poll(m->session) : 0;

	api_here(m);
	if (r >= 0 && m->drops)
		r = drop_watch_poll(m->drops);
	if (r >= 0 && m->tracer)
		r = trace_watch_poll(m->tracer);
	security_poll(m);
	follow_poll(m);
	if (r >= 0)
		r = report_health(m, NULL);
	return r < 0 ? r : 0;
}

/* The end of an interval. 0 or -errno. */
static int end_interval(struct netprobe_manager *m)
{
	int r = m->session ? session_tick(m->session) : 0;

	if (m->drops) {
		drop_watch_tick(m->drops);
		if (r >= 0)
			r = drop_watch_poll(m->drops);
		view_take_drops(m);
	}
	if (report_interval(m) < 0)
		m->lost++;
	security_tick(m);
	account_tell(m, false);
	return r < 0 ? r : 0;
}

static int look_by_clock(struct netprobe_manager *m)
{
	uint64_t now = clock_monotonic_ns();
	int r = look(m);

	if (r < 0 || m->config.own_intervals || now < m->next_tick_ns)
		return r;
	m->next_tick_ns += m->config.stats_report_interval * NS_PER_MS;
	if (m->next_tick_ns < now)
		m->next_tick_ns = now + m->config.stats_report_interval * NS_PER_MS;
	return end_interval(m);
}

/* Milliseconds until there is something to do, at most most. */
static int idle_ms(struct netprobe_manager *m, uint64_t most_ns)
{
	uint64_t now = clock_monotonic_ns(), due = queue_due_ns(m), wait;
	int most_ms = m->checker ? CHECK_MS : STEP_MS;

	if (!m->config.own_intervals && !m->finished && m->next_tick_ns < due)
		due = m->next_tick_ns;
	wait = due > now ? due - now : 0;
	wait = wait < most_ns ? wait : most_ns;
	wait = (wait + NS_PER_MS - 1) / NS_PER_MS;
	return wait < (uint64_t)most_ms ? (int)wait : most_ms;
}

/* Look and hand out, then wait without the lock. Events handed out, or -errno. */
static int step(struct netprobe_manager *m, uint64_t most_ns)
{
	struct pollfd p = { .fd = -1, .events = POLLIN };
	int r, wait = 0;
	unsigned int asked;
	size_t n = 0;

	api_lock(m);
	asked = m->flush_asked;
	r = m->finished ? 0 : look_by_clock(m);
	n = queue_flush(m, asked != m->flush_done);
	m->flush_done = asked;
	if (!n && r >= 0) {
		wait = idle_ms(m, most_ns);
		p.fd = m->session ? session_fd(m->session) : -1;
	}
	wake_set(m);
	api_unlock(m);
	if (wait)
		(void)poll(&p, 1, wait);
	return r < 0 ? r : (int)n;
}

void *poll_work(void *arg)
{
	struct netprobe_manager *m = arg;

	while (!__atomic_load_n(&m->stop, __ATOMIC_SEQ_CST))
		if (step(m, UINT64_MAX) < 0)
			(void)poll(NULL, 0, STEP_MS); /* the next look may find it well again */
	return NULL;
}

/* May this thread look now? 0 or -errno. */
static int check_idle(struct netprobe_manager *m)
{
	int r = api_check_listing(NULL);

	if (r)
		return r;
	api_lock(m);
	r = m->handling || crew_is_here(m) ? -EBUSY : 0;
	api_unlock(m);
	return r;
}

/* -EBADF: another thread frees it; -EALREADY: it was finished, so nothing new comes; else 0. */
static int ended(struct netprobe_manager *m)
{
	int r;

	api_lock(m);
	r = m->ending ? -EBADF : m->finished ? -EALREADY : 0;
	api_unlock(m);
	return r;
}

/* The workers look and hand out. In steps: whoever frees the manager waits for this call's end. */
static int wait_only(struct netprobe_manager *m, int timeout_ms)
{
	int r = ended(m), step_ms;

	for (; !r && timeout_ms > 0; timeout_ms -= step_ms) {
		step_ms = timeout_ms < STEP_MS ? timeout_ms : STEP_MS;
		(void)poll(NULL, 0, step_ms);
		r = ended(m);
	}
	return r;
}

API_PUBLIC int netprobe_manager_poll(struct netprobe_manager *m, int timeout_ms)
{
	API_ENTER(m, NULL);
	uint64_t now, end;
	int r = check_idle(m), gone;

	if (r)
		return r;
	if (m->has_worker)
		return wait_only(m, timeout_ms < 0 ? STEP_MS : timeout_ms);
	end = timeout_ms < 0 ? UINT64_MAX : clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	do {
		now = clock_monotonic_ns();
		r = step(m, end > now ? end - now : 0);
		gone = ended(m);
	} while (r == 0 && !gone && clock_monotonic_ns() < end);
	return r == 0 && gone ? gone : r;
}

/* Events handed out since before; direct ones went while it looked. */
static int handed_out(struct netprobe_manager *m, int r, uint64_t before)
{
	uint64_t n;

	(void)queue_flush(m, true);
	wake_set(m);
	n = api_delivered(m) - before;
	return r < 0 ? r : n < INT32_MAX ? (int)n : INT32_MAX;
}

API_PUBLIC int netprobe_manager_tick(struct netprobe_manager *m)
{
	API_ENTER(m, NULL);
	int r = check_idle(m);
	uint64_t before;

	if (r)
		return r;
	api_lock(m);
	before = api_delivered(m);
	if (!m->config.own_intervals)
		r = -EINVAL;
	else if (!m->session || m->finished)
		r = -ENODEV;
	else
		r = handed_out(m, end_interval(m), before);
	api_unlock(m);
	return r;
}

static int finish(struct netprobe_manager *m)
{
	uint64_t before = api_delivered(m);
	int r = 0, q;

	if (m->finished || !m->loaded) {
		if (!m->finished)
			security_poll(m);
		return handed_out(m, 0, before);
	}
	m->finished = true;
	/* Steps are told before the losses of the run; their owners are known after a last look. */
	if (m->tracer && !m->config.no_flow_events)
		r = trace_watch_poll(m->tracer);
	if (r >= 0 && m->session)
		r = session_finish(m->session);
	if (r >= 0 && m->tracer)
		r = trace_watch_poll(m->tracer);
	if (m->drops) {
		q = drop_watch_finish(m->drops);
		r = q < 0 ? q : r;
	}
	security_poll(m);
	return handed_out(m, r, before);
}

/* The account of the whole run: when all else was handed out, by workers too, or it would not be in it. */
static void tell_final(struct netprobe_manager *m)
{
	if (m->crew)
		crew_flush(m->crew);
	api_lock(m);
	account_tell(m, true);
	(void)queue_flush(m, true);
	wake_set(m);
	api_unlock(m);
	if (m->crew)
		crew_flush(m->crew);
}

int poll_finish(struct netprobe_manager *m)
{
	bool ends;
	int r;

	api_lock(m);
	ends = m->loaded && !m->finished;
	r = finish(m);
	api_unlock(m);
	if (!ends)
		return -EALREADY;
	tell_final(m);
	return r;
}

void poll_stop_worker(struct netprobe_manager *m)
{
	bool mine;

	api_lock(m);
	mine = m->has_worker && !m->stopping;
	m->stopping = true;
	api_unlock(m);
	if (mine) {
		__atomic_store_n(&m->stop, true, __ATOMIC_SEQ_CST);
		(void)pthread_join(m->worker, NULL);
		__atomic_store_n(&m->stopped, true, __ATOMIC_SEQ_CST);
	}
	while (m->has_worker && !__atomic_load_n(&m->stopped, __ATOMIC_SEQ_CST))
		(void)poll(NULL, 0, SHORT_MS);
}

/* Events that handlers have had since before; r: errno of what went before. */
static int given_since(const struct netprobe_manager *m, uint64_t before, int r)
{
	uint64_t n = api_delivered(m) - before;

	return r < 0 ? r : n < INT32_MAX ? (int)n : INT32_MAX;
}

API_PUBLIC int netprobe_manager_finish(struct netprobe_manager *m)
{
	API_ENTER_AND(m, NULL, true);
	uint64_t before;
	int r = check_idle(m);

	if (r)
		return r;
	api_lock(m);
	r = m->finished ? -EALREADY : !m->session ? -ENODEV : 0;
	api_unlock(m);
	if (r)
		return r;
	before = api_delivered(m);
	poll_stop_worker(m);
	r = poll_finish(m);
	return given_since(m, before, r);
}

/* The looking thread takes what waits now, and hands out or over all of it. */
static int flush_by_worker(struct netprobe_manager *m)
{
	unsigned int ticket;
	int r = 0;

	api_lock(m);
	ticket = ++m->flush_asked;
	api_unlock(m);
	for (bool done = false; !done && !r;) {
		api_lock(m);
		done = (int)(m->flush_done - ticket) >= 0 || m->finished;
		r = m->ending ? -EBADF : 0;
		api_unlock(m);
		if (!done && !r)
			(void)poll(NULL, 0, SHORT_MS);
	}
	return r;
}

API_PUBLIC int netprobe_manager_flush(struct netprobe_manager *m)
{
	API_ENTER_AND(m, NULL, true);
	uint64_t before;
	int r = check_idle(m);

	if (r)
		return r;
	before = api_delivered(m);
	if (m->has_worker) {
		r = flush_by_worker(m);
		if (r >= 0 && m->crew)
			crew_flush(m->crew);
		return given_since(m, before, r);
	}
	api_lock(m);
	r = handed_out(m, m->finished ? 0 : look(m), before);
	api_unlock(m);
	return r;
}
