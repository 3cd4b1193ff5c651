/* SPDX-License-Identifier: BSD-2-Clause */
/* See inside.h. */
#include "flow/inside.h"

#include <stdlib.h>
#include <string.h>

/* Addresses of sockets here: open addressing, each at most once. */
struct own {
	uint8_t (*addr)[16];
	uint32_t slots, n;
	bool failed;
};

static const uint8_t none[16];

static uint8_t *place(const struct own *o, const uint8_t addr[16])
{
	uint32_t i = (uint32_t)index_hash(addr, 16) & (o->slots - 1);

	while (memcmp(o->addr[i], none, 16) && memcmp(o->addr[i], addr, 16))
		i = (i + 1) & (o->slots - 1);
	return o->addr[i];
}

static bool grow(struct own *o)
{
	struct own more = { .slots = o->slots ? o->slots * 2 : 64, .n = o->n };

	more.addr = calloc(more.slots, sizeof(*more.addr));
	if (!more.addr)
		return false;
	for (uint32_t i = 0; i < o->slots; i++)
		if (memcmp(o->addr[i], none, 16))
			memcpy(place(&more, o->addr[i]), o->addr[i], 16);
	free(o->addr);
	*o = more;
	return true;
}

static int add_own(struct flow *f, void *arg)
{
	struct own *o = arg;
	uint8_t *at;

	if (f->closed || !memcmp(f->tuple.laddr, none, 16))
		return 0;
	at = place(o, f->tuple.laddr);
	if (memcmp(at, none, 16))
		return 0;
	memcpy(at, f->tuple.laddr, 16);
	if (++o->n * 2 <= o->slots)
		return 0;
	o->failed = !grow(o);
	return o->failed;
}

void inside_wanted(struct inside *in)
{
	in->wanted = true;
}

void inside_tick(struct inside *in, struct flow_table *flows, const struct groups *gs)
{
	struct own own = { 0 };
	double tx = 0, rx = 0;

	if (!in->wanted || !grow(&own))
		return;
	(void)flow_table_each(flows, add_own, &own);
	for (const struct group *g = gs->sets[GROUP_REMOTE].newest;
	     g && gs->tick - g->active_tick <= 2 && !own.failed; g = g->older) {
		if (!memcmp(g->key.addr, none, 16) || !memcmp(place(&own, g->key.addr), none, 16))
			continue;
		tx += (double)g->sums.tx_rate;
		rx += (double)g->sums.rx_rate;
	}
	free(own.addr);
	if (own.failed)
		return;
	in->inside_rate = (float)tx;
	in->up_rate = gs->total.tx_rate > (float)tx ? gs->total.tx_rate - (float)tx : 0;
	in->down_rate = gs->total.rx_rate > (float)rx ? gs->total.rx_rate - (float)rx : 0;
	history_push(&in->up, in->up_rate);
	history_push(&in->down, in->down_rate);
	history_push(&in->inside, in->inside_rate);
}
