/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings of samples and the budget they come out of. Not a store: what falls out is gone. */
#include <stdlib.h>

#include "flow/history.h"

struct history *history_new(struct history_budget *b, bool first)
{
	struct history *h;

	if (b->used >= (first ? b->max / 4 : b->max))
		return NULL;
	h = calloc(1, sizeof(*h));
	if (h)
		b->used++;
	return h;
}

struct history *history_free(struct history_budget *b, struct history *h)
{
	if (h)
		b->used--;
	free(h);
	return NULL;
}

void history_push(struct history *h, float rate)
{
	if (!h)
		return;
	h->rate[h->next] = rate;
	h->next = (h->next + 1) % FLOW_HISTORY;
	if (h->count < FLOW_HISTORY)
		h->count++;
}
