/* SPDX-License-Identifier: BSD-2-Clause */
/* See attacks.h. */
#include "engine/attacks.h"

#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/netns.h"
#include "engine/session.h"
#include "out/device.h"

#define UNBANS 4096 /* bans whose end is told; of more it is not */

struct unban {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	struct np_ev_guard ev;
	char iface[IF_NAMESIZE];
};

struct attacks {
	void (*fn)(const struct event *ev, void *arg);
	void *arg;
	uint32_t netns;
	uint64_t untold;
	unsigned int n;
	struct unban unbans[UNBANS];
};

struct attacks *attacks_new(void (*fn)(const struct event *ev, void *arg), void *arg)
{
	struct attacks *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->fn = fn;
	a->arg = arg;
	a->netns = netns_inode("/proc/thread-self/ns/net");
	return a;
}

struct attacks *attacks_free(struct attacks *a)
{
	free(a);
	return NULL;
}

uint64_t attacks_untold(const struct attacks *a)
{
	return a->untold;
}

static uint8_t kind_of(uint8_t attack)
{
	switch (attack) {
	case NP_ATTACK_SYN_FLOOD:
		return EVENT_SYN_FLOOD;
	case NP_ATTACK_ICMP_FLOOD:
		return EVENT_ICMP_FLOOD;
	case NP_ATTACK_PORT_SCAN:
	case NP_ATTACK_HOST_SCAN:
		return EVENT_PORT_SCAN;
	case NP_ATTACK_ANOMALY:
		return EVENT_ANOMALY;
	default:
		return EVENT_UDP_FLOOD;
	}
}

static const char *unit_of(uint8_t attack)
{
	return attack == NP_ATTACK_PORT_SCAN   ? "ports"
	       : attack == NP_ATTACK_HOST_SCAN ? "hosts"
					       : "pps";
}

static void fill_tuple(const struct attacks *a, const struct np_ev_guard *at, struct np_tuple *t)
{
	static const uint8_t none[16];
	const uint8_t *one = memcmp(at->saddr, none, 16) ? at->saddr : at->daddr;

	*t = (struct np_tuple){ .netns = a->netns, .ifindex = at->ifindex };
	/* Of a list these are the ports that its rule is of. */
	t->lport = attack_is_found(at) ? at->dport : 0;
	t->family = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)one) ? AF_INET : AF_INET6;
	/* One name for ICMP of both families. */
	t->proto = at->proto == IPPROTO_ICMPV6 ? IPPROTO_ICMP : at->proto;
	memcpy(t->laddr, at->daddr, sizeof(t->laddr));
	memcpy(t->raddr, at->saddr, sizeof(t->raddr));
}

static void tell(struct attacks *a, const struct np_ev_guard *at, const char *iface, uint8_t kind,
		 double num, const char *unit, uint64_t ktime)
{
	struct np_tuple t;
	struct event ev = {
		.kind = kind,
		.ktime_ns = ktime,
		.wall_ns = clock_wall_ns() - clock_monotonic_ns() + ktime,
		.num = num,
		.unit = unit,
		.mode = "ebpf",
		.tuple = &t,
		.direction = "rx",
		.attack = at,
	};

	fill_tuple(a, at, &t);
	if (!at->ifindex) {
		(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "all");
	} else if (iface[0]) {
		ev.iface = iface;
		(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", iface);
	}
	if (isfinite(num))
		(void)fmt(ev.value, sizeof(ev.value), "%.0f", num);
	else if (isinf(num))
		(void)snprintf(ev.value, sizeof(ev.value), "no_end");
	a->fn(&ev, a->arg);
}

static void remember(struct attacks *a, const struct np_ev_guard *ev, const char *iface)
{
	struct unban *u = &a->unbans[a->n];

	if (a->n == UNBANS) {
		a->untold++;
		return;
	}
	a->n++;
	u->at_ns = ev->ktime_ns + ((uint64_t)ev->ban_ticks << NP_GUARD_TICK_SHIFT);
	u->ev = *ev;
	(void)snprintf(u->iface, sizeof(u->iface), "%s", iface);
}

/* Whether what is to end is what was made again, or taken back. */
static bool is_over(const struct np_ev_guard *was, const struct np_ev_guard *now)
{
	bool found = was->kind == NP_GUARD_EV_ATTACK;

	if (now->kind == NP_GUARD_EV_CHANGED)
		return !found && now->action &&
		       (now->allow == NP_GUARD_LIST_BOTH || now->allow == was->allow);
	if (memcmp(was->saddr, now->saddr, sizeof(was->saddr)) != 0)
		return false;
	if (found)
		return now->kind == NP_GUARD_EV_LIFTED || now->kind == NP_GUARD_EV_ATTACK;
	if (now->kind == NP_GUARD_EV_REMOVED || now->kind == NP_GUARD_EV_ADDED)
		return was->len == now->len && was->allow == now->allow &&
		       (!now->seen || (was->proto == now->proto && was->dport == now->dport &&
				       was->port_to == now->port_to));
	return false;
}

static void forget(struct attacks *a, const struct np_ev_guard *now)
{
	for (unsigned int i = 0; i < a->n;) {
		if (is_over(&a->unbans[i].ev, now))
			a->unbans[i] = a->unbans[--a->n];
		else
			i++;
	}
}

/* Of one that was taken back nobody knows how long it would have been. */
static double seconds_of(const struct np_ev_guard *ev)
{
	return ev->kind == NP_GUARD_EV_REMOVED || ev->kind == NP_GUARD_EV_LIFTED
		       ? NAN
		       : attack_ban_seconds(ev);
}

/* What somebody did to a list. */
static void tell_list(struct attacks *a, const struct np_ev_guard *ev, const char *iface)
{
	bool added = ev->kind == NP_GUARD_EV_ADDED;

	forget(a, ev);
	if (ev->kind == NP_GUARD_EV_CHANGED) {
		tell(a, ev, iface, EVENT_LIST, (double)ev->seen, "entries", ev->ktime_ns);
		return;
	}
	tell(a, ev, iface,
	     ev->allow ? added ? EVENT_ALLOW : EVENT_UNALLOW
	     : added   ? EVENT_BAN
		       : EVENT_UNBAN,
	     seconds_of(ev), "s", ev->ktime_ns);
	if (added && ev->ban_ticks)
		remember(a, ev, iface);
}

/* Bans that ended before then. */
static void tell_ends(struct attacks *a, uint64_t until_ns)
{
	for (unsigned int i = 0; i < a->n;) {
		struct unban *u = &a->unbans[i];
		struct unban over = *u;

		if (over.at_ns > until_ns) {
			i++;
			continue;
		}
		*u = a->unbans[--a->n];
		tell(a, &over.ev, over.iface, over.ev.allow ? EVENT_UNALLOW : EVENT_UNBAN,
		     attack_ban_seconds(&over.ev), "s", over.at_ns);
	}
}

void attacks_tell(struct attacks *a, const struct np_ev_guard *ev, const char *iface)
{
	tell_ends(a, ev->ktime_ns);
	if (ev->kind >= NP_GUARD_EV_ADDED && ev->kind <= NP_GUARD_EV_CHANGED)
		tell_list(a, ev, iface);
	if (ev->kind != NP_GUARD_EV_ATTACK || ev->attack >= NP_ATTACK_MAX)
		return;
	tell(a, ev, iface, kind_of(ev->attack), (double)ev->seen, unit_of(ev->attack),
	     ev->ktime_ns);
	if (!ev->ban_ticks)
		return;
	forget(a, ev);
	tell(a, ev, iface, EVENT_BAN, attack_ban_seconds(ev), "s", ev->ktime_ns);
	remember(a, ev, iface);
}

void attacks_tick(struct attacks *a)
{
	tell_ends(a, clock_monotonic_ns());
}
