/* SPDX-License-Identifier: BSD-2-Clause */
/* Views count what they list and what they do not; groups of groups; what stays inside the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/group.h"
#include "flow/inside.h"
#include "owner/container_name.h"
#include "view_make.h"

static uint64_t row_key(struct world *w, uint8_t kind, const char *name)
{
	struct view view = ask(w, (struct view_query){ .kind = kind, .idle = true });
	const struct view_row *row = row_called(&view, name);
	uint64_t key = row ? row->key : 0;

	view_done(&view);
	return key;
}

/* Of three processes one is still, one ends; of five sockets one listens, one idles, one is closed. */
static void head_and_lists_count_the_same(void **state)
{
	struct world *w = *state;
	struct np_sock_rec idle = tcp_rec(20), listener = tcp_rec(21), last = tcp_rec(3);
	struct view view;

	make_traffic(w);
	idle.owner = idle.last = owner(555, "sleeper");
	feed(w, &idle);
	listener.owner = listener.last = owner(555, "sleeper");
	listener.tuple.state = TCP_LISTEN;
	feed(w, &listener);
	last.owner = last.last = owner(101, "nginx");
	last.counts.rx_bytes = 9000;
	last.tuple.flags |= NP_F_DEAD;
	feed(w, &last);
	world_tick(w, SECOND);
	for (int all = 0; all < 2; all++) {
		view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS, .idle = all });
		assert_int_equal(view.processes, 3);
		assert_int_equal(view.n_live + view.n_idle, view.processes);
		assert_int_equal(view.n_idle, all ? 0 : 1);
		view_done(&view);
		view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION, .idle = all });
		assert_int_equal(view.processes, 3);
		assert_int_equal(view.n_live + view.n_idle, view.conns);
		assert_int_equal(view.n_idle, all ? 0 : 1);
		assert_int_equal(view.n_ended, 1);
		assert_int_equal(view.n_total, view.n_live + view.n_ended + (all ? 1 : 0));
		view_done(&view);
		view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION,
						   .idle = all,
						   .live = true });
		assert_int_equal(view.n_ended, 1);
		assert_int_equal(view.n_total, view.n_live + (all ? 1 : 0));
		view_done(&view);
	}
}

/* What is sent to an address of a socket here stays here, and is counted once. */
static void traffic_inside_the_host_is_counted_once(void **state)
{
	struct world *w = *state;
	struct np_sock_rec out = tcp_rec(1), client = tcp_rec(2), server = tcp_rec(3);
	struct view view;

	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	view_done(&view);
	out.counts.tx_bytes = 1000;
	out.counts.rx_bytes = 70;
	feed(w, &out);
	ipv4(client.tuple.raddr, 1); /* as tcp_rec() is at */
	client.counts.tx_bytes = 500;
	feed(w, &client);
	ipv4(server.tuple.raddr, 1);
	server.counts.rx_bytes = 500;
	feed(w, &server);
	world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROCESS });
	assert_true(view.inside->up_rate == 1000);
	assert_true(view.inside->down_rate == 70);
	assert_true(view.inside->inside_rate == 500);
	assert_true(view.tx_rate == 1500 && view.rx_rate == 570);
	view_done(&view);
}

/* Ten processes of one program that end, one that lives; of another user one. */
static void programs_and_users_keep_what_their_processes_moved(void **state)
{
	struct world *w = *state;
	const struct view_row *row;
	struct view view;

	for (uint32_t i = 0; i < 11; i++) {
		struct np_sock_rec rec = tcp_rec(100 + i);

		rec.owner = rec.last = owner(700 + i, "curl");
		rec.owner.uid = rec.last.uid = i == 10 ? 33 : 0;
		rec.counts.tx_bytes = 100;
		if (i < 10)
			rec.tuple.flags |= NP_F_DEAD;
		feed(w, &rec);
	}
	world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROGRAM });
	assert_int_equal(view.n_rows, 1);
	assert_string_equal(view.rows[0].name, "curl");
	assert_int_equal(view.rows[0].tx_bytes, 1100);
	assert_int_equal(view.rows[0].conns, 1);
	assert_non_null(view.rows[0].history);
	assert_true(view.rows[0].history->rate[FLOW_HISTORY - 1] == 1100);
	view_done(&view);
	(void)process_table_scan(w->procs, w->now, 100);
	for (int i = 0; i < 30; i++)
		world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROGRAM });
	assert_int_equal(view.rows[0].tx_bytes, 1100);
	view_done(&view);
	view = ask(w,
		   (struct view_query){ .kind = NETPROBE_VIEW_USER, .sort = NETPROBE_SORT_TOTAL });
	assert_int_equal(view.n_rows, 2);
	assert_int_equal(view.rows[0].uid, 0);
	assert_int_equal(view.rows[0].tx_bytes, 1000);
	row = row_called(&view, "33");
	assert_int_equal(row->tx_bytes, 100);
	view_done(&view);
	view = ask(w, (struct view_query){
			      .kind = NETPROBE_VIEW_CONNECTION,
			      .idle = true,
			      .of = { { GROUP_USER, row_key(w, NETPROBE_VIEW_USER, "33") } } });
	assert_int_equal(view.n_rows, 1);
	view_done(&view);
}

/* Two containers of one image, and a process in none. */
static void images_add_up_their_containers(void **state)
{
	static const struct container_info web = { .image = (char *)"r/web:1" };
	static struct cgroup places[2] = {
		{ .id = 5, .path = (char *)"/a", .container_id = (char *)"a", .info = &web },
		{ .id = 6, .path = (char *)"/b", .container_id = (char *)"b", .info = &web },
	};
	struct world *w = *state;
	struct view view;

	for (uint32_t i = 0; i < 3; i++) {
		struct np_sock_rec rec = tcp_rec(100 + i);

		rec.owner = rec.last = owner(700 + i, "nginx");
		rec.counts.tx_bytes = 100 + i;
		feed(w, &rec);
		if (i < 2)
			flow_table_find(w->flows, 100 + i)->owner->cgroup = cgroup_ref(&places[i]);
	}
	world_tick(w, SECOND);
	view = ask(w,
		   (struct view_query){ .kind = NETPROBE_VIEW_IMAGE, .sort = NETPROBE_SORT_TOTAL });
	assert_int_equal(view.n_rows, 2);
	assert_int_equal(row_called(&view, "r/web:1")->tx_bytes, 201);
	assert_int_equal(row_called(&view, "no image")->tx_bytes, 102);
	view_done(&view);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION,
					   .idle = true,
					   .of = { { GROUP_IMAGE, row_key(w, NETPROBE_VIEW_IMAGE,
									  "r/web:1") } } });
	assert_int_equal(view.n_rows, 2);
	view_done(&view);
}

/* An image is named by a digest often, a program may lie deep: what a view has no room for is not lost. */
static void names_that_a_view_cuts_are_whole_beside_it(void **state)
{
	static char image[300], path[1200];
	static const struct container_info info = { .image = image };
	static struct cgroup place = {
		.id = 7, .path = (char *)"/c", .container_id = (char *)"c", .info = &info
	};
	struct world *w = *state;
	struct np_sock_rec rec = tcp_rec(100);
	struct process *p;
	struct view view;

	memset(image, 'i', sizeof(image) - 1);
	memset(path, 'd', sizeof(path) - 1);
	for (size_t i = 0; i < sizeof(path) - 200; i += 100)
		path[i] = '/';
	path[sizeof(path) - 201] = '/'; /* a name of 199 bytes */
	rec.owner = rec.last = owner(700, "deep");
	rec.counts.tx_bytes = 100;
	feed(w, &rec);
	p = flow_table_find(w->flows, 100)->owner;
	p->cgroup = cgroup_ref(&place);
	process_set_exe(p, path);
	world_tick(w, SECOND);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_IMAGE });
	assert_int_equal(view.n_rows, 1);
	assert_int_equal(strlen(view.rows[0].name), sizeof(view.rows[0].name) - 1);
	assert_int_equal(view.rows[0].text_len, sizeof(image) - 1);
	assert_memory_equal(view.rows[0].text, image, sizeof(image) - 1);
	view_done(&view);
	view = ask(w, (struct view_query){ .kind = NETPROBE_VIEW_PROGRAM });
	assert_int_equal(view.n_rows, 1);
	assert_int_equal(view.rows[0].text_len, 199);
	assert_memory_equal(view.rows[0].text, path + sizeof(path) - 200, 199);
	assert_memory_equal(view.rows[0].name, view.rows[0].text, sizeof(view.rows[0].name) - 1);
	view_done(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(head_and_lists_count_the_same),
		WORLD_TEST(traffic_inside_the_host_is_counted_once),
		WORLD_TEST(programs_and_users_keep_what_their_processes_moved),
		WORLD_TEST(images_add_up_their_containers),
		WORLD_TEST(names_that_a_view_cuts_are_whole_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
