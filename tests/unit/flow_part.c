/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of sockets, ageing, the bound of the table, histories and watchers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "flow_make.h"

static void parts_add_up(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = udp_rec(1);
	struct found_flows found;

	feed(w, &sock);
	feed_part(w, &sock, 200, 7, 100, 0);
	feed_part(w, &sock, 200, 7, 50, 30);
	world_tick(w, SECOND);
	found = flows_of(w, 1);
	assert_int_equal(found.n, 2);
	assert_true(found.v[1]->part);
	assert_int_equal(found.v[1]->counts.tx_bytes, 150);
	assert_int_equal(found.v[1]->counts.rx_bytes, 30);
	assert_int_equal(found.v[1]->tx_pkts, 2);
	assert_int_equal(flow_delta(found.v[1])->tx_bytes, 150);
	feed_part(w, &sock, 200, 7, 5, 0);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(found.v[1])->tx_bytes, 5);
	assert_int_equal(found.v[1]->counts.tx_bytes, 155);
}

static void parts_are_told_apart_by_owner_and_peer(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = udp_rec(1);

	feed_part(w, &sock, 200, 7, 1, 0);
	feed_part(w, &sock, 200, 8, 1, 0);
	feed_part(w, &sock, 201, 7, 1, 0);
	feed_part(w, &sock, 201, 0, 1, 0);
	feed_part(w, &sock, 201, 7, 1, 0);
	assert_int_equal(flow_table_count(w->flows), 4);
	assert_int_equal(flow_table_open(w->flows), 0);
}

static void part_of_a_connected_socket_keeps_its_sockets_peer(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = tcp_rec(1);
	struct found_flows found;

	feed(w, &sock);
	feed_part(w, &sock, 101, 0, 10, 0);
	feed_part(w, &sock, 101, 0, 10, 0);
	found = flows_of(w, 1);
	assert_int_equal(found.n, 2);
	assert_int_equal(found.v[1]->counts.tx_bytes, 20);
	assert_memory_equal(found.v[1]->tuple.raddr, sock.tuple.raddr, 16);
	assert_int_equal(found.v[1]->owner->tgid, 101);
}

static void retransmits_of_a_part_are_its_owners(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = tcp_rec(1);
	struct np_part_key key;
	struct np_part part;

	feed(w, &sock);
	make_part(&key, &part, &sock, 101, 0);
	part.counts.retrans = 3;
	assert_int_equal(flow_table_part(w->flows, &key, &part, w->now), 0);
	world_tick(w, SECOND);
	assert_int_equal(flow_delta(flows_of(w, 1).v[1])->retrans, 3);
	assert_int_equal(flow_table_find(w->flows, 1)->counts.retrans, 0);
}

/* Without a peer: by two interfaces, one of them twice, and by nobody knows which. */
static void what_came_by_each_interface_is_a_flow(void **state)
{
	const uint32_t came[] = { 2, 3, 2, ~0U };
	struct world *w = *state;
	struct np_sock_rec sock = udp_rec(1);
	struct found_flows found;
	struct np_part_key key;
	struct np_part part;
	unsigned int i;

	memset(sock.tuple.raddr, 0, sizeof(sock.tuple.raddr));
	sock.tuple.rport = 0;
	feed(w, &sock);
	for (i = 0; i < 4; i++) {
		make_part(&key, &part, &sock, 100, 0);
		memset(key.raddr, 0, sizeof(key.raddr));
		memcpy(key.raddr, &came[i], sizeof(came[i]));
		key.rport = key.family = 0;
		part.tuple.ifindex = came[i] == ~0U ? 0 : came[i];
		part.counts.rx_bytes = 10U << i;
		assert_int_equal(flow_table_part(w->flows, &key, &part, w->now), 0);
	}
	found = flows_of(w, 1);
	assert_int_equal(found.n, 4);
	for (i = 1; i < found.n; i++) {
		uint32_t ifindex = found.v[i]->tuple.ifindex;

		assert_memory_equal(found.v[i]->tuple.raddr, sock.tuple.raddr, 16);
		assert_int_equal(found.v[i]->counts.rx_bytes, ifindex == 2   ? 10 + 40
							      : ifindex == 3 ? 20
									     : 80);
	}
}

static void part_with_an_owner_that_is_not_its_keys_is_refused(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = tcp_rec(1);
	struct np_part_key key;
	struct np_part part;

	make_part(&key, &part, &sock, 101, 0);
	key.tgid = 102;
	assert_int_equal(flow_table_part(w->flows, &key, &part, w->now), -EINVAL);
}

static void end_of_a_socket_closes_its_parts(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = udp_rec(1);
	struct found_flows found;
	size_t i;

	feed_part(w, &sock, 200, 7, 1, 0); /* before the first record */
	feed(w, &sock);
	feed_part(w, &sock, 200, 8, 1, 0);
	feed_end(w, &sock);
	found = flows_of(w, 1);
	assert_int_equal(found.n, 3);
	for (i = 0; i < found.n; i++)
		assert_true(found.v[i]->closed);
	world_tick(w, SECOND);
	assert_int_equal(flow_table_count(w->flows), 3);
	world_tick(w, 10 * SECOND);
	assert_int_equal(flow_table_count(w->flows), 0);
}

static void part_after_its_sockets_end_counts_and_is_closed(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = udp_rec(1);
	struct found_flows found;

	feed_part(w, &sock, 200, 7, 1, 0);
	feed_end(w, &sock);
	feed_part(w, &sock, 200, 7, 10, 0);
	feed_part(w, &sock, 200, 8, 100, 0);
	world_tick(w, SECOND);
	found = flows_of(w, 1);
	assert_int_equal(found.n, 3);
	assert_int_equal(found.v[0]->counts.tx_bytes, 11);
	assert_true(found.v[2]->closed);
	assert_int_equal(flow_delta(found.v[2])->tx_bytes, 100);
}

static void parts_of_the_next_life_are_new_flows(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = tcp_rec(1);

	feed(w, &sock);
	feed_part(w, &sock, 101, 0, 10, 0);
	feed_end(w, &sock);
	w->now += SECOND;
	sock = tcp_rec(1);
	sock.opened_ns = sock.established_ns = w->now;
	feed(w, &sock);
	feed_part(w, &sock, 101, 0, 10, 0);
	assert_int_equal(flow_table_count(w->flows), 4);
}

static void part_without_a_socket_goes_after_the_grace_time(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = udp_rec(1);
	unsigned int i;

	feed_part(w, &sock, 200, 7, 10, 0);
	for (i = 0; i < 5; i++)
		world_tick(w, SECOND);
	assert_int_equal(flow_table_count(w->flows), 1);
	assert_false(flows_of(w, 1).v[0]->closed);
	for (i = 0; i < 25; i++)
		world_tick(w, SECOND);
	assert_int_equal(flow_table_count(w->flows), 0);
}

static void silent_peer_of_an_open_socket_goes_after_a_minute(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = udp_rec(1);
	unsigned int i;

	feed(w, &sock);
	feed_part(w, &sock, 200, 7, 10, 0);
	for (i = 0; i < 59; i++)
		world_tick(w, SECOND);
	assert_int_equal(flow_table_count(w->flows), 2);
	for (i = 0; i < 20; i++)
		world_tick(w, SECOND);
	assert_int_equal(flow_table_count(w->flows), 1);
	feed_part(w, &sock, 200, 7, 10, 0);
	assert_int_equal(flows_of(w, 1).v[1]->counts.tx_bytes, 10);
}

/* It was connected after it had sent: its peer is that of a part, and its own counts are none. */
static void socket_that_moved_nothing_itself_is_no_second_row_of_its_part(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = udp_rec(1);
	struct found_flows found;

	feed(w, &sock);
	feed_part(w, &sock, 200, 7, 100, 0);
	found = flows_of(w, 1);
	assert_false(flow_table_is_double(w->flows, found.v[0])); /* a row of nobody's peer */
	ipv4(sock.tuple.raddr, 7);
	sock.tuple.rport = 5000;
	feed(w, &sock);
	found = flows_of(w, 1);
	assert_int_equal(found.n, 2);
	assert_true(flow_table_is_double(w->flows, found.v[0]));
	assert_false(flow_table_is_double(w->flows, found.v[1]));
	sock.tuple.rport = 5001; /* another peer than the part's */
	feed(w, &sock);
	assert_false(flow_table_is_double(w->flows, flows_of(w, 1).v[0]));
	sock.tuple.rport = 5000;
	sock.counts.tx_bytes = 1;
	feed(w, &sock);
	assert_false(flow_table_is_double(w->flows, flows_of(w, 1).v[0]));
}

/* The peer was silent for a minute, and its part is over: the socket is open, and has an open row. */
static void open_socket_has_a_row_beside_a_part_that_is_over(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = udp_rec(1);
	struct found_flows found;
	unsigned int i;

	ipv4(sock.tuple.raddr, 7);
	sock.tuple.rport = 5000;
	feed(w, &sock);
	feed_part(w, &sock, 200, 7, 100, 0);
	found = flows_of(w, 1);
	assert_true(flow_table_is_double(w->flows, found.v[0]));
	for (i = 0; i < 100 && !found.v[1]->closed; i++) {
		world_tick(w, SECOND);
		found = flows_of(w, 1);
		assert_int_equal(found.n, 2);
	}
	assert_true(found.v[1]->closed);
	assert_false(found.v[0]->closed);
	assert_false(flow_table_is_double(w->flows, found.v[0]));
	feed_end(w, &sock);
	found = flows_of(w, 1);
	assert_true(found.v[0]->closed);
	assert_true(flow_table_is_double(w->flows, found.v[0]));
}

static void silent_peer_is_kept_open_where_all_are_kept(void **state)
{
	const struct flow_table_opts opts = { .keep_closed = true };
	struct np_sock_rec sock = udp_rec(1);
	struct found_flows found;
	struct world w;

	(void)state;
	world_open(&w, &opts);
	feed(&w, &sock);
	feed_part(&w, &sock, 200, 7, 100, 0);
	for (unsigned int i = 0; i < 200; i++)
		world_tick(&w, SECOND);
	feed_part(&w, &sock, 200, 7, 50, 0);
	found = flows_of(&w, 1);
	assert_int_equal(found.n, 2);
	assert_int_equal(found.v[1]->counts.tx_bytes, 150);
	assert_false(found.v[1]->closed);
	feed_end(&w, &sock);
	assert_true(found.v[1]->closed);
	world_close(&w);
}

static void closed_flow_stays_for_the_grace_time(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	rec.counts.tx_bytes = 10;
	feed_end(w, &rec);
	world_tick(w, SECOND);
	world_tick(w, 8 * SECOND);
	assert_int_equal(flow_table_count(w->flows), 1);
	world_tick(w, SECOND);
	assert_int_equal(flow_table_count(w->flows), 0);
	assert_int_equal(flow_table_dropped(w->flows), 0);
	process_table_scan(w->procs, w->now, UINT32_MAX);
	assert_int_equal(process_table_count(w->procs), 1); /* its row is still there */
}

static void very_many_closed_flows_stay_until_they_were_shown(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	rec.tuple.flags |= NP_F_DEAD;
	for (unsigned int i = 0; i < 20000; i++) {
		rec.sock_id = i + 1;
		rec.counts.tx_bytes = 10;
		feed(w, &rec);
	}
	world_tick(w, SECOND);
	assert_int_equal(flow_table_count(w->flows), 20000);
	/* the oldest go: what comes late of those is as old as the interval that is over */
	world_tick(w, 2 * SECOND);
	assert_int_equal(flow_table_count(w->flows), 16384);
	assert_null(flow_table_find(w->flows, 1));
	assert_non_null(flow_table_find(w->flows, 20000));
	world_tick(w, 12 * SECOND);
	assert_int_equal(flow_table_count(w->flows), 0);
	assert_int_equal(flow_table_dropped(w->flows), 0);
}

static void closed_flow_is_shown_once_however_short_the_grace(void **state)
{
	const struct flow_table_opts opts = { .grace_ns = 1 };
	struct np_sock_rec rec = tcp_rec(1);
	struct world w;

	(void)state;
	world_open(&w, &opts);
	rec.counts.tx_bytes = 10;
	feed_end(&w, &rec);
	world_tick(&w, SECOND);
	assert_int_equal(flow_table_count(w.flows), 1);
	assert_int_equal(flow_delta(flow_table_find(w.flows, 1))->tx_bytes, 10);
	world_tick(&w, SECOND);
	assert_int_equal(flow_table_count(w.flows), 0);
	world_close(&w);
}

static void kept_closed_flows_are_dropped_oldest_first_when_full(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 3, .keep_closed = true };
	struct np_sock_rec rec;
	struct world w;
	uint64_t id;

	(void)state;
	world_open(&w, &opts);
	for (id = 1; id <= 4; id++) {
		rec = tcp_rec(id);
		feed_end(&w, &rec);
		world_tick(&w, 60 * SECOND);
	}
	assert_int_equal(flow_table_count(w.flows), 3 + 1); /* and a sum */
	assert_int_equal(flow_table_dropped(w.flows), 1);
	assert_null(flow_table_find(w.flows, 1));
	assert_non_null(flow_table_find(w.flows, 4));
	world_close(&w);
}

static void table_full_of_open_flows_refuses_and_counts(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 2 };
	struct np_sock_rec rec;
	struct world w;

	(void)state;
	world_open(&w, &opts);
	rec = tcp_rec(1);
	feed(&w, &rec);
	rec = tcp_rec(2);
	feed(&w, &rec);
	rec = tcp_rec(3);
	assert_int_equal(flow_table_sock(w.flows, &rec, w.now), -ENOSPC);
	assert_int_equal(flow_table_dropped(w.flows), 1);
	assert_int_equal(flow_table_count(w.flows), 2);
	rec = tcp_rec(2);
	feed_end(&w, &rec);
	rec = tcp_rec(3);
	feed(&w, &rec);
	assert_null(flow_table_find(w.flows, 2));
	world_close(&w);
}

static void part_that_pushes_out_its_own_closed_socket_is_closed(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 1 };
	struct np_sock_rec sock = udp_rec(1);
	struct world w;

	(void)state;
	world_open(&w, &opts);
	feed_end(&w, &sock);
	feed_part(&w, &sock, 200, 7, 10, 0);
	assert_int_equal(flow_table_count(w.flows), 1);
	assert_true(flows_of(&w, 1).v[0]->part);
	assert_true(flows_of(&w, 1).v[0]->closed);
	world_close(&w);
}

static void idle_flow_gives_its_history_back(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct flow *f;
	unsigned int i;

	feed(w, &rec);
	world_tick(w, SECOND);
	f = flow_table_find(w->flows, 1);
	assert_null(f->recent);
	rec.counts.tx_bytes = 1000;
	feed(w, &rec);
	world_tick(w, SECOND);
	world_tick(w, SECOND);
	assert_non_null(f->recent);
	assert_int_equal(f->recent->history->count, 2);
	assert_true(f->recent->history->rate[0] == 1000.0f);
	assert_true(f->recent->history->rate[1] == 0);
	for (i = 0; i < FLOW_HISTORY; i++)
		world_tick(w, SECOND);
	assert_null(f->recent);
	assert_int_equal(f->counts.tx_bytes, 1000);
}

static void history_keeps_the_last_minute(void **state)
{
	struct history_budget budget = { .max = 4 };
	struct history *h, *second;
	unsigned int i;

	(void)state;
	h = history_new(&budget, true);
	assert_non_null(h);
	assert_null(history_new(&budget, true)); /* newcomers share a quarter */
	second = history_new(&budget, false);
	assert_non_null(second);
	for (i = 0; i < FLOW_HISTORY + 5; i++)
		history_push(h, (float)i);
	assert_int_equal(h->count, FLOW_HISTORY);
	assert_int_equal(h->next, 5);
	assert_true(h->rate[4] == (float)(FLOW_HISTORY + 4));
	history_push(NULL, 1);
	assert_null(history_free(&budget, h));
	assert_null(history_free(&budget, second));
	assert_int_equal(budget.used, 0);
}

static void sum_delta(const struct flow *f, const struct flow_delta *d, void *arg)
{
	uint64_t *sum = arg;

	(void)f;
	*sum += d->tx_bytes;
}

static void watcher_hears_every_byte_once(void **state)
{
	const struct flow_table_opts opts = { .max_flows = 8, .grace_ns = 1 };
	uint64_t sum = 0, fed = 0, id;
	struct flow_watch watch = { .fn = sum_delta, .arg = &sum };
	struct np_sock_rec rec;
	struct world w;

	(void)state;
	world_open(&w, &opts);
	flow_table_watch(w.flows, &watch);
	for (id = 1; id <= 100; id++) {
		rec = tcp_rec(id);
		rec.counts.tx_bytes = id;
		fed += id;
		feed_end(&w, &rec); /* most are pushed out before a tick saw them */
		if (id % 20 == 0)
			world_tick(&w, SECOND);
	}
	world_tick(&w, SECOND);
	assert_int_equal(sum, fed);
	flow_table_unwatch(w.flows, &watch);
	rec = tcp_rec(101);
	rec.counts.tx_bytes = 1;
	feed(&w, &rec);
	world_tick(&w, SECOND);
	assert_int_equal(sum, fed);
	world_close(&w);
}

static int count_flow(struct flow *f, void *arg)
{
	unsigned int *n = arg;

	(void)f;
	return ++*n == 3 ? 42 : 0;
}

static void each_visits_all_and_stops_when_told(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec;
	unsigned int n = 0, active = 0;
	uint64_t id;

	for (id = 1; id <= 5; id++) {
		rec = tcp_rec(id);
		rec.counts.tx_bytes = id == 4 ? 10 : 0;
		feed(w, &rec);
	}
	world_tick(w, SECOND);
	assert_int_equal(flow_table_each(w->flows, count_flow, &n), 42);
	assert_int_equal(n, 3);
	assert_int_equal(flow_table_each_active(w->flows, count_flow, &active), 0);
	assert_int_equal(active, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(parts_add_up),
		WORLD_TEST(parts_are_told_apart_by_owner_and_peer),
		WORLD_TEST(part_of_a_connected_socket_keeps_its_sockets_peer),
		WORLD_TEST(retransmits_of_a_part_are_its_owners),
		WORLD_TEST(what_came_by_each_interface_is_a_flow),
		WORLD_TEST(part_with_an_owner_that_is_not_its_keys_is_refused),
		WORLD_TEST(end_of_a_socket_closes_its_parts),
		WORLD_TEST(part_after_its_sockets_end_counts_and_is_closed),
		WORLD_TEST(parts_of_the_next_life_are_new_flows),
		WORLD_TEST(part_without_a_socket_goes_after_the_grace_time),
		WORLD_TEST(silent_peer_of_an_open_socket_goes_after_a_minute),
		WORLD_TEST(socket_that_moved_nothing_itself_is_no_second_row_of_its_part),
		WORLD_TEST(open_socket_has_a_row_beside_a_part_that_is_over),
		cmocka_unit_test(silent_peer_is_kept_open_where_all_are_kept),
		WORLD_TEST(closed_flow_stays_for_the_grace_time),
		WORLD_TEST(very_many_closed_flows_stay_until_they_were_shown),
		cmocka_unit_test(closed_flow_is_shown_once_however_short_the_grace),
		cmocka_unit_test(kept_closed_flows_are_dropped_oldest_first_when_full),
		cmocka_unit_test(table_full_of_open_flows_refuses_and_counts),
		cmocka_unit_test(part_that_pushes_out_its_own_closed_socket_is_closed),
		WORLD_TEST(idle_flow_gives_its_history_back),
		cmocka_unit_test(history_keeps_the_last_minute),
		cmocka_unit_test(watcher_hears_every_byte_once),
		WORLD_TEST(each_visits_all_and_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
