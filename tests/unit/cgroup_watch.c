/* SPDX-License-Identifier: BSD-2-Clause */
/* Cgroups that are made faster than they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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
	cgroup_watch_poll(w, SECOND);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_an_overflow_hid_is_looked_for, begin,
						tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
