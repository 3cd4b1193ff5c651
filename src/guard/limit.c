/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits and detection: what the kernel half is told, in its own units. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guard/internal.h"

#define BYTES_BURST 131072U /* two of the largest packets */
#define RATE_MAX 100000000000ULL

static struct np_guard_limit tokens(uint64_t per_second, unsigned int which)
{
	uint64_t burst = per_second;

	if (which == NP_LIMIT_BYTES && burst < BYTES_BURST)
		burst = BYTES_BURST;
	/* Tokens a nanosecond << 32, rounded up: a limit of 1 must not become none. */
	return (struct np_guard_limit){
		.rate = per_second
				? (uint64_t)((__uint128_t)per_second * (1ULL << 32) / 1000000000) +
					  1
				: 0,
		.burst = burst << 16,
	};
}

uint64_t guard_limit_value(const struct np_guard_limit *l)
{
	return (uint64_t)((__uint128_t)l->rate * 1000000000 / (1ULL << 32));
}

uint64_t guard_limit_rate(const struct np_guard_policy *p, unsigned int per, unsigned int which)
{
	return guard_limit_value(&p->limit[per][which]);
}

struct limits {
	unsigned int per;
	const uint64_t *rate;
	bool dry;
};

static void change_limits(struct np_guard_policy *p, const void *arg)
{
	const struct limits *l = arg;
	bool any = false;

	for (unsigned int i = 0; i < NP_LIMIT_MAX; i++) {
		if (l->rate[i] != GUARD_KEEP)
			p->limit[l->per][i] = tokens(l->rate[i], i);
		any |= p->limit[l->per][i].rate != 0;
	}
	p->limit_dry = l->dry;
	if (any)
		p->limit_on |= (uint8_t)(1U << l->per);
	else
		p->limit_on &= (uint8_t) ~(1U << l->per);
}

int guard_set_limits(struct guard *g, unsigned int per, const uint64_t rate[NP_LIMIT_MAX], bool dry,
		     uint32_t confirm_s, struct netprobe_error *err)
{
	struct limits l = { per, rate, dry };

	for (unsigned int i = 0; i < NP_LIMIT_MAX; i++)
		if (rate[i] != GUARD_KEEP && rate[i] > RATE_MAX)
			return error_set(err, -EINVAL, "a limit of %llu a second; takes up to %llu",
					 (unsigned long long)rate[i], (unsigned long long)RATE_MAX);
	return set_change(g, change_limits, &l, confirm_s, err);
}

struct port_limits {
	uint16_t port;
	struct limits limits;
};

/* A free place, or that port's own of the same kind. */
static struct np_guard_port_limit *place_of(struct np_guard_policy *p, uint16_t port,
					    unsigned int per)
{
	struct np_guard_port_limit *free_one = NULL;

	for (unsigned int i = 0; i < NP_GUARD_PORT_LIMITS; i++) {
		struct np_guard_port_limit *l = &p->port[i];

		if (l->port == port && l->per == per)
			return l;
		if (!l->port && !free_one)
			free_one = l;
	}
	return free_one;
}

static void change_port(struct np_guard_policy *p, const void *arg)
{
	const struct port_limits *o = arg;
	struct np_guard_port_limit *l = place_of(p, o->port, o->limits.per);
	uint64_t ports = 0;
	bool any = false;

	if (!l)
		return;
	for (unsigned int i = 0; i < NP_LIMIT_MAX; i++) {
		if (o->limits.rate[i] != GUARD_KEEP)
			l->limit[i] = tokens(o->limits.rate[i], i);
		any |= l->limit[i].rate != 0;
	}
	p->limit_dry = o->limits.dry;
	l->per = (uint8_t)o->limits.per;
	__sync_synchronize();
	l->port = any ? o->port : 0;
	for (unsigned int i = 0; i < NP_GUARD_PORT_LIMITS; i++)
		if (p->port[i].port)
			ports |= NP_GUARD_PORT_BIT(p->port[i].port);
	p->limit_ports = ports;
	if (ports)
		p->limit_on |= NP_LIMIT_ON_PORTS;
	else
		p->limit_on &= (uint8_t)~NP_LIMIT_ON_PORTS;
}

int guard_set_port_limits(struct guard *g, uint16_t port, unsigned int per,
			  const uint64_t rate[NP_LIMIT_MAX], bool dry, uint32_t confirm_s,
			  struct netprobe_error *err)
{
	struct port_limits l = { port, { per, rate, dry } };
	struct np_guard_policy *now = (void *)&g->conf->policy[set_current(g)];

	for (unsigned int i = 0; i < NP_LIMIT_MAX; i++)
		if (rate[i] != GUARD_KEEP && rate[i] > RATE_MAX)
			return error_set(err, -EINVAL, "a limit of %llu a second; takes up to %llu",
					 (unsigned long long)rate[i], (unsigned long long)RATE_MAX);
	if (!place_of(now, port, per))
		return error_set(err, -ENOSPC, "limits of more than %d ports",
				 NP_GUARD_PORT_LIMITS);
	return set_change(g, change_port, &l, confirm_s, err);
}

/*
 * What an honest client stays below, and what is told without a ban: datagrams alone are no attack,
 * and what is unusual is not forbidden.
 */
static const uint32_t default_rates[NP_ATTACK_MAX] = {
	[NP_ATTACK_SYN_FLOOD] = 1000,  [NP_ATTACK_UDP_FLOOD] = 200000, [NP_ATTACK_AMPLIFY] = 2000,
	[NP_ATTACK_ICMP_FLOOD] = 2000, [NP_ATTACK_PORT_SCAN] = 64,     [NP_ATTACK_HOST_SCAN] = 64,
	[NP_ATTACK_ANOMALY] = 1000,
};
#define DEFAULT_BANS                                                                        \
	(1U << NP_ATTACK_SYN_FLOOD | 1U << NP_ATTACK_AMPLIFY | 1U << NP_ATTACK_ICMP_FLOOD | \
	 1U << NP_ATTACK_PORT_SCAN | 1U << NP_ATTACK_HOST_SCAN)
#define DEFAULT_BAN_S 60

static void change_detect(struct np_guard_policy *p, const void *arg)
{
	const struct guard_detect *d = arg;

	if (!p->ban_ticks) {
		memcpy(p->attack_rate, default_rates, sizeof(p->attack_rate));
		p->ban_ticks = guard_ticks(DEFAULT_BAN_S);
		p->ban_mask = DEFAULT_BANS;
	}
	for (unsigned int i = 0; i < NP_ATTACK_MAX; i++) {
		if (d->rate[i] == GUARD_KEEP)
			continue;
		p->attack_rate[i] = (uint32_t)d->rate[i];
		/* Whoever names a figure for datagrams knows what is honest there. */
		if (i == NP_ATTACK_UDP_FLOOD)
			p->ban_mask |= 1U << i;
	}
	if (d->ban_s)
		p->ban_ticks = guard_ticks(d->ban_s);
	__sync_synchronize();
	p->detect = d->mode;
}

static bool is_banned(const struct np_guard_source *s, uint32_t now)
{
	return s->per == 1 + NP_PER_SOURCE && s->banned_until > now;
}

static bool is_within(const struct np_guard_source *s, const struct guard_item *net)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned int bits = net->len + (net->v6 ? 0 : 96), bytes = bits / 8;
	uint8_t addr[16], want[16];

	memcpy(addr, &s->hi, 8);
	memcpy(addr + 8, &s->lo, 8);
	memcpy(want, net->v6 ? net->addr : mapped, net->v6 ? 16 : 12);
	if (!net->v6)
		memcpy(want + 12, net->addr, 4);
	if (memcmp(addr, want, bytes) != 0)
		return false;
	return bits % 8 == 0 || !((addr[bytes] ^ want[bytes]) >> (8 - bits % 8));
}

int banned_find(struct guard *g, struct banned *ret)
{
	const struct np_guard_source *s = g->sources;
	uint32_t now = guard_tick_now();

	*ret = (struct banned){};
	for (uint32_t i = 0; i < NP_GUARD_SOURCES; i++) {
		if (!is_banned(&s[i], now))
			continue;
		if (!ret->at)
			ret->at = malloc(NP_GUARD_SOURCES * sizeof(*ret->at));
		if (!ret->at)
			return -ENOMEM;
		ret->at[ret->n++] = i;
	}
	return 0;
}

bool banned_within(const struct guard *g, const struct banned *b, const struct guard_item *net)
{
	uint32_t now = guard_tick_now();

	for (uint32_t i = 0; i < b->n; i++)
		if (is_banned(&g->sources[b->at[i]], now) && is_within(&g->sources[b->at[i]], net))
			return true;
	return false;
}

int banned_lift(struct guard *g, const struct banned *b, const struct guard_item *net)
{
	struct guard_item *told = NULL;
	uint32_t now = guard_tick_now();
	int n = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		struct np_guard_source *s = &g->sources[b->at[i]];

		if (!is_banned(s, now) || (net && !is_within(s, net)))
			continue;
		s->banned_until = 0;
		s->strikes = 0;
		if (!told)
			told = calloc(GUARD_TOLD + 1, sizeof(*told));
		if (told && n <= GUARD_TOLD)
			told[n] = (struct guard_item){ .v6 = true, .len = 128 };
		if (told && n <= GUARD_TOLD) {
			memcpy(told[n].addr, &s->hi, 8);
			memcpy(told[n].addr + 8, &s->lo, 8);
		}
		n++;
	}
	if (told && n <= GUARD_TOLD)
		told_items(g, NP_GUARD_EV_LIFTED, told, (size_t)n);
	else if (n)
		told_change(g, true, false, false, (size_t)n);
	free(told);
	return n;
}

/* net NULL: all. */
static int lift(struct guard *g, const struct guard_item *net)
{
	struct banned b;
	int r = banned_find(g, &b);

	if (!r)
		r = banned_lift(g, &b, net);
	free(b.at);
	return r;
}

int guard_lift(struct guard *g, const struct guard_item *net)
{
	return lift(g, net);
}

int guard_set_detect(struct guard *g, const struct guard_detect *d, uint32_t confirm_s,
		     struct netprobe_error *err)
{
	int r = d->mode == NP_DETECT_OFF ? 0 : guard_spare(g, err);

	if (!r)
		r = set_change(g, change_detect, d, confirm_s, err);
	/* Bans end with it, also where it is on again soon; one that may come back by itself keeps them. */
	if (!r && !confirm_s && d->mode != NP_DETECT_BAN)
		(void)lift(g, NULL);
	return r;
}

/* Whatever it sends; some ports only leave the ban where it is. */
static bool is_allowed(struct guard *g, const uint8_t addr[16])
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr);
	uint32_t len = v4 ? 32 : 128, now = guard_tick_now();
	struct np_guard_entry e;
	uint8_t key[20] = {};
	int r, fd = set_fd(g, set_current(g), v4 ? NP_SET_ALLOW4 : NP_SET_ALLOW6);

	if (fd < 0)
		return false;
	memcpy(key, &len, 4);
	memcpy(key + 4, v4 ? addr + 12 : addr, v4 ? 4 : 16);
	r = bpf_map_lookup_elem(fd, key, &e);
	(void)close(fd);
	return !r && (!e.expires || e.expires > now) && guard_entry_is_any(g, &e, now);
}

int guard_detected(struct guard *g,
		   int (*fn)(const uint8_t addr[16], uint32_t left_s, uint32_t strikes,
			     uint64_t drops, void *arg),
		   void *arg)
{
	const struct np_guard_source *s = g->sources;
	uint32_t now = guard_tick_now();
	int r = 0;

	if (g->conf->policy[set_current(g)].detect != NP_DETECT_BAN)
		return 0; /* none holds */
	for (uint32_t i = 0; i < NP_GUARD_SOURCES && !r; i++, s++) {
		uint8_t addr[16];

		memcpy(addr, &s->hi, 8);
		memcpy(addr + 8, &s->lo, 8);
		if (!is_banned(s, now) || is_allowed(g, addr))
			continue;
		r = fn(addr, guard_seconds_left(s->banned_until - now), s->strikes, s->drops, arg);
	}
	return r;
}
