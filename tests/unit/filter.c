/* SPDX-License-Identifier: BSD-2-Clause */
/* What a filter leaves out: each key there is, by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netprobe/core.h>

#include "engine/filter.h"

static const struct np_filter all = { .enabled = 1, .sample_rate = 1 };

enum {
	OWNER = 1, /* it asks whose a socket is */
	END,
	OTHER
};

/* What this machine has of pods and units is its own: they are cgroups, as a cgroup is. */
static const struct {
	const char *value;
	int asks;
} keys[NETPROBE_FILTER_MAX] = {
	[NETPROBE_FILTER_PID] = { "1", OWNER },
	[NETPROBE_FILTER_COMM] = { "curl", OWNER },
	[NETPROBE_FILTER_CGROUP] = { "/", OWNER },
	[NETPROBE_FILTER_CONTAINER] = { NULL, OWNER },
	[NETPROBE_FILTER_POD] = { NULL, OWNER },
	[NETPROBE_FILTER_NAMESPACE] = { NULL, OWNER },
	[NETPROBE_FILTER_UNIT] = { NULL, OWNER },
	[NETPROBE_FILTER_USER] = { "0", OWNER },
	[NETPROBE_FILTER_HOST] = { "192.0.2.1", END },
	[NETPROBE_FILTER_SRC_HOST] = { "192.0.2.1", END },
	[NETPROBE_FILTER_DST_HOST] = { "::1", END },
	[NETPROBE_FILTER_PORT] = { "443", END },
	[NETPROBE_FILTER_SRC_PORT] = { "443", END },
	[NETPROBE_FILTER_DST_PORT] = { "1-9", END },
	[NETPROBE_FILTER_PROTO] = { "tcp", OTHER },
	[NETPROBE_FILTER_INTERFACE] = { "lo", OTHER },
	[NETPROBE_FILTER_FAMILY] = { "ipv4", OTHER },
};

static void each_key_leaves_something_out(void **state)
{
	(void)state;
	assert_true(filter_takes_all(&all));
	assert_false(filter_has_owners(&all));
	assert_false(filter_has_ends(&all));
	for (uint32_t key = 1; key < NETPROBE_FILTER_MAX; key++) {
		struct np_filter f = all;
		struct netprobe_error err;
		int r;

		assert_int_not_equal(keys[key].asks, 0); /* a key that is not in this test */
		if (!keys[key].value)
			continue;
		r = filter_add(&f, key, keys[key].value, &err);
		/* where there is no cgroup v2 */
		if (key == NETPROBE_FILTER_CGROUP && (r == -ENODEV || r == -ENOENT))
			continue;
		assert_int_equal(r, 0);
		if (filter_takes_all(&f))
			fail_msg("%s leaves nothing out", filter_name(key));
		assert_int_equal(filter_has_owners(&f), keys[key].asks == OWNER);
		assert_int_equal(filter_has_ends(&f), keys[key].asks == END);
	}
}

static void so_do_a_pause_and_a_rate(void **state)
{
	struct np_filter f = all;

	(void)state;
	f.sample_rate = 2;
	assert_false(filter_takes_all(&f));
	f.sample_rate = 0;
	assert_true(filter_takes_all(&f));
	f.enabled = 0;
	assert_false(filter_takes_all(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_leaves_something_out),
		cmocka_unit_test(so_do_a_pause_and_a_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
