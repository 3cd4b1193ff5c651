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

struct last {
	char program[48];
	uint64_t seen, lost;
};

struct end {
	struct last of[64];
	unsigned int n, rows;
};

static void on_final(const struct netprobe_event *events, size_t n, void *arg)
{
	struct end *x = arg;

	for (size_t i = 0; i < n; i++) {
		json_t *one = json_loads(events[i].json, 0, NULL);

		REQUIRE(one, "not JSON: %s", events[i].json);
		if (json_is_true(json_object_get(one, "final")) && x->n < 64) {
			struct last *l = &x->of[x->n++];

			(void)snprintf(l->program, sizeof(l->program), "%s",
				       record_str(one, "program"));
			l->seen = record_u64(one, "seen");
			l->lost = record_u64(one, "num");
		}
		json_decref(one);
	}
}

static int on_same(const struct netprobe_loss *l, void *arg)
{
	struct end *x = arg;

	x->rows++;
	for (unsigned int i = 0; i < x->n; i++)
		if (!strcmp(x->of[i].program, l->program)) {
			CHECK(x->of[i].seen == l->seen && x->of[i].lost == l->lost,
			      "%s: the last record says %" PRIu64 " seen, %" PRIu64
			      " lost, the list %" PRIu64 " and %" PRIu64,
			      l->program, x->of[i].seen, x->of[i].lost, l->seen, l->lost);
			return 0;
		}
	CHECK(false, "no last record of %s", l->program);
	return 0;
}

/* What stderr and ctl say at the end is made from the list, what a log keeps are the records. */
TEST(the_last_records_and_the_list_after_them_are_the_same)
{
	struct netprobe_config c;
	struct netprobe_manager *m;
	struct end x = { 0 };

	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_PROC;
	m = manager(&c);
	OK(netprobe_manager_load(m, &err));
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_STATISTICS, on_final, &x));
	OK(netprobe_manager_finish(m));
	CHECK(x.n > 5, "last records: got %u", x.n);
	CHECK(netprobe_manager_losses(m, on_same, &x, &err) > 0, "%s", err.msg);
	CHECK_EQ(x.rows, x.n, "rows of the list");
	netprobe_manager_free(m);
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
		OK(netprobe_manager_tell_loss(m, "somewhere", i, i, &err));
	n = netprobe_manager_losses(m, on_row, &x, &err);
	CHECK(n > 0 && (unsigned int)n == x.n, "expected %u rows, got %d", x.n, n);
	CHECK_EQ(x.of_places, 1, "rows of the place");
	CHECK_EQ(x.place_taken, CALLS, "taken by the place");
	CHECK_EQ(x.place_lost, CALLS, "lost by the place");
	CHECK_EQ(x.queue_lost, CALLS - ROOM, "events that found the queue full");
	OK(netprobe_manager_flush(m));
	CHECK_EQ(t.handed, ROOM, "events handed out");
	OK(netprobe_manager_finish(m));
	CHECK_EQ(t.queue, CALLS - ROOM, "the last probe.loss of the queue");
	netprobe_manager_free(m);
}
