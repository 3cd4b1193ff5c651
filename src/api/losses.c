/* SPDX-License-Identifier: BSD-2-Clause */
/* What was lost, and what the capture in use is and cannot tell. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/internal.h"
#include "base/error.h"

/* 1: fn wants no more. */
static int tell_loss(const struct loss *from, netprobe_loss_fn fn, void *arg)
{
	const struct np_loss *l = &from->count;
	struct netprobe_loss x = { .size = sizeof(x),
				   .program = from->program,
				   .seen = loss_seen(l),
				   .submitted = l->submitted,
				   .ring_full = l->ring_full,
				   .filtered = l->filtered,
				   .sampled_out = l->sampled_out,
				   .rate_limited = l->rate_limited,
				   .map_full = l->map_full,
				   .helper_errors = l->helper_err,
				   .missed = from->missed,
				   .lost_tx_bytes = l->lost_tx_bytes,
				   .lost_rx_bytes = l->lost_rx_bytes,
				   .implausible = from->implausible,
				   .unit = from->unit,
				   .lost = loss_lost(from) };

	return fn && fn(&x, arg);
}

API_PUBLIC int netprobe_manager_losses(struct netprobe_manager *m, netprobe_loss_fn fn, void *arg,
				       struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct losses all = {};
	int r = api_check_listing(err);
	char names[ACCOUNT_PLACES][ACCOUNT_NAME];
	unsigned int n_names = 0;

	if (r)
		return r;
	api_lock(m);
	if (m->session)
		account_take(m, &all);
	else
		r = api_not_loaded(err);
	/* Names of places may go with another call. */
	for (unsigned int i = 0; i < all.n && n_names < ACCOUNT_PLACES; i++)
		if (account_is_place(m, &all.of[i])) {
			(void)snprintf(names[n_names], ACCOUNT_NAME, "%s", all.of[i].program);
			all.of[i].program = names[n_names++];
		}
	api_unlock(m);
	for (unsigned int i = 0; !r && i < all.n; i++)
		if (tell_loss(&all.of[i], fn, arg))
			return (int)i + 1;
	return r ? r : (int)all.n;
}

API_PUBLIC int netprobe_manager_note(struct netprobe_manager *m, char *ret, size_t bytes)
{
	API_ENTER(m, NULL);
	int r = ret && bytes ? api_check_listing(NULL) : -EINVAL;

	if (r)
		return r;
	api_lock(m);
	if (!m->session)
		r = -ENODEV;
	else
		(void)snprintf(ret, bytes, "%s", session_note(m->session));
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_tell_loss(struct netprobe_manager *m, const char *place,
					  uint64_t taken, uint64_t lost, struct netprobe_error *err)
{
	API_ENTER(m, err);
	int r = place && *place ? api_check_listing(err)
				: error_set(err, -EINVAL, "a loss needs the name of its place");

	/* never cut: two of them would be one */
	if (!r && strlen(place) >= ACCOUNT_NAME)
		r = error_set(err, -EINVAL, "place: '%.40s' has %zu bytes; takes up to %d", place,
			      strlen(place), ACCOUNT_NAME - 1);
	if (!r && account_is_own(place))
		r = error_set(
			err, -EINVAL,
			"place: '%.40s' is a row of the library's own account; takes another name",
			place);
	if (r)
		return r;
	api_lock(m);
	if (!m->session)
		r = api_not_loaded(err);
	else if (account_place(m, place, taken, lost))
		r = error_set(err, -ENOMEM, "place: '%.40s' finds no room; takes up to %d places",
			      place, ACCOUNT_PLACES);
	api_unlock(m);
	return r;
}

API_PUBLIC int netprobe_manager_set_room(struct netprobe_manager *m, netprobe_room_fn fn, void *arg)
{
	API_ENTER(m, NULL);
	int r = api_check_listing(NULL);

	if (r)
		return r;
	api_lock(m);
	m->room_fn = fn;
	m->room_arg = arg;
	api_unlock(m);
	return 0;
}

static void add_names(struct netprobe_loss_stats *s, const struct names *n)
{
	struct names_losses l;

	if (!n || names_losses(n, &l))
		return;
	s->dns_ring_full = l.kernel.ring_full;
	s->dns_errors = l.kernel.helper_err;
	s->dns_missed = l.missed;
	s->dns_table_full = l.track.table_full;
	s->dns_streams = l.streams_lost;
}

static void add_watches(struct netprobe_loss_stats *s, const struct netprobe_manager *m)
{
	struct np_trace_loss steps;
	struct np_drop_loss drops;
	uint64_t missed;

	if (m->drops) {
		s->drops_netns = drop_watch_left_out(m->drops);
		if (!drop_watch_losses(m->drops, &drops, &missed)) {
			s->drops_unsummed = drops.map_full;
			s->drops_missed = missed;
		}
	}
	if (m->tracer && !trace_watch_losses(m->tracer, &steps)) {
		s->steps_seen = steps.seen;
		s->steps_limited = steps.limited;
		s->steps_ring_full = steps.ring_full;
	}
}

API_PUBLIC int netprobe_manager_get_loss_stats(struct netprobe_manager *m,
					       struct netprobe_loss_stats *ret,
					       struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_loss_stats s = {};
	struct session_losses l = {};
	int r = ret ? api_check_listing(err) : error_set(err, -EINVAL, "nowhere to put them");

	if (r)
		return r;
	api_lock(m);
	if (m->session) {
		session_losses(m->session, &l);
		add_names(&s, session_names(m->session));
		add_watches(&s, m);
		s.security_lost = security_lost(m);
	} else {
		r = api_not_loaded(err);
	}
	api_unlock(m);
	if (r)
		return r;
	s.ring_full = l.ring_full;
	s.map_full = l.map_full;
	s.lost_bytes = l.lost_bytes;
	s.missed = l.missed;
	s.helper_errors = l.helper_err;
	s.flows_dropped = l.flows_dropped;
	s.flows_summed = l.left.summed;
	s.flow_sums = l.left.sums;
	s.flows_unowned = l.left.unowned;
	s.flows_lost = l.left.lost;
	s.flows_lost_bytes = l.left.lost_tx_bytes + l.left.lost_rx_bytes;
	s.implausible = l.prog[LOSS_FIGURES].implausible;
	s.cgroups_full = l.cgroups_full;
	s.waits_unsummed = l.waits.map_full;
	s.waits_unowned = l.waits.unowned;
	s.waits_missed = l.waits.passed + l.waits.untimed;
	s.latencies_dropped = l.figures_dropped;
	return GIVE(ret, s);
}

static void put_hooks(struct netprobe_capture *c, const struct probe *p)
{
	const struct hook_status *hooks = p ? probe_hooks(p) : NULL;

	if (!hooks)
		return;
	(void)snprintf(c->family, sizeof(c->family), "%s", family_label(probe_family(p)));
	for (unsigned int i = 0; i < NP_PROG_MAX; i++) {
		if (hooks[i].used >= 0)
			c->programs++;
		else
			c->programs_off++;
	}
}

static void put_notes(struct netprobe_capture *c, const struct netprobe_manager *m)
{
	struct session *s = m->session;

	(void)snprintf(c->note, sizeof(c->note), "%s", session_note(s));
	(void)snprintf(c->latency_note, sizeof(c->latency_note), "%s", session_latency_note(s));
	if (session_names(s))
		(void)snprintf(c->names_note, sizeof(c->names_note), "%s",
			       names_note(session_names(s)));
	if (m->drops)
		(void)snprintf(c->drops_note, sizeof(c->drops_note), "%s",
			       drop_watch_note(m->drops));
	if (m->tracer)
		(void)snprintf(c->trace_note, sizeof(c->trace_note), "%s",
			       trace_watch_note(m->tracer));
}

uint32_t api_capture(const struct session *s)
{
	for (int mode = NETPROBE_CAPTURE_EBPF; s && mode <= NETPROBE_CAPTURE_PROC; mode++)
		if (!strcmp(session_mode_name(mode), session_mode(s)))
			return (uint32_t)mode;
	return NETPROBE_CAPTURE_NONE;
}

API_PUBLIC int netprobe_manager_get_capture(struct netprobe_manager *m,
					    struct netprobe_capture *ret,
					    struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_capture c = {};
	int r = ret ? api_check_listing(err) : error_set(err, -EINVAL, "nowhere to put it");

	if (r)
		return r;
	api_lock(m);
	if (m->session) {
		c.capture = api_capture(m->session);
		c.latency = session_latency_watched(m->session);
		c.uptime_s = session_uptime(m->session);
		c.flows = flow_table_count(session_flows(m->session));
		c.open_sockets = flow_table_open(session_flows(m->session));
		(void)snprintf(c.mode, sizeof(c.mode), "%s", session_mode(m->session));
		(void)snprintf(c.host, sizeof(c.host), "%s", session_host(m->session));
		put_hooks(&c, session_probe(m->session));
		put_notes(&c, m);
		r = GIVE(ret, c);
	} else {
		r = api_not_loaded(err);
	}
	api_unlock(m);
	return r;
}
