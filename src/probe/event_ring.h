/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a BPF ring buffer. libbpf maps its data twice in a row, so that no record is in two pieces; all pages of a
 * mapping of the kernel's are resident at once, so 8 MiB of it count as 16. Here what follows the first time is as much as
 * a record takes.
 */
#ifndef NETPROBE_EVENT_RING_H
#define NETPROBE_EVENT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_ring;

/* size: the map's entries; record: the largest that is put into it. 0, -ENOMEM or the errno of mmap. */
int event_ring_open(int map_fd, size_t size, size_t record, struct event_ring **ret);
struct event_ring *event_ring_close(struct event_ring *r);
/* All that is there, each to fn. How many; INT_MAX where more were. */
int event_ring_read(struct event_ring *r, void (*fn)(void *arg, const void *data, size_t size),
		    void *arg);
bool event_ring_is_empty(const struct event_ring *r);
/*
 * Readable once the kernel half woke its readers, until there is nothing; an epoll of the map. The map itself is readable
 * whenever there is a record: who polls it would look at each by itself.
 */
int event_ring_fd(const struct event_ring *r);

#endif
