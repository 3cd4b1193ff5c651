/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows of no socket: records that are differences, forgotten and met again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow_make.h"

/* What passes through: no sweep brings it, and its records are differences. */
static struct np_sock_rec passing(uint64_t bytes)
{
	struct np_sock_rec rec = udp_rec(1);

	rec.owner = rec.last = owner(0, "");
	rec.tuple.flags = NP_F_OWNID;
	rec.counts.tx_bytes = bytes;
	rec.counts.tx_calls = bytes / 100;
	return rec;
}

static void moved(struct world *w, const struct np_sock_rec *rec)
{
	assert_int_equal(flow_table_moved(w->flows, rec, w->now), 0);
}

static void what_passes_through_counts_once_whatever_is_forgotten(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = passing(1000000), end = passing(0);

	moved(w, &rec);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(flow_table_find(w->flows, 1))->tx_bytes, 1000000);
	flow_table_expect_all(w->flows);
	assert_int_equal(flow_table_close_missing(w->flows, w->now), 0);
	rec = passing(100);
	moved(w, &rec);
	moved(w, &rec);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(flow_table_find(w->flows, 1))->tx_bytes, 200);
	assert_int_equal(flow_delta(flow_table_find(w->flows, 1))->tx_pkts, 2);
	assert_int_equal(flow_table_find(w->flows, 1)->counts.tx_bytes, 1000200);
	end.tuple.flags |= NP_F_DEAD;
	end.closed_ns = w->now;
	moved(w, &end);
	for (unsigned int i = 0; i < 12; i++)
		world_tick(w, SECOND);
	assert_null(flow_table_find(w->flows, 1));
	moved(w, &rec);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(flow_table_find(w->flows, 1))->tx_bytes, 100);
}

static void segments_of_what_passes_through_are_differences(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	rec.owner = rec.last = owner(0, "");
	rec.tcp.segs_out = 5;
	rec.counts.retrans = rec.tcp.rtx_cause[NP_RTX_UNKNOWN] = 2;
	moved(w, &rec);
	moved(w, &rec);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(flow_table_find(w->flows, 1))->tx_pkts, 10);
	assert_int_equal(flow_delta(flow_table_find(w->flows, 1))->retrans, 4);
	moved(w, &rec);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(flow_table_find(w->flows, 1))->tx_pkts, 5);
	assert_int_equal(flow_delta(flow_table_find(w->flows, 1))->rtx_cause[NP_RTX_UNKNOWN], 2);
}

/* One that moves after its end, at the head of those that wait to be forgotten. */
static void a_closed_flow_that_moves_keeps_no_other_one(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	feed(w, &rec);
	feed_end(w, &rec);
	for (unsigned int i = 0; i < 60; i++) {
		struct np_sock_rec other = tcp_rec(2 + i);

		other.opened_ns = other.established_ns = w->now;
		feed(w, &other);
		feed_end(w, &other);
		rec.counts.tx_bytes += 10;
		feed(w, &rec);
		world_tick(w, SECOND);
	}
	assert_in_range(flow_table_count(w->flows), 10, 13);
	assert_int_equal(flow_delta(flow_table_find(w->flows, 1))->tx_bytes, 10);
	/* behind those that ended meanwhile */
	for (unsigned int i = 0; i < 11; i++)
		world_tick(w, SECOND);
	assert_int_equal(flow_table_count(w->flows), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(what_passes_through_counts_once_whatever_is_forgotten),
		WORLD_TEST(segments_of_what_passes_through_are_differences),
		WORLD_TEST(a_closed_flow_that_moves_keeps_no_other_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
