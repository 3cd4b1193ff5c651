/* SPDX-License-Identifier: BSD-2-Clause */
/* What a manager tells each interval: stats.global, stats.iface, stats.lb; and backends' health. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/internal.h"
#include "engine/lb.h"
#include "guard/guard.h"

static void put_way(struct buf *b, const char *name, const struct np_guard_way *w)
{
	json_key(b, name);
	buf_putc(b, '{');
	json_kv_u64(b, "packets", w->packets);
	json_kv_u64(b, "bytes", w->bytes);
	json_kv_u64(b, "segments", w->segments);
	json_kv_u64(b, "wire_bytes", w->wire_bytes);
	json_kv_u64(b, "ipv6_packets", w->v6_packets);
	json_kv_u64(b, "tcp_packets", w->kind[NP_KIND_TCP].packets);
	json_kv_u64(b, "udp_packets", w->kind[NP_KIND_UDP].packets);
	json_kv_u64(b, "icmp_packets", w->kind[NP_KIND_ICMP].packets);
	buf_putc(b, '}');
}

static void report_if(struct netprobe_manager *m, const struct guard_if *f)
{
	uint64_t packets = f->count.rx.packets + f->count.tx.packets, drops = 0;
	struct buf b = {};
	char value[24];

	for (unsigned int i = 0; i < NP_DROP_MAX; i++)
		drops += f->count.drops[i];
	buf_puts(&b, " "); /* so that the first key gets its comma, too */
	json_kv_str(&b, "iface", f->name);
	put_way(&b, "rx", &f->count.rx);
	put_way(&b, "tx", &f->count.tx);
	json_kv_u64(&b, "dropped", drops);
	(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)packets);
	if (buf_str(&b))
		queue_own_event(m, NETPROBE_EVENT_STATISTICS, "stats.iface", f->name, value,
				(double)packets, "packets", buf_str(&b));
	else
		m->lost++;
	buf_done(&b);
}

static void report_global(struct netprobe_manager *m)
{
	struct netprobe_global_stats g = { .size = sizeof(g) };
	struct buf b = {};
	char value[24];

	if (netprobe_manager_get_global_stats(m, &g, NULL))
		return;
	buf_puts(&b, " ");
	json_kv_u64(&b, "rx_packets", g.rx_packets);
	json_kv_u64(&b, "rx_bytes", g.rx_bytes);
	json_kv_u64(&b, "tx_packets", g.tx_packets);
	json_kv_u64(&b, "tx_bytes", g.tx_bytes);
	json_kv_u64(&b, "dropped", g.dropped);
	json_kv_u64(&b, "malformed", g.malformed);
	json_kv_u64(&b, "interfaces", g.interfaces);
	json_kv_u64(&b, "flows", g.flows);
	json_kv_u64(&b, "events_delivered", g.events_delivered);
	json_kv_u64(&b, "events_lost", g.events_lost);
	(void)snprintf(value, sizeof(value), "%llu",
		       (unsigned long long)(g.rx_packets + g.tx_packets));
	if (buf_str(&b))
		queue_own_event(m, NETPROBE_EVENT_STATISTICS, "stats.global", "", value,
				(double)(g.rx_packets + g.tx_packets), "packets", buf_str(&b));
	buf_done(&b);
}

static void report_statistics(struct netprobe_manager *m)
{
	struct guard_if *ifs = NULL;
	struct guard *g = NULL;
	int n = 0;

	report_global(m);
	if (!m->config.enable_tc_events || guard_open(GUARD_SHARED, &g, NULL))
		return;
	n = guard_ifs(g, &ifs);
	guard_close(g);
	for (int i = 0; i < n; i++)
		if (!ifs[i].gone)
			report_if(m, &ifs[i]);
	free(ifs);
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
	struct buf b = {};

	buf_puts(&b, " ");
	json_kv_str(&b, "vip", vip);
	json_kv_str(&b, "backend", backend);
	json_kv_str(&b, "why", up ? NULL : why);
	if (buf_str(&b))
		queue_own_event(arg, NETPROBE_EVENT_BALANCING, "balance.health", vip,
				up ? "UP" : "DOWN", up, "count", buf_str(&b));
	buf_done(&b);
}

int report_health(struct netprobe_manager *m, struct netprobe_error *err)
{
	if (!m->config.enable_health_checks || !is_there(m))
		return 0;
	if (!m->checker)
		m->checker = checker_new(&m->balance, on_health, m);
	return m->checker ? checker_run(m->checker, 0, err) : -ENOMEM;
}

void report_tick(struct netprobe_manager *m)
{
	if (queue_wanted(m, NETPROBE_EVENT_STATISTICS))
		report_statistics(m);
	if (!queue_wanted(m, NETPROBE_EVENT_BALANCING) || !is_there(m) ||
	    balance_take(&m->balance, NULL))
		return;
	if (lb_events(&m->balance, queue_session_event, m))
		m->lost++;
	balance_share(&m->balance);
}

void report_done(struct netprobe_manager *m)
{
	m->checker = checker_free(m->checker);
	if (m->balance.model)
		balance_close(&m->balance);
}
