/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of `top`: sums that add up, order, filters, drilling down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "api/fields.h"
#include "api/fill.h"
#include "flow/group.h"
#include "flow/rank.h"
#include "flow/row.h"
#include "view_make.h"

static void assert_adds_up(struct world *w, uint64_t tx_bytes, uint64_t rx_bytes)
{
	uint8_t kind;

	for (kind = 0; kind < NETPROBE_VIEW_LISTEN; kind++) {
		struct view view = ask(w, (struct view_query){ .kind = kind });
		uint64_t tx = view.gone_tx_bytes, rx = view.gone_rx_bytes;
		size_t i;

		for (i = 0; i < view.n_rows; i++) {
			tx += view.rows[i].tx_bytes;
			rx += view.rows[i].rx_bytes;
		}
		assert_int_equal(tx, tx_bytes);
		assert_int_equal(rx, rx_bytes);
		assert_int_equal(view.tx_bytes, tx_bytes);
		assert_int_equal(view.rx_bytes, rx_bytes);
		view_done(&view);
	}
}

static void process_rows_sum_their_connections(void **state)
{
	struct world *w = *state;
	const struct view_row *curl, *nginx;
	struct view view;

	make_traffic(w);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS,
					   .sort = NETPROBE_SORT_RATE });
	assert_int_equal(view.n_rows, 2);
	nginx = &view.rows[0];
	curl = &view.rows[1];
	assert_string_equal(nginx->name, "nginx");
	assert_int_equal(nginx->proc->tgid, 101);
	assert_int_equal(nginx->rx_bytes, 9000);
	assert_int_equal(curl->tx_bytes, 1200);
	assert_int_equal(curl->conns, 2);
	assert_int_equal(curl->retrans, 2);
	assert_int_equal(curl->rtt_us, 100);
	assert_true(curl->tx_rate == 1200.0f);
	assert_non_null(curl->history);
	assert_int_equal(view.conns, 3);
	assert_int_equal(view.processes, 2);
	assert_int_equal(view.retrans, 2);
	view_done(&view);
}

static void listening_sockets_are_no_connections(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1), listener = tcp_rec(2);
	struct view view;

	rec.counts.tx_bytes = 1000;
	feed(w, &rec);
	memset(listener.tuple.raddr, 0, 16);
	listener.tuple.rport = 0;
	listener.tuple.state = TCP_LISTEN;
	feed(w, &listener);
	world_tick(w, SECOND);
	for (uint8_t kind = 0; kind < NETPROBE_VIEW_LISTEN; kind++) {
		uint32_t sum = 0;

		view = ask(w, (struct view_query){ .kind = kind, .idle = true });
		for (size_t i = 0; i < view.n_rows; i++)
			sum += view.rows[i].conns;
		assert_int_equal(sum, 1);
		assert_int_equal(view.conns, 1);
		view_done(&view);
	}
}

/* As a list of drops asks for owners that are long gone. */
static void a_process_that_was_only_asked_for_is_not_counted(void **state)
{
	struct world *w = *state;
	struct np_owner gone = owner(300, "gone");
	struct view view;

	make_traffic(w);
	process_unref(w->procs, process_table_get(w->procs, &gone, w->now));
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	assert_int_equal(view.processes, 2);
	view_done(&view);
}

static void every_view_adds_up_to_the_total(void **state)
{
	struct world *w = *state;

	make_traffic(w);
	assert_adds_up(w, 1200, 9050);
}

static void every_view_adds_up_between_two_ticks(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);

	make_traffic(w);
	rec.counts.tx_bytes = 5000;
	feed(w, &rec);
	assert_adds_up(w, 1200, 9050);
	world_tick(w, SECOND);
	assert_adds_up(w, 5200, 9050);
}

static void totals_outlive_flows_and_processes(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(7);
	struct view view;
	unsigned int i;

	make_traffic(w);
	rec.owner = rec.last = owner(999, "short");
	rec.counts.tx_bytes = 12345;
	feed_end(w, &rec);
	for (i = 0; i < 30; i++)
		world_tick(w, SECOND);
	assert_null(flow_table_find(w->flows, 7));
	assert_adds_up(w, 1200 + 12345, 9050);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_INTERFACE });
	assert_int_equal(row_called(&view, "eth0")->tx_bytes, 1200 + 12345);
	view_done(&view);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION });
	assert_int_equal(view.gone_tx_bytes, 12345);
	view_done(&view);
}

static void ended_process_leaves_its_row_after_the_grace_time(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(7);
	const struct view_row *row;
	struct process *p;
	struct view view;
	unsigned int i;

	rec.owner = rec.last = owner(999, "short");
	rec.counts.tx_bytes = 500;
	feed_end(w, &rec);
	world_tick(w, SECOND);
	/* as a scan finds it */
	p = flow_table_find(w->flows, 7)->owner;
	p->exited = true;
	p->exited_ns = w->now;
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	row = row_called(&view, "short");
	assert_true(row && row->exited);
	view_done(&view);
	for (i = 0; i < 12; i++)
		world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	assert_null(row_called(&view, "short"));
	row = row_called(&view, "ended processes");
	assert_true(row && row->rest && !row->proc);
	assert_int_equal(row->tx_bytes, 500);
	view_done(&view);
	process_table_scan(w->procs, w->now, UINT32_MAX);
	assert_int_equal(process_table_count(w->procs), 0);
	assert_adds_up(w, 500, 0);
}

static void synack_retransmits_are_the_last_users(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct view view;

	rec.tuple.flags = NP_F_LISTEN;
	rec.last = owner(101, "nginx");
	rec.tcp.synack_retrans = 4;
	feed(w, &rec);
	world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	assert_int_equal(view.n_rows, 1);
	assert_string_equal(view.rows[0].name, "nginx");
	assert_int_equal(view.rows[0].retrans, 4);
	view_done(&view);
}

static void loopback_is_told_apart_by_namespace(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1);
	struct view view;

	(void)strcpy(rec.tuple.ifname, "lo");
	rec.tuple.ifindex = 1;
	rec.counts.tx_bytes = 1;
	feed(w, &rec);
	rec.sock_id = 2;
	rec.tuple.netns = 17;
	feed(w, &rec);
	rec.sock_id = 3;
	memset(rec.tuple.ifname, 0, sizeof(rec.tuple.ifname));
	rec.tuple.ifindex = 0;
	feed(w, &rec);
	world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_INTERFACE,
					   .sort = NETPROBE_SORT_NAME });
	assert_int_equal(view.n_rows, 3);
	assert_string_equal(view.rows[0].name, "?");
	assert_string_equal(view.rows[1].name, "lo");
	assert_string_equal(view.rows[2].name, "lo");
	assert_int_equal(view.rows[1].netns, 17);
	assert_true(view.rows[1].key != view.rows[2].key);
	view_done(&view);
}

/* A new name is no other interface, and another interface of the same name is no old one. */
static void interface_rows_are_numbers_with_their_latest_name(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(1), other = tcp_rec(2);
	struct view view;

	rec.counts.tx_bytes = 100;
	feed(w, &rec);
	world_tick(w, SECOND);
	rec.counts.tx_bytes = 150;
	(void)strcpy(rec.tuple.ifname, "wan");
	feed(w, &rec);
	other.counts.tx_bytes = 7;
	other.tuple.ifindex = 3; /* eth0 now */
	feed(w, &other);
	world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_INTERFACE });
	assert_int_equal(view.n_rows, 2);
	assert_int_equal(row_called(&view, "wan")->tx_bytes, 150);
	assert_int_equal(row_called(&view, "eth0")->tx_bytes, 7);
	view_done(&view);
}

static void container_rows_name_host_and_unknown(void **state)
{
	struct world *w = *state;
	static struct cgroup root = { .id = 1, .path = (char *)"/" };
	static struct cgroup gone = { .id = 4711 };
	char name[64];
	struct group_key key = { .kind = GROUP_CONTAINER };
	struct np_sock_rec rec = tcp_rec(1);
	struct view view;

	row_name_group(name, sizeof(name), &key);
	assert_string_equal(name, "unknown");
	key.cgroup = &gone;
	row_name_group(name, sizeof(name), &key);
	assert_string_equal(name, "cgroup 4711");
	rec.counts.tx_bytes = 5;
	feed(w, &rec);
	flow_table_find(w->flows, 1)->owner->cgroup = &root;
	world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_CONTAINER });
	assert_string_equal(view.rows[0].name, "host");
	assert_ptr_equal(view.rows[0].cgroup, &root);
	view_done(&view);
}

static void peers_of_an_unconnected_socket_are_remote_rows(void **state)
{
	struct world *w = *state;
	struct np_sock_rec sock = udp_rec(1);
	struct view view;

	feed(w, &sock);
	feed_part(w, &sock, 200, 7, 100, 0);
	feed_part(w, &sock, 200, 8, 10, 0);
	world_tick(w, SECOND);
	view = ask(w,
		   (struct view_query){ .kind = NETPROBE_VIEW_REMOTE, .sort = NETPROBE_SORT_TX });
	assert_int_equal(view.n_rows, 2);
	assert_string_equal(view.rows[0].name, "10.0.0.7");
	assert_int_equal(view.rows[0].conns, 1);
	assert_int_equal(view.conns, 1);
	view_done(&view);
}

static void forgotten_hosts_go_into_one_row(void **state)
{
	struct groups gs;
	struct process_table *procs = process_table_new("/nonexistent", NULL);
	struct np_owner o = owner(1, "x");
	struct flow f = { .sock_id = 1 };
	uint64_t sum = 0;
	struct group *g;
	uint8_t i;

	(void)state;
	f.owner = f.last = process_table_get(procs, &o, START);
	assert_int_equal(groups_init(&gs, procs), 0);
	gs.max = 10;
	for (i = 1; i <= 30; i++) {
		const struct flow_delta d = { .tx_bytes = i };

		ipv4(f.tuple.raddr, i == 15 || i == 25 ? 1 : i); /* 1 stays in use */
		groups_add(&gs, &f, &d);
	}
	assert_int_equal(gs.sets[GROUP_REMOTE].groups.count, 10);
	for (g = gs.sets[GROUP_REMOTE].newest; g; g = g->older)
		sum += g->sums.tx_bytes;
	assert_int_equal(sum + gs.sets[GROUP_REMOTE].rest.tx_bytes, 30 * 31 / 2);
	assert_int_equal(gs.total.tx_bytes, 30 * 31 / 2);
	groups_done(&gs);
	process_unref(procs, f.owner);
	(void)process_table_free(procs);
}

static bool matches(const struct view_row *row, void *arg)
{
	struct api_row x;

	api_row_fill(&x, row, true, 1, 0);
	return expr_match(arg, &(struct fields_record){ .row = &x.row, .flow = x.row.flow });
}

static struct view ask_matching(struct world *w, uint8_t kind, const char *match)
{
	struct view_query q = { .kind = kind, .match = matches };
	struct expr *expr = NULL;
	struct view view;

	assert_int_equal(expr_new(match, fields_about(kind), &expr, NULL), 0);
	q.match_arg = expr;
	view = ask(w, q);
	(void)expr_free(expr);
	return view;
}

static void filter_looks_into_what_a_row_is_about(void **state)
{
	static const struct {
		uint8_t kind;
		const char *match;
		size_t n;
	} cases[] = {
		{ NETPROBE_VIEW_CONNECTION, "NGINX", 1 },
		{ NETPROBE_VIEW_CONNECTION, "10.0.0.3", 1 },
		{ NETPROBE_VIEW_CONNECTION, ":443", 3 },
		{ NETPROBE_VIEW_CONNECTION, "lo", 1 },
		{ NETPROBE_VIEW_CONNECTION, "101", 1 },
		{ NETPROBE_VIEW_CONNECTION, "nothing", 0 },
		{ NETPROBE_VIEW_PROCESS, "cur", 1 },
		{ NETPROBE_VIEW_CONNECTION, "port:443 raddr=10.0.0.3", 1 },
		{ NETPROBE_VIEW_CONNECTION, "pid=101 or comm=curl", 3 },
		{ NETPROBE_VIEW_CONNECTION, "rport!=443", 0 },
		{ NETPROBE_VIEW_PROCESS, "tx_bytes>=1kB", 1 },
		{ NETPROBE_VIEW_REMOTE, "raddr=10.0.0.0/8 rx_bytes>1kB", 1 },
		{ NETPROBE_VIEW_INTERFACE, "iface=lo", 1 },
		{ NETPROBE_VIEW_PROCESS, "100", 1 },
		{ NETPROBE_VIEW_REMOTE, "0.0.3", 1 },
		{ NETPROBE_VIEW_INTERFACE, "ETH", 1 },
		{ NETPROBE_VIEW_CONTAINER, "unknown", 1 },
		{ NETPROBE_VIEW_PROCESS, "container.pod=null container.namespace=null", 2 },
		{ NETPROBE_VIEW_PROCESS, "container.pod=x or container.namespace=x", 0 },
	};
	struct world *w = *state;
	struct view view;
	size_t i;

	make_traffic(w);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		view = ask_matching(w, cases[i].kind, cases[i].match);
		if (view.n_total != cases[i].n)
			fail_msg("%s: %zu rows", cases[i].match, view.n_total);
		view_done(&view);
	}
}

static void filter_finds_containers_by_id_and_path(void **state)
{
	struct world *w = *state;
	static struct cgroup c = { .id = 5,
				   .path = (char *)"/docker/abcdef",
				   .container_id = (char *)"abcdef",
				   .runtime = "docker" };
	struct np_sock_rec rec = tcp_rec(1);
	struct view view;
	uint8_t kind;

	rec.counts.tx_bytes = 1;
	feed(w, &rec);
	flow_table_find(w->flows, 1)->owner->cgroup = &c;
	world_tick(w, SECOND);
	for (kind = NETPROBE_VIEW_PROCESS; kind <= NETPROBE_VIEW_CONTAINER; kind++) {
		view = ask_matching(w, kind, "BCD");
		assert_int_equal(view.n_total, 1);
		view_done(&view);
	}
}

static void limit_keeps_the_first_rows_and_counts_all(void **state)
{
	struct world *w = *state;
	struct view view;

	make_traffic(w);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION,
					   .sort = NETPROBE_SORT_TOTAL,
					   .limit = 2 });
	assert_int_equal(view.n_rows, 2);
	assert_int_equal(view.n_total, 3);
	assert_int_equal(view.rows[0].rx_bytes, 9000);
	assert_int_equal(view.rows[1].tx_bytes, 1000);
	view_done(&view);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION,
					   .sort = NETPROBE_SORT_TOTAL,
					   .limit = 1,
					   .reverse = true });
	assert_int_equal(view.rows[0].tx_bytes, 200);
	view_done(&view);
}

static void rows_sort_by_each_column(void **state)
{
	static const uint64_t first[NETPROBE_SORT_MAX] = {
		[NETPROBE_SORT_TX] = 1,		 [NETPROBE_SORT_RX] = 3,
		[NETPROBE_SORT_RATE] = 3,	 [NETPROBE_SORT_TOTAL] = 3,
		[NETPROBE_SORT_CONNECTIONS] = 1, [NETPROBE_SORT_RTT] = 2,
		[NETPROBE_SORT_RETRANS] = 2,	 [NETPROBE_SORT_NAME] = 1,
		[NETPROBE_SORT_STALL] = 1,
	};
	struct world *w = *state;
	struct view view;
	uint8_t sort;

	make_traffic(w);
	for (sort = 0; sort < NETPROBE_SORT_MAX; sort++) {
		view = ask(w,
			   (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION, .sort = sort });
		assert_int_equal(view.rows[0].flow->sock_id, first[sort]);
		view_done(&view);
	}
}

static void drilling_down_keeps_only_the_wanted_flows(void **state)
{
	struct world *w = *state;
	const struct process *curl;
	uint8_t addr[16];
	struct view view;

	make_traffic(w);
	curl = flow_table_find(w->flows, 1)->owner;
	ipv4(addr, 3);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_REMOTE,
					   .proc = curl,
					   .sort = NETPROBE_SORT_TX });
	assert_int_equal(view.n_rows, 2);
	assert_int_equal(view.rows[0].tx_bytes, 1000);
	assert_int_equal(view.rows[1].conns, 1);
	assert_true(view.rows[1].tx_rate == 200.0f);
	view_done(&view);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION, .remote = addr });
	assert_int_equal(view.n_rows, 1);
	assert_int_equal(view.rows[0].flow->sock_id, 2);
	view_done(&view);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS, .iface = "lo" });
	assert_int_equal(view.n_rows, 1);
	assert_string_equal(view.rows[0].name, "nginx");
	assert_int_equal(view.tx_bytes, 1200); /* the header stays that of all */
	view_done(&view);
}

static void row_has_the_same_key_drilled_or_not(void **state)
{
	struct world *w = *state;
	struct view whole, drilled;

	make_traffic(w);
	whole = ask_matching(w, NETPROBE_VIEW_PROCESS, "nginx");
	drilled = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS, .iface = "lo" });
	assert_true(whole.rows[0].key == drilled.rows[0].key);
	view_done(&whole);
	view_done(&drilled);
}

static void silent_sockets_show_only_when_asked_for(void **state)
{
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(9);
	struct view view;
	uint8_t kind;

	rec.tcp.segs_out = 2;
	feed(w, &rec);
	world_tick(w, SECOND);
	for (kind = 0; kind < NETPROBE_VIEW_LISTEN; kind++) {
		view = ask(w, (struct view_query){ .kind = kind });
		assert_int_equal(view.n_rows, 0);
		view_done(&view);
		view = ask(w, (struct view_query){ .kind = kind, .idle = true });
		assert_int_equal(view.n_rows, 1);
		assert_int_equal(view.rows[0].conns, 1);
		view_done(&view);
	}
}

static void connection_names_fit_the_longest_addresses(void **state)
{
	struct flow f = { .tuple = { .lport = 65535, .rport = 65535 } };
	char name[sizeof(((struct view_row *)0)->name)];

	(void)state;
	memset(f.tuple.laddr, 0xfd, 16);
	memset(f.tuple.raddr, 0xfe, 16);
	row_name_flow(name, sizeof(name), &f);
	assert_string_equal(name, "[fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd]:65535 > "
				  "[fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe]:65535");
	memset(&f.tuple, 0, sizeof(f.tuple));
	f.tuple.lport = 80;
	row_name_flow(name, sizeof(name), &f);
	assert_string_equal(name, "*:80 > *");
}

static void wrong_query_is_refused(void **state)
{
	struct world *w = *state;
	struct view view;

	assert_int_equal(viewer_query(w->viewer, &(struct view_query){ .kind = NETPROBE_VIEW_MAX },
				      &view),
			 -EINVAL);
	assert_int_equal(viewer_query(w->viewer, &(struct view_query){ .sort = NETPROBE_SORT_MAX },
				      &view),
			 -EINVAL);
}

static int compare_u32(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int tie_by_place(const void *a, const void *b)
{
	return (a > b) - (a < b);
}

static void selection_equals_sorting(void **state)
{
	enum { N = 300 };
	const struct rank_order order = { .tie = tie_by_place };
	uint32_t v[N], sorted[N];
	struct ranked all[N], some[N];
	size_t n, i, limit;

	(void)state;
	srand(1);
	for (n = 1; n <= N; n += 7) {
		for (i = 0; i < n; i++) {
			v[i] = sorted[i] = (uint32_t)rand() % (uint32_t)n / 2;
			all[i] = some[i] = (struct ranked){ v[i], &v[i] };
		}
		qsort(sorted, n, sizeof(*sorted), compare_u32);
		limit = 1 + n / 3;
		assert_int_equal(rank_select(all, n, 0, &order), n);
		assert_int_equal(rank_select(some, n, limit, &order), limit);
		assert_memory_equal(all, some, limit * sizeof(*all));
		assert_true(all[0].rank == sorted[n - 1]);
		assert_int_equal(rank_median(v, n), sorted[(n - 1) / 2]);
	}
	assert_int_equal(rank_median(v, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(process_rows_sum_their_connections),
		WORLD_TEST(listening_sockets_are_no_connections),
		WORLD_TEST(a_process_that_was_only_asked_for_is_not_counted),
		WORLD_TEST(every_view_adds_up_to_the_total),
		WORLD_TEST(every_view_adds_up_between_two_ticks),
		WORLD_TEST(totals_outlive_flows_and_processes),
		WORLD_TEST(ended_process_leaves_its_row_after_the_grace_time),
		WORLD_TEST(synack_retransmits_are_the_last_users),
		WORLD_TEST(loopback_is_told_apart_by_namespace),
		WORLD_TEST(interface_rows_are_numbers_with_their_latest_name),
		WORLD_TEST(container_rows_name_host_and_unknown),
		WORLD_TEST(peers_of_an_unconnected_socket_are_remote_rows),
		cmocka_unit_test(forgotten_hosts_go_into_one_row),
		WORLD_TEST(filter_looks_into_what_a_row_is_about),
		WORLD_TEST(filter_finds_containers_by_id_and_path),
		WORLD_TEST(limit_keeps_the_first_rows_and_counts_all),
		WORLD_TEST(rows_sort_by_each_column),
		WORLD_TEST(drilling_down_keeps_only_the_wanted_flows),
		WORLD_TEST(row_has_the_same_key_drilled_or_not),
		WORLD_TEST(silent_sockets_show_only_when_asked_for),
		cmocka_unit_test(connection_names_fit_the_longest_addresses),
		WORLD_TEST(wrong_query_is_refused),
		cmocka_unit_test(selection_equals_sorting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
