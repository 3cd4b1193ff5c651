/* SPDX-License-Identifier: BSD-2-Clause */
/* See account.h. */
#include "api/account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"

#define UNIT_PLACE "events"

/* What was taken away and put back begins again: all that it has is new. */
static void go_on(struct account_since *s, const struct np_loss *now)
{
	if (now->submitted < s->last.submitted || now->map_full < s->last.map_full)
		s->last = (struct np_loss){};
	s->sum.submitted += now->submitted - s->last.submitted;
	s->sum.map_full += now->map_full - s->last.map_full;
	s->last = *now;
}

static void add_sum(struct np_loss *to, const struct np_loss *from)
{
	to->submitted += from->submitted;
	to->map_full += from->map_full;
}

/* By interface: one that guard is taken off takes its counters with it, and the sum may not fall. */
static void look_at_guard(struct account *a)
{
	struct account_guard now[NP_GUARD_IFS];
	int n = stats_guard_losses(now);

	if (n < 0)
		return; /* what cannot be read now is not gone */
	for (int i = 0; i < n; i++) {
		struct np_loss count = now[i].since.last;

		now[i].since = (struct account_since){};
		for (unsigned int k = 0; k < a->n_guard; k++)
			if (a->guard[k].ifindex == now[i].ifindex) {
				now[i].since = a->guard[k].since;
				a->guard[k].since.sum = (struct np_loss){};
			}
		go_on(&now[i].since, &count);
	}
	for (unsigned int k = 0; k < a->n_guard; k++)
		add_sum(&a->guard_gone, &a->guard[k].since.sum);
	memcpy(a->guard, now, (size_t)n * sizeof(*now));
	a->n_guard = (unsigned int)n;
}

void account_begin(struct netprobe_manager *m)
{
	struct account *a = &m->account;
	struct np_loss balance;

	a->over = false;
	a->tick_ns = clock_monotonic_ns();
	look_at_guard(a);
	a->guard_gone = (struct np_loss){};
	for (unsigned int i = 0; i < a->n_guard; i++)
		a->guard[i].since.sum = (struct np_loss){};
	a->balances = report_balance_losses(m, &balance);
	if (a->balances)
		a->balance.last = balance;
}

static void add_row(struct losses *to, const char *program, const struct np_loss *count)
{
	losses_add(to, &(struct loss){ .program = program, .unit = "packets", .count = *count });
}

/* What guard and the balancer could not remember; of who asks for what they count. */
static void add_guard(struct netprobe_manager *m, struct losses *to)
{
	struct account *a = &m->account;
	struct np_loss sum, balance;

	if (!queue_wanted(m, NETPROBE_EVENT_STATISTICS) && !security_asked(m))
		return;
	look_at_guard(a);
	sum = a->guard_gone;
	for (unsigned int i = 0; i < a->n_guard; i++)
		add_sum(&sum, &a->guard[i].since.sum);
	if (a->n_guard || sum.submitted || sum.map_full)
		add_row(to, "guard", &sum);
	if (report_balance_losses(m, &balance)) {
		a->balances = true;
		go_on(&a->balance, &balance);
	}
	if (a->balances)
		add_row(to, "balance", &a->balance.sum);
}

bool account_is_own(const char *program)
{
	for (unsigned int id = 0; id < LOSS_MAX; id++)
		if (!strcmp(prog_name(id), program))
			return true;
	return loss_is_own(program);
}

/* The rows of the end, and what the program tells of its own since; events that the queue had no room for by now. */
static void take_over(struct netprobe_manager *m, struct losses *ret)
{
	for (unsigned int i = 0; i < m->account.told.n; i++) {
		struct loss l = m->account.told.of[i];

		if (account_is_place(m, &l))
			continue;
		if (!strcmp(l.program, "queue"))
			l.count.ring_full = m->lost;
		losses_add(ret, &l);
	}
	for (unsigned int i = 0; m->account.places && i < m->account.places->n; i++)
		losses_add(ret, &m->account.places->of[i]);
}

void account_take(struct netprobe_manager *m, struct losses *ret)
{
	*ret = (struct losses){};
	if (m->account.over) {
		take_over(m, ret);
		return;
	}
	if (m->session)
		session_account(m->session, ret);
	if (m->drops)
		drop_watch_account(m->drops, ret);
	if (m->tracer)
		trace_watch_account(m->tracer, ret);
	add_guard(m, ret);
	if (security_asked(m))
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

	if (!final && !queue_wanted(m, NETPROBE_EVENT_STATISTICS))
		return;
	account_take(m, &all);
	for (unsigned int i = 0; queue_wanted(m, NETPROBE_EVENT_STATISTICS) && i < all.n; i++) {
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
	m->account.over = final;
}

int account_place(struct netprobe_manager *m, const char *place, uint64_t taken, uint64_t lost)
{
	struct account *a = &m->account;
	struct loss *l = NULL;
	bool more;

	if (!a->places) {
		a->places = calloc(1, sizeof(*a->places));
		a->names = calloc(ACCOUNT_PLACES, sizeof(*a->names));
		if (!a->places || !a->names) {
			account_done(m);
			return -ENOMEM;
		}
	}
	for (unsigned int i = 0; i < a->places->n && !l; i++)
		if (!strcmp(a->names[i], place))
			l = &a->places->of[i];
	if (!l && a->places->n == ACCOUNT_PLACES)
		return -ENOMEM;
	if (!l) {
		char *name = a->names[a->places->n];

		(void)snprintf(name, ACCOUNT_NAME, "%s", place);
		losses_add(a->places, &(struct loss){ .program = name, .unit = UNIT_PLACE });
		l = &a->places->of[a->places->n - 1];
	}
	more = lost != l->count.ring_full;
	l->count = (struct np_loss){ .submitted = taken, .ring_full = lost };
	if (more || m->finished)
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
