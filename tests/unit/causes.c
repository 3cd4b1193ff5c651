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

static void lockdown_of_integrity_is_not_blamed(void **state)
{
	struct kernel_facts f = able();
	char reason[200], remedy[160];

	strcpy(f.lockdown, "integrity");
	assert_false(kernel_refuses_bpf(&f, reason, sizeof(reason), remedy, sizeof(remedy)));
	(void)state;
}

static void user_namespace_is_named_before_the_filter_that_goes_with_it(void **state)
{
	struct kernel_facts f = able();

	f.user_ns = true;
	f.bpf_err = EPERM;
	names(&f, "user namespace", "outside");
	f.seccomp = 2;
	names(&f, "user namespace", "outside");
	f.bpf_err = ENOSYS;
	names(&f, "seccomp", "allow bpf(2)");
	(void)state;
}

static void missing_compare_and_swap_is_named(void **state)
{
	struct kernel_facts f = able();

	f.version = KERNEL(5, 10);
	f.cmpxchg_err = EINVAL;
	names(&f, "compare-and-swap", "5.12");
	f.bpf_err = EPERM; /* not that it was asked then */
	f.cmpxchg_err = -1;
	f.seccomp = 2;
	names(&f, "seccomp", "");
	(void)state;
}

static void sysctl_of_unprivileged_bpf_is_never_blamed(void **state)
{
	struct kernel_facts f = able();
	char reason[200], remedy[160];

	f.unprivileged_disabled = 2;
	assert_false(kernel_refuses_bpf(&f, reason, sizeof(reason), remedy, sizeof(remedy)));
	f.bpf_err = EPERM;
	names(&f, "security module", "AppArmor");
	(void)state;
}

/* A program of that section got that errno. */
static void says(const struct kernel_facts *f, const char *section, int err, const char *cause)
{
	char reason[200], remedy[160];

	kernel_reason(f, section, err, reason, sizeof(reason), remedy, sizeof(remedy));
	if (!strstr(reason, cause))
		fail_msg("%s: expected '%s', got '%s'", section, cause, reason);
}

static void causes_of_one_program_are_named(void **state)
{
	static char btf; /* that there is one */
	struct kernel_facts f = able();

	says(&f, "tp_btf/x", EINVAL, "BTF");
	f.btf = (struct btf *)(void *)&btf;
	says(&f, "tp_btf/x", EINVAL, "verifier");
	says(&f, "tp_btf/x", EACCES, "verifier");
	says(&f, "tp_btf/x", ENOENT, "no tracepoint x");
	says(&f, "fexit/f", ENOENT, "no function f");
	says(&f, "kprobe/f", ENOENT, "CONFIG_KPROBES");
	f.trampoline_err = EPERM;
	says(&f, "fexit/f", EPERM, "trampoline");
	f.kprobe_pmu = true;
	f.perf_paranoid = 3;
	says(&f, "kprobe/f", EACCES, "kernel.perf_event_paranoid is 3");
	says(&f, "tp_btf/x", EACCES, "verifier"); /* which that sysctl does not touch */
	f.cap_sys_admin = true;
	says(&f, "kprobe/f", EACCES, "verifier");
	f.seccomp = 2;
	says(&f, "kprobe/f", EPERM, "seccomp filter on this process refuses perf_event_open(2)");
	f.cap_perfmon = false;
	says(&f, "kprobe/f", EPERM, "CAP_PERFMON");
	(void)state;
}

static void causes_of_perf_buffers_are_named(void **state)
{
	struct kernel_facts f = able();
	char reason[200], remedy[160];

	f.perf_paranoid = 3;
	kernel_perf_reason(&f, EACCES, reason, sizeof(reason), remedy, sizeof(remedy));
	assert_non_null(strstr(reason, "kernel.perf_event_paranoid is 3"));
	assert_non_null(strstr(remedy, "sysctl"));
	f.perf_paranoid = 2;
	f.seccomp = 2;
	kernel_perf_reason(&f, EACCES, reason, sizeof(reason), remedy, sizeof(remedy));
	assert_non_null(strstr(reason, "seccomp"));
	f.seccomp = 0;
	kernel_perf_reason(&f, ENOSYS, reason, sizeof(reason), remedy, sizeof(remedy));
	assert_non_null(strstr(reason, "CONFIG_PERF_EVENTS"));
	kernel_perf_reason(&f, EMFILE, reason, sizeof(reason), remedy, sizeof(remedy));
	assert_non_null(strstr(reason, "Too many open files"));
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
		cmocka_unit_test(lockdown_of_integrity_is_not_blamed),
		cmocka_unit_test(user_namespace_is_named_before_the_filter_that_goes_with_it),
		cmocka_unit_test(missing_compare_and_swap_is_named),
		cmocka_unit_test(sysctl_of_unprivileged_bpf_is_never_blamed),
		cmocka_unit_test(causes_of_one_program_are_named),
		cmocka_unit_test(causes_of_perf_buffers_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
