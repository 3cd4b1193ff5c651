/* SPDX-License-Identifier: BSD-2-Clause */
/* Each cause that keeps netprobe from a rung is told as what it is, and the next rung taken. */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "rung.h"
#include "tap.h"

#define BIT(cap) (1ull << (cap))
#define ENOUGH (BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_NET_ADMIN))

/* A kernel file that reads as if, for this test and what it starts. */
static void pretend(const char *path, const char *text)
{
	char file[PATH_MAX];
	FILE *f;

	snprintf(file, sizeof(file), "%s/pretended", test_dir());
	f = fopen(file, "w");
	REQUIRE(f && fputs(text, f) >= 0 && !fclose(f), "cannot write %s", file);
	REQUIRE(!unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
			!mount(file, path, NULL, MS_BIND, NULL),
		"cannot put %s over %s", file, path);
}

TEST(lockdown_is_told)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	static const char *const words[] = { "not ebpf",
					     "kernel lockdown is in confidentiality mode", NULL };
	struct probe_opts opts = { .args = args, .plain = true, .no_ready = true, .no_bpf = true };
	FILE *f;

	/* as securityfs has it; the folder is there whether or not that is mounted */
	rung_hide("/sys/kernel/security");
	f = fopen("/sys/kernel/security/lockdown", "w");
	REQUIRE(f && fputs("none integrity [confidentiality]\n", f) >= 0 && !fclose(f),
		"cannot write lockdown");
	rung_check_falls(&opts, LOWER, words);
	rung_check_explicit_fails(opts, words + 1);
}

TEST(lockdown_of_integrity_keeps_nothing_away)
{
	static const char *const args[] = { "flows", SHORT, "--capture-mode", "ebpf", NULL };
	char *out, *said;
	int status;
	FILE *f;

	rung_hide("/sys/kernel/security");
	f = fopen("/sys/kernel/security/lockdown", "w");
	REQUIRE(f && fputs("none [integrity] confidentiality\n", f) >= 0 && !fclose(f),
		"cannot write lockdown");
	status = rung_run(args, 0, 0, &out, &said);
	CHECK(status == 0, "expected exit 0, got %d: %s", status, said);
	free(out);
	free(said);
}

TEST(auto_falls_when_seccomp_refuses_bpf)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	static const char *const words[] = { "not ebpf", "seccomp filter", "bpf(2)", NULL };
	struct probe_opts opts = { .args = args, .plain = true, .no_ready = true, .no_bpf = true };

	rung_check_falls(&opts, LOWER, words);
	rung_check_explicit_fails(opts, words + 1);
}

TEST(a_user_namespace_is_told)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	static const char *const words[] = {
		"not ebpf", "its capabilities in a user namespace, and bpf(2)", "not afpacket",
		"the user namespace this network namespace belongs to", NULL
	};
	static const char *const ebpf[] = { "bpf(2) takes those of the initial one", NULL };
	struct probe_opts opts = { .args = args, .plain = true, .no_ready = true, .user_ns = true };

	rung_check_falls(&opts, "proc", words);
	rung_check_explicit_fails(opts, ebpf);
}

/* Which of its values the sysctl has is no matter: the capability is what lacks, and what is told. */
TEST(a_sysctl_that_is_not_to_blame_is_not_blamed)
{
	static const char *const values[] = { "0\n", "1\n", "2\n" };
	static const char *const without[] = { "flows", SHORT, NULL };
	static const char *const with[] = { "flows", SHORT, "--capture-mode", "ebpf", NULL };
	static const char *const words[] = { "not ebpf", "needs CAP_BPF", NULL };
	struct probe_opts opts = {
		.args = without, .plain = true, .no_ready = true, .uid = RUNG_NOBODY
	};

	for (unsigned int i = 0; i < 3; i++) {
		char *out, *said;
		int status;

		pretend("/proc/sys/kernel/unprivileged_bpf_disabled", values[i]);
		rung_check_falls(&opts, "proc", words);
		status = rung_run(with, RUNG_NOBODY, ENOUGH, &out, &said);
		CHECK(status == 0, "sysctl %.1s, three capabilities: exit %d: %s", values[i],
		      status, said);
		free(out);
		free(said);
	}
}

TEST(the_sysctl_that_refuses_perf_buffers_is_told)
{
	static const char *const args[] = { "flows", SHORT, "--event-buffer", "perf", NULL };
	struct probe_opts opts = { .args = args,
				   .plain = true,
				   .no_ready = true,
				   .uid = RUNG_NOBODY,
				   .caps = ENOUGH,
				   .no_perf = EACCES };
	struct probe p;
	char *said;
	int status;

	/* Debian's third level, and its answer */
	pretend("/proc/sys/kernel/perf_event_paranoid", "3\n");
	p = probe_spawn(&opts);
	status = probe_wait(&p, RUNG_END_MS);
	said = file_text(p.log);
	CHECK(status == 2, "expected exit 2, got %d", status);
	CHECK(strstr(said, "perf buffer") && strstr(said, "kernel.perf_event_paranoid is 3") &&
		      strstr(said, "CAP_SYS_ADMIN"),
	      "expected the sysctl and what it takes: %s", said);
	free(said);
}

TEST(seccomp_that_refuses_perf_buffers_is_told)
{
	static const char *const args[] = { "flows", SHORT, "--event-buffer", "perf", NULL };
	static const char *const words[] = { "seccomp filter", "perf_event_open(2)", NULL };
	struct probe_opts opts = {
		.args = args, .plain = true, .no_ready = true, .no_perf = EPERM
	};

	rung_check_explicit_fails(opts, words);
}

TEST(auto_falls_when_the_kernel_has_no_packet_sockets)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	static const char *const words[] = { "not ebpf", "not afpacket",
					     "no packet sockets (CONFIG_PACKET)", NULL };
	struct probe_opts opts = { .args = args,
				   .plain = true,
				   .no_ready = true,
				   .no_bpf = true,
				   .no_packet = EAFNOSUPPORT };

#ifdef __SANITIZE_ADDRESS__
	test_skip("the sanitizers need /proc themselves");
#endif
	/* where it could be read that the kernel has them */
	rung_hide("/proc");
	rung_check_falls(&opts, "proc", words);
}

TEST(auto_falls_when_seccomp_refuses_packet_sockets)
{
	static const int errors[] = { EPERM, EAFNOSUPPORT };
	static const char *const args[] = { "flows", SHORT, NULL };
	static const char *const words[] = { "not afpacket", "refuses packet sockets", NULL };

	for (unsigned int i = 0; i < 2; i++) {
		struct probe_opts opts = { .args = args,
					   .plain = true,
					   .no_ready = true,
					   .no_bpf = true,
					   .no_packet = errors[i] };

		rung_check_falls(&opts, "proc", words);
	}
}

TEST(seccomp_that_keeps_all_rungs_away_is_told)
{
	static const char *const args[] = { "flows", SHORT, NULL };
	struct probe_opts opts = { .args = args,
				   .plain = true,
				   .no_ready = true,
				   .no_bpf = true,
				   .no_packet = EAFNOSUPPORT,
				   .no_netlink = EAFNOSUPPORT };
	struct probe p = probe_spawn(&opts);
	int status = probe_wait(&p, RUNG_END_MS);
	char *said = file_text(p.log);

	CHECK(status == 2, "expected exit 2, got %d", status);
	CHECK(strstr(said, "seccomp filter") && strstr(said, "netlink"), "expected the cause: %s",
	      said);
	free(said);
}
