/* SPDX-License-Identifier: BSD-2-Clause */
/* See attacks.h. */
#include "engine/attacks.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/netns.h"
#include "engine/session.h"

#define UNBANS 4096 /* bans whose end is told; of more it is not */

struct unban {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	struct np_ev_guard ev;
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

	*t = (struct np_tuple){ .netns = a->netns, .ifindex = at->ifindex, .lport = at->dport };
	t->family = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)one) ? AF_INET : AF_INET6;
	/* One name for ICMP of both families. */
	t->proto = at->proto == IPPROTO_ICMPV6 ? IPPROTO_ICMP : at->proto;
	memcpy(t->laddr, at->daddr, sizeof(t->laddr));
	memcpy(t->raddr, at->saddr, sizeof(t->raddr));
}

static void tell(struct attacks *a, const struct np_ev_guard *at, uint8_t kind, double num,
		 const char *unit, uint64_t ktime)
{
	struct np_tuple t;
	char name[IF_NAMESIZE];
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
	if (if_indextoname(at->ifindex, name)) {
		ev.iface = name;
		(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", name);
	}
	(void)fmt(ev.value, sizeof(ev.value), "%.0f", num);
	a->fn(&ev, a->arg);
}

static double ban_seconds(const struct np_ev_guard *ev)
{
	return (double)((uint64_t)ev->ban_ticks << NP_GUARD_TICK_SHIFT) / 1e9;
}

void attacks_tell(struct attacks *a, const struct np_ev_guard *ev)
{
	if (ev->kind != NP_GUARD_EV_ATTACK || ev->attack >= NP_ATTACK_MAX)
		return;
	tell(a, ev, kind_of(ev->attack), (double)ev->seen, unit_of(ev->attack), ev->ktime_ns);
	if (!ev->ban_ticks)
		return;
	tell(a, ev, EVENT_BAN, ban_seconds(ev), "s", ev->ktime_ns);
	if (a->n == UNBANS) {
		a->untold++;
		return;
	}
	a->unbans[a->n++] = (struct unban){
		.at_ns = ev->ktime_ns + ((uint64_t)ev->ban_ticks << NP_GUARD_TICK_SHIFT),
		.ev = *ev,
	};
}

void attacks_tick(struct attacks *a)
{
	uint64_t now = clock_monotonic_ns();

	for (unsigned int i = 0; i < a->n;) {
		struct unban *u = &a->unbans[i];

		if (u->at_ns > now) {
			i++;
			continue;
		}
		tell(a, &u->ev, EVENT_UNBAN, ban_seconds(&u->ev), "s", u->at_ns);
		*u = a->unbans[--a->n];
	}
}
