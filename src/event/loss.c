/* SPDX-License-Identifier: BSD-2-Clause */
/* See loss.h. */
#include "event/loss.h"

#include <string.h>

void losses_add(struct losses *to, const struct loss *l)
{
	if (to->n < LOSSES_MAX)
		to->of[to->n++] = *l;
}

const struct loss *losses_find(const struct losses *all, const char *program)
{
	for (unsigned int i = 0; i < all->n; i++)
		if (!strcmp(all->of[i].program, program))
			return &all->of[i];
	return NULL;
}

bool loss_is_own(const char *program)
{
	static const char *const own[] = { "flows",   "cgroups", "containers",	  "wait",
					   "latency", "drop",	 "drop.counters", "trace",
					   "pcap",    "dns",	 "asked",	  "security",
					   "guard",   "balance", "queue",	  NULL };

	for (unsigned int i = 0; own[i]; i++)
		if (!strcmp(own[i], program))
			return true;
	return false;
}

uint64_t loss_seen(const struct np_loss *l)
{
	return l->submitted + l->ring_full + l->filtered + l->sampled_out + l->rate_limited +
	       l->map_full;
}

uint64_t loss_lost(const struct loss *l)
{
	return l->count.ring_full + l->count.map_full + l->missed + l->implausible;
}

bool loss_grew(const struct loss *l, const struct loss *before)
{
	static const struct loss none;

	before = before ? before : &none;
	/* what is counted by things that may go is less afterwards */
	return l->count.ring_full > before->count.ring_full ||
	       l->count.map_full > before->count.map_full ||
	       l->count.helper_err > before->count.helper_err || l->missed > before->missed ||
	       l->implausible > before->implausible;
}
