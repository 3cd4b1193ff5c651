/* SPDX-License-Identifier: BSD-2-Clause */
/* What a manager tells each interval: stats.global, stats.iface, stats.lb; and backends' health. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/internal.h"
#include "base/error.h"
#include "engine/device.h"
#include "engine/lb.h"
#include "out/device.h"

static void on_device(const struct event *ev, void *arg)
{
	struct netprobe_manager *m = arg;

	if (ev->kind != EVENT_IFACE || m->config.enable_tc_events)
		queue_session_event(ev, m);
}

/* Packets at all interfaces are others than at the last call. */
static bool has_moved(struct netprobe_manager *m, const struct guard_if *ifs, int n)
{
	uint64_t was = m->moved;

	m->moved = 0;
	for (int i = 0; i < n; i++)
		m->moved += ifs[i].count.rx.packets + ifs[i].count.tx.packets;
	return m->moved != was;
}

/* How many records; 0: guard is nowhere, or, of what moved alone, nothing did. */
static int report_statistics(struct netprobe_manager *m, bool moved_alone,
			     struct netprobe_error *err)
{
	struct guard_if *ifs = NULL;
	struct guard *g = NULL;
	int r = api_guard(GUARD_SHARED, &g, err);

	if (r)
		return r == -ENOENT ? 0 : r;
	r = guard_ifs(g, &ifs);
	guard_close(g);
	if (r < 0)
		return error_set(err, r, "guard's counters cannot be read: %s", strerror(-r));
	if (moved_alone && !has_moved(m, ifs, r))
		r = 0;
	else if (r || !moved_alone)
		device_events(ifs, r++, on_device, m);
	free(ifs);
	return m->config.enable_tc_events || !r ? r : 1;
}

/* The balancer may come and go with other commands: its folder tells. */
static bool is_there(struct netprobe_manager *m)
{
	struct stat st;

	if (m->balance.model && stat(m->balance.pins.dir, &st))
		report_done(m);
	if (!m->balance.model && !balance_open(false, NULL, &m->balance, NULL))
		balance_share(&m->balance);
	return m->balance.model;
}

static void on_health(const char *vip, const char *backend, bool up, const char *why, void *arg)
{
	struct event_news news = { .vip = vip, .backend = backend, .why = up ? NULL : why };

	queue_news(arg, EVENT_HEALTH, vip, up ? "UP" : "DOWN", up, &news);
}

int report_health(struct netprobe_manager *m, struct netprobe_error *err)
{
	if (!m->config.enable_health_checks || !is_there(m))
		return 0;
	if (!m->checker)
		m->checker = checker_new(&m->balance, on_health, m);
	return m->checker ? checker_run(m->checker, 0, err) : -ENOMEM;
}

/* What the balancer looked at is more than at the last call. */
static bool has_balanced(struct netprobe_manager *m)
{
	uint64_t totals[LB_TOTALS], was = m->balanced;

	if (balance_totals(&m->balance, totals))
		return true; /* and the records say why they cannot be had */
	m->balanced = 0;
	for (unsigned int i = 0; i < LB_TOTALS; i++)
		m->balanced += totals[i];
	return m->balanced != was;
}

static int report_balancer(struct netprobe_manager *m, bool moved_alone, struct netprobe_error *err)
{
	uint64_t before = m->lost + api_delivered(m); /* direct ones are delivered at once */
	size_t was = m->queues[1].n;
	int r;

	if (!is_there(m) || (moved_alone && !has_balanced(m)))
		return 0;
	r = balance_take(&m->balance, err);
	if (r)
		return r;
	r = lb_events(&m->balance, queue_session_event, m);
	balance_share(&m->balance);
	if (r)
		return error_set(err, r, "the balancer's counters cannot be read: %s",
				 strerror(-r));
	return (int)(m->queues[1].n - was + (m->lost + api_delivered(m) - before));
}

static int report(struct netprobe_manager *m, uint32_t families, bool moved_alone,
		  struct netprobe_error *err)
{
	int n = 0, r = 0;

	api_here(m);
	if ((families & NETPROBE_EVENT_STATISTICS) && queue_wanted(m, NETPROBE_EVENT_STATISTICS))
		n = report_statistics(m, moved_alone, err);
	if (n >= 0 && (families & NETPROBE_EVENT_BALANCING) &&
	    queue_wanted(m, NETPROBE_EVENT_BALANCING))
		r = report_balancer(m, moved_alone, err);
	return n < 0 ? n : r < 0 ? r : n + r;
}

int report_tick(struct netprobe_manager *m, uint32_t families, struct netprobe_error *err)
{
	return report(m, families, false, err);
}

int report_interval(struct netprobe_manager *m)
{
	return report(m, NETPROBE_EVENT_STATISTICS | NETPROBE_EVENT_BALANCING, m->config.only_moved,
		      NULL);
}

bool report_balance_losses(struct netprobe_manager *m, struct np_loss *ret)
{
	uint64_t totals[LB_TOTALS];

	if (!is_there(m) || balance_totals(&m->balance, totals))
		return false;
	*ret = (struct np_loss){ .submitted = totals[LB_FORWARDED],
				 .map_full = totals[LB_TABLE_FULL] + totals[LB_TABLE_SKIPPED] };
	return true;
}

API_PUBLIC int netprobe_manager_report(struct netprobe_manager *m, uint32_t families,
				       struct netprobe_error *err)
{
	API_ENTER(m, err);
	int r = api_check_listing(err);

	if (!r && (families & ~(uint32_t)(NETPROBE_EVENT_STATISTICS | NETPROBE_EVENT_BALANCING)))
		r = error_set(err, -EINVAL,
			      "families: takes NETPROBE_EVENT_STATISTICS and _BALANCING");
	if (r)
		return r;
	api_lock(m);
	m->here = true;
	r = m->handling || crew_is_here(m) ? error_set(err, -EBUSY, "called from a handler")
					   : report_tick(m, families, err);
	m->here = false;
	if (r > 0)
		(void)queue_flush(m, true);
	api_unlock(m);
	return r;
}

void report_done(struct netprobe_manager *m)
{
	m->checker = checker_free(m->checker);
	if (m->balance.model)
		balance_close(&m->balance);
}
