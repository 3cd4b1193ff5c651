/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The n-th allocation fails, for every n: nothing leaks, nothing counts twice, and what could not
 * be done is said. Link with --wrap of malloc, calloc, realloc, reallocarray, strdup and strndup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "alloc_fail.h"
#include "flow_make.h"
#include "process_tree.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

char *__wrap_strdup(const char *s)
{
	return alloc_fails_now() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
	return alloc_fails_now() ? NULL : __real_strndup(s, n);
}

/* Everything a table does; whatever it answers. */
static void live_through(struct flow_table *t, struct viewer *v)
{
	struct np_sock_rec rec;
	struct np_part_key key;
	struct np_part part;
	uint64_t now = START, id;
	struct view view;
	uint8_t kind;

	for (id = 1; id <= 12; id++) {
		if (id == 9)
			flow_table_turn(t);
		rec = id % 3 ? tcp_rec(id) : udp_rec(id);
		rec.counts.tx_bytes = 100;
		rec.tcp.srtt_us = 5;
		rec.owner = rec.last = owner((uint32_t)(100 + id % 4), "x");
		(void)flow_table_sock(t, &rec, now);
		make_part(&key, &part, &rec, 200, (uint8_t)(id % 2));
		part.counts.tx_bytes = 10;
		(void)flow_table_part(t, &key, &part, now);
		if (id % 5 == 0) {
			rec.owner = rec.last = owner(300, "heir");
			rec.counts.tx_bytes += 100;
			(void)flow_table_sock(t, &rec, now);
		}
		if (id % 4 == 0) {
			rec.tuple.flags |= NP_F_DEAD;
			(void)flow_table_sock(t, &rec, now);
		}
	}
	now += SECOND;
	flow_table_tick(t, now);
	viewer_tick(v, now);
	for (kind = 0; kind < NETPROBE_VIEW_MAX; kind++) {
		const struct view_query q = { .kind = kind, .idle = kind % 2, .limit = 3 };
		int r = viewer_query(v, &q, &view);

		assert_true(r == 0 || r == -ENOMEM);
		if (r == 0)
			view_done(&view);
	}
}

/*
 * Beside a burst most of the memory is flows that are in their first interval: one that has nothing to show of an earlier
 * one takes no second place for its deltas. Until the tick it shows nothing all the same.
 */
static void a_flow_in_its_first_interval_has_one_place_for_its_deltas(void **state)
{
	struct process_table *procs = process_table_new("/nonexistent", NULL);
	struct flow_table *t = flow_table_new(NULL, procs);
	struct np_sock_rec rec = tcp_rec(1);

	(void)state;
	rec.counts.tx_bytes = 100;
	assert_int_equal(flow_table_sock(t, &rec, START), 0); /* blocks of pools, arrays */
	rec.sock_id = 2;
#ifndef __SANITIZE_ADDRESS__ /* with it a pool's places are allocations (flow/pool.c) */
	alloc_fail_nth(1);
#endif
	assert_int_equal(flow_table_sock(t, &rec, START), 0);
	rec.counts.tx_bytes = 300;
	assert_int_equal(flow_table_sock(t, &rec, START), 0);
	assert_false(alloc_failed);
	assert_int_equal(flow_delta(flow_table_find(t, 2))->tx_bytes, 0);
	assert_int_equal(flow_early(flow_table_find(t, 2))->tx_bytes, 300);
	alloc_fail_nth(0);
	flow_table_tick(t, START + SECOND);
	assert_int_equal(flow_delta(flow_table_find(t, 2))->tx_bytes, 300);
	assert_int_equal(flow_early(flow_table_find(t, 2))->tx_bytes, 0);
	/* now it has one to show, and what comes waits beside it */
	rec.counts.tx_bytes = 400;
	assert_int_equal(flow_table_sock(t, &rec, START + SECOND), 0);
	assert_int_equal(flow_delta(flow_table_find(t, 2))->tx_bytes, 300);
	assert_int_equal(flow_early(flow_table_find(t, 2))->tx_bytes, 100);
	flow_table_tick(t, START + 2 * SECOND);
	assert_int_equal(flow_delta(flow_table_find(t, 2))->tx_bytes, 100);
	(void)flow_table_free(t);
	(void)process_table_free(procs);
}

static void check_sums(struct viewer *v)
{
	uint8_t kind;

	for (kind = 0; kind < NETPROBE_VIEW_LISTEN; kind++) {
		const struct view_query q = { .kind = kind };
		uint64_t sum;
		struct view view;
		size_t i;

		assert_int_equal(viewer_query(v, &q, &view), 0);
		sum = view.gone_tx_bytes;
		for (i = 0; i < view.n_rows; i++)
			sum += view.rows[i].tx_bytes;
		assert_int_equal(sum, view.tx_bytes);
		view_done(&view);
	}
}

static void table_survives_every_failing_allocation(void **state)
{
	unsigned int n;
	bool failed = true;

	(void)state;
	for (n = 1; failed; n++) {
		struct process_table *procs;
		struct flow_table *t = NULL;
		struct viewer *v = NULL;

		assert_true(n < 10000);
		alloc_fail_nth(n);
		procs = process_table_new("/nonexistent", NULL);
		if (procs)
			t = flow_table_new(NULL, procs);
		if (t)
			v = viewer_new(t);
		if (v)
			live_through(t, v);
		failed = alloc_failed;
		alloc_fail_nth(0);
		if (v)
			check_sums(v);
		(void)viewer_free(v);
		(void)flow_table_free(t);
		(void)process_table_free(procs);
	}
}

static void record_lost_to_a_failed_allocation_is_made_up_by_the_next(void **state)
{
	unsigned int n;
	bool failed = true;

	(void)state;
	for (n = 1; failed; n++) {
		struct np_sock_rec rec = tcp_rec(1);
		struct world w;
		int r;

		world_open(&w, NULL);
		rec.counts.tx_bytes = 1000;
		alloc_fail_nth(n);
		r = flow_table_sock(w.flows, &rec, w.now);
		failed = alloc_failed;
		alloc_fail_nth(0);
		assert_true(r == 0 || (failed && r == -ENOMEM));
		rec.counts.tx_bytes = 1500;
		feed(&w, &rec);
		world_tick(&w, SECOND);
		assert_int_equal(flow_delta(flow_table_find(w.flows, 1))->tx_bytes, 1500);
		world_close(&w);
	}
}

static void owners_survive_every_failing_allocation(void **state)
{
	struct tree tree;
	char mount[128];
	unsigned int n;
	bool failed = true;

	(void)state;
	tree_open(&tree);
	tree_dir(&tree, "cgroup/kubepods/pod6f8ed8ab-1c2d-4e5f-8a9b-0c1d2e3f4a5b/" ID);
	tree_path(&tree, mount, sizeof(mount), "cgroup");
	tree_process(&tree, 42, "curl", 'S', 1, 1, "/usr/bin/curl");
	for (n = 1; failed; n++) {
		struct np_owner o = owner(42, "curl");
		struct cgroup_table *cgroups;
		struct process_table *procs;
		struct process *p;
		struct stat st;

		assert_int_equal(stat(mount, &st), 0);
		o.start_ns = TICK_NS;
		o.cgroup_id = st.st_ino;
		alloc_fail_nth(n);
		cgroups = cgroup_table_new(mount, 0);
		procs = process_table_new(tree.root, cgroups);
		p = procs ? process_table_get(procs, &o, SECOND) : NULL;
		failed = alloc_failed;
		alloc_fail_nth(0);
		/* what was missed is learnt later */
		if (cgroups && procs && p) {
			o.exec_id++;
			assert_ptr_equal(process_table_get(procs, &o, 3 * SECOND), p);
			assert_string_equal(p->exe, "/usr/bin/curl");
			assert_string_equal(p->cgroup->path, "/");
		}
		(void)process_table_free(procs);
		(void)cgroup_table_free(cgroups);
	}
	tree_remove(tree.root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_in_its_first_interval_has_one_place_for_its_deltas),
		cmocka_unit_test(table_survives_every_failing_allocation),
		cmocka_unit_test(record_lost_to_a_failed_allocation_is_made_up_by_the_next),
		cmocka_unit_test(owners_survive_every_failing_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
