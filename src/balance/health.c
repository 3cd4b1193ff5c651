/* SPDX-License-Identifier: BSD-2-Clause */
/* See health.h. */
#include "balance/health.h"

#define STEPS 10 /* of a slow start: each one is a new ring */
#define NS_PER_MS 1000000ull

bool health_result(struct lb_backend_conf *b, bool ok, uint64_t now_ns)
{
	bool first = b->checked_ns == 0;
	uint8_t needed = ok ? b->rise : b->fall;

	b->checked_ns = now_ns;
	if (ok == !b->down) {
		b->streak = 0;
		return false;
	}
	if (!first && ++b->streak < needed)
		return false;
	b->down = !ok;
	b->streak = 0;
	b->changed_ns = now_ns;
	return true;
}

uint8_t health_state(const struct lb_backend_conf *b)
{
	if (!b->used)
		return LB_STATE_FREE;
	if (b->check != LB_CHECK_NONE && b->down)
		return LB_STATE_DOWN;
	return b->drain ? LB_STATE_DRAIN : LB_STATE_UP;
}

/* How many steps of a slow start are behind it: STEPS when it is over. */
static uint64_t steps_done(const struct lb_backend_conf *b, uint64_t now_ns)
{
	uint64_t all = b->slow_start_ms * NS_PER_MS;
	uint64_t gone = now_ns > b->changed_ns ? now_ns - b->changed_ns : 0;

	/* Without a change it was never down; it was there from the beginning. */
	if (!all || !b->changed_ns || gone >= all)
		return STEPS;
	return gone * STEPS / all;
}

uint32_t health_weight(const struct lb_backend_conf *b, uint64_t now_ns)
{
	if (health_state(b) != LB_STATE_UP)
		return 0;
	/* Begins with the first step, not with nothing: it could be the only one. */
	return b->weight * (uint32_t)(steps_done(b, now_ns) + 1);
}

uint64_t health_next_step_ns(const struct lb_backend_conf *b, uint64_t now_ns)
{
	uint64_t all = b->slow_start_ms * NS_PER_MS, step = steps_done(b, now_ns), at;

	if (health_state(b) != LB_STATE_UP || step >= STEPS)
		return 0;
	at = b->changed_ns + (all * (step + 1) + STEPS - 1) / STEPS;
	return at > now_ns ? at - now_ns : 1;
}
