/* SPDX-License-Identifier: BSD-2-Clause */
/* What a confined process can still do, and that what it cannot is an errno and not its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/internal.h"

#define EXPECT(cond)                           \
	do {                                   \
		if (!(cond))                   \
			_exit(__LINE__ & 127); \
	} while (0)

static int out = -1; /* opened before */

static void *in_thread(void *arg)
{
	(void)arg;
	EXPECT(open("/proc/self/oom_score_adj", O_WRONLY) < 0 && errno == EPERM);
	return NULL;
}

static int bpf_errno(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_UNSPEC };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)) < 0 ? errno : 0;
}

static void child(bool bpf)
{
	struct confine_opts opts = { .bpf = bpf };
	static char *const argv[] = { (char *)(uintptr_t) "true", NULL };
	struct confined c;
	pthread_t t;

	confine(&opts, &c);
	EXPECT(c.no_new_privs && !c.seccomp_err && c.landlock_err == -1);
	EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	EXPECT(open("/proc/self/status", O_RDONLY) >= 0);
	EXPECT(open("/proc/self/oom_score_adj", O_RDWR) < 0 && errno == EPERM);
	EXPECT(open("confined", O_RDONLY | O_CREAT, 0600) < 0 && errno == EPERM);
	EXPECT(execv("/bin/true", argv) < 0 && errno == EPERM);
	EXPECT(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
	EXPECT(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
	EXPECT(bpf || bpf_errno() == EPERM);
	EXPECT(write(out, "x", 1) == 1);
	EXPECT(!pthread_create(&t, NULL, in_thread, NULL) && !pthread_join(t, NULL));
	_exit(0);
}

static void run(bool bpf)
{
	int fds[2], status;
	pid_t pid;
	char x;

	assert_int_equal(pipe(fds), 0);
	out = fds[1];
	pid = fork();
	if (pid == 0)
		child(bpf);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(read(fds[0], &x, 1), 1);
	close(fds[0]);
	close(fds[1]);
}

static void refused_calls_are_errors_and_open_files_go_on(void **state)
{
	run(false);
	(void)state;
}

static void ebpf_keeps_bpf_and_nothing_else(void **state)
{
	run(true);
	(void)state;
}

/* Calls it with arguments that nothing takes; its errno, 0: it was done. */
static int errno_of(int nr)
{
	errno = 0;
	return syscall(nr, -1L, -1L, -1L, -1L, -1L, -1L) < 0 ? errno : 0;
}

static void try_each(bool bpf)
{
	struct confine_opts opts = { .bpf = bpf };
	int last = 0;
	struct confined c;

	confine(&opts, &c);
	for (unsigned int i = 0; i < confine_n_calls; i++) {
		const struct confine_call *call = &confine_calls[i];
		bool refused = call->what == CALL_NEVER || (call->what == CALL_BPF && !bpf);

		last = call->nr > last ? call->nr : last;
		if (call->nr < 0 || !refused || errno_of(call->nr) == EPERM)
			continue;
		dprintf(out, "%s is not refused: %d\n", call->name, errno_of(call->nr));
		_exit(1);
	}
	EXPECT(errno_of(last + 1) == ENOSYS && errno_of(last + 1000) == ENOSYS);
	_exit(c.seccomp_err);
}

/* In a child each: none of these calls may get through here. */
static void check_each(bool bpf)
{
	char said[256] = "";
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	out = fds[1];
	pid = fork();
	if (pid == 0)
		try_each(bpf);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[1]);
	(void)!read(fds[0], said, sizeof(said) - 1);
	close(fds[0]);
	assert_string_equal(said, "");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void each_refused_call_is_tried(void **state)
{
	(void)state;
	check_each(false);
	check_each(true);
}

/* By what the library knows, which has the kernel's tables. */
static void no_call_is_left_out_of_the_table(void **state)
{
	(void)state;
#if !defined(__x86_64__) && !defined(__aarch64__)
	skip();
#endif
	for (int nr = 0; nr < 512; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		unsigned int i, n = 0;

		for (i = 0; i < confine_n_calls; i++)
			n += confine_calls[i].nr == nr;
		/* Of the newest, which it may not know yet, none is missing either. */
		if ((name || nr >= 424) && n != (nr <= 470))
			fail_msg("%d, %s, is %u times in the table", nr, name ? name : "?", n);
		free(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_calls_are_errors_and_open_files_go_on),
		cmocka_unit_test(ebpf_keeps_bpf_and_nothing_else),
		cmocka_unit_test(each_refused_call_is_tried),
		cmocka_unit_test(no_call_is_left_out_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
