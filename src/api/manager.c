/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a manager: load, attach, poll, free. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "base/log.h"
#include "guard/guard.h"

#define NS_PER_MS 1000000ull
#define STEP_MS 50 /* the event ring asks to be read only when it gets full */

static const int modes[] = { MODE_AUTO, MODE_EBPF, MODE_AFPACKET, MODE_PROC };

API_PUBLIC const char *netprobe_version(void)
{
	return NETPROBE_VERSION;
}

API_PUBLIC int netprobe_is_supported(uint32_t capture, struct netprobe_error *err)
{
	static const uint32_t ladder[] = { NETPROBE_CAPTURE_EBPF, NETPROBE_CAPTURE_AFPACKET,
					   NETPROBE_CAPTURE_PROC };
	struct session_opts opts = { .filter = { .enabled = 1 } };
	int r = 0;

	if (capture > NETPROBE_CAPTURE_NONE)
		return error_set(err, -EINVAL,
				 "capture: %u is no way of capture; takes NETPROBE_CAPTURE_*",
				 capture);
	if (capture == NETPROBE_CAPTURE_NONE)
		return (int)capture;
	log_set_level(0);
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
	int r;

	if (!ret_manager)
		return error_set(err, -EINVAL, "nowhere to put the manager");
	m = calloc(1, sizeof(*m));
	if (!m)
		return error_set(err, -ENOMEM, "no memory");
	/* A library's caller has its own idea of stderr. */
	log_set_level(0);
	r = api_config_take(config, &m->config, &m->filter, err);
	if (!r && api_config_copy(m, &m->config))
		r = error_set(err, -ENOMEM, "no memory");
	if (!r && lock_init(&m->lock))
		r = error_set(err, -ENOMEM, "no lock");
	if (r) {
		api_config_done(m);
		free(m);
		return r;
	}
	m->config.filters = (const char *const *)m->filters;
	*ret_manager = m;
	return 0;
}

API_PUBLIC int netprobe_manager_new(struct netprobe_manager **ret_manager,
				    struct netprobe_error *err)
{
	return netprobe_manager_new_with_config(NULL, ret_manager, err);
}

API_PUBLIC struct netprobe_manager *netprobe_manager_free(struct netprobe_manager *m)
{
	if (!m)
		return NULL;
	if (m->has_worker) {
		__atomic_store_n(&m->stop, true, __ATOMIC_SEQ_CST);
		(void)pthread_join(m->worker, NULL);
	}
	api_lock(m);
	if (m->session)
		(void)session_finish(m->session);
	security_poll(m);
	(void)queue_flush(m, true);
	m->session = session_close(m->session);
	report_done(m);
	security_done(m);
	queue_done(m);
	api_config_done(m);
	buf_done(&m->line);
	api_unlock(m);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
	return NULL;
}

/* One look at everything that may have something. 0 or -errno. */
static int look(struct netprobe_manager *m)
{
	uint64_t now = clock_monotonic_ns();
	int r = m->session ? session_poll(m->session) : 0;

	security_poll(m);
	if (r >= 0)
		r = report_health(m, NULL);
	if (r < 0 || now < m->next_tick_ns)
		return r < 0 ? r : 0;
	m->next_tick_ns += m->config.stats_report_interval_ms * NS_PER_MS;
	if (m->next_tick_ns < now)
		m->next_tick_ns = now + m->config.stats_report_interval_ms * NS_PER_MS;
	if (m->session)
		r = session_tick(m->session);
	report_tick(m);
	security_done(m);
	return r < 0 ? r : 0;
}

/* Milliseconds until there is something to do, at most most. */
static int idle_ms(struct netprobe_manager *m, uint64_t most_ns)
{
	uint64_t now = clock_monotonic_ns(), due = queue_due_ns(m), wait;

	due = m->next_tick_ns < due ? m->next_tick_ns : due;
	wait = due > now ? due - now : 0;
	wait = wait < most_ns ? wait : most_ns;
	wait = (wait + NS_PER_MS - 1) / NS_PER_MS;
	return wait < STEP_MS ? (int)wait : STEP_MS;
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
	uint64_t now, end;
	int r = 0;

	if (!m)
		return -EINVAL;
	if (m->has_worker) {
		(void)poll(NULL, 0, timeout_ms < 0 ? STEP_MS : timeout_ms);
		return 0;
	}
	if (m->handling)
		return -EBUSY;
	end = timeout_ms < 0 ? UINT64_MAX : clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	do {
		now = clock_monotonic_ns();
		r = step(m, end > now ? end - now : 0);
	} while (r == 0 && clock_monotonic_ns() < end);
	return r;
}

static int open_session(struct netprobe_manager *m, struct netprobe_error *err)
{
	struct session_opts opts = { .mode = modes[m->config.capture],
				     .filter = m->filter,
				     .event_fn = queue_session_event,
				     .event_arg = m };

	return session_open(&opts, &m->session, err);
}

API_PUBLIC int netprobe_manager_load(struct netprobe_manager *m, struct netprobe_error *err)
{
	int r = 0;

	if (!m)
		return error_set(err, -EINVAL, "no manager");
	api_lock(m);
	if (m->loaded)
		r = error_set(err, -EALREADY, "the manager is loaded already");
	else if (m->config.capture != NETPROBE_CAPTURE_NONE)
		r = open_session(m, err);
	if (!r) {
		m->loaded = true;
		m->next_tick_ns =
			clock_monotonic_ns() + m->config.stats_report_interval_ms * NS_PER_MS;
	}
	if (!r && m->config.workers) {
		r = -pthread_create(&m->worker, NULL, work, m);
		m->has_worker = !r;
		if (r) {
			m->session = session_close(m->session);
			m->loaded = false;
			error_set(err, r, "no thread: %s", strerror(-r));
		}
	}
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_attach(struct netprobe_manager *m, const char *ifname,
				       struct netprobe_error *err)
{
	struct guard_attach_opts how = {};
	struct balance b = {};
	struct guard *g = NULL;
	char note[256];
	int r;

	if (!m || !ifname)
		return error_set(err, -EINVAL, "no manager or no interface");
	api_lock(m);
	how.mode = m->config.enable_xdp_events ? (uint8_t)m->config.mode : NP_GUARD_MONITOR;
	how.xdp = (uint8_t)m->config.xdp_mode;
	how.flows = how.mode == NP_GUARD_MONITOR;
	api_unlock(m);
	r = guard_open(GUARD_CREATE, &g, err);
	if (!r)
		r = guard_attach(g, ifname, &how, note, sizeof(note), err);
	if (!r && how.mode == NP_GUARD_BALANCE) {
		r = balance_open(true, NULL, &b, err);
		if (!r)
			r = guard_set_next(g, ifname, balance_prog_fd(&b), err);
		balance_close(&b);
	}
	guard_close(g);
	return r;
}

static bool balances(struct guard *g)
{
	struct guard_if *ifs = NULL;
	int n = guard_ifs(g, &ifs);
	bool found = false;

	for (int i = 0; i < n && !found; i++)
		found = ifs[i].at.mode == NP_GUARD_BALANCE;
	free(ifs);
	return found;
}

API_PUBLIC int netprobe_manager_detach(struct netprobe_manager *m, const char *ifname,
				       struct netprobe_error *err)
{
	struct balance b = {};
	struct guard *g = NULL;
	bool last = false;
	int r;

	if (!m || !ifname)
		return error_set(err, -EINVAL, "no manager or no interface");
	r = guard_open(0, &g, err);
	if (!r)
		r = guard_detach(g, ifname, err);
	if (!r)
		last = !balances(g);
	guard_close(g);
	if (r || !last)
		return r;
	r = balance_open(false, NULL, &b, err);
	if (r == -ENOENT)
		return 0;
	if (!r)
		r = balance_remove(&b, err);
	balance_close(&b);
	return r;
}

API_PUBLIC int netprobe_manager_update_config(struct netprobe_manager *m,
					      const struct netprobe_config *config,
					      struct netprobe_error *err)
{
	struct netprobe_config c;
	struct np_filter filter;
	int r;

	if (!m || !config)
		return error_set(err, -EINVAL, "no manager or no configuration");
	r = api_config_take(config, &c, &filter, err);
	if (r)
		return r;
	api_lock(m);
	if (m->loaded && (c.capture != m->config.capture || c.workers != m->config.workers))
		r = error_set(
			err, -EBUSY,
			"capture and workers cannot change after load; takes another manager");
	else if (api_config_copy(m, &c))
		r = error_set(err, -ENOMEM, "no memory");
	if (!r) {
		m->config = c;
		m->config.filters = (const char *const *)m->filters;
		m->filter = filter;
		m->next_tick_ns = clock_monotonic_ns() + c.stats_report_interval_ms * NS_PER_MS;
		if (m->session)
			session_set_filter(m->session, &filter);
	}
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_get_config(struct netprobe_manager *m, struct netprobe_config *ret)
{
	int r;

	if (!m || !ret)
		return -EINVAL;
	api_lock(m);
	r = GIVE(ret, m->config);
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_set_event_handler(struct netprobe_manager *m, uint32_t families,
						  netprobe_event_fn fn, void *arg)
{
	if (!m || (families & ~(uint32_t)NETPROBE_EVENT_ALL))
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
