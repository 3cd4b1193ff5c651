/* SPDX-License-Identifier: BSD-2-Clause */
/* Security events out of the ring. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "guard/internal.h"

struct guard_watch {
	struct ring_buffer *ring;
	void (*fn)(const struct np_ev_guard *ev, void *arg);
	void *arg;
	int n;
};

static int on_record(void *ctx, void *data, size_t size)
{
	struct guard_watch *w = ctx;

	if (size < sizeof(struct np_ev_guard))
		return 0;
	w->n++;
	w->fn(data, w->arg);
	return 0;
}

int guard_watch_open(struct guard *g, struct guard_watch **ret, struct netprobe_error *err)
{
	struct guard_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	w->ring = ring_buffer__new(g->map[MAP_RING], on_record, w, NULL);
	if (!w->ring) {
		int r = -errno;

		free(w);
		return error_set(err, r, "cannot read guard's events: %s", strerror(-r));
	}
	*ret = w;
	return 0;
}

struct guard_watch *guard_watch_close(struct guard_watch *w)
{
	if (w)
		ring_buffer__free(w->ring);
	free(w);
	return NULL;
}

int guard_watch_fd(const struct guard_watch *w)
{
	return ring_buffer__epoll_fd(w->ring);
}

int guard_watch_poll(struct guard_watch *w, void (*fn)(const struct np_ev_guard *ev, void *arg),
		     void *arg)
{
	int r;

	w->fn = fn;
	w->arg = arg;
	w->n = 0;
	r = ring_buffer__consume(w->ring);
	return r < 0 ? r : w->n;
}
