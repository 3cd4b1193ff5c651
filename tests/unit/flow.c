/* SPDX-License-Identifier: BSD-2-Clause */
/* Main records of sockets: what counts, for whom, and what must not count twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "flow_make.h"

static void first_record_counts_all_its_bytes_in_the_first_interval(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	rec.counts.tx_bytes = 3000;
	rec.counts.rx_bytes = 500;
	feed(w, &rec);
	world_tick(w, 2 * SECOND);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(flow_delta(f)->tx_bytes, 3000);
	assert_int_equal(flow_delta(f)->rx_bytes, 500);
	assert_true(flow_tx_rate(f, flow_table_seconds(w->flows)) == 1500.0f);
	assert_true(flow_rx_rate(f, flow_table_seconds(w->flows)) == 250.0f);
	assert_int_equal(f->active_ns, w->now);
}

static void interval_is_the_difference_of_cumulative_counts(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	rec.counts.tx_bytes = 1000;
	rec.counts.retrans = 1;
	feed(w, &rec);
	world_tick(w, SECOND);
	rec.counts.tx_bytes = 1400;
	feed(w, &rec);
	rec.counts.tx_bytes = 1600;
	rec.counts.retrans = 4;
	feed(w, &rec);
	world_tick(w, SECOND / 2);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(flow_delta(f)->tx_bytes, 600);
	assert_int_equal(flow_delta(f)->retrans, 3);
	assert_true(flow_tx_rate(f, flow_table_seconds(w->flows)) == 1200.0f);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(f)->tx_bytes, 0);
	assert_true(flow_tx_rate(f, flow_table_seconds(w->flows)) == 0);
	assert_int_equal(f->counts.tx_bytes, 1600);
}

/* What came before the interval was over and what came after that are both of it; till then the last one shows. */
static void turn_loses_nothing_and_hides_nothing_early(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1), other = tcp_rec(2);
	struct flow *f;

	rec.counts.tx_bytes = 1000;
	feed(w, &rec);
	world_tick(w, SECOND);
	f = flow_table_find(w->flows, 1);
	rec.counts.tx_bytes = 1300;
	feed(w, &rec);
	assert_int_equal(flow_delta(f)->tx_bytes, 1000);
	flow_table_turn(w->flows);
	rec.counts.tx_bytes = 1350;
	feed(w, &rec);
	other.counts.rx_bytes = 70;
	feed(w, &other);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(f)->tx_bytes, 350);
	assert_int_equal(flow_delta(flow_table_find(w->flows, 2))->rx_bytes, 70);
	flow_table_turn(w->flows);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(f)->tx_bytes, 0);
	rec.counts.tx_bytes = 1360;
	feed(w, &rec);
	flow_table_turn(w->flows);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(f)->tx_bytes, 10);
	assert_int_equal(f->counts.tx_bytes, 1360);
}

static void late_record_lowers_nothing(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1), late;
	struct flow *f;

	late = rec;
	late.counts.tx_bytes = 10;
	late.tcp.segs_out = 3;
	rec.counts.tx_bytes = 1000;
	rec.tcp.segs_out = 9;
	feed(w, &rec);
	feed(w, &late);
	world_tick(w, SECOND);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(f->counts.tx_bytes, 1000);
	assert_int_equal(flow_delta(f)->tx_bytes, 1000);
	assert_int_equal(f->tx_pkts, 9);
	assert_int_equal(flow_table_count(w->flows), 1);
}

static void segments_of_a_seeded_socket_all_count(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	/* The kernel half has taken off what went before the probe: the first record is no base. */
	rec.opened_ns = 0;
	rec.established_ns = 0;
	rec.tuple.flags = NP_F_SEEDED;
	rec.tcp.segs_out = 5;
	rec.tcp.segs_in = 4;
	feed(w, &rec);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(f->tx_pkts, 5);
	rec.tcp.segs_out = 15;
	rec.tcp.segs_in = 9;
	feed(w, &rec);
	world_tick(w, SECOND);
	assert_int_equal(f->tx_pkts, 15);
	assert_int_equal(f->rx_pkts, 9);
	assert_int_equal(flow_delta(f)->tx_pkts, 15);
}

static void socket_that_a_full_sweep_does_not_bring_is_closed(void **state)
{
	struct world *w = *state;
	struct np_sock_rec here = tcp_rec(1), gone = tcp_rec(2);

	feed(w, &here);
	feed(w, &gone);
	flow_table_expect_all(w->flows);
	feed(w, &here);
	assert_int_equal(flow_table_close_missing(w->flows, 5 * SECOND), 1);
	assert_false(flow_table_find(w->flows, 1)->closed);
	assert_true(flow_table_find(w->flows, 2)->closed);
}

static void segments_of_a_socket_opened_during_the_run_all_count(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	rec.tcp.segs_out = 12;
	feed(w, &rec);
	assert_int_equal(flow_table_find(w->flows, 1)->tx_pkts, 12);
}

static void segment_counters_may_wrap(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	rec.tcp.segs_out = 0x7ffffff0u;
	feed(w, &rec);
	rec.tcp.segs_out = 0xfffffff0u - 0x10;
	feed(w, &rec);
	rec.tcp.segs_out = 0x10;
	feed(w, &rec);
	assert_int_equal(flow_table_find(w->flows, 1)->tx_pkts, 0x100000010ULL);
}

static void datagram_sockets_count_calls_as_packets(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = udp_rec(1);
	struct flow *f;

	rec.counts.tx_calls = 4;
	rec.counts.rx_calls = 2;
	feed(w, &rec);
	world_tick(w, SECOND);
	f = flow_table_find(w->flows, 1);
	assert_null(f->tcp);
	assert_int_equal(f->tx_pkts, 4);
	assert_int_equal(flow_delta(f)->rx_pkts, 2);
}

static void unused_socket_changes_hands_without_a_second_flow(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	rec.owner.match = NP_MATCH_LISTENER;
	rec.tcp.segs_out = 2; /* of the handshake */
	feed(w, &rec);
	world_tick(w, SECOND);
	rec.owner = owner(101, "worker");
	rec.last = rec.owner;
	rec.counts.tx_bytes = 700;
	feed(w, &rec);
	world_tick(w, SECOND);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(flow_table_count(w->flows), 1);
	assert_int_equal(flow_table_open(w->flows), 1);
	assert_int_equal(f->owner->tgid, 101);
	assert_int_equal(f->owner_match, NP_MATCH_EXACT);
	assert_int_equal(f->counts.tx_bytes, 700);
}

static void used_socket_that_changes_hands_freezes_the_first_owners_flow(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct found_flows found;

	rec.counts.tx_bytes = 1000;
	rec.tcp.segs_out = 10;
	feed(w, &rec);
	world_tick(w, SECOND);
	rec.owner = owner(101, "heir");
	rec.last = rec.owner;
	rec.counts.tx_bytes = 1300;
	rec.tcp.segs_out = 13;
	feed(w, &rec);
	world_tick(w, SECOND);
	found = flows_of(w, 1);
	assert_int_equal(found.n, 2);
	assert_true(found.v[0]->frozen);
	assert_false(found.v[0]->closed);
	assert_int_equal(found.v[0]->counts.tx_bytes, 1000);
	assert_int_equal(found.v[1]->counts.tx_bytes, 300);
	assert_int_equal(found.v[1]->tx_pkts, 3);
	assert_int_equal(flow_delta(found.v[1])->tx_bytes, 300);
	assert_int_equal(flow_table_open(w->flows), 1);
	rec.counts.tx_bytes = 1500;
	feed_end(w, &rec);
	assert_int_equal(found.v[1]->counts.tx_bytes, 500);
	assert_true(found.v[0]->closed && found.v[1]->closed);
	feed(w, &rec); /* a repeated end */
	assert_int_equal(found.v[1]->counts.tx_bytes, 500);
	world_tick(w, SECOND);
	world_tick(w, 10 * SECOND);
	assert_int_equal(flow_table_count(w->flows), 0);
}

static void last_user_may_change_any_time(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	rec.counts.tx_bytes = 1;
	feed(w, &rec);
	rec.last = owner(102, "other");
	feed(w, &rec);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(f->owner->tgid, 100);
	assert_int_equal(f->last->tgid, 102);
	assert_int_equal(f->last_tid, 102);
	assert_int_equal(flow_table_count(w->flows), 1);
	rec.last = (struct np_owner){ 0 };
	feed(w, &rec);
	assert_int_equal(f->last->tgid, 100);
}

static void unknown_owner_stays_unknown(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	rec.owner = (struct np_owner){ 0 };
	rec.last = rec.owner;
	feed(w, &rec);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(f->owner->tgid, 0);
	assert_int_equal(f->owner_match, NP_MATCH_NONE);
}

static void reused_socket_makes_a_new_flow(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct found_flows found;

	rec.counts.tx_bytes = 1000;
	feed_end(w, &rec);
	w->now += SECOND;
	rec = tcp_rec(1);
	rec.opened_ns = rec.established_ns = w->now;
	rec.counts.tx_bytes = 50;
	feed(w, &rec);
	found = flows_of(w, 1);
	assert_int_equal(found.n, 2);
	assert_true(found.v[0]->closed);
	assert_false(found.v[1]->closed);
	assert_int_equal(found.v[1]->counts.tx_bytes, 50);
	assert_ptr_equal(flow_table_find(w->flows, 1), found.v[1]);
}

static void reused_socket_whose_end_was_lost_makes_a_new_flow(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct found_flows found;

	rec.counts.tx_bytes = 1000;
	feed(w, &rec);
	rec.opened_ns = rec.established_ns = START + 5;
	rec.counts.tx_bytes = 1200;
	feed(w, &rec);
	found = flows_of(w, 1);
	assert_int_equal(found.n, 2);
	assert_true(found.v[0]->closed);
	assert_int_equal(found.v[1]->counts.tx_bytes, 1200);
}

static void record_overtaken_by_its_sockets_end_reopens_nothing(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1), late = rec, early;

	rec.counts.tx_bytes = 1000;
	w->now += SECOND;
	feed_end(w, &rec);
	late.counts.tx_bytes = 400;
	feed(w, &late);
	early = late;
	early.established_ns = 0; /* read while it still connected */
	early.counts.tx_bytes = 0;
	feed(w, &early);
	world_tick(w, SECOND);
	assert_int_equal(flow_table_count(w->flows), 1);
	assert_int_equal(flow_table_open(w->flows), 0);
	assert_int_equal(flow_table_find(w->flows, 1)->counts.tx_bytes, 1000);
}

static void end_keeps_what_the_socket_let_go_of(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1), end = rec;
	struct flow *f;

	feed(w, &rec);
	memset(end.tuple.laddr, 0, 16);
	memset(end.tuple.raddr, 0, 16);
	end.tuple.lport = end.tuple.rport = 0;
	end.tuple.ifname[0] = '\0';
	end.err = ECONNRESET;
	feed_end(w, &end);
	f = flow_table_find(w->flows, 1);
	assert_true(f->closed);
	assert_int_equal(f->err, ECONNRESET);
	assert_int_equal(f->tuple.rport, 443);
	assert_memory_equal(f->tuple.raddr, rec.tuple.raddr, 16);
	assert_string_equal(f->tuple.ifname, "eth0");
}

static void unseen_bytes_count_once_a_second_record_agrees(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	rec.counts.rx_bytes = 100;
	rec.tcp.rx_unseen = 5000;
	feed(w, &rec);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(flow_rx_bytes(f), 100);
	rec.tcp.rx_unseen = 9000;
	feed(w, &rec);
	assert_int_equal(flow_rx_bytes(f), 5100);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(f)->rx_bytes, 5100);
}

static void unseen_bytes_count_after_an_interval_without_a_record(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	rec.tcp.rx_unseen = 5000;
	feed(w, &rec);
	world_tick(w, SECOND);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(flow_rx_bytes(f), 0);
	world_tick(w, SECOND);
	assert_int_equal(flow_rx_bytes(f), 5000);
	assert_int_equal(flow_delta(f)->rx_bytes, 5000);
	world_tick(w, SECOND);
	assert_int_equal(flow_rx_bytes(f), 5000);
	assert_int_equal(flow_delta(f)->rx_bytes, 0);
}

static void unseen_bytes_of_the_final_record_count(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	rec.tcp.rx_unseen = 77;
	feed_end(w, &rec);
	assert_int_equal(flow_rx_bytes(flow_table_find(w->flows, 1)), 77);
}

static void call_under_way_is_not_counted_twice(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	rec.tcp.rx_unseen = 1000; /* a long receive, seen twice before it returns */
	feed(w, &rec);
	rec.tcp.rx_unseen = 4000;
	feed(w, &rec);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(flow_rx_bytes(f), 1000);
	rec.tcp.rx_unseen = 0;
	rec.counts.rx_bytes = 6000;
	feed(w, &rec);
	assert_int_equal(flow_rx_bytes(f), 6000);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(f)->rx_bytes, 6000);
}

static void received_bytes_never_fall(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	rec.tcp.rx_unseen = 1000;
	feed(w, &rec);
	feed(w, &rec);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(flow_rx_bytes(f), 1000);
	rec.tcp.rx_unseen = -200;
	rec.counts.rx_bytes = 300;
	feed(w, &rec);
	assert_int_equal(flow_rx_bytes(f), 1000);
	assert_int_equal(flow_rare(f)->rx_unseen, 700);
}

static void unseen_bytes_are_never_believed_under_ktls(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	rec.tuple.flags = NP_F_ULP;
	rec.tcp.rx_unseen = 500;
	rec.tcp.tx_unseen = 60;
	feed(w, &rec);
	feed(w, &rec);
	world_tick(w, SECOND);
	world_tick(w, SECOND);
	feed_end(w, &rec);
	assert_int_equal(flow_rare(flow_table_find(w->flows, 1))->rx_unseen, 0);
	assert_int_equal(flow_rare(flow_table_find(w->flows, 1))->tx_unseen, 60);
	assert_int_equal(flow_table_find(w->flows, 1)->counts.tx_bytes, 0);
}

static void synack_retransmits_are_a_delta_of_the_listener(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;

	rec.tuple.flags = NP_F_LISTEN;
	rec.tcp.synack_retrans = 2;
	feed(w, &rec);
	world_tick(w, SECOND);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(flow_delta(f)->synack, 2);
	rec.tcp.synack_retrans = 5;
	feed(w, &rec);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(f)->synack, 3);
	assert_int_equal(f->counts.retrans, 0);
}

/* What a row shows is its owner's: the rows of a socket add up to it. */
static void synack_retransmits_of_a_listener_that_changes_hands_count_once(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct view_query q = { .kind = NETPROBE_VIEW_CONNECTION, .idle = true };
	struct found_flows rows;
	struct flow_rare rare;
	struct flow_tcp own;
	struct view view;
	uint64_t sum = 0;

	rec.tuple.flags = NP_F_LISTEN;
	rec.tcp.synack_retrans = 7;
	feed(w, &rec);
	world_tick(w, SECOND);
	rec.owner = rec.last = owner(101, "heir");
	rec.tcp.synack_retrans = 8;
	feed(w, &rec);
	world_tick(w, SECOND);
	rows = flows_of(w, 1);
	assert_int_equal(rows.n, 2);
	flow_tcp_own(rows.v[0], &own, &rare);
	assert_int_equal(rare.synack_retrans, 7);
	assert_int_equal(rows.v[0]->owner->tgid, 100);
	flow_tcp_own(rows.v[1], &own, &rare);
	assert_int_equal(rare.synack_retrans, 1);
	assert_int_equal(flow_delta(rows.v[1])->synack, 1);
	/* and in the view */
	assert_int_equal(viewer_query(w->viewer, &q, &view), 0);
	for (size_t i = 0; i < view.n_rows; i++)
		sum += view.rows[i].retrans;
	view_done(&view);
	assert_int_equal(sum, 8);
}

static struct np_sock_rec resent(uint32_t fast, uint32_t timeouts, uint32_t spurious)
{
	struct np_sock_rec rec = tcp_rec(1);

	rec.counts.tx_bytes = 1000;
	rec.counts.retrans = fast + timeouts;
	rec.tcp.segs_out = 10 + fast + timeouts;
	rec.tcp.rtx_cause[NP_RTX_FAST] = fast;
	rec.tcp.rtx_cause[NP_RTX_TIMEOUT] = timeouts;
	rec.tcp.rtx_spurious = spurious;
	rec.stall_ns = 5 * SECOND;
	return rec;
}

static void late_record_takes_no_causes_back(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = resent(3, 2, 1), late = resent(1, 0, 0);
	const struct flow_delta *d;

	late.stall_ns = SECOND;
	feed(w, &rec);
	world_tick(w, SECOND);
	feed(w, &late);
	world_tick(w, SECOND);
	d = flow_delta(flow_table_find(w->flows, 1));
	assert_int_equal(d->rtx_cause[NP_RTX_FAST], 0);
	assert_int_equal(d->rtx_cause[NP_RTX_TIMEOUT], 0);
	assert_int_equal(d->rtx_spurious, 0);
	assert_true(flow_rare(flow_table_find(w->flows, 1))->stall_ns == 5 * SECOND);
	rec = resent(4, 2, 1);
	rec.counts.tx_bytes = 1001;
	feed(w, &rec);
	world_tick(w, SECOND);
	d = flow_delta(flow_table_find(w->flows, 1));
	assert_int_equal(d->rtx_cause[NP_RTX_FAST], 1);
	assert_int_equal(d->rtx_cause[NP_RTX_TIMEOUT], 0);
}

static void causes_of_the_former_owner_are_not_told_again(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = resent(3, 2, 1);
	const struct flow *f;

	feed(w, &rec);
	world_tick(w, SECOND);
	rec.owner = owner(101, "heir");
	rec.last = rec.owner;
	rec.counts.tx_bytes += 10;
	rec.counts.retrans++;
	rec.tcp.rtx_cause[NP_RTX_FAST]++;
	feed(w, &rec);
	world_tick(w, SECOND);
	f = flow_table_find(w->flows, 1);
	assert_int_equal(f->owner->tgid, 101);
	assert_int_equal(flow_delta(f)->rtx_cause[NP_RTX_FAST], 1);
	assert_int_equal(flow_delta(f)->rtx_cause[NP_RTX_TIMEOUT], 0);
	assert_int_equal(flow_delta(f)->rtx_spurious, 0);
	assert_true(flow_rare(f)->stall_ns == 5 * SECOND);
	{
		struct flow_rare rare;
		struct flow_tcp own;

		flow_tcp_own(f, &own, &rare);
		assert_int_equal(rare.stall_ns, 0);
		assert_int_equal(rare.rtx_cause[NP_RTX_FAST], 1);
		assert_int_equal(rare.rtx_cause[NP_RTX_TIMEOUT], 0);
		assert_int_equal(rare.rtx_spurious, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(first_record_counts_all_its_bytes_in_the_first_interval),
		WORLD_TEST(interval_is_the_difference_of_cumulative_counts),
		WORLD_TEST(turn_loses_nothing_and_hides_nothing_early),
		WORLD_TEST(late_record_lowers_nothing),
		WORLD_TEST(socket_that_a_full_sweep_does_not_bring_is_closed),
		WORLD_TEST(segments_of_a_seeded_socket_all_count),
		WORLD_TEST(segments_of_a_socket_opened_during_the_run_all_count),
		WORLD_TEST(segment_counters_may_wrap),
		WORLD_TEST(datagram_sockets_count_calls_as_packets),
		WORLD_TEST(unused_socket_changes_hands_without_a_second_flow),
		WORLD_TEST(used_socket_that_changes_hands_freezes_the_first_owners_flow),
		WORLD_TEST(last_user_may_change_any_time),
		WORLD_TEST(unknown_owner_stays_unknown),
		WORLD_TEST(reused_socket_makes_a_new_flow),
		WORLD_TEST(reused_socket_whose_end_was_lost_makes_a_new_flow),
		WORLD_TEST(record_overtaken_by_its_sockets_end_reopens_nothing),
		WORLD_TEST(end_keeps_what_the_socket_let_go_of),
		WORLD_TEST(unseen_bytes_count_once_a_second_record_agrees),
		WORLD_TEST(unseen_bytes_count_after_an_interval_without_a_record),
		WORLD_TEST(unseen_bytes_of_the_final_record_count),
		WORLD_TEST(call_under_way_is_not_counted_twice),
		WORLD_TEST(received_bytes_never_fall),
		WORLD_TEST(unseen_bytes_are_never_believed_under_ktls),
		WORLD_TEST(late_record_takes_no_causes_back),
		WORLD_TEST(causes_of_the_former_owner_are_not_told_again),
		WORLD_TEST(synack_retransmits_are_a_delta_of_the_listener),
		WORLD_TEST(synack_retransmits_of_a_listener_that_changes_hands_count_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
