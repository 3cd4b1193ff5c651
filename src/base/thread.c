/* SPDX-License-Identifier: BSD-2-Clause */
/* See thread.h. */
#include <signal.h>

#include "base/thread.h"

int thread_start(pthread_t *ret_thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	sigset_t all, before;
	pthread_t thread;
	int r;

	(void)sigfillset(&all);
	/* The mask is inherited. */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&thread, attr, fn, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!r)
		*ret_thread = thread;
	return r;
}
