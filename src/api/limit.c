/* SPDX-License-Identifier: BSD-2-Clause */
/* What guard does by itself: limits, detection; confirming a change, and the panic switch. */
#include <errno.h>

#include "api/internal.h"
#include "base/error.h"

/* What a caller of the first version has. */
#define LIMITS_LEAST (offsetof(struct netprobe_limits, new_flows) + sizeof(uint64_t))
#define DETECTION_LEAST (offsetof(struct netprobe_detection, anomaly) + sizeof(uint64_t))

_Static_assert(NETPROBE_KEEP == GUARD_KEEP, "one word for what stays");
_Static_assert(NETPROBE_ATTACK_SYN_FLOOD == 1 << NP_ATTACK_SYN_FLOOD &&
		       NETPROBE_ATTACK_UDP_FLOOD == 1 << NP_ATTACK_UDP_FLOOD &&
		       NETPROBE_ATTACK_AMPLIFICATION == 1 << NP_ATTACK_AMPLIFY &&
		       NETPROBE_ATTACK_ICMP_FLOOD == 1 << NP_ATTACK_ICMP_FLOOD &&
		       NETPROBE_ATTACK_PORT_SCAN == 1 << NP_ATTACK_PORT_SCAN &&
		       NETPROBE_ATTACK_HOST_SCAN == 1 << NP_ATTACK_HOST_SCAN &&
		       NETPROBE_ATTACK_ANOMALY == 1 << NP_ATTACK_ANOMALY,
	       "the kernel half's order");
_Static_assert(NETPROBE_PER_SOURCE == NP_PER_SOURCE && NETPROBE_PER_PREFIX == NP_PER_PREFIX &&
		       NETPROBE_PER_PORT == NP_PER_PORT,
	       "per");
_Static_assert(NETPROBE_DETECT_OFF == NP_DETECT_OFF &&
		       NETPROBE_DETECT_DRY_RUN == NP_DETECT_DRY_RUN &&
		       NETPROBE_DETECT_ALERT == NP_DETECT_ALERT &&
		       NETPROBE_DETECT_BAN == NP_DETECT_BAN,
	       "detection");

API_PUBLIC int netprobe_manager_confirm(struct netprobe_manager *m, struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard *g = NULL;
	int r = api_guard(0, &g, err);

	if (!r)
		r = guard_confirm(g, err);
	guard_close(g);
	return r;
}

API_PUBLIC int netprobe_manager_set_filtering(struct netprobe_manager *m, bool on,
					      struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard *g = NULL;
	int r = api_guard(0, &g, err);

	if (!r)
		guard_switch(g, on);
	guard_close(g);
	return r;
}

/* What the kernel half has room for; a figure that is cut would be another one, or none. */
#define RATE_MAX UINT32_MAX

static int check_seconds(const char *name, uint32_t s, struct netprobe_error *err)
{
	return s <= NETPROBE_TTL_MAX ? 0
				     : error_set(err, -EINVAL, "%s: %u is too long; takes up to %u",
						 name, s, NETPROBE_TTL_MAX);
}

static int check_figures(const struct netprobe_detection *d, struct netprobe_error *err)
{
	const uint64_t figures[] = { d->syn_flood, d->udp_flood, d->amplification, d->icmp_flood,
				     d->anomaly };
	int r = check_seconds("ban_s", d->ban_s, err);

	if (!r)
		r = check_seconds("confirm_s", d->confirm_s, err);
	for (unsigned int i = 0; !r && i < sizeof(figures) / sizeof(figures[0]); i++)
		if (figures[i] != NETPROBE_KEEP && figures[i] > RATE_MAX)
			r = error_set(err, -EINVAL, "%llu a second; takes up to %u",
				      (unsigned long long)figures[i], RATE_MAX);
	if (!r && ((d->port_scan != NETPROBE_KEEP && d->port_scan > 256) ||
		   (d->host_scan != NETPROBE_KEEP && d->host_scan > 256)))
		r = error_set(err, -EINVAL, "port_scan, host_scan: take up to 256");
	return r;
}

static int check_per(const struct netprobe_limits *l, struct netprobe_error *err)
{
	if (l->per > NETPROBE_PER_PORT)
		return error_set(err, -EINVAL, "per: %u is none; takes NETPROBE_PER_*", l->per);
	if (l->per == NETPROBE_PER_PORT && !l->port)
		return error_set(err, -EINVAL, "per: NETPROBE_PER_PORT takes the port, too");
	return 0;
}

API_PUBLIC int netprobe_manager_set_limits(struct netprobe_manager *m,
					   const struct netprobe_limits *limits,
					   struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_limits l;
	struct guard *g = NULL;
	int r;

	if (!limits)
		return error_set(err, -EINVAL, "no limits");
	r = api_take(limits, limits->size, LIMITS_LEAST, &l, sizeof(l), err);
	if (!r)
		r = check_per(&l, err);
	if (!r)
		r = check_seconds("confirm_s", l.confirm_s, err);
	if (!r && l.port && l.icmp && l.icmp != NETPROBE_KEEP)
		r = error_set(err, -EINVAL, "icmp: it has no ports; takes 0 or NETPROBE_KEEP");
	if (!r)
		r = api_guard(0, &g, err);
	if (!r) {
		uint64_t rate[NP_LIMIT_MAX] = {
			[NP_LIMIT_PPS] = l.packets,	[NP_LIMIT_BYTES] = l.bytes,
			[NP_LIMIT_SYN] = l.syns,	[NP_LIMIT_ICMP] = l.icmp,
			[NP_LIMIT_FLOWS] = l.new_flows,
		};

		r = l.port ? guard_set_port_limits(g, l.port, l.per, rate, l.dry_run, l.confirm_s,
						   err)
			   : guard_set_limits(g, l.per, rate, l.dry_run, l.confirm_s, err);
	}
	guard_close(g);
	return r;
}

/* The policy in force. */
static int state_of(struct guard_state *ret, struct netprobe_error *err)
{
	struct guard *g = NULL;
	int r = api_guard(GUARD_SHARED, &g, err);

	if (!r)
		guard_state(g, ret);
	guard_close(g);
	return r;
}

/* False: none of them is set. */
static bool fill_limits(struct netprobe_limits *l, const struct np_guard_limit *from, bool dry)
{
	l->size = sizeof(*l);
	l->dry_run = dry;
	l->packets = guard_limit_value(&from[NP_LIMIT_PPS]);
	l->bytes = guard_limit_value(&from[NP_LIMIT_BYTES]);
	l->syns = guard_limit_value(&from[NP_LIMIT_SYN]);
	l->icmp = guard_limit_value(&from[NP_LIMIT_ICMP]);
	l->new_flows = guard_limit_value(&from[NP_LIMIT_FLOWS]);
	return l->packets || l->bytes || l->syns || l->icmp || l->new_flows;
}

static int each_limit(const struct np_guard_policy *p, netprobe_limits_fn fn, void *arg)
{
	bool stop = false;
	int n = 0;

	for (uint32_t per = 0; per < NP_PER_MAX && !stop; per++) {
		struct netprobe_limits l = { .per = per };

		if (!fill_limits(&l, p->limit[per], p->limit_dry))
			continue;
		n++;
		stop = fn && fn(&l, arg);
	}
	for (unsigned int i = 0; i < NP_GUARD_PORT_LIMITS && !stop; i++) {
		struct netprobe_limits l = { .per = p->port[i].per, .port = p->port[i].port };

		if (!l.port || !fill_limits(&l, p->port[i].limit, p->limit_dry))
			continue;
		n++;
		stop = fn && fn(&l, arg);
	}
	return n;
}

API_PUBLIC int netprobe_manager_limits(struct netprobe_manager *m, netprobe_limits_fn fn, void *arg,
				       struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct guard_state s = {};
	int r = state_of(&s, err);

	return r ? r : each_limit(&s.policy, fn, arg);
}

static int pick_limit(const struct netprobe_limits *l, void *arg)
{
	struct netprobe_limits *want = arg;

	if (l->per != want->per || l->port != want->port)
		return 0;
	*want = *l;
	return 1;
}

API_PUBLIC int netprobe_manager_get_limits(struct netprobe_manager *m, struct netprobe_limits *ret,
					   struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_limits l = { .size = sizeof(l) };
	struct guard_state s = {};
	int r;

	if (!ret || ret->size < LIMITS_LEAST || ret->size > API_SIZE_MAX)
		return error_set(err, -EINVAL, "size: takes the sizeof of the structure");
	l.per = ret->per;
	l.port = ret->port;
	r = check_per(&l, err);
	if (!r)
		r = state_of(&s, err);
	if (r)
		return r;
	(void)each_limit(&s.policy, pick_limit, &l);
	return GIVE(ret, l);
}

API_PUBLIC int netprobe_manager_set_detection(struct netprobe_manager *m,
					      const struct netprobe_detection *detection,
					      struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_detection d;
	struct guard *g = NULL;
	int r;

	if (!detection)
		return error_set(err, -EINVAL, "no settings");
	r = api_take(detection, detection->size, DETECTION_LEAST, &d, sizeof(d), err);
	if (!r && d.mode > NETPROBE_DETECT_BAN)
		r = error_set(err, -EINVAL, "mode: %u is none; takes NETPROBE_DETECT_*", d.mode);
	if (!r)
		r = check_figures(&d, err);
	if (!r)
		r = api_guard(0, &g, err);
	if (!r) {
		struct guard_detect to = {
			.mode = (uint8_t)d.mode,
			.ban_s = d.ban_s,
			.rate = { [NP_ATTACK_SYN_FLOOD] = d.syn_flood,
				  [NP_ATTACK_UDP_FLOOD] = d.udp_flood,
				  [NP_ATTACK_AMPLIFY] = d.amplification,
				  [NP_ATTACK_ICMP_FLOOD] = d.icmp_flood,
				  [NP_ATTACK_PORT_SCAN] = d.port_scan,
				  [NP_ATTACK_HOST_SCAN] = d.host_scan,
				  [NP_ATTACK_ANOMALY] = d.anomaly },
		};

		r = guard_set_detect(g, &to, d.confirm_s, err);
	}
	guard_close(g);
	return r;
}

API_PUBLIC int netprobe_manager_get_detection(struct netprobe_manager *m,
					      struct netprobe_detection *ret,
					      struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct netprobe_detection d = { .size = sizeof(d) };
	struct guard_state s = {};
	int r;

	if (!ret || ret->size < sizeof(size_t) || ret->size > API_SIZE_MAX)
		return error_set(err, -EINVAL, "size: takes the sizeof of the structure");
	r = state_of(&s, err);
	if (r)
		return r;
	d.mode = s.policy.detect;
	d.ban_s = (uint32_t)((((uint64_t)s.policy.ban_ticks << NP_GUARD_TICK_SHIFT) + 500000000) /
			     1000000000);
	d.bans = s.policy.ban_mask;
	d.syn_flood = s.policy.attack_rate[NP_ATTACK_SYN_FLOOD];
	d.udp_flood = s.policy.attack_rate[NP_ATTACK_UDP_FLOOD];
	d.amplification = s.policy.attack_rate[NP_ATTACK_AMPLIFY];
	d.icmp_flood = s.policy.attack_rate[NP_ATTACK_ICMP_FLOOD];
	d.port_scan = s.policy.attack_rate[NP_ATTACK_PORT_SCAN];
	d.host_scan = s.policy.attack_rate[NP_ATTACK_HOST_SCAN];
	d.anomaly = s.policy.attack_rate[NP_ATTACK_ANOMALY];
	return GIVE(ret, d);
}
