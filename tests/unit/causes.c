/* SPDX-License-Identifier: BSD-2-Clause */
/* Why bpf(2) cannot work: each cause that a machine may have is named, whether or not this one has it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "probe/kernel.h"

#define KERNEL(major, minor) ((major) << 16 | (minor) << 8)

static struct kernel_facts able(void)
{
	return (struct kernel_facts){ .release = "6.1.0",
				      .version = KERNEL(6, 1),
				      .cap_bpf = true,
				      .cap_perfmon = true,
				      .cap_net_admin = true,
				      .lockdown = "none" };
}

static void names(const struct kernel_facts *f, const char *cause, const char *what_to_do)
{
	char reason[200], remedy[160];

	assert_true(kernel_refuses_bpf(f, reason, sizeof(reason), remedy, sizeof(remedy)));
	assert_non_null(strstr(reason, cause));
	assert_non_null(strstr(remedy, what_to_do));
}

static void nothing_is_refused_where_it_works(void **state)
{
	struct kernel_facts f = able();
	char reason[200], remedy[160];

	assert_false(kernel_refuses_bpf(&f, reason, sizeof(reason), remedy, sizeof(remedy)));
	f.bpf_err = -1; /* not tried */
	assert_false(kernel_refuses_bpf(&f, reason, sizeof(reason), remedy, sizeof(remedy)));
	assert_string_equal(reason, "");
	(void)state;
}

static void lockdown_is_named(void **state)
{
	struct kernel_facts f = able();

	strcpy(f.lockdown, "confidentiality");
	names(&f, "lockdown", "lockdown=integrity");
	(void)state;
}

static void seccomp_is_named_whatever_errno_it_gives(void **state)
{
	struct kernel_facts f = able();

	f.seccomp = 2;
	f.bpf_err = EPERM;
	names(&f, "seccomp", "allow bpf(2)");
	f.bpf_err = ENOSYS;
	names(&f, "seccomp", "allow bpf(2)");
	(void)state;
}

static void missing_option_is_named(void **state)
{
	struct kernel_facts f = able();

	f.bpf_err = ENOSYS;
	names(&f, "CONFIG_BPF_SYSCALL", "");
	(void)state;
}

static void memlock_is_named_before_5_11_only(void **state)
{
	struct kernel_facts f = able();

	f.bpf_err = EPERM;
	f.version = KERNEL(5, 10);
	names(&f, "RLIMIT_MEMLOCK", "ulimit -l");
	f.cap_sys_resource = true;
	names(&f, "security module", "AppArmor");
	f.cap_sys_resource = false;
	f.version = KERNEL(5, 11);
	names(&f, "security module", "AppArmor");
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_refused_where_it_works),
		cmocka_unit_test(lockdown_is_named),
		cmocka_unit_test(seccomp_is_named_whatever_errno_it_gives),
		cmocka_unit_test(missing_option_is_named),
		cmocka_unit_test(memlock_is_named_before_5_11_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
