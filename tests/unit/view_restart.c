/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of rows begin anew, in every view and every drill, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/beside.h"
#include "flow/group.h"
#include "view_make.h"

static void restart(struct world *w)
{
	assert_int_equal(viewer_restart(w->viewer), 0);
}

/* Rows of each view, and what is not kept any more, are the total, which is tx and rx. */
static void assert_sums(struct world *w, struct view_query q, uint64_t tx, uint64_t rx)
{
	for (uint8_t kind = 0; kind < NETPROBE_VIEW_MAX; kind++) {
		uint64_t sum_tx, sum_rx;
		struct view view;

		if (kind == NETPROBE_VIEW_LISTEN) /* nothing listens here */
			continue;
		q.kind = kind;
		q.idle = true;
		view = ask(w, q);
		sum_tx = q.proc ? 0 : view.gone_tx_bytes;
		sum_rx = q.proc ? 0 : view.gone_rx_bytes;
		for (size_t i = 0; i < view.n_rows; i++) {
			sum_tx += view.rows[i].tx_bytes;
			sum_rx += view.rows[i].rx_bytes;
		}
		assert_int_equal(sum_tx, tx);
		assert_int_equal(sum_rx, rx);
		if (!q.proc) {
			assert_int_equal(view.tx_bytes, tx);
			assert_int_equal(view.rx_bytes, rx);
		}
		view_done(&view);
	}
}

static void feed_more(struct world *w)
{
	struct np_sock_rec rec = tcp_rec(1);

	rec.counts.tx_bytes = 1500; /* 500 more */
	feed(w, &rec);
	rec = tcp_rec(3);
	rec.counts.rx_bytes = 9100; /* 100 more */
	rec.owner = rec.last = owner(101, "nginx");
	(void)strcpy(rec.tuple.ifname, "lo");
	rec.tuple.ifindex = 1;
	feed(w, &rec);
	rec = tcp_rec(4);
	rec.counts.tx_bytes = 7; /* was not there before */
	feed(w, &rec);
}

static void sums_begin_anew_in_all_views(void **state)
{
	struct world *w = *state;

	make_traffic(w);
	assert_sums(w, (struct view_query){ 0 }, 1200, 9050);
	restart(w);
	assert_sums(w, (struct view_query){ 0 }, 0, 0);
	feed_more(w);
	world_tick(w, SECOND);
	assert_sums(w, (struct view_query){ 0 }, 507, 100);
	restart(w);
	assert_sums(w, (struct view_query){ 0 }, 0, 0);
}

static const struct process *process_of(struct world *w, const char *name)
{
	struct view view =
		ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS, .idle = true });
	const struct process *p = row_called(&view, name)->proc;

	view_done(&view);
	return p;
}

static void so_do_those_of_a_drill(void **state)
{
	struct world *w = *state;

	make_traffic(w);
	restart(w);
	feed_more(w);
	world_tick(w, SECOND);
	assert_sums(w, (struct view_query){ .proc = process_of(w, "curl") }, 507, 0);
	assert_sums(w, (struct view_query){ .proc = process_of(w, "nginx") }, 0, 100);
}

/* Records between two ticks are of the interval under way: they count for what comes after. */
static void what_came_since_the_tick_is_not_lost(void **state)
{
	struct world *w = *state;

	make_traffic(w);
	feed_more(w);
	restart(w);
	assert_sums(w, (struct view_query){ 0 }, 0, 0);
	world_tick(w, SECOND);
	assert_sums(w, (struct view_query){ 0 }, 507, 100);
}

/* What a process moved before is not in the row of those that ended, when it ends later. */
static void processes_that_end_take_their_past_with_them(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	make_traffic(w);
	restart(w);
	rec.counts.tx_bytes = 1300;
	feed_end(w, &rec);
	rec = tcp_rec(2);
	rec.counts.tx_bytes = 200;
	rec.counts.rx_bytes = 50;
	feed_end(w, &rec);
	world_tick(w, SECOND);
	assert_sums(w, (struct view_query){ 0 }, 300, 0);
	(void)process_table_scan(w->procs, w->now, 100);
	for (int i = 0; i < 40; i++)
		world_tick(w, SECOND);
	assert_sums(w, (struct view_query){ 0 }, 300, 0);
}

static void retransmits_and_their_causes_begin_anew(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(9);
	struct view view;

	rec.counts.tx_bytes = 100;
	rec.counts.retrans = 5;
	rec.tcp.rtx_cause[NP_RTX_TIMEOUT] = 5;
	feed(w, &rec);
	world_tick(w, SECOND);
	restart(w);
	rec.counts.tx_bytes = 150;
	rec.counts.retrans = 7;
	rec.tcp.rtx_cause[NP_RTX_TIMEOUT] = 7;
	feed(w, &rec);
	world_tick(w, SECOND);
	for (uint8_t kind = 0; kind < NETPROBE_VIEW_MAX; kind++) {
		if (kind == NETPROBE_VIEW_LISTEN) /* nothing listens here */
			continue;
		view = ask(w, (struct view_query){ .kind = kind, .sort = NETPROBE_SORT_RETRANS });
		assert_int_equal(view.n_rows, 1);
		assert_int_equal(view.rows[0].retrans, 2);
		assert_int_equal(view.rows[0].trouble.rtx[NP_RTX_TIMEOUT], 2);
		assert_int_equal(view.retrans, 2);
		view_done(&view);
	}
}

/* The row of a socket's new owner is another one: what the socket met before is not in it either. */
static void trouble_of_before_is_not_the_next_owners(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(9);
	struct view view;

	rec.counts.tx_bytes = 100;
	rec.counts.retrans = 5;
	rec.tcp.rtx_cause[NP_RTX_TIMEOUT] = 5;
	rec.tcp.rtx_spurious = 2;
	rec.stall_ns = SECOND;
	feed(w, &rec);
	world_tick(w, SECOND);
	restart(w);
	rec.owner = rec.last = owner(101, "nginx");
	rec.counts.tx_bytes = 150;
	rec.counts.retrans = 6;
	rec.tcp.rtx_cause[NP_RTX_TIMEOUT] = 6;
	feed(w, &rec);
	world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION });
	assert_int_equal(view.n_rows, 1); /* the former owner's moved nothing since */
	assert_int_equal(view.rows[0].retrans, 1);
	assert_int_equal(view.rows[0].trouble.rtx[NP_RTX_TIMEOUT], 1);
	assert_int_equal(view.rows[0].trouble.spurious, 0);
	assert_int_equal(view.rows[0].trouble.stall_ns, 0);
	view_done(&view);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_REMOTE,
					   .proc = process_of(w, "nginx") });
	assert_int_equal(view.n_rows, 1);
	assert_int_equal(view.rows[0].trouble.rtx[NP_RTX_TIMEOUT], 1);
	assert_int_equal(view.rows[0].trouble.stall_ns, 0);
	view_done(&view);
}

static void bytes_of_no_socket_begin_anew(void **state)
{
	struct world *w = *state;
	struct np_tuple where = { .netns = 4026531840u, .ifname = "eth0" };
	struct view view;

	make_traffic(w);
	viewer_unowned_begin(w->viewer, 1);
	viewer_unowned(w->viewer, &where, 1, 5000, 0);
	restart(w);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_INTERFACE, .idle = true });
	assert_int_equal(row_called(&view, "eth0 unowned")->tx_bytes, 0);
	view_done(&view);
	viewer_unowned(w->viewer, &where, 1, 30, 4);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_INTERFACE });
	assert_int_equal(row_called(&view, "eth0 unowned")->tx_bytes, 30);
	view_done(&view);
}

/* Interfaces have a row where they moved packets, or idle ones are asked for; by number or by name there is one. */
static void interfaces_without_sockets_have_rows(void **state)
{
	struct world *w = *state;
	struct nic *n;
	struct view view;

	make_traffic(w);
	viewer_nics_begin(w->viewer);
	n = viewer_nic(w->viewer, 4026531840u, 2, "eth0");
	nic_set(n, NETPROBE_TX, &(struct nic_counts){ .packets = 7 });
	n = viewer_nic(w->viewer, 4026531840u, 9, "eth9");
	nic_set(n, NETPROBE_RX, &(struct nic_counts){ 600, 4, 2, 1 });
	(void)viewer_nic(w->viewer, 4026531840u, 10, "eth10");
	viewer_nics_end(w->viewer);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_INTERFACE });
	assert_int_equal(view.n_rows, 3); /* eth0, lo, eth9 */
	assert_int_equal(nic_counts(row_called(&view, "eth0")->nic, NETPROBE_TX).packets, 7);
	assert_null(row_called(&view, "lo")->nic);
	assert_int_equal(nic_counts(row_called(&view, "eth9")->nic, NETPROBE_RX).errors, 2);
	assert_null(row_called(&view, "eth10"));
	view_done(&view);
	assert_sums(w, (struct view_query){ 0 }, 1200, 9050);
	restart(w);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_INTERFACE, .idle = true });
	assert_int_equal(view.n_rows, 4);
	assert_int_equal(nic_counts(row_called(&view, "eth9")->nic, NETPROBE_RX).packets, 0);
	view_done(&view);
	viewer_nics_begin(w->viewer);
	viewer_nics_end(w->viewer);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_INTERFACE, .idle = true });
	assert_int_equal(view.n_rows, 2);
	view_done(&view);
}

/* A driver that is loaded anew counts from 0: what it counted before is not taken off that. */
static void interfaces_that_count_anew_lose_nothing(void **state)
{
	struct world *w = *state;
	struct nic *n = viewer_nic(w->viewer, 4026531840u, 9, "eth9");

	nic_set(n, NETPROBE_RX, &(struct nic_counts){ 60000, 400, 2, 1 });
	restart(w);
	assert_int_equal(nic_counts(n, NETPROBE_RX).bytes, 0);
	nic_set(n, NETPROBE_RX, &(struct nic_counts){ 60500, 405, 3, 1 });
	assert_int_equal(nic_counts(n, NETPROBE_RX).bytes, 500);
	assert_int_equal(nic_counts(n, NETPROBE_RX).errors, 1);
	nic_set(n, NETPROBE_RX, &(struct nic_counts){ 700, 7, 0, 0 });
	assert_int_equal(nic_counts(n, NETPROBE_RX).bytes, 700);
	assert_int_equal(nic_counts(n, NETPROBE_RX).packets, 7);
	assert_int_equal(nic_counts(n, NETPROBE_RX).errors, 0);
	nic_set(n, NETPROBE_RX, &(struct nic_counts){ 900, 9, 0, 0 });
	assert_int_equal(nic_counts(n, NETPROBE_RX).bytes, 900);
}

/* Of a process, or a cgroup, that has the place of another one in memory nothing is taken off. */
static void drops_begin_anew(void **state)
{
	struct world *w = *state;
	struct cgroup place = { .id = 7 };
	struct dropped *d = dropped_new();
	struct process other;
	struct view view;

	make_traffic(w);
	assert_int_equal(dropped_add(d, process_of(w, "curl"), 0, NULL, 10), 0);
	viewer_set_dropped(w->viewer, d);
	restart(w);
	dropped_clear(d);
	assert_int_equal(dropped_add(d, process_of(w, "curl"), 0, NULL, 13), 0);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS, .idle = true });
	assert_true(row_called(&view, "curl")->has_drops);
	assert_int_equal(row_called(&view, "curl")->drops, 3);
	other = *row_called(&view, "curl")->proc;
	view_done(&view);
	dropped_clear(d);
	assert_int_equal(dropped_add(d, &other, 0, NULL, 13), 0);
	other.start_ns++;
	{
		struct group_key key;
		uint64_t packets = 1;

		memset(&key, 0, sizeof(key));
		key.kind = GROUP_PROCESS;
		key.proc = &other;
		assert_true(dropped_find(d, &key, &packets));
		assert_int_equal(packets, 0);
		/* nor of its cgroup */
		other.cgroup = &place;
		dropped_clear(d);
		assert_int_equal(dropped_add(d, &other, 0, NULL, 13), 0);
		memset(&key, 0, sizeof(key));
		key.kind = GROUP_CONTAINER;
		key.cgroup = &place;
		assert_true(dropped_find(d, &key, &packets));
		assert_int_equal(packets, 13);
		place.id++;
		assert_true(dropped_find(d, &key, &packets));
		assert_int_equal(packets, 0);
	}
	viewer_set_dropped(w->viewer, NULL);
	(void)dropped_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(sums_begin_anew_in_all_views),
		WORLD_TEST(so_do_those_of_a_drill),
		WORLD_TEST(what_came_since_the_tick_is_not_lost),
		WORLD_TEST(processes_that_end_take_their_past_with_them),
		WORLD_TEST(retransmits_and_their_causes_begin_anew),
		WORLD_TEST(trouble_of_before_is_not_the_next_owners),
		WORLD_TEST(bytes_of_no_socket_begin_anew),
		WORLD_TEST(drops_begin_anew),
		WORLD_TEST(interfaces_that_count_anew_lose_nothing),
		WORLD_TEST(interfaces_without_sockets_have_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
