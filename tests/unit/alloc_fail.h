/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Make the n-th allocation of the code under test fail. Link with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray; libc's own calls are not
 * touched. Include in one file of a test program only.
 */
#ifndef NETPROBE_TESTS_ALLOC_FAIL_H
#define NETPROBE_TESTS_ALLOC_FAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static unsigned int alloc_countdown; /* 0: no failure is due */
static bool alloc_failed;	     /* one has happened since alloc_fail_nth */

static void alloc_fail_nth(unsigned int n)
{
	alloc_countdown = n;
	alloc_failed = false;
}

static bool alloc_fails_now(void)
{
	if (alloc_countdown == 0 || --alloc_countdown > 0)
		return false;
	alloc_failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return alloc_fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return alloc_fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return alloc_fails_now() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return alloc_fails_now() ? NULL : __real_reallocarray(p, n, size);
}

#endif
