/* SPDX-License-Identifier: BSD-2-Clause */
/* See account.h. */
#include "api/account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"

#define UNIT_PLACE "events"

/* One that was taken away with its interface counts from nothing again. */
static uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static void add_since(struct losses *to, const char *program, const struct np_loss *now,
		      const struct np_loss *before)
{
	losses_add(to, &(struct loss){
			       .program = program,
			       .unit = "packets",
			       .count = { .submitted = since(now->submitted, before->submitted),
					  .map_full = since(now->map_full, before->map_full) },
		       });
}

void account_begin(struct netprobe_manager *m)
{
	m->account.tick_ns = clock_monotonic_ns();
	if (!stats_guard_losses(&m->account.guard))
		m->account.guard = (struct np_loss){};
	if (!report_balance_losses(m, &m->account.balance))
		m->account.balance = (struct np_loss){};
}

/* What guard and the balancer could not remember; of who asks for what they count. */
static void add_guard(struct netprobe_manager *m, struct losses *to)
{
	struct np_loss kept = {}, balanced = {};

	if (!queue_wanted(m, NETPROBE_EVENT_STATISTICS) && !security_watches(m))
		return;
	if (stats_guard_losses(&kept))
		add_since(to, "guard", &kept, &m->account.guard);
	if (report_balance_losses(m, &balanced))
		add_since(to, "balance", &balanced, &m->account.balance);
}

void account_take(struct netprobe_manager *m, struct losses *ret)
{
	*ret = (struct losses){};
	if (m->session)
		session_account(m->session, ret);
	if (m->drops)
		drop_watch_account(m->drops, ret);
	if (m->tracer)
		trace_watch_account(m->tracer, ret);
	add_guard(m, ret);
	if (!losses_find(ret, "security") && security_watches(m))
		losses_add(ret, &(struct loss){ .program = "security",
						.unit = "events",
						.count = { .ring_full = security_lost(m) } });
	losses_add(ret, &(struct loss){
				.program = "queue",
				.unit = "events",
				.count = { .submitted = api_delivered(m), .ring_full = m->lost } });
	for (unsigned int i = 0; m->account.places && i < m->account.places->n; i++)
		losses_add(ret, &m->account.places->of[i]);
}

static void tell(struct netprobe_manager *m, const struct loss *l, bool lost, bool final,
		 double seconds)
{
	uint64_t n = loss_lost(l);
	struct event ev = {
		.kind = EVENT_PROBE_LOSS,
		.wall_ns = clock_wall_ns(),
		.ktime_ns = clock_monotonic_ns(),
		.num = (double)n,
		.unit = l->unit,
		.mode = m->session ? session_mode(m->session) : "ebpf",
		.loss = l,
		.lost = lost,
		.final = final,
		.interval_s = seconds,
	};

	(void)snprintf(ev.value, sizeof(ev.value), "%llu", (unsigned long long)n);
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", l->program);
	queue_session_event(&ev, m);
}

bool account_is_place(const struct netprobe_manager *m, const struct loss *l)
{
	return m->account.places && losses_find(m->account.places, l->program);
}

void account_tell(struct netprobe_manager *m, bool final)
{
	uint64_t now = clock_monotonic_ns();
	double seconds = final ? (m->session ? session_uptime(m->session) : 0)
			       : (double)(now - m->account.tick_ns) / 1e9;
	struct losses all;

	if (!queue_wanted(m, NETPROBE_EVENT_STATISTICS))
		return;
	account_take(m, &all);
	for (unsigned int i = 0; i < all.n; i++) {
		const struct loss *l = &all.of[i];

		if (account_is_place(m, l)) /* told when it is told of */
			continue;
		if (final)
			tell(m, l, loss_grew(l, NULL), true, seconds);
		else if (loss_grew(l, losses_find(&m->account.told, l->program)))
			tell(m, l, true, false, seconds);
	}
	m->account.told = all;
	m->account.tick_ns = now;
}

int account_place(struct netprobe_manager *m, const char *place, uint64_t taken, uint64_t lost)
{
	struct account *a = &m->account;
	struct loss *l = NULL;

	if (!a->places) {
		a->places = calloc(1, sizeof(*a->places));
		a->names = calloc(ACCOUNT_PLACES, sizeof(*a->names));
		if (!a->places || !a->names) {
			account_done(m);
			return -ENOMEM;
		}
	}
	for (unsigned int i = 0; i < a->places->n && !l; i++)
		if (!strncmp(a->names[i], place, ACCOUNT_NAME - 1))
			l = &a->places->of[i];
	if (!l && a->places->n == ACCOUNT_PLACES)
		return -ENOMEM;
	if (!l) {
		char *name = a->names[a->places->n];

		(void)snprintf(name, ACCOUNT_NAME, "%s", place);
		losses_add(a->places, &(struct loss){ .program = name, .unit = UNIT_PLACE });
		l = &a->places->of[a->places->n - 1];
	}
	l->count = (struct np_loss){ .submitted = taken, .ring_full = lost };
	tell(m, l, lost != 0, m->finished, session_uptime(m->session));
	return 0;
}

void account_done(struct netprobe_manager *m)
{
	free(m->account.places);
	free(m->account.names);
	m->account.places = NULL;
	m->account.names = NULL;
}
