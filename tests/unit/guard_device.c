/* SPDX-License-Identifier: BSD-2-Clause */
/* guard/device.c: why an interface takes no XDP program, with the remedy. No virtual device has LRO. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guard/device.h"

static const char *why(int mtu, bool lro, int r)
{
	static char text[256];

	memset(text, 0, sizeof(text));
	device_why("eth7", mtu, lro, r, text, sizeof(text));
	return text;
}

static void lro_is_named_before_all_else_with_its_command(void **state)
{
	static const int errors[] = { -EOPNOTSUPP, -EINVAL, -EBUSY, -ENOMEM };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		assert_non_null(strstr(why(1500, true, errors[i]), "LRO merges frames"));
		assert_non_null(strstr(why(9000, true, errors[i]), "`ethtool -K eth7 lro off`"));
		assert_null(strstr(why(1500, false, errors[i]), "LRO"));
	}
}

static void large_mtu_is_named_with_one_that_fits(void **state)
{
	(void)state;
	assert_non_null(strstr(why(9000, false, -EINVAL), "`ip link set eth7 mtu 3400`"));
	assert_non_null(strstr(why(9000, false, -EINVAL), "several buffers"));
	assert_non_null(strstr(why(9000, false, -EOPNOTSUPP), "`ip link set eth7 mtu 3400`"));
	assert_null(strstr(why(3400, false, -EINVAL), "mtu"));
	/* What is no matter of size. */
	assert_null(strstr(why(9000, false, -EPERM), "mtu"));
	assert_null(strstr(why(9000, false, -EBUSY), "mtu"));
}

static void other_reasons_are_told_apart(void **state)
{
	(void)state;
	assert_string_equal(why(1500, false, -EOPNOTSUPP), "its driver has no XDP");
	assert_string_equal(why(1500, false, -EBUSY), "another XDP program is there");
	assert_string_equal(why(1500, false, -EEXIST), "another XDP program is there");
	assert_non_null(strstr(why(1500, false, -ENOSPC), "`ethtool -L eth7`"));
	assert_string_equal(why(1500, false, -EPERM), strerror(EPERM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lro_is_named_before_all_else_with_its_command),
		cmocka_unit_test(large_mtu_is_named_with_one_that_fits),
		cmocka_unit_test(other_reasons_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
