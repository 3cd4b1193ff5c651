/* SPDX-License-Identifier: BSD-2-Clause */
/* Why packets or listings of sockets cannot be had: each cause by its name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "capture/refused.h"

static void packet(const struct refused_facts *f, int e, int code, const char *cause)
{
	struct netprobe_error err = {};

	assert_int_equal(refused_packet(e, f, &err), code);
	if (!strstr(err.msg, cause))
		fail_msg("expected '%s', got '%s'", cause, err.msg);
}

static void missing_capability_is_named(void **state)
{
	struct refused_facts f = { .seccomp = true, .foreign_netns = true };

	packet(&f, -EPERM, -EPERM, "needs CAP_NET_RAW, which this process does not have");
	(void)state;
}

static void capability_of_another_user_namespace_is_named(void **state)
{
	struct refused_facts f = { .cap_net_raw = true, .foreign_netns = true, .seccomp = true };

	packet(&f, -EPERM, -EPERM, "user namespace");
	(void)state;
}

static void seccomp_filter_is_named(void **state)
{
	struct refused_facts f = { .cap_net_raw = true, .seccomp = true };

	packet(&f, -EPERM, -EOPNOTSUPP, "seccomp filter");
	/* nobody can tell */
	packet(&f, -EAFNOSUPPORT, -EOPNOTSUPP, "CONFIG_PACKET), or a seccomp filter");
	f.has_packet = true;
	packet(&f, -EAFNOSUPPORT, -EOPNOTSUPP, "seccomp filter");
	(void)state;
}

static void security_module_is_what_is_left(void **state)
{
	struct refused_facts f = { .cap_net_raw = true };

	packet(&f, -EACCES, -EOPNOTSUPP, "security module");
	(void)state;
}

static void missing_option_is_named(void **state)
{
	struct refused_facts f = { .cap_net_raw = true };
	struct netprobe_error err = {};

	packet(&f, -EAFNOSUPPORT, -EOPNOTSUPP, "no packet sockets (CONFIG_PACKET)");
	assert_int_equal(refused_diag(-ENOENT, &f, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.msg, "CONFIG_INET_DIAG"));
	f.seccomp = true;
	assert_int_equal(refused_diag(-EAFNOSUPPORT, &f, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.msg, "seccomp"));
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_capability_is_named),
		cmocka_unit_test(capability_of_another_user_namespace_is_named),
		cmocka_unit_test(seccomp_filter_is_named),
		cmocka_unit_test(security_module_is_what_is_left),
		cmocka_unit_test(missing_option_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
