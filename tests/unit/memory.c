/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits of memory as cgroups of both versions tell them, and tables that fit them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/fit.h"
#include "owner/memory.h"

static char root[64], proc[80], sys[80];

static void put(const char *path, const char *text)
{
	char full[400];
	FILE *f;

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *s = strchr(full + strlen(root) + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		(void)mkdir(full, 0755);
		*s = '/';
	}
	f = fopen(full, "we");
	assert_non_null(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static int set_up(void **state)
{
	(void)state;
	(void)strcpy(root, "/tmp/netprobe-unit-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	(void)snprintf(proc, sizeof(proc), "%s/proc", root);
	(void)snprintf(sys, sizeof(sys), "%s/sys", root);
	return 0;
}

static int clean_up(void **state)
{
	char command[100];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void nothing_known_is_no_limit(void **state)
{
	(void)state;
	assert_int_equal(memory_limit(proc, sys), 0);
	put("proc/self/cgroup", "0::/a/b\n");
	assert_int_equal(memory_limit(proc, sys), 0);
	put("sys/a/b/memory.max", "max\n");
	assert_int_equal(memory_limit(proc, sys), 0);
}

static void the_least_of_those_above_holds(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/a/b\n");
	put("sys/a/b/memory.max", "200000000\n");
	put("sys/a/memory.max", "100000000\n");
	assert_int_equal(memory_limit(proc, sys), 100000000);
	put("sys/a/memory.max", "max\n");
	assert_int_equal(memory_limit(proc, sys), 200000000);
	/* in a namespace of cgroups its own is the root */
	put("proc/self/cgroup", "0::/\n");
	put("sys/memory.max", "50000000\n");
	assert_int_equal(memory_limit(proc, sys), 50000000);
}

static void version_1_has_files_of_its_own(void **state)
{
	(void)state;
	put("proc/self/cgroup", "9:cpu,memory:/x\n3:pids:/y\n0::/z\n");
	put("sys/memory/x/memory.limit_in_bytes", "9223372036854771712\n");
	assert_int_equal(memory_limit(proc, sys), 0);
	put("sys/memory/memory.limit_in_bytes", "70000000\n");
	assert_int_equal(memory_limit(proc, sys), 70000000);
	put("sys/z/memory.max", "60000000\n");
	assert_int_equal(memory_limit(proc, sys), 60000000);
}

static void tables_fit_a_small_limit(void **state)
{
	struct session_opts o = { 0 };

	(void)state;
	fit_to_memory(&o, 0);
	fit_to_memory(&o, FIT_PLENTY);
	assert_int_equal(o.flows.max_flows | o.probe.ring_bytes | o.probe.closed, 0);
	fit_to_memory(&o, 64 << 20);
	assert_int_equal(o.flows.max_flows, 16384);
	assert_int_equal(o.probe.ring_bytes, 4 << 20);
	fit_to_memory(&o, 32 << 20);
	assert_int_equal(o.flows.max_flows, 16384); /* as it was asked for */
	o = (struct session_opts){ .probe.quiet = true };
	fit_to_memory(&o, 1);
	assert_int_equal(o.flows.max_flows, 2048);
	assert_int_equal(o.probe.ring_bytes, 0); /* small as it is */
	assert_int_equal(o.probe.closed, 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_known_is_no_limit, set_up, clean_up),
		cmocka_unit_test_setup_teardown(the_least_of_those_above_holds, set_up, clean_up),
		cmocka_unit_test_setup_teardown(version_1_has_files_of_its_own, set_up, clean_up),
		cmocka_unit_test(tables_fit_a_small_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
