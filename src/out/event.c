/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an event means, for all its writers alike: the name of its type, whose it is, where it was.
 * Not here: how it is spelled (json.c, xctl.c, text.c) and when it is made (engine/).
 */
#include "out/event.h"

#include <string.h>

const char *event_type_name(uint8_t kind)
{
	static const char *const names[EVENT_MAX] = {
		[EVENT_BW] = "transport.bw",
		[EVENT_RETRANSMIT] = "error.net",
		[EVENT_RESET] = "error.net",
		[EVENT_CONN_ERROR] = "error.net",
		[EVENT_CONN_OPEN] = "conn.open",
		[EVENT_CONN_CLOSE] = "conn.close",
		[EVENT_CONN_FAIL] = "conn.fail",
		[EVENT_PROBE_LOSS] = "probe.loss",
		[EVENT_STALL] = "transport.drop",
		[EVENT_DROP] = "transport.drop",
		[EVENT_TRACE] = "packet.trace",
		[EVENT_DNS] = "dns.query",
		[EVENT_LB] = "stats.lb",
		[EVENT_IFACE] = "stats.iface",
		[EVENT_GLOBAL] = "stats.global",
		[EVENT_SYN_FLOOD] = "security.syn_flood",
		[EVENT_UDP_FLOOD] = "security.udp_flood",
		[EVENT_ICMP_FLOOD] = "security.icmp_flood",
		[EVENT_PORT_SCAN] = "security.port_scan",
		[EVENT_ANOMALY] = "security.anomaly",
		[EVENT_BAN] = "security.ban",
		[EVENT_UNBAN] = "security.unban",
		[EVENT_ALLOW] = "security.allow",
		[EVENT_UNALLOW] = "security.unallow",
		[EVENT_LIST] = "security.list",
		[EVENT_HEALTH] = "balance.health",
		[EVENT_AGAIN] = "guard.again",
	};

	return kind < EVENT_MAX ? names[kind] : NULL;
}

bool event_is_attack(const struct event *ev)
{
	return ev->kind >= EVENT_SYN_FLOOD && ev->kind <= EVENT_LIST;
}

bool event_has_place(const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_PROBE_LOSS:
	case EVENT_LB:
	case EVENT_HEALTH:
	case EVENT_AGAIN:
		return false;
	default:
		return true;
	}
}

bool event_has_owner(const struct event *ev)
{
	return event_has_place(ev) && ev->kind != EVENT_IFACE && ev->kind != EVENT_GLOBAL &&
	       !event_is_attack(ev);
}

const struct process *event_owner(const struct event *ev)
{
	if (!ev->owner || !ev->owner->tgid || !ev->has_owner_field ||
	    ev->owner_match == NP_MATCH_NONE)
		return NULL;
	return ev->owner;
}

const char *event_value(const struct event *ev, size_t *ret_len)
{
	*ret_len = ev->long_value ? strlen(ev->long_value) : strnlen(ev->value, sizeof(ev->value));
	return ev->long_value ? ev->long_value : ev->value;
}

const char *event_iface(const struct event *ev, char buf[17])
{
	if (ev->iface)
		return ev->iface;
	if (!ev->tuple || !ev->tuple->ifname[0])
		return NULL;
	/* The wire's 16 bytes end in NUL by contract; a broken record must not make us read on. */
	memcpy(buf, ev->tuple->ifname, 16);
	buf[16] = '\0';
	return buf;
}

const char *event_state(const struct event *ev)
{
	if (ev->state)
		return ev->state;
	return ev->tuple ? tcp_state_name(ev->tuple->state) : NULL;
}

bool event_is_idle(const struct event *ev)
{
	return ev->kind == EVENT_PROBE_LOSS && !ev->lost;
}
