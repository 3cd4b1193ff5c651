/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a manager: made, loaded, configured, freed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/version.h"

#define NS_PER_MS 1000000ull

API_PUBLIC const char *netprobe_version(void)
{
	return version_text;
}

API_PUBLIC int netprobe_is_supported(uint32_t capture, struct netprobe_error *err)
{
	static const uint32_t ladder[] = { NETPROBE_CAPTURE_EBPF, NETPROBE_CAPTURE_AFPACKET,
					   NETPROBE_CAPTURE_PROC };
	struct session_opts opts = { .filter = { .enabled = 1 } };
	int r = 0;

	if (capture > NETPROBE_CAPTURE_NONE)
		return error_set(err, -EINVAL,
				 "capture: %u is not a way of capture; takes NETPROBE_CAPTURE_*",
				 capture);
	if (capture == NETPROBE_CAPTURE_NONE)
		return (int)capture;
	for (unsigned int i = 0; i < sizeof(ladder) / sizeof(ladder[0]); i++) {
		if (capture != NETPROBE_CAPTURE_AUTO && capture != ladder[i])
			continue;
		r = session_try_mode(&opts, (int)ladder[i], err);
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

/* Not from what any call of it calls back: that would lose the ground it stands on. */
static bool may_free(struct netprobe_manager *m)
{
	bool ok;

	if (api_listing || crew_is_here(m) ||
	    (m->has_worker && pthread_equal(m->worker, pthread_self())))
		return false;
	api_lock(m);
	ok = (m->has_worker || !m->handling) && !m->ending;
	m->ending = m->ending || ok;
	api_unlock(m);
	return ok;
}

static void finish(struct netprobe_manager *m)
{
	poll_stop_worker(m);
	(void)poll_finish(m);
	crew_stop(m->crew);
}

API_PUBLIC struct netprobe_manager *netprobe_manager_free(struct netprobe_manager *m)
{
	struct api_call call;
	bool within = api_is_within(m);
	int r;

	r = api_enter(&call, m, true);
	if (r)
		return r == -EDEADLK ? m : NULL;
	if (within || !may_free(m)) {
		api_leave(&call);
		return m;
	}
	finish(m);
	api_leave(&call);
	api_delist(m);
	m->crew = crew_free(m->crew);
	api_close(m);
	report_done(m);
	wake_done(m);
	follow_done(m);
	security_free(m);
	queue_done(m);
	account_done(m);
	api_config_done(m);
	buf_done(&m->line);
	buf_done(&m->text);
	buf_done(&m->xctl);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
	return NULL;
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
	if (!r && m->config.workers > 1 && crew_new(m)) {
		api_close(m);
		r = error_set(err, -EAGAIN, "no threads for %u workers", m->config.workers);
	}
	if (!r) {
		m->loaded = true;
		account_begin(m);
		m->next_tick_ns =
			clock_monotonic_ns() + m->config.stats_report_interval * NS_PER_MS;
	}
	if (!r && m->config.workers) {
		r = thread_start(&m->worker, NULL, poll_work, m);
		m->has_worker = !r;
		if (r) {
			api_close(m);
			crew_stop(m->crew);
			m->crew = crew_free(m->crew);
			m->loaded = false;
			error_set(err, r, "no thread: %s", strerror(-r));
		}
	}
	/* Last, when nothing can fail: what detection finds from here on is told. */
	if (!r)
		security_poll(m);
	wake_set(m);
	api_unlock(m);
	return r;
}

/* The interval under way ends when it would have, or sooner: however often the configuration changes. */
static void next_tick(struct netprobe_manager *m, const struct netprobe_config *c)
{
	uint64_t next_ns = clock_monotonic_ns() + c->stats_report_interval * NS_PER_MS;

	if (!m->next_tick_ns || next_ns < m->next_tick_ns)
		m->next_tick_ns = next_ns;
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
		next_tick(m, &c);
	wake_set(m);
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_get_config(struct netprobe_manager *m, struct netprobe_config *ret)
{
	API_ENTER(m, NULL);
	int r = ret ? api_check_listing(NULL) : -EINVAL;

	if (r)
		return r;
	api_lock(m);
	r = GIVE(ret, m->config);
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_set_event_handler(struct netprobe_manager *m, uint32_t families,
						  netprobe_event_fn fn, void *arg)
{
	API_ENTER_AND(m, NULL, true);
	struct crew *crew;
	int r = api_check_listing(NULL);

	if (r)
		return r;
	if (families & ~(uint32_t)NETPROBE_EVENT_ALL)
		return -EINVAL;
	api_lock(m);
	for (unsigned int i = 0; i < API_FAMILIES; i++) {
		if (!(families & 1u << i))
			continue;
		m->queues[i].fn = fn;
		m->queues[i].arg = arg;
	}
	crew = m->crew;
	if (fn && families & NETPROBE_EVENT_SECURITY)
		security_begin(m);
	wake_set(m);
	api_unlock(m);
	for (unsigned int i = 0; crew && i < API_FAMILIES; i++)
		if (families & 1u << i)
			crew_set_handler(crew, i, fn, arg);
	return 0;
}
