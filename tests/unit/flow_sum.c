/* SPDX-License-Identifier: BSD-2-Clause */
/* A full table: what has to go leaves its counts to sums and to the totals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "flow_make.h"

/* All that the table shows, and how many rows without ends are in that. */
struct shown {
	uint64_t tx_bytes, rx_bytes, tx_pkts, rx_pkts, retrans, tx_unseen, rx_unseen, stall_ns;
	uint64_t timeouts, acked;
	unsigned int sums, n;
	const struct flow *sum; /* the last one */
};

static int show(struct flow *f, void *arg)
{
	static const uint8_t none[16];
	struct shown *s = arg;

	s->n++;
	s->tx_bytes += f->counts.tx_bytes;
	s->rx_bytes += flow_rx_bytes(f);
	s->tx_pkts += f->tx_pkts;
	s->rx_pkts += f->rx_pkts;
	s->retrans += f->counts.retrans;
	s->tx_unseen += flow_rare(f)->tx_unseen;
	s->rx_unseen += flow_rare(f)->rx_unseen;
	if (f->tcp) {
		struct flow_rare rare;
		struct flow_tcp own;

		flow_tcp_own(f, &own, &rare);
		s->stall_ns += rare.stall_ns;
		s->timeouts += rare.rtx_cause[NP_RTX_TIMEOUT];
		s->acked += own.bytes_acked;
	}
	if (f->sock_id)
		return 0;
	assert_true(f->part && f->closed);
	assert_memory_equal(f->tuple.laddr, none, 16);
	assert_memory_equal(f->tuple.raddr, none, 16);
	assert_int_equal(f->tuple.lport | f->tuple.rport, 0);
	s->sums++;
	s->sum = f;
	return 0;
}

static struct shown shown(struct world *w)
{
	struct shown s = { 0 };

	(void)flow_table_each(w->flows, show, &s);
	assert_int_equal(s.n, flow_table_count(w->flows));
	return s;
}

static struct flow_left left(const struct world *w)
{
	struct flow_left l;

	flow_table_left(w->flows, &l);
	return l;
}

static uint64_t lost_bytes(const struct world *w)
{
	return left(w).lost_tx_bytes + left(w).lost_rx_bytes;
}

/* A connection that ends at once, with a figure of each kind. */
static void feed_short(struct world *w, uint64_t id, uint32_t tgid)
{
	struct np_sock_rec rec = tcp_rec(id);

	rec.owner = rec.last = owner(tgid, "burst");
	rec.counts = (struct np_counts){ .tx_bytes = 100, .rx_bytes = 10, .retrans = 2 };
	rec.tcp.segs_out = 5;
	rec.tcp.segs_in = 4;
	rec.tcp.rx_unseen = 7;
	rec.tcp.tx_unseen = 3;
	rec.tcp.rtx_cause[NP_RTX_TIMEOUT] = 2;
	rec.tcp.bytes_acked = 103;
	rec.stall_ns = 1000;
	feed_end(w, &rec);
}

static void check_shown(struct world *w, uint64_t n)
{
	struct shown s = shown(w);

	assert_int_equal(s.tx_bytes, n * 100);
	assert_int_equal(s.rx_bytes, n * 17);
	assert_int_equal(s.rx_unseen, n * 7);
	assert_int_equal(s.tx_unseen, n * 3);
	assert_int_equal(s.tx_pkts, n * 5);
	assert_int_equal(s.rx_pkts, n * 4);
	assert_int_equal(s.retrans, n * 2);
	assert_int_equal(s.timeouts, n * 2);
	assert_int_equal(s.acked, n * 103);
	assert_int_equal(s.stall_ns, n * 1000);
}

static void kept_flows_that_have_to_go_leave_each_count_to_their_owners_sum(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 4, .keep_closed = true };
	struct world w;

	(void)state;
	world_open(&w, &opts);
	for (uint64_t id = 1; id <= 30; id++) {
		feed_short(&w, id, 300 + id % 3);
		if (id % 7 == 0)
			world_tick(&w, SECOND);
		check_shown(&w, id);
	}
	assert_int_equal(shown(&w).sums, 3);
	assert_int_equal(flow_table_count(w.flows), 4 + 3);
	assert_int_equal(flow_table_dropped(w.flows), 26);
	assert_int_equal(left(&w).summed, 26);
	assert_int_equal(left(&w).sums, 3);
	assert_int_equal(lost_bytes(&w), 0);
	world_close(&w);
}

static void sums_are_apart_by_interface_transport_and_family(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 1, .keep_closed = true };
	struct np_sock_rec recs[5];
	struct world w;

	(void)state;
	world_open(&w, &opts);
	for (unsigned int i = 0; i < 5; i++)
		recs[i] = tcp_rec(i + 1);
	recs[1].tuple.ifindex = 3;
	recs[2].tuple.family = AF_INET6;
	recs[3].tuple.netns++;
	recs[4].tuple.proto = IPPROTO_UDP;
	for (unsigned int round = 0; round < 2; round++)
		for (unsigned int i = 0; i < 5; i++) {
			recs[i].sock_id += 100;
			recs[i].counts.tx_bytes = 10;
			feed_end(&w, &recs[i]);
		}
	feed_short(&w, 1000, 100);
	assert_int_equal(shown(&w).sums, 5);
	assert_int_equal(shown(&w).tx_bytes, 10 * 10 + 100);
	world_close(&w);
}

static void where_sums_are_too_many_what_is_lost_is_told_in_bytes(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 1, .keep_closed = true };
	struct shown s;
	struct world w;

	(void)state;
	world_open(&w, &opts);
	for (uint32_t i = 1; i <= 201; i++) {
		struct np_sock_rec rec = tcp_rec(i);

		rec.owner = rec.last = owner(1000 + i, "burst");
		rec.tuple.ifindex = i;
		rec.counts.tx_bytes = 100;
		feed_end(&w, &rec);
	}
	s = shown(&w);
	assert_int_equal(s.sums, 64 + 64);
	assert_int_equal(left(&w).unowned, 64);
	assert_int_equal(left(&w).lost, 200 - 64 - 64);
	assert_int_equal(lost_bytes(&w), (200 - 64 - 64) * 100);
	assert_int_equal(s.tx_bytes + lost_bytes(&w), 201 * 100);
	world_close(&w);
}

static void what_too_many_owners_moved_is_nobodys_and_no_other_ones(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 1, .keep_closed = true };
	struct world w;

	(void)state;
	world_open(&w, &opts);
	for (uint32_t i = 1; i <= 101; i++)
		feed_short(&w, i, 1000 + i);
	check_shown(&w, 101);
	assert_int_equal(shown(&w).sums, 64 + 1);
	assert_int_equal(shown(&w).sum->owner->tgid, 0);
	assert_int_equal(shown(&w).sum->counts.tx_bytes, (100 - 64) * 100);
	assert_int_equal(left(&w).summed, 100);
	assert_int_equal(left(&w).unowned, 100 - 64);
	assert_int_equal(left(&w).lost, 0);
	world_close(&w);
}

static void ends_are_counted_where_the_table_is_full_of_open_flows(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 2, .keep_closed = true };
	struct np_sock_rec rec;
	struct world w;

	(void)state;
	world_open(&w, &opts);
	for (uint64_t id = 1; id <= 2; id++) {
		rec = tcp_rec(id);
		feed(&w, &rec);
	}
	for (uint64_t id = 3; id <= 10; id++)
		feed_short(&w, id, 300);
	check_shown(&w, 8);
	assert_int_equal(flow_table_open(w.flows), 2);
	assert_true(flow_table_count(w.flows) <= 2 + 1 + 1);
	assert_int_equal(flow_table_no_room(w.flows), 0);
	/* an open one is refused, and what is kept of the ends stays */
	rec = tcp_rec(11);
	assert_int_equal(flow_table_sock(w.flows, &rec, w.now), -ENOSPC);
	check_shown(&w, 8);
	assert_int_equal(flow_table_count(w.flows), 2 + 1);
	assert_int_equal(flow_table_no_room(w.flows), 1);
	feed_short(&w, 12, 300);
	assert_int_equal(flow_table_no_room(w.flows), 1);
	world_close(&w);
}

/* A record that was made before its socket's end, and is read when the flow has made room. */
static void late_record_of_a_flow_that_went_counts_nothing_twice(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 2, .keep_closed = true };
	struct np_sock_rec rec = tcp_rec(1);
	struct world w;

	(void)state;
	world_open(&w, &opts);
	rec.owner = rec.last = owner(300, "burst");
	rec.opened_ns = START;
	rec.counts.tx_bytes = 100;
	feed_end(&w, &rec);
	for (uint64_t id = 2; id <= 4; id++) {
		struct np_sock_rec other = tcp_rec(id);

		feed_end(&w, &other);
	}
	assert_null(flow_table_find(w.flows, 1));
	assert_int_equal(shown(&w).tx_bytes, 100);
	rec.counts.tx_bytes = 90;
	rec.tuple.flags = 0;
	feed(&w, &rec);
	assert_null(flow_table_find(w.flows, 1));
	assert_int_equal(shown(&w).tx_bytes, 100);
	/* of more than was told only that */
	rec.counts.tx_bytes = 130;
	feed(&w, &rec);
	assert_int_equal(shown(&w).tx_bytes, 130);
	/* the same socket connects again */
	rec.opened_ns = w.now + SECOND;
	rec.counts.tx_bytes = 7;
	feed(&w, &rec);
	assert_non_null(flow_table_find(w.flows, 1));
	assert_int_equal(shown(&w).tx_bytes, 137);
	world_close(&w);
}

static void late_record_of_a_flow_that_was_dropped_makes_no_flow(void **state)
{
	struct np_sock_rec rec = tcp_rec(1);
	struct world w;

	(void)state;
	world_open(&w, NULL);
	rec.counts.tx_bytes = 100;
	feed_end(&w, &rec);
	for (int i = 0; i < 12; i++) {
		w.now += SECOND;
		flow_table_tick(w.flows, w.now);
	}
	assert_int_equal(flow_table_count(w.flows), 0);
	rec.tuple.flags = 0;
	feed(&w, &rec);
	assert_int_equal(flow_table_count(w.flows), 0);
	world_close(&w);
}

/* A sweep brings it again and again, and its parts come with each interval. */
static void socket_that_finds_no_room_counts_once(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 1, .keep_closed = true };
	struct np_sock_rec rec = tcp_rec(1), other, sock = udp_rec(9);
	struct np_part_key key;
	struct np_part part;
	struct world w;

	(void)state;
	world_open(&w, &opts);
	feed(&w, &rec);
	for (unsigned int look = 0; look < 3; look++) {
		for (uint64_t id = 2; id < 5002; id++) {
			other = tcp_rec(id);
			assert_int_equal(flow_table_sock(w.flows, &other, w.now), -ENOSPC);
		}
		make_part(&key, &part, &sock, 201, 7);
		assert_int_equal(flow_table_part(w.flows, &key, &part, w.now), -ENOSPC);
		world_tick(&w, SECOND);
		assert_int_equal(flow_table_no_room(w.flows), 5001);
		assert_int_equal(flow_table_dropped(w.flows), 5001);
	}
	world_close(&w);
}

static void part_that_finds_no_room_joins_a_sum_and_the_totals(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 1, .keep_closed = true };
	struct np_sock_rec rec = tcp_rec(1), sock = udp_rec(9);
	struct view_query q = { .kind = NETPROBE_VIEW_PROCESS };
	struct np_part_key key;
	struct np_part part;
	struct view view;
	struct world w;

	(void)state;
	world_open(&w, &opts);
	feed(&w, &rec);
	make_part(&key, &part, &sock, 201, 7);
	part.counts = (struct np_counts){ .tx_bytes = 1000, .rx_bytes = 50, .tx_calls = 2 };
	for (int i = 0; i < 2; i++)
		assert_int_equal(flow_table_part(w.flows, &key, &part, w.now), -ENOSPC);
	world_tick(&w, SECOND);
	assert_int_equal(shown(&w).tx_bytes, 2000);
	assert_int_equal(shown(&w).sum->owner->tgid, 201);
	assert_int_equal(shown(&w).tx_pkts, 4);
	assert_int_equal(viewer_query(w.viewer, &q, &view), 0);
	assert_int_equal(view.tx_bytes, 2000);
	assert_int_equal(view.rx_bytes, 100);
	assert_int_equal(view.rows[0].proc->tgid, 201);
	assert_int_equal(view.rows[0].tx_bytes, 2000);
	view_done(&view);
	world_close(&w);
}

/* The rows of a kind, and the total, after n short connections of 100 and 17 bytes. */
static void check_totals(struct world *w, uint8_t kind, uint64_t n)
{
	struct view_query q = { .kind = kind, .limit = 100 };
	uint64_t tx = 0, rx = 0;
	struct view view;

	assert_int_equal(viewer_query(w->viewer, &q, &view), 0);
	for (size_t i = 0; i < view.n_rows; i++) {
		tx += view.rows[i].tx_bytes;
		rx += view.rows[i].rx_bytes;
	}
	if (kind == NETPROBE_VIEW_CONNECTION) {
		tx += view.gone_tx_bytes;
		rx += view.gone_rx_bytes;
	}
	assert_int_equal(tx, n * 100);
	assert_int_equal(rx, n * 17);
	assert_int_equal(view.tx_bytes, n * 100);
	assert_int_equal(view.rx_bytes, n * 17);
	view_done(&view);
}

static void totals_never_shrink_when_flows_go(void **state)
{
	static const uint8_t kinds[] = { NETPROBE_VIEW_PROCESS, NETPROBE_VIEW_CONTAINER,
					 NETPROBE_VIEW_REMOTE, NETPROBE_VIEW_INTERFACE,
					 NETPROBE_VIEW_CONNECTION };
	const struct flow_table_opts opts[] = {
		{ .max_flows = 8 },			 /* full within an interval */
		{ .max_flows = 1000, .grace_ns = 1 },	 /* aged after one */
		{ .max_flows = 8, .keep_closed = true }, /* joined sums */
	};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct world w;
		uint64_t id = 0;

		world_open(&w, &opts[i]);
		for (unsigned int tick = 0; tick < 6; tick++) {
			for (unsigned int n = 0; n < 50; n++, id++)
				feed_short(&w, id + 1, 300 + id % 3);
			world_tick(&w, SECOND);
			for (unsigned int k = 0; k < sizeof(kinds); k++)
				check_totals(&w, kinds[k], id);
		}
		world_tick(&w, 100 * SECOND);
		for (unsigned int k = 0; k < sizeof(kinds); k++)
			check_totals(&w, kinds[k], id);
		world_close(&w);
	}
}

/* More than 16,384 that ended: the oldest go once they were shown. */
static void totals_keep_what_a_burst_of_sockets_moved(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	for (uint64_t id = 1; id <= 20000; id++)
		feed_short(&w, id, 300);
	world_tick(&w, SECOND);
	check_totals(&w, NETPROBE_VIEW_PROCESS, 20000);
	world_tick(&w, SECOND);
	assert_int_equal(flow_table_count(w.flows), 16384);
	for (uint8_t kind = NETPROBE_VIEW_PROCESS; kind < NETPROBE_VIEW_LISTEN; kind++)
		if (kind != NETPROBE_VIEW_CONNECTION)
			check_totals(&w, kind, 20000);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_flows_that_have_to_go_leave_each_count_to_their_owners_sum),
		cmocka_unit_test(sums_are_apart_by_interface_transport_and_family),
		cmocka_unit_test(where_sums_are_too_many_what_is_lost_is_told_in_bytes),
		cmocka_unit_test(what_too_many_owners_moved_is_nobodys_and_no_other_ones),
		cmocka_unit_test(ends_are_counted_where_the_table_is_full_of_open_flows),
		cmocka_unit_test(late_record_of_a_flow_that_went_counts_nothing_twice),
		cmocka_unit_test(late_record_of_a_flow_that_was_dropped_makes_no_flow),
		cmocka_unit_test(socket_that_finds_no_room_counts_once),
		cmocka_unit_test(part_that_finds_no_room_joins_a_sum_and_the_totals),
		cmocka_unit_test(totals_never_shrink_when_flows_go),
		cmocka_unit_test(totals_keep_what_a_burst_of_sockets_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
