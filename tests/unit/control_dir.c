/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets of instances that have one number and one folder. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/dir.h"

#define PID 1
#define CLIENTS 8

static struct control_dir dir = { "/tmp/netprobe-control.XXXXXX" };

/* Nobody accepts: not of a stopped one, and not of a busy one yet. */
static void socket_of_an_instance_that_accepts_nobody_is_not_taken(void **state)
{
	int listener = control_dir_listen(&dir, PID, 1), clients[CLIENTS], n = 0;

	(void)state;
	assert_true(listener >= 0);
	assert_int_equal(control_dir_listen(&dir, PID, 1), -EADDRINUSE);
	while (n < CLIENTS && (clients[n] = control_dir_connect(&dir, PID)) >= 0)
		n++;
	assert_true(n < CLIENTS);
	assert_int_equal(clients[n], -EAGAIN);
	assert_int_equal(control_dir_listen(&dir, PID, 1), -EADDRINUSE);
	while (n > 0)
		(void)close(clients[--n]);
	(void)close(listener);
}

static void socket_of_a_dead_one_is_taken(void **state)
{
	int listener;

	(void)state;
	assert_true(control_dir_has(&dir, PID));
	listener = control_dir_listen(&dir, PID, 1);
	assert_true(listener >= 0);
	(void)close(listener);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir.path) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	control_dir_unlink(&dir, PID);
	return rmdir(dir.path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(socket_of_an_instance_that_accepts_nobody_is_not_taken),
		cmocka_unit_test(socket_of_a_dead_one_is_taken),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
