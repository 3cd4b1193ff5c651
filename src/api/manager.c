/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a manager: load, attach, poll, free. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "base/error.h"

#define NS_PER_MS 1000000ull
#define STEP_MS 50  /* the event ring asks to be read only when it gets full */
#define CHECK_MS 10 /* health checks wait for answers */

API_PUBLIC const char *netprobe_version(void)
{
	return NETPROBE_VERSION;
}

API_PUBLIC int netprobe_is_supported(uint32_t capture, struct netprobe_error *err)
{
	static const uint32_t ladder[] = { NETPROBE_CAPTURE_EBPF, NETPROBE_CAPTURE_AFPACKET,
					   NETPROBE_CAPTURE_PROC };
	static const int modes[] = { MODE_AUTO, MODE_EBPF, MODE_AFPACKET, MODE_PROC };
	struct session_opts opts = { .filter = { .enabled = 1 } };
	int r = 0;

	if (capture > NETPROBE_CAPTURE_NONE)
		return error_set(err, -EINVAL,
				 "capture: %u is no way of capture; takes NETPROBE_CAPTURE_*",
				 capture);
	if (capture == NETPROBE_CAPTURE_NONE)
		return (int)capture;
	for (unsigned int i = 0; i < sizeof(ladder) / sizeof(ladder[0]); i++) {
		if (capture != NETPROBE_CAPTURE_AUTO && capture != ladder[i])
			continue;
		r = session_try_mode(&opts, modes[ladder[i]], err);
		if (!r)
			return (int)ladder[i];
	}
	return r;
}

static int lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;
	int r = pthread_mutexattr_init(&attr);

	if (!r)
		r = pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	if (!r)
		r = pthread_mutex_init(lock, &attr);
	(void)pthread_mutexattr_destroy(&attr);
	return -r;
}

API_PUBLIC int netprobe_manager_new_with_config(const struct netprobe_config *config,
						struct netprobe_manager **ret_manager,
						struct netprobe_error *err)
{
	struct netprobe_manager *m;
	struct netprobe_config c;
	struct np_filter filter;
	int r;

	if (!ret_manager)
		return error_set(err, -EINVAL, "nowhere to put the manager");
	m = calloc(1, sizeof(*m));
	if (!m)
		return error_set(err, -ENOMEM, "no memory");
	r = api_config_take(config, &c, &filter, err);
	if (!r && api_config_use(m, &c, &filter))
		r = error_set(err, -ENOMEM, "no memory");
	if (!r && lock_init(&m->lock))
		r = error_set(err, -ENOMEM, "no lock");
	if (r) {
		api_config_done(m);
		free(m);
		return r;
	}
	api_enlist(m);
	*ret_manager = m;
	return 0;
}

API_PUBLIC int netprobe_manager_new(struct netprobe_manager **ret_manager,
				    struct netprobe_error *err)
{
	return netprobe_manager_new_with_config(NULL, ret_manager, err);
}

/* Not from a handler, nor from within a list: they would lose the ground they stand on. */
static bool may_free(struct netprobe_manager *m)
{
	bool ok;

	if (api_listing || (m->has_worker && pthread_equal(m->worker, pthread_self())))
		return false;
	api_lock(m);
	ok = (m->has_worker || !m->handling) && !m->ending;
	m->ending = m->ending || ok;
	api_unlock(m);
	return ok;
}

static void finish(struct netprobe_manager *m)
{
	if (m->has_worker) {
		__atomic_store_n(&m->stop, true, __ATOMIC_SEQ_CST);
		(void)pthread_join(m->worker, NULL);
	}
	api_lock(m);
	if (m->session)
		(void)session_finish(m->session);
	if (m->drops)
		(void)drop_watch_finish(m->drops);
	security_poll(m);
	(void)queue_flush(m, true);
	api_unlock(m);
}

API_PUBLIC struct netprobe_manager *netprobe_manager_free(struct netprobe_manager *m)
{
	struct netprobe_manager *held = api_hold(m);

	if (!held)
		return NULL;
	if (!may_free(m)) {
		api_leave(&held);
		return m;
	}
	finish(m);
	api_leave(&held);
	api_delist(m);
	api_close(m);
	report_done(m);
	follow_done(m);
	security_free(m);
	queue_done(m);
	api_config_done(m);
	buf_done(&m->line);
	buf_done(&m->text);
	buf_done(&m->xctl);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
	return NULL;
}

/* One look at everything that may have something. 0 or -errno. */
static int look(struct netprobe_manager *m)
{
	uint64_t now = clock_monotonic_ns();
	int r = m->session ? session_poll(m->session) : 0;

	if (r >= 0 && m->drops)
		r = drop_watch_poll(m->drops);
	if (r >= 0 && m->tracer)
		r = trace_watch_poll(m->tracer);
	security_poll(m);
	follow_poll(m);
	if (r >= 0)
		r = report_health(m, NULL);
	if (r < 0 || now < m->next_tick_ns)
		return r < 0 ? r : 0;
	m->next_tick_ns += m->config.stats_report_interval * NS_PER_MS;
	if (m->next_tick_ns < now)
		m->next_tick_ns = now + m->config.stats_report_interval * NS_PER_MS;
	if (m->session)
		r = session_tick(m->session);
	if (m->drops)
		drop_watch_tick(m->drops);
	if (report_tick(m, NETPROBE_EVENT_STATISTICS | NETPROBE_EVENT_BALANCING, NULL) < 0)
		m->lost++;
	security_tick(m);
	return r < 0 ? r : 0;
}

/* Milliseconds until there is something to do, at most most. */
static int idle_ms(struct netprobe_manager *m, uint64_t most_ns)
{
	uint64_t now = clock_monotonic_ns(), due = queue_due_ns(m), wait;
	int most_ms = m->checker ? CHECK_MS : STEP_MS;

	due = m->next_tick_ns < due ? m->next_tick_ns : due;
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
	size_t n = 0;

	api_lock(m);
	r = look(m);
	n = queue_flush(m, false);
	if (!n && r >= 0) {
		wait = idle_ms(m, most_ns);
		p.fd = m->session ? session_fd(m->session) : -1;
	}
	api_unlock(m);
	if (wait)
		(void)poll(&p, 1, wait);
	return r < 0 ? r : (int)n;
}

static void *work(void *arg)
{
	struct netprobe_manager *m = arg;

	while (!__atomic_load_n(&m->stop, __ATOMIC_SEQ_CST))
		if (step(m, UINT64_MAX) < 0)
			(void)poll(NULL, 0, STEP_MS); /* the next look may find it well again */
	return NULL;
}

API_PUBLIC int netprobe_manager_poll(struct netprobe_manager *m, int timeout_ms)
{
	API_ENTER(m, NULL);
	uint64_t now, end;
	int r = api_check_listing(NULL);

	if (r)
		return r;
	api_lock(m);
	r = m->handling ? -EBUSY : 0;
	api_unlock(m);
	if (r)
		return r;
	if (m->has_worker) {
		(void)poll(NULL, 0, timeout_ms < 0 ? STEP_MS : timeout_ms);
		return 0;
	}
	end = timeout_ms < 0 ? UINT64_MAX : clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	do {
		now = clock_monotonic_ns();
		r = step(m, end > now ? end - now : 0);
	} while (r == 0 && clock_monotonic_ns() < end);
	return r;
}

API_PUBLIC int netprobe_manager_load(struct netprobe_manager *m, struct netprobe_error *err)
{
	API_ENTER(m, err);
	int r = api_check_listing(err);

	if (r)
		return r;
	api_lock(m);
	if (m->loaded)
		r = error_set(err, -EALREADY, "the manager is loaded already");
	else if (m->config.capture != NETPROBE_CAPTURE_NONE)
		r = api_open(m, err);
	if (!r) {
		m->loaded = true;
		m->next_tick_ns =
			clock_monotonic_ns() + m->config.stats_report_interval * NS_PER_MS;
		security_poll(m); /* what detection finds from here on is told */
	}
	if (!r && m->config.workers) {
		r = -pthread_create(&m->worker, NULL, work, m);
		m->has_worker = !r;
		if (r) {
			api_close(m);
			m->loaded = false;
			error_set(err, r, "no thread: %s", strerror(-r));
		}
	}
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_update_config(struct netprobe_manager *m,
					      const struct netprobe_config *config,
					      struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_config c;
	struct np_filter filter;
	int r = config ? api_check_listing(err) : error_set(err, -EINVAL, "no configuration");

	if (!r)
		r = api_config_take(config, &c, &filter, err);
	if (r)
		return r;
	api_lock(m);
	if (m->loaded)
		r = api_config_fixed(&m->config, &c, err);
	if (!r)
		r = api_apply(m, &c, &filter, err);
	if (!r && api_config_use(m, &c, &filter))
		r = error_set(err, -ENOMEM, "no memory");
	if (!r)
		m->next_tick_ns = clock_monotonic_ns() + c.stats_report_interval * NS_PER_MS;
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_get_config(struct netprobe_manager *m, struct netprobe_config *ret)
{
	API_ENTER(m, NULL);
	int r;

	if (!ret)
		return -EINVAL;
	api_lock(m);
	r = GIVE(ret, m->config);
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_set_event_handler(struct netprobe_manager *m, uint32_t families,
						  netprobe_event_fn fn, void *arg)
{
	API_ENTER(m, NULL);

	if (families & ~(uint32_t)NETPROBE_EVENT_ALL)
		return -EINVAL;
	api_lock(m);
	for (unsigned int i = 0; i < API_FAMILIES; i++) {
		if (!(families & 1u << i))
			continue;
		m->queues[i].fn = fn;
		m->queues[i].arg = arg;
	}
	api_unlock(m);
	return 0;
}
