/* SPDX-License-Identifier: BSD-2-Clause */
/* What guard's detection finds, as security.* events. */
#include "api/internal.h"
#include "engine/attacks.h"

/* The guard that is there now: it may have gone, and come again as another one. */
static void look(struct netprobe_manager *m)
{
	struct guard *g = NULL;

	m->watch_tried = true;
	if (guard_open(GUARD_SHARED, &g, NULL))
		return;
	if (m->watch && !guard_watch_is_of(m->watch, g)) {
		m->lost += guard_watch_lost(m->watch);
		m->watch = guard_watch_close(m->watch);
	}
	/* After the first look a new guard is read from its beginning. */
	if (!m->watch)
		(void)guard_watch_open(g, m->watched, &m->watch, NULL);
	guard_close(g);
	m->watched = true;
}

static void on_attack(const struct np_ev_guard *ev, void *arg)
{
	attacks_tell(arg, ev);
}

void security_poll(struct netprobe_manager *m)
{
	/* With only_moved the session follows guard, and tells of it between its own events. */
	if (!m->config.enable_security_alerts || !queue_wanted(m, NETPROBE_EVENT_SECURITY) ||
	    m->config.only_moved)
		return;
	if (!m->attacks)
		m->attacks = attacks_new(queue_session_event, m);
	if (!m->attacks) {
		m->lost++;
		return;
	}
	if (!m->watch_tried)
		look(m);
	if (m->watch)
		(void)guard_watch_poll(m->watch, on_attack, m->attacks);
	attacks_tick(m->attacks);
}

void security_begin(struct netprobe_manager *m)
{
	api_lock(m);
	if (!m->watch)
		m->watch_tried = false;
	security_poll(m);
	wake_set(m);
	api_unlock(m);
}

void security_tick(struct netprobe_manager *m)
{
	m->watch_tried = false;
}

void security_free(struct netprobe_manager *m)
{
	m->watch = guard_watch_close(m->watch);
	m->attacks = attacks_free(m->attacks);
}
