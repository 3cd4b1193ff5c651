/* SPDX-License-Identifier: BSD-2-Clause */
/* Cgroups that are made faster than they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "owner/cgroup_watch.h"
#include "process_tree.h"

#define SECOND 1000000000ull

/* In memory, where there is such a place: folders by tens of thousands. */
static int begin(void **state)
{
	static struct tree t;

	(void)strcpy(t.root, "/dev/shm/netprobe-test-XXXXXX");
	if (!mkdtemp(t.root))
		tree_open(&t);
	*state = &t;
	return 0;
}

static void overflow(const char *a, const char *b)
{
	unsigned int most = 16384;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

	if (f) {
		assert_int_equal(fscanf(f, "%u", &most), 1);
		assert_int_equal(fclose(f), 0);
	}
	if (most > 200000)
		skip();
	/* two by turns: the same one twice is one event */
	for (unsigned int i = 0; i <= most / 2 + 1; i++) {
		assert_int_equal(mkdir(a, 0700) | mkdir(b, 0700), 0);
		assert_int_equal(rmdir(a) | rmdir(b), 0);
	}
}

/* It comes behind all that the queue had room for. */
static void poll_to_overflow(struct cgroup_watch *w)
{
	for (unsigned int i = 0; !cgroup_watch_overflows(w); i++) {
		assert_true(i < 10000);
		cgroup_watch_poll(w, SECOND);
	}
}

static void what_an_overflow_hid_is_looked_for(void **state)
{
	const struct tree *t = *state;
	char mount[128], a[256], b[256];
	struct cgroup_table *c;
	struct cgroup_watch *w;
	uint64_t id, late;

	tree_dir(t, "cgroup/x");
	tree_path(t, mount, sizeof(mount), "cgroup");
	tree_path(t, a, sizeof(a), "cgroup/x/a");
	tree_path(t, b, sizeof(b), "cgroup/x/b");
	c = cgroup_table_new(mount, 0);
	w = cgroup_watch_new(c);
	assert_non_null(w);
	overflow(a, b);
	tree_dir(t, "cgroup/x/made/below");
	assert_int_equal(cgroup_lookup_path(c, "/x/made/below", &id, NULL), 0);
	poll_to_overflow(w);
	assert_int_equal(cgroup_watch_overflows(w), 1);
	/* in what is watched since */
	tree_dir(t, "cgroup/x/made/below/late");
	assert_int_equal(cgroup_lookup_path(c, "/x/made/below/late", &late, NULL), 0);
	cgroup_watch_poll(w, SECOND);
	tree_remove(mount);
	assert_string_equal(cgroup_table_get(c, id, SECOND)->path, "/x/made/below");
	assert_string_equal(cgroup_table_get(c, late, SECOND)->path, "/x/made/below/late");
	(void)cgroup_watch_free(w);
	(void)cgroup_table_free(c);
}

static void many(const char *folder, unsigned int n)
{
	char path[512];

	for (unsigned int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", folder, i);
		assert_int_equal(mkdir(path, 0700), 0);
	}
}

static unsigned int watches_most(void)
{
	FILE *f = fopen("/proc/sys/fs/inotify/max_user_watches", "re");
	unsigned int most = 0;

	if (f) {
		assert_int_equal(fscanf(f, "%u", &most), 1);
		assert_int_equal(fclose(f), 0);
	}
	return most;
}

/* A tree of more folders than are watched. */
static struct cgroup_watch *watch_many(const struct tree *t, char mount[128],
				       struct cgroup_table **ret)
{
	struct cgroup_watch *w;

	if (watches_most() < 2 * CGROUP_WATCH_MAX)
		skip();
	tree_dir(t, "cgroup");
	tree_path(t, mount, 128, "cgroup");
	many(mount, CGROUP_WATCH_MAX);
	*ret = cgroup_table_new(mount, 0);
	w = cgroup_watch_new(*ret);
	assert_non_null(w);
	return w;
}

static void an_overflow_of_a_full_watch_leaves_it_watching(void **state)
{
	const struct tree *t = *state;
	char mount[128], a[256], b[256];
	struct cgroup_table *c;
	struct cgroup_watch *w = watch_many(t, mount, &c);
	uint64_t late;

	tree_path(t, a, sizeof(a), "cgroup/a");
	tree_path(t, b, sizeof(b), "cgroup/b");
	overflow(a, b);
	poll_to_overflow(w);
	tree_dir(t, "cgroup/late");
	assert_int_equal(cgroup_lookup_path(c, "/late", &late, NULL), 0);
	cgroup_watch_poll(w, SECOND);
	tree_remove(mount);
	assert_string_equal(cgroup_table_get(c, late, SECOND)->path, "/late");
	(void)cgroup_watch_free(w);
	(void)cgroup_table_free(c);
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts), 0);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

/* Each time that the folder was made, all is listed that is in it by now. */
static void what_is_made_takes_no_long_time_in_one_go(void **state)
{
	const struct tree *t = *state;
	char mount[128], a[256], b[256];
	struct cgroup_table *c;
	struct cgroup_watch *w = watch_many(t, mount, &c);
	uint64_t from;

	tree_path(t, a, sizeof(a), "cgroup/a");
	tree_path(t, b, sizeof(b), "cgroup/b");
	for (unsigned int i = 0; i < 500; i++) {
		assert_int_equal(mkdir(a, 0700) | mkdir(b, 0700), 0);
		assert_int_equal(rmdir(a) | rmdir(b), 0);
	}
	assert_int_equal(mkdir(a, 0700), 0);
	many(a, 2000);
	from = cpu_ns();
	cgroup_watch_poll(w, SECOND);
	assert_true(cpu_ns() - from < SECOND / 2);
	(void)cgroup_watch_free(w);
	(void)cgroup_table_free(c);
	tree_remove(mount);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_an_overflow_hid_is_looked_for, begin,
						tree_teardown),
		cmocka_unit_test_setup_teardown(an_overflow_of_a_full_watch_leaves_it_watching,
						begin, tree_teardown),
		cmocka_unit_test_setup_teardown(what_is_made_takes_no_long_time_in_one_go, begin,
						tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
