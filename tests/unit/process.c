/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes by tgid and start time, against a made-up /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "owner/process.h"
#include "owner/stat.h"
#include "process_tree.h"

struct fixture {
	struct tree tree;
	struct process_table *procs;
};

static int open_fixture(void **state)
{
	static struct fixture f;

	tree_open(&f.tree);
	f.procs = process_table_new(f.tree.root, NULL);
	assert_non_null(f.procs);
	*state = &f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	(void)process_table_free(f->procs);
	tree_remove(f->tree.root);
	return 0;
}

static struct np_owner owner(uint32_t tgid, uint64_t start_ns, const char *comm)
{
	struct np_owner o = {
		.tgid = tgid, .start_ns = start_ns, .uid = 1000, .ppid = 7, .match = NP_MATCH_EXACT
	};

	(void)snprintf(o.comm, sizeof(o.comm), "%s", comm);
	return o;
}

static void same_owner_gives_the_same_process(void **state)
{
	struct fixture *f = *state;
	struct np_owner o = owner(42, 123, "curl");
	struct process *p = process_table_get(f->procs, &o, 1), *again;

	assert_non_null(p);
	assert_int_equal(p->tgid, 42);
	assert_int_equal(p->ppid, 7);
	assert_int_equal(p->uid, 1000);
	assert_string_equal(p->comm, "curl");
	again = process_table_get(f->procs, &o, 2);
	assert_ptr_equal(p, again);
	assert_int_equal(p->refs, 2);
	assert_int_equal(process_table_count(f->procs), 1);
}

static void same_pid_with_another_start_is_another_process(void **state)
{
	struct fixture *f = *state;
	struct np_owner o = owner(42, 123, "old"), next = owner(42, 456, "new");
	struct process *p = process_table_get(f->procs, &o, 1);
	struct process *q = process_table_get(f->procs, &next, 1);

	assert_ptr_not_equal(p, q);
	assert_string_equal(p->comm, "old");
	assert_string_equal(q->comm, "new");
}

static void tgid_zero_is_the_one_unknown_process(void **state)
{
	struct fixture *f = *state;
	struct np_owner o = { 0 }, other = { .start_ns = 5 };
	struct process *p = process_table_get(f->procs, &o, 1);

	assert_int_equal(p->tgid, 0);
	assert_ptr_equal(p, process_table_get(f->procs, &other, 1));
	assert_int_equal(process_table_count(f->procs), 0);
	assert_true(process_is(p, &other));
	assert_true(process_is_current(p, &other));
}

static void exe_is_read_where_the_start_time_agrees(void **state)
{
	struct fixture *f = *state;
	/* the kernel rounds down to ticks: 1239 ms is tick 123 */
	struct np_owner o = owner(42, 123 * TICK_NS + TICK_NS - 1, "curl");
	struct np_owner young = owner(43, 124 * TICK_NS, "late");

	tree_process(&f->tree, 42, "curl", 'S', 1, 123, "/usr/bin/curl");
	tree_process(&f->tree, 43, "impostor", 'S', 1, 125, "/usr/bin/impostor");
	assert_string_equal(process_table_get(f->procs, &o, 1)->exe, "/usr/bin/curl");
	assert_null(process_table_get(f->procs, &young, 1)->exe);
}

static void deleted_program_keeps_its_path(void **state)
{
	struct fixture *f = *state;
	struct np_owner o = owner(42, TICK_NS, "curl");

	tree_process(&f->tree, 42, "curl", 'S', 1, 1, "/usr/bin/curl (deleted)");
	assert_string_equal(process_table_get(f->procs, &o, 1)->exe, "/usr/bin/curl");
}

static void exec_brings_a_new_name_and_program(void **state)
{
	struct fixture *f = *state;
	struct np_owner o = owner(42, TICK_NS, "sh");
	struct process *p;

	tree_process(&f->tree, 42, "sh", 'S', 1, 1, "/bin/sh");
	p = process_table_get(f->procs, &o, 1);
	assert_string_equal(p->exe, "/bin/sh");
	tree_process(&f->tree, 42, "wget", 'S', 1, 1, "/usr/bin/wget");
	o = owner(42, TICK_NS, "wget");
	o.exec_id = 1;
	assert_false(process_is_current(p, &o));
	assert_ptr_equal(process_table_get(f->procs, &o, 1), p);
	assert_string_equal(p->comm, "wget");
	assert_string_equal(p->exe, "/usr/bin/wget");
	assert_true(process_is_current(p, &o));
}

static void exec_hook_names_programs_that_proc_no_longer_knows(void **state)
{
	struct fixture *f = *state;
	struct np_owner o = owner(42, TICK_NS, "short");
	struct process *p = process_table_get(f->procs, &o, 1);

	process_set_exe(p, NULL);
	process_set_exe(p, "");
	assert_null(p->exe);
	process_set_exe(p, "/opt/short");
	process_set_exe(p, "/opt/short");
	assert_string_equal(p->exe, "/opt/short");
}

static void scan_notices_who_is_gone(void **state)
{
	struct fixture *f = *state;
	struct np_owner stays = owner(42, TICK_NS, "stays"), goes = owner(43, TICK_NS, "goes");
	struct np_owner reused = owner(44, TICK_NS, "reused"),
			zombie = owner(45, TICK_NS, "zombie");
	struct np_owner headless = owner(46, TICK_NS, "headless");
	struct process *p[5];

	tree_process(&f->tree, 42, "stays", 'S', 1, 1, NULL);
	tree_process(&f->tree, 43, "goes", 'S', 1, 1, NULL);
	tree_process(&f->tree, 44, "reused", 'S', 1, 1, NULL);
	tree_process(&f->tree, 45, "zombie", 'S', 1, 1, NULL);
	tree_process(&f->tree, 46, "headless", 'S', 1, 1, NULL);
	p[0] = process_table_get(f->procs, &stays, 1);
	p[1] = process_table_get(f->procs, &goes, 1);
	p[2] = process_table_get(f->procs, &reused, 1);
	p[3] = process_table_get(f->procs, &zombie, 1);
	p[4] = process_table_get(f->procs, &headless, 1);
	tree_process_gone(&f->tree, 43);
	tree_process(&f->tree, 44, "other", 'S', 1, 900, NULL);
	tree_process(&f->tree, 45, "zombie", 'Z', 1, 1, NULL);
	tree_process(&f->tree, 46, "headless", 'Z', 2, 1, NULL); /* a thread of it still runs */
	process_table_scan(f->procs, 777, UINT32_MAX);
	assert_false(p[0]->exited);
	assert_true(p[1]->exited);
	assert_int_equal(p[1]->exited_ns, 777);
	assert_true(p[2]->exited);
	assert_true(p[3]->exited);
	assert_false(p[4]->exited);
}

static void absence_proves_nothing_where_proc_knows_nobody(void **state)
{
	struct fixture *f = *state;
	struct np_owner o = owner(42, TICK_NS, "elsewhere");
	struct process *p = process_table_get(f->procs, &o, 1);

	process_table_scan(f->procs, 1, UINT32_MAX);
	assert_false(p->exited);
}

/* With ten thousand owners a tick looks at some of them, the next one at others. */
static void scan_looks_at_some_in_turn(void **state)
{
	struct fixture *f = *state;
	struct process *p[100];
	struct np_owner known = owner(42, TICK_NS, "curl");
	unsigned int gone = 0, ticks = 0;

	for (uint32_t i = 0; i < 100; i++) {
		struct np_owner o = owner(1000 + i, TICK_NS, "w");

		p[i] = process_table_get(f->procs, &o, 1);
		assert_non_null(p[i]);
	}
	/* one that /proc knows: the absence of the others means something */
	tree_process(&f->tree, 42, "curl", 'S', 1, 1, NULL);
	(void)process_table_get(f->procs, &known, 1);
	while (gone < 100 && ticks++ < 100) {
		assert_in_range(process_table_scan(f->procs, ticks, 10), 0, 20);
		gone = 0;
		for (uint32_t i = 0; i < 100; i++)
			gone += p[i]->exited;
		assert_true(gone <= ticks * 20);
	}
	assert_int_equal(gone, 100);
}

/* A burst's: one listing of /proc tells of all, where a look at each would take 40 scans. */
static void scan_finds_all_of_a_burst_gone_at_once(void **state)
{
	struct fixture *f = *state;
	static struct process *p[2600];
	struct np_owner known = owner(42, TICK_NS, "curl");
	struct process *alive;
	unsigned int gone = 0;

	tree_process(&f->tree, 42, "curl", 'S', 1, 1, NULL);
	alive = process_table_get(f->procs, &known, 1);
	for (uint32_t i = 0; i < 2600; i++) {
		struct np_owner o = owner(1000 + i, TICK_NS, "w");

		p[i] = process_table_get(f->procs, &o, 1);
		assert_non_null(p[i]);
	}
	process_table_scan(f->procs, 5, 64);
	for (uint32_t i = 0; i < 2600; i++)
		gone += p[i]->exited && p[i]->exited_ns == 5;
	assert_int_equal(gone, 2600);
	assert_false(alive->exited);
}

/* While there are very many, it costs too much; that is over some time. */
static void proc_is_listed_again_when_it_is_short_again(void **state)
{
	struct fixture *f = *state;
	static struct process *p[2 * 1200];
	unsigned int gone = 0;

	for (uint32_t i = 0; i < 800; i++)
		tree_process(&f->tree, 3000 + i, "many", 'S', 1, 1, NULL);
	for (uint32_t i = 0; i < 1200; i++) {
		struct np_owner o = owner(10000 + i, TICK_NS, "w");

		p[i] = process_table_get(f->procs, &o, 1);
	}
	tree_process(&f->tree, 10000, "w", 'S', 1, 1,
		     NULL); /* one of them lives: /proc is to be believed */
	process_table_scan(f->procs, 1, UINT32_MAX);
	process_table_scan(f->procs, 2, 64);
	for (uint32_t i = 0; i < 800; i++)
		tree_process_gone(&f->tree, (int)(3000 + i));
	for (uint32_t i = 1200; i < 2400; i++) {
		struct np_owner o = owner(10000 + i, TICK_NS, "w");

		p[i] = process_table_get(f->procs, &o, 1);
	}
	for (uint32_t i = 0; i < 12; i++)
		process_table_scan(f->procs, 3 + i, 64);
	for (uint32_t i = 1200; i < 2400; i++)
		gone += p[i]->exited;
	assert_int_equal(gone, 1200);
}

static void scan_frees_whom_nobody_refers_to(void **state)
{
	struct fixture *f = *state;
	struct np_owner o = owner(42, TICK_NS, "curl");
	struct process *p = process_table_get(f->procs, &o, 1);

	process_unref(f->procs, NULL);
	process_table_scan(f->procs, 1, UINT32_MAX);
	assert_int_equal(process_table_count(f->procs), 1);
	process_unref(f->procs, p);
	process_table_scan(f->procs, 2, UINT32_MAX);
	assert_int_equal(process_table_count(f->procs), 0);
}

static void cgroup_follows_the_owner(void **state)
{
	struct fixture *f = *state;
	struct cgroup_table *cgroups = cgroup_table_new("", 0);
	struct process_table *procs = process_table_new(f->tree.root, cgroups);
	struct np_owner o = owner(42, TICK_NS, "curl");
	struct process *p;

	o.cgroup_id = 10;
	p = process_table_get(procs, &o, 1);
	assert_int_equal(p->cgroup->id, 10);
	o.cgroup_id = 11;
	(void)process_table_get(procs, &o, 1);
	assert_int_equal(p->cgroup->id, 11);
	o.cgroup_id = 0;
	(void)process_table_get(procs, &o, 1);
	assert_int_equal(p->cgroup->id, 11);
	(void)process_table_free(procs);
	(void)cgroup_table_free(cgroups);
}

static void stat_survives_any_comm(void **state)
{
	static const char *const comms[] = { "a b", ")", "a) S 1 (", "((", "x\ny", "" };
	struct proc_stat st;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(comms) / sizeof(comms[0]); i++) {
		(void)snprintf(text, sizeof(text),
			       "9 (%s) R 4 9 9 0 -1 1 2 3 4 5 6 7 8 -9 20 -5 3 0 8812 99",
			       comms[i]);
		assert_int_equal(proc_stat_parse(text, &st), 0);
		assert_int_equal(st.state, 'R');
		assert_int_equal(st.ppid, 4);
		assert_int_equal(st.threads, 3);
		assert_int_equal(st.start_ticks, 8812);
	}
}

static void broken_stat_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"9",
		"9 (x",
		"9 (x)",
		"9 (x) ",
		"9 (x) R",
		"9 (x) R 1 2 3",
		"9 (x) R 1 two 3",
		"9 (x) R 1 9 9 0 -1 1 2 3 4 5 6 7 8 9 20 0 3 0 ",
		"9 (x) R 1 9 9 0 -1 1 2 3 4 5 6 7 8 9 20 0 3 0 99999999999999999999999",
	};
	struct proc_stat st = { .ppid = 77 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(proc_stat_parse(texts[i], &st), -EINVAL);
	assert_int_equal(st.ppid, 77);
}

static void own_process_is_found_in_the_real_proc(void **state)
{
	struct process_table *procs = process_table_new("/proc", NULL);
	struct proc_stat st;
	struct np_owner o;
	struct process *p;

	(void)state;
	if (proc_stat_read("/proc", (uint32_t)getpid(), &st) < 0)
		skip();
	o = owner((uint32_t)getpid(), st.start_ticks * TICK_NS + 5, "process");
	p = process_table_get(procs, &o, 1);
	assert_non_null(p->exe);
	assert_non_null(strstr(p->exe, "process"));
	process_table_scan(procs, 2, UINT32_MAX);
	assert_false(p->exited);
	(void)process_table_free(procs);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(same_owner_gives_the_same_process),
		FIXTURE_TEST(same_pid_with_another_start_is_another_process),
		FIXTURE_TEST(tgid_zero_is_the_one_unknown_process),
		FIXTURE_TEST(exe_is_read_where_the_start_time_agrees),
		FIXTURE_TEST(deleted_program_keeps_its_path),
		FIXTURE_TEST(exec_brings_a_new_name_and_program),
		FIXTURE_TEST(exec_hook_names_programs_that_proc_no_longer_knows),
		FIXTURE_TEST(scan_notices_who_is_gone),
		FIXTURE_TEST(absence_proves_nothing_where_proc_knows_nobody),
		FIXTURE_TEST(scan_looks_at_some_in_turn),
		FIXTURE_TEST(scan_finds_all_of_a_burst_gone_at_once),
		FIXTURE_TEST(proc_is_listed_again_when_it_is_short_again),
		FIXTURE_TEST(scan_frees_whom_nobody_refers_to),
		FIXTURE_TEST(cgroup_follows_the_owner),
		cmocka_unit_test(stat_survives_any_comm),
		cmocka_unit_test(broken_stat_is_refused),
		cmocka_unit_test(own_process_is_found_in_the_real_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
