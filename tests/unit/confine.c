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
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/confine.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_calls_are_errors_and_open_files_go_on),
		cmocka_unit_test(ebpf_keeps_bpf_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
