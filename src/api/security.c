/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guard's detection finds and what is done to lists, as security.* events: of each network namespace that calls of
 * the manager came from. A guard can only be looked for by a thread that is there; one that was found is read by any.
 */
#include <net/if.h>

#include "api/internal.h"
#include "engine/attacks.h"
#include "engine/netns.h"

uint32_t api_netns(void)
{
	return netns_inode("/proc/thread-self/ns/net");
}

/* What is asked again and again is of the namespace of who asks now. */
void api_here(struct netprobe_manager *m)
{
	uint32_t netns = api_netns();

	if (m->netns && netns != m->netns) {
		report_done(m);
		follow_done(m);
	}
	m->netns = netns;
}

static void leave(struct netprobe_manager *m, struct api_place *p)
{
	m->security_lost += p->watch ? guard_watch_lost(p->watch) : 0;
	m->security_lost += p->attacks ? attacks_untold(p->attacks) : 0;
	(void)guard_watch_close(p->watch);
	(void)attacks_free(p->attacks);
	*p = (struct api_place){};
}

/* This thread's; where there are too many the one that was asked for the longest ago makes room. */
static struct api_place *place_here(struct netprobe_manager *m)
{
	uint32_t netns = api_netns();
	struct api_place *oldest = &m->places[0];

	for (unsigned int i = 0; i < API_PLACES; i++) {
		struct api_place *p = &m->places[i];

		if (p->attacks && p->netns == netns) {
			p->used = ++m->places_used;
			return p;
		}
		if (p->used < oldest->used)
			oldest = p;
	}
	leave(m, oldest);
	*oldest = (struct api_place){ .netns = netns, .used = ++m->places_used };
	oldest->attacks = attacks_new(queue_session_event, m);
	return oldest->attacks ? oldest : NULL;
}

/* The guard that is there now: it may have gone, and come again as another one. */
static void look(struct netprobe_manager *m, struct api_place *p)
{
	struct guard *g = NULL;

	p->tried = true;
	if (guard_open(GUARD_SHARED, &g, NULL))
		return;
	if (p->watch && !guard_watch_is_of(p->watch, g)) {
		m->security_lost += guard_watch_lost(p->watch);
		p->watch = guard_watch_close(p->watch);
	}
	/* After the first look a new guard is read from its beginning. */
	if (!p->watch)
		(void)guard_watch_open(g, p->watched, &p->watch, NULL);
	guard_close(g);
	p->watched = true;
}

/* From elsewhere only guard knows what its interfaces are called. */
static void on_attack(const struct np_ev_guard *ev, void *arg)
{
	const struct api_place *p = arg;
	char name[IF_NAMESIZE] = "";

	if (p->netns != api_netns())
		guard_watch_name(p->watch, ev->ifindex, name);
	else if (!if_indextoname(ev->ifindex, name))
		name[0] = '\0';
	attacks_tell(p->attacks, ev, name);
}

void security_poll(struct netprobe_manager *m)
{
	struct api_place *here;

	if (!security_asked(m))
		return;
	here = place_here(m);
	if (!here) {
		m->lost++;
		return;
	}
	if (!here->tried)
		look(m, here);
	for (unsigned int i = 0; i < API_PLACES; i++) {
		struct api_place *p = &m->places[i];

		if (p->watch)
			(void)guard_watch_poll(p->watch, on_attack, p);
		if (p->attacks)
			attacks_tick(p->attacks);
	}
}

void security_begin(struct netprobe_manager *m)
{
	struct api_place *here;

	api_lock(m);
	here = security_asked(m) ? place_here(m) : NULL;
	if (here && !here->watch)
		here->tried = false;
	security_poll(m);
	wake_set(m);
	api_unlock(m);
}

void security_tick(struct netprobe_manager *m)
{
	for (unsigned int i = 0; i < API_PLACES; i++)
		m->places[i].tried = false;
}

bool security_asked(const struct netprobe_manager *m)
{
	return m->config.enable_security_alerts && queue_wanted(m, NETPROBE_EVENT_SECURITY);
}

bool security_watches(const struct netprobe_manager *m)
{
	for (unsigned int i = 0; i < API_PLACES; i++)
		if (m->places[i].watch)
			return true;
	return false;
}

uint64_t security_lost(const struct netprobe_manager *m)
{
	uint64_t n = m->security_lost;

	for (unsigned int i = 0; i < API_PLACES; i++) {
		const struct api_place *p = &m->places[i];

		n += p->watch ? guard_watch_lost(p->watch) : 0;
		n += p->attacks ? attacks_untold(p->attacks) : 0;
	}
	return n;
}

void security_free(struct netprobe_manager *m)
{
	for (unsigned int i = 0; i < API_PLACES; i++)
		leave(m, &m->places[i]);
}
