/* SPDX-License-Identifier: BSD-2-Clause */
/* The account of losses as the library tells it, against what a program knows itself. */
#include <inttypes.h>
#include <string.h>

#include "api_run.h"
#include "maker.h"
#include "tap.h"

#define ROOM 65536 /* API_QUEUE_MAX */
#define CALLS (ROOM + 1234)

struct rows {
	unsigned int n, of_places;
	uint64_t queue_lost, queue_taken, place_lost, place_taken;
};

static int on_row(const struct netprobe_loss *l, void *arg)
{
	struct rows *x = arg;

	x->n++;
	CHECK(l->program[0] && l->unit[0], "row %u has no name or unit", x->n);
	CHECK_EQ(l->lost, l->ring_full + l->map_full + l->missed + l->implausible, "lost");
	if (!strcmp(l->program, "queue")) {
		x->queue_lost = l->ring_full;
		x->queue_taken = l->submitted;
	}
	if (!strcmp(l->program, "somewhere")) {
		x->of_places++;
		x->place_lost = l->ring_full;
		x->place_taken = l->submitted;
	}
	return 0;
}

struct told {
	uint64_t handed, queue;
};

static void on_told(const struct netprobe_event *events, size_t n, void *arg)
{
	struct told *t = arg;

	t->handed += n;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(events[i].type, "probe.loss") && !strcmp(events[i].entity_id, "queue"))
			t->queue = (uint64_t)events[i].num;
}

/* Nobody polls, so the queue has room for so many and no more: the rest is in the account, one by one. */
TEST(events_that_find_the_queue_full_are_in_the_account)
{
	struct netprobe_config c;
	struct netprobe_manager *m;
	struct told t = { 0 };
	struct rows x = { 0 };
	int n;

	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_PROC;
	m = manager(&c);
	OK(netprobe_manager_load(m, &err));
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_STATISTICS, on_told, &t));
	for (uint64_t i = 1; i <= CALLS; i++)
		OK(netprobe_manager_tell_loss(m, "somewhere", i, 7, &err));
	n = netprobe_manager_losses(m, on_row, &x, &err);
	CHECK(n > 0 && (unsigned int)n == x.n, "expected %u rows, got %d", x.n, n);
	CHECK_EQ(x.of_places, 1, "rows of the place");
	CHECK_EQ(x.place_taken, CALLS, "taken by the place");
	CHECK_EQ(x.place_lost, 7, "lost by the place");
	CHECK_EQ(x.queue_lost, CALLS - ROOM, "events that found the queue full");
	OK(netprobe_manager_flush(m));
	CHECK_EQ(t.handed, ROOM, "events handed out");
	OK(netprobe_manager_finish(m));
	CHECK_EQ(t.queue, CALLS - ROOM, "the last probe.loss of the queue");
	netprobe_manager_free(m);
}
