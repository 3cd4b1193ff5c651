/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes, stalls and verdicts of rows: counted once, added up exactly, gone with their sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "flow/dropped.h"
#include "flow/health.h"
#include "flow_make.h"

#define MS 1000000ull

static struct view ask(struct world *w, struct view_query q)
{
	struct view view;

	assert_int_equal(viewer_query(w->viewer, &q, &view), 0);
	return view;
}

/* The sum of what the rows of a view say. */
static struct trouble sum_of(struct world *w, struct view_query q)
{
	struct view view = ask(w, q);
	struct trouble t = { 0 };
	size_t i;

	for (i = 0; i < view.n_rows; i++)
		trouble_add(&t, &view.rows[i].trouble);
	view_done(&view);
	return t;
}

static void drops_are_those_of_the_row(void **state)
{
	static const uint8_t remote[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2 };
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct dropped *d = dropped_new();
	const struct process *curl;
	struct view view;

	rec.counts.tx_bytes = 10;
	feed(w, &rec);
	world_tick(w, SECOND);
	curl = flow_table_find(w->flows, 1)->owner;
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	assert_false(view.rows[0].has_drops); /* nobody looks */
	view_done(&view);
	viewer_set_dropped(w->viewer, d);
	assert_int_equal(dropped_add(d, curl, 4026531840u, "eth0", 5), 0);
	assert_int_equal(dropped_add(d, curl, 4026531840u, NULL, 2), 0);
	assert_int_equal(dropped_add(d, NULL, 4026531840u, "eth0", 100), 0);
	assert_int_equal(dropped_add(d, NULL, 7, "eth0", 1000), 0);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	assert_true(view.rows[0].has_drops && view.rows[0].drops == 7);
	view_done(&view);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_INTERFACE });
	assert_true(view.rows[0].has_drops && view.rows[0].drops == 105);
	view_done(&view);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_REMOTE });
	assert_false(view.rows[0].has_drops); /* from whom they were is not known */
	view_done(&view);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS, .remote = remote });
	assert_false(
		view.rows[0].has_drops); /* nor which of them were part of a row drilled into */
	view_done(&view);
	dropped_clear(d);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	assert_true(view.rows[0].has_drops && view.rows[0].drops == 0);
	view_done(&view);
	viewer_set_dropped(w->viewer, NULL);
	dropped_free(d);
}

static int first_verdict(struct world *w, uint8_t kind)
{
	struct view view = ask(w, (struct view_query){ .kind = kind, .idle = true });
	int verdict;

	assert_true(view.n_rows >= 1);
	verdict = view.rows[0].verdict;
	view_done(&view);
	return verdict;
}

static struct np_sock_rec troubled(uint64_t sock_id, uint32_t timeouts, uint32_t fast)
{
	struct np_sock_rec rec = tcp_rec(sock_id);

	rec.counts.tx_bytes = 1000;
	rec.counts.retrans = timeouts + fast;
	rec.tcp.segs_out = 10 + timeouts + fast;
	rec.tcp.rtx_cause[NP_RTX_TIMEOUT] = timeouts;
	rec.tcp.rtx_cause[NP_RTX_FAST] = fast;
	rec.tcp.rtx_spurious = 1;
	rec.stall_ns = 250 * MS;
	return rec;
}

static void causes_and_stalls_add_up_in_every_view(void **state)
{
	struct world *w = *state;
	struct np_sock_rec a = troubled(1, 2, 3), b = troubled(2, 5, 7);
	uint8_t kind;

	b.owner = b.last = owner(101, "nginx");
	ipv4(b.tuple.raddr, 9);
	feed(w, &a);
	feed(w, &b);
	world_tick(w, SECOND);
	for (kind = 0; kind < NETPROBE_VIEW_LISTEN; kind++) {
		struct trouble t = sum_of(w, (struct view_query){ .kind = kind });

		assert_int_equal(t.rtx[NP_RTX_TIMEOUT], 7);
		assert_int_equal(t.rtx[NP_RTX_FAST], 10);
		assert_int_equal(t.rtx[NP_RTX_TLP], 0);
		assert_int_equal(t.spurious, 2);
		assert_int_equal(t.stall_ns, 500 * MS);
	}
}

/* A listener moves no bytes: what it sent again is all there is of it. */
static void synacks_of_a_listener_add_up_in_every_view_but_by_remote(void **state)
{
	static const uint8_t kinds[] = { NETPROBE_VIEW_PROCESS, NETPROBE_VIEW_CONNECTION,
					 NETPROBE_VIEW_CONTAINER, NETPROBE_VIEW_INTERFACE };
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1), other = troubled(2, 1, 0);

	rec.tuple.flags |= NP_F_LISTEN;
	rec.tuple.rport = 0;
	memset(rec.tuple.raddr, 0, sizeof(rec.tuple.raddr));
	rec.tcp.synack_retrans = 3;
	feed(w, &rec);
	feed(w, &other);
	world_tick(w, SECOND);
	rec.tcp.synack_retrans = 5;
	feed(w, &rec);
	feed(w, &rec);
	world_tick(w, SECOND);
	for (size_t i = 0; i < sizeof(kinds); i++) {
		struct trouble t = sum_of(w, (struct view_query){ .kind = kinds[i], .idle = true });

		assert_int_equal(t.synack, 5);
		assert_int_equal(t.rtx[NP_RTX_TIMEOUT], 1);
	}
}

static void late_records_take_nothing_back(void **state)
{
	struct world *w = *state;
	struct np_sock_rec now = troubled(1, 4, 4), late = troubled(1, 1, 1);
	struct trouble t;

	feed(w, &now);
	world_tick(w, SECOND);
	feed(w, &late);
	world_tick(w, SECOND);
	now.tcp.rtx_cause[NP_RTX_FAST] = 6;
	now.tcp.segs_out += 2;
	feed(w, &now);
	world_tick(w, SECOND);
	t = sum_of(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	assert_int_equal(t.rtx[NP_RTX_TIMEOUT], 4);
	assert_int_equal(t.rtx[NP_RTX_FAST], 6);
	t = sum_of(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION });
	assert_int_equal(t.rtx[NP_RTX_FAST], 6);
}

static void socket_that_changes_hands_is_counted_once(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = troubled(1, 4, 0);
	struct trouble t;

	feed(w, &rec);
	world_tick(w, SECOND);
	rec.owner = rec.last = owner(101, "nginx");
	rec.counts.tx_bytes += 500;
	rec.tcp.segs_out += 3;
	rec.tcp.rtx_cause[NP_RTX_TIMEOUT] += 1;
	feed(w, &rec);
	world_tick(w, SECOND);
	t = sum_of(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	assert_int_equal(t.rtx[NP_RTX_TIMEOUT], 5);
	assert_int_equal(t.stall_ns, 250 * MS);
	t = sum_of(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION });
	assert_int_equal(t.rtx[NP_RTX_TIMEOUT], 5);
}

static void sums_outlive_their_connections(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec;
	uint64_t id;
	struct trouble t;

	/* enough of them that those gone are looked for */
	for (id = 1; id <= 3000; id++) {
		rec = troubled(id, 1, 2);
		feed(w, &rec);
		feed_end(w, &rec);
		if (id % 100 == 0)
			world_tick(w, 11 * SECOND);
	}
	world_tick(w, 11 * SECOND);
	world_tick(w, 11 * SECOND);
	t = sum_of(w, (struct view_query){ .kind = NETPROBE_VIEW_REMOTE });
	assert_int_equal(t.rtx[NP_RTX_TIMEOUT], 3000);
	assert_int_equal(t.rtx[NP_RTX_FAST], 6000);
	assert_int_equal(t.stall_ns, 3000 * 250 * MS);
}

static void socket_that_connects_again_counts_from_nothing(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = troubled(1, 4, 0);
	struct trouble t;

	feed(w, &rec);
	feed_end(w, &rec);
	world_tick(w, SECOND);
	rec = troubled(1, 2, 0);
	rec.opened_ns = rec.established_ns = w->now + 1;
	feed(w, &rec);
	world_tick(w, SECOND);
	t = sum_of(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	assert_int_equal(t.rtx[NP_RTX_TIMEOUT], 6);
}

static void drilled_rows_sum_their_sockets(void **state)
{
	struct world *w = *state;
	struct np_sock_rec a = troubled(1, 2, 3), b = troubled(2, 5, 7);
	uint8_t remote[16];
	struct trouble t;

	ipv4(b.tuple.raddr, 9);
	ipv4(remote, 9);
	feed(w, &a);
	feed(w, &b);
	world_tick(w, SECOND);
	t = sum_of(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS, .remote = remote });
	assert_int_equal(t.rtx[NP_RTX_TIMEOUT], 5);
	assert_int_equal(t.rtx[NP_RTX_FAST], 7);
}

static void rows_sort_by_stall(void **state)
{
	struct world *w = *state;
	struct np_sock_rec a = troubled(1, 0, 0), b = troubled(2, 0, 0);
	struct view view;
	uint8_t kind;

	b.stall_ns = 900 * MS;
	b.owner = b.last = owner(101, "nginx");
	feed(w, &a);
	feed(w, &b);
	world_tick(w, SECOND);
	for (kind = NETPROBE_VIEW_PROCESS; kind <= NETPROBE_VIEW_CONNECTION; kind++) {
		view = ask(w, (struct view_query){ .kind = kind, .sort = NETPROBE_SORT_STALL });
		assert_int_equal(view.n_rows, 2);
		assert_int_equal(view.rows[0].trouble.stall_ns, 900 * MS);
		view_done(&view);
	}
}

/* One more second in which the peer's window was shut for most of it. */
static void second_of_rwnd(struct world *w, struct np_sock_rec *rec)
{
	rec->tcp.busy_us += 1000000;
	rec->tcp.rwnd_limited_us += 900000;
	rec->tcp.segs_out += 1;
	feed(w, rec);
	world_tick(w, SECOND);
}

static void verdicts_come_only_when_watched(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	rec.counts.tx_bytes = 1;
	rec.established_ns = 0;
	second_of_rwnd(w, &rec);
	second_of_rwnd(w, &rec);
	assert_int_equal(first_verdict(w, NETPROBE_VIEW_PROCESS), -1);
	viewer_watch_health(w->viewer, true);
	second_of_rwnd(w, &rec); /* a first sample says nothing yet */
	assert_int_equal(first_verdict(w, NETPROBE_VIEW_PROCESS), -1);
	second_of_rwnd(w, &rec);
	assert_int_equal(first_verdict(w, NETPROBE_VIEW_PROCESS), NETPROBE_VERDICT_RECEIVE_WINDOW);
	assert_int_equal(first_verdict(w, NETPROBE_VIEW_CONNECTION),
			 NETPROBE_VERDICT_RECEIVE_WINDOW);
	viewer_watch_health(w->viewer, false);
	assert_int_equal(first_verdict(w, NETPROBE_VIEW_PROCESS), -1);
}

static void verdict_of_a_connection_younger_than_a_tick_is_of_its_life(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	viewer_watch_health(w->viewer, true);
	world_tick(w, SECOND);
	rec.opened_ns = rec.established_ns = w->now + 1;
	rec.counts.tx_bytes = 1;
	second_of_rwnd(w, &rec);
	assert_int_equal(first_verdict(w, NETPROBE_VIEW_CONNECTION),
			 NETPROBE_VERDICT_RECEIVE_WINDOW);
}

static void idle_connections_do_not_outvote_a_busy_one(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1), idle;
	uint64_t id;

	viewer_watch_health(w->viewer, true);
	for (id = 2; id < 12; id++) {
		idle = tcp_rec(id);
		idle.counts.tx_bytes = 1;
		feed(w, &idle);
	}
	second_of_rwnd(w, &rec);
	second_of_rwnd(w, &rec);
	assert_int_equal(first_verdict(w, NETPROBE_VIEW_PROCESS), NETPROBE_VERDICT_RECEIVE_WINDOW);
}

static void verdict_follows_what_happens_within_a_few_intervals(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	int i;

	viewer_watch_health(w->viewer, true);
	rec.counts.tx_bytes = 1;
	for (i = 0; i < 60; i++)
		second_of_rwnd(w, &rec);
	world_tick(w, SECOND); /* nothing moves: the application is elsewhere */
	world_tick(w, SECOND);
	world_tick(w, SECOND);
	assert_int_equal(first_verdict(w, NETPROBE_VIEW_PROCESS), NETPROBE_VERDICT_APPLICATION);
}

static void connection_is_found_by_the_key_of_its_row(void **state)
{
	struct world *w = *state;
	struct np_sock_rec a = troubled(1, 2, 3), b = troubled(2, 5, 7);
	struct view_row row;
	struct view view;

	feed(w, &a);
	feed(w, &b);
	world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION,
					   .sort = NETPROBE_SORT_RETRANS });
	assert_int_equal(viewer_connection(w->viewer, view.rows[0].key, &row), 0);
	assert_int_equal(row.flow->sock_id, 2);
	assert_int_equal(row.trouble.rtx[NP_RTX_FAST], 7);
	assert_int_equal(viewer_connection(w->viewer, 12345, &row), -ENOENT);
	view_done(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(causes_and_stalls_add_up_in_every_view),
		WORLD_TEST(synacks_of_a_listener_add_up_in_every_view_but_by_remote),
		WORLD_TEST(late_records_take_nothing_back),
		WORLD_TEST(socket_that_changes_hands_is_counted_once),
		WORLD_TEST(sums_outlive_their_connections),
		WORLD_TEST(socket_that_connects_again_counts_from_nothing),
		WORLD_TEST(drilled_rows_sum_their_sockets),
		WORLD_TEST(rows_sort_by_stall),
		WORLD_TEST(verdicts_come_only_when_watched),
		WORLD_TEST(verdict_of_a_connection_younger_than_a_tick_is_of_its_life),
		WORLD_TEST(idle_connections_do_not_outvote_a_busy_one),
		WORLD_TEST(verdict_follows_what_happens_within_a_few_intervals),
		WORLD_TEST(connection_is_found_by_the_key_of_its_row),
		WORLD_TEST(drops_are_those_of_the_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
