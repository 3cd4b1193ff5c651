/* SPDX-License-Identifier: BSD-2-Clause */
/* In a build without BPF there is no guard to follow. */
#include <stddef.h>

#include "engine/device.h"

struct devices *devices_new(void (*fn)(const struct event *ev, void *arg), void *arg)
{
	(void)fn, (void)arg;
	return NULL;
}

struct devices *devices_free(struct devices *d)
{
	(void)d;
	return NULL;
}

void devices_poll(struct devices *d)
{
	(void)d;
}

void devices_tick(struct devices *d)
{
	(void)d;
}

uint64_t devices_lost(const struct devices *d)
{
	(void)d;
	return 0;
}
