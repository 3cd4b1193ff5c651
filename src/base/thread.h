/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads of our own beside those of the program that uses us. */
#ifndef NETPROBE_THREAD_H
#define NETPROBE_THREAD_H

#include <pthread.h>

/*
 * Start fn(arg) in a thread that takes no signal: those are the program's, whose threads wait for them
 * by handler, signalfd or sigwait. attr NULL: the default. 0 or -errno.
 */
int thread_start(pthread_t *ret_thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);

#endif
