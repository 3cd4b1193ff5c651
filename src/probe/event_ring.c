/* SPDX-License-Identifier: BSD-2-Clause */
/* See event_ring.h. Positions and heads as in the kernel's documentation of BPF ring buffers. */
#include "probe/event_ring.h"

#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

struct event_ring {
	unsigned long *taken; /* consumer's position, a page that is written here */
	const unsigned long *put;
	const uint8_t *data;
	size_t page, mask, mapped; /* mapped: of put and data */
	int epoll;		   /* of the map */
};

static size_t whole_pages(size_t bytes, size_t page)
{
	return (bytes + page - 1) / page * page;
}

int event_ring_open(int map_fd, size_t size, size_t record, struct event_ring **ret)
{
	struct epoll_event readable = { .events = EPOLLIN };
	struct event_ring *r = calloc(1, sizeof(*r));
	void *map = MAP_FAILED;
	size_t more;

	if (!r)
		return -ENOMEM;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->mask = size - 1;
	more = whole_pages(record + BPF_RINGBUF_HDR_SZ, r->page);
	r->mapped = r->page + size + (more < size ? more : size);
	if (r->epoll >= 0 && !epoll_ctl(r->epoll, EPOLL_CTL_ADD, map_fd, &readable))
		map = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (map != MAP_FAILED) {
		r->taken = map;
		map = mmap(NULL, r->mapped, PROT_READ, MAP_SHARED, map_fd, (off_t)r->page);
	}
	if (map == MAP_FAILED) {
		int err = errno;

		(void)event_ring_close(r);
		return -err;
	}
	r->put = map;
	r->data = (const uint8_t *)map + r->page;
	*ret = r;
	return 0;
}

struct event_ring *event_ring_close(struct event_ring *r)
{
	if (!r)
		return NULL;
	if (r->taken)
		(void)munmap(r->taken, r->page);
	if (r->put)
		(void)munmap((void *)r->put, r->mapped);
	if (r->epoll >= 0)
		(void)close(r->epoll);
	free(r);
	return NULL;
}

static unsigned long next_of(unsigned long at, uint32_t head)
{
	uint32_t len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	return at + (len + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
}

int event_ring_read(struct event_ring *r, void (*fn)(void *arg, const void *data, size_t size),
		    void *arg)
{
	unsigned long at = __atomic_load_n(r->taken, __ATOMIC_ACQUIRE), end;
	int n = 0;

	/* until nothing came meanwhile */
	while (at < (end = __atomic_load_n(r->put, __ATOMIC_ACQUIRE))) {
		while (at < end) {
			const uint8_t *rec = r->data + (at & r->mask);
			uint32_t head = __atomic_load_n((const uint32_t *)(const void *)rec,
							__ATOMIC_ACQUIRE);

			if (head & BPF_RINGBUF_BUSY_BIT)
				return n; /* being written */
			if (!(head & BPF_RINGBUF_DISCARD_BIT)) {
				fn(arg, rec + BPF_RINGBUF_HDR_SZ, head);
				n += n < INT_MAX;
			}
			at = next_of(at, head);
			__atomic_store_n(r->taken, at, __ATOMIC_RELEASE);
		}
	}
	return n;
}

bool event_ring_is_empty(const struct event_ring *r)
{
	return __atomic_load_n(r->taken, __ATOMIC_ACQUIRE) ==
	       __atomic_load_n(r->put, __ATOMIC_ACQUIRE);
}

int event_ring_fd(const struct event_ring *r)
{
	return r->epoll;
}
