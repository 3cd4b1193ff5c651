/* SPDX-License-Identifier: BSD-2-Clause */
/* Namespaces that are there are never taken for gone, whatever their processes do meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/netns.h"

static void rest(long us)
{
	const struct timespec t = { .tv_nsec = us * 1000 };

	(void)nanosleep(&t, NULL);
}

/* Each process of it lives for a moment, and leaves a child. */
static void run_on(const atomic_bool *stop)
{
	while (!*stop) {
		rest(1000);
		if (fork() > 0)
			_exit(0);
	}
	_exit(0);
}

static uint64_t start_chain(const atomic_bool *stop)
{
	uint64_t inode = 0;
	struct stat st;
	int to[2];
	pid_t pid;

	assert_int_equal(pipe(to), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) || stat("/proc/self/ns/net", &st))
			st.st_ino = 0;
		inode = st.st_ino;
		(void)!write(to[1], &inode, sizeof(inode));
		(void)close(to[0]);
		(void)close(to[1]);
		if (inode)
			run_on(stop);
		_exit(0);
	}
	assert_int_equal(read(to[0], &inode, sizeof(inode)), sizeof(inode));
	(void)close(to[0]);
	(void)close(to[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return inode;
}

static void as_root_a_namespace_whose_processes_come_and_go_is_not_gone(void **state)
{
	atomic_bool *stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int told = 0, wrong = 0;
	bool gone = false;
	uint64_t inode;
	int r = 0;

	(void)state;
	assert_true(stop != MAP_FAILED);
	inode = start_chain(stop);
	for (int i = 0; inode && i < 50 && r != -ENOTSUP; i++) {
		r = netns_gone(&inode, 1, &gone);
		told += !r;
		wrong += !r && gone;
	}
	*stop = true;
	if (!inode || r == -ENOTSUP)
		skip(); /* not root, or not in the first pid namespace */
	print_message("%u of 50 told, %u of them wrong\n", told, wrong);
	assert_int_equal(wrong, 0);
	for (int i = 0; i < 1000 && (netns_gone(&inode, 1, &gone) || !gone); i++)
		rest(10000);
	assert_true(gone);
	(void)munmap(stop, sizeof(*stop));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_root_a_namespace_whose_processes_come_and_go_is_not_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
