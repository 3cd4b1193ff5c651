/* SPDX-License-Identifier: BSD-2-Clause */
/* What guard's detection finds, as security.* events. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "api/internal.h"
#include "guard/guard.h"
#include "out/event.h"

static const char *const rules[NP_ATTACK_MAX] = {
	[NP_ATTACK_SYN_FLOOD] = "syn_flood",   [NP_ATTACK_UDP_FLOOD] = "udp_flood",
	[NP_ATTACK_AMPLIFY] = "amplification", [NP_ATTACK_ICMP_FLOOD] = "icmp_flood",
	[NP_ATTACK_PORT_SCAN] = "port_scan",   [NP_ATTACK_HOST_SCAN] = "host_scan",
	[NP_ATTACK_ANOMALY] = "anomaly",
};
static const char *const actions[] = { "off", "dry_run", "alert", "ban" };

static const char *type_of(uint8_t attack)
{
	switch (attack) {
	case NP_ATTACK_SYN_FLOOD:
		return "security.syn_flood";
	case NP_ATTACK_ICMP_FLOOD:
		return "security.icmp_flood";
	case NP_ATTACK_PORT_SCAN:
	case NP_ATTACK_HOST_SCAN:
		return "security.port_scan";
	case NP_ATTACK_ANOMALY:
		return "security.anomaly";
	default:
		return "security.udp_flood";
	}
}

static const char *unit_of(uint8_t attack)
{
	return attack == NP_ATTACK_PORT_SCAN   ? "ports"
	       : attack == NP_ATTACK_HOST_SCAN ? "hosts"
					       : "pps";
}

static const char *transport_of(uint8_t proto)
{
	return proto == IPPROTO_TCP				  ? "tcp"
	       : proto == IPPROTO_UDP				  ? "udp"
	       : proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 ? "icmp"
								  : NULL;
}

static void put_attack(struct buf *b, const struct np_ev_guard *ev, const char *iface)
{
	char addr[INET6_ADDRSTRLEN];

	buf_puts(b, " "); /* so that the first key gets its comma, too */
	json_kv_str(b, "iface", iface);
	json_kv_str(b, "direction", "rx");
	json_kv_str(b, "transport", transport_of(ev->proto));
	json_kv_str(b, "laddr", addr_str(ev->daddr, addr));
	json_kv_u64_or_null(b, "lport", ev->dport);
	json_kv_str(b, "raddr", addr_str(ev->saddr, addr));
	json_kv_str(b, "rule", rules[ev->attack]);
	json_kv_str(b, "action", actions[ev->action & 3]);
	json_kv_u64(b, "seen", ev->seen);
	json_kv_u64(b, "limit", ev->limit);
	json_kv_u64(b, "strikes", ev->strikes);
}

static void on_attack(const struct np_ev_guard *ev, void *arg)
{
	struct netprobe_manager *m = arg;
	char name[IF_NAMESIZE] = "", value[32];
	struct buf json = {};
	double seconds;

	if (ev->kind != NP_GUARD_EV_ATTACK || ev->attack >= NP_ATTACK_MAX)
		return;
	(void)if_indextoname(ev->ifindex, name);
	(void)snprintf(value, sizeof(value), "%llu", (unsigned long long)ev->seen);
	put_attack(&json, ev, name[0] ? name : NULL);
	if (!buf_str(&json)) {
		m->lost++;
		buf_done(&json);
		return;
	}
	queue_own_event(m, NETPROBE_EVENT_SECURITY, type_of(ev->attack), name, value,
			(double)ev->seen, unit_of(ev->attack), buf_str(&json));
	seconds = (double)((uint64_t)ev->ban_ticks << NP_GUARD_TICK_SHIFT) / 1e9;
	(void)snprintf(value, sizeof(value), "%.0f", seconds);
	if (ev->ban_ticks)
		queue_own_event(m, NETPROBE_EVENT_SECURITY, "security.ban", name, value, seconds,
				"s", buf_str(&json));
	buf_done(&json);
}

void security_poll(struct netprobe_manager *m)
{
	struct guard *g = NULL;

	if (!m->config.enable_security_alerts || !queue_wanted(m, NETPROBE_EVENT_SECURITY))
		return;
	if (!m->watch && !m->watch_tried) {
		m->watch_tried = true;
		if (guard_open(GUARD_SHARED, &g, NULL))
			return;
		(void)guard_watch_open(g, false, &m->watch, NULL);
		guard_close(g);
	}
	if (m->watch)
		(void)guard_watch_poll(m->watch, on_attack, m);
}

void security_done(struct netprobe_manager *m)
{
	m->watch = guard_watch_close(m->watch);
	m->watch_tried = false;
}
