/* SPDX-License-Identifier: BSD-2-Clause */
/* A pair of namespaces, one of them guarded. See guard_run.h. */
#include "guard_run.h"
#include "tap.h"

struct netns_pair guard_pair(const char *detect)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	if (detect)
		guard_must(&p.a, "detect %s", detect);
	/* Neighbours are known before anything is counted. */
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 1), 1, "before");
	return p;
}

uint64_t guard_stat(struct netns_pair *p, const char *path)
{
	json_t *r = guard_stats(&p->a, p->if_a);
	uint64_t v = json_at(r, path);

	json_decref(r);
	return v;
}

struct arrived {
	struct netns_pair *p;
	uint64_t packets;
};

static bool has_arrived(void *arg)
{
	const struct arrived *a = arg;

	return guard_stat(a->p, "rx.packets") >= a->packets;
}

void forge_seen(struct netns_pair *p, const struct forged *what, unsigned int n, int ms)
{
	struct arrived a = { p, guard_stat(p, "rx.packets") + n };

	forge(&p->b, what, n, ms);
	/* A busy machine leaves them to ksoftirqd. */
	REQUIRE(wait_until(has_arrived, &a, 10000), "%u packets were sent, they did not come", n);
}
