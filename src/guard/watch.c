/* SPDX-License-Identifier: BSD-2-Clause */
/* Security events out of the log that the kernel half writes: each watcher reads at its own pace. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guard/internal.h"

#define LOOK_NS 100000000      /* between two looks of who waits by descriptor */
#define WRITE_NS 2000000000ULL /* nobody takes so long to write an event that has its number */
#define LOG_BYTES (NP_GUARD_LOG * sizeof(struct np_guard_logged))

struct guard_watch {
	const volatile struct np_guard_conf *conf;
	struct np_guard_logged *log;
	uint64_t next; /* number of the event to be read */
	uint64_t lost;
	uint64_t awaited, awaited_ns; /* an event that has its number only, and since when */
	uint32_t map_id;	      /* of the configuration: tells one guard from the next */
	int timer;
	int ifs; /* the map of interfaces */
};

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

int guard_watch_open(struct guard *g, bool from_start, struct guard_watch **ret,
		     struct netprobe_error *err)
{
	struct itimerspec each = { { 0, LOOK_NS }, { 0, LOOK_NS } };
	struct guard_watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return error_set(err, -ENOMEM, "out of memory");
	w->ifs = -1;
	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	w->conf = map_view(g->map[MAP_CONF], sizeof(*w->conf), false);
	w->log = map_view(g->map[MAP_LOG], LOG_BYTES, false);
	w->map_id = map_id(g->map[MAP_CONF]);
	w->ifs = fcntl(g->map[MAP_IFS], F_DUPFD_CLOEXEC, 3);
	if (w->timer < 0 || w->ifs < 0 || !w->conf || !w->log ||
	    timerfd_settime(w->timer, 0, &each, NULL)) {
		r = -errno;
		(void)guard_watch_close(w);
		return error_set(err, r, "cannot read guard's events: %s", strerror(-r));
	}
	w->next = from_start ? 1 : w->conf->events + 1;
	*ret = w;
	return 0;
}

struct guard_watch *guard_watch_close(struct guard_watch *w)
{
	if (!w)
		return NULL;
	map_unview(w->conf, sizeof(*w->conf));
	map_unview(w->log, LOG_BYTES);
	if (w->timer >= 0)
		(void)close(w->timer);
	if (w->ifs >= 0)
		(void)close(w->ifs);
	free(w);
	return NULL;
}

int guard_watch_fd(const struct guard_watch *w)
{
	return w->timer;
}

bool guard_watch_is_of(const struct guard_watch *w, const struct guard *g)
{
	return w->map_id == map_id(g->map[MAP_CONF]);
}

void guard_watch_name(const struct guard_watch *w, uint32_t ifindex, char ret[16])
{
	struct np_guard_if at;

	ret[0] = '\0';
	for (uint32_t slot = 0; ifindex && slot < NP_GUARD_IFS; slot++) {
		if (bpf_map_lookup_elem(w->ifs, &slot, &at) || at.ifindex != ifindex)
			continue;
		memcpy(ret, at.name, sizeof(at.name));
		ret[sizeof(at.name) - 1] = '\0';
		return;
	}
}

uint64_t guard_watch_lost(const struct guard_watch *w)
{
	return w->lost;
}

/* 1 read, 0 not there yet, -ESTALE overwritten. */
static int read_one(const struct guard_watch *w, struct np_ev_guard *ret)
{
	struct np_guard_logged *slot = &w->log[(w->next - 1) & (NP_GUARD_LOG - 1)];
	uint64_t before = __atomic_load_n(&slot->number, __ATOMIC_ACQUIRE);

	if (before > w->next)
		return -ESTALE;
	if (before < w->next)
		return 0;
	memcpy(ret, &slot->ev, sizeof(*ret));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&slot->number, __ATOMIC_RELAXED) == before ? 1 : -ESTALE;
}

/* Whether the next event will never be there: a process took its number and was killed (told.c). */
static bool is_overdue(struct guard_watch *w)
{
	struct timespec ts;
	uint64_t now;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
	if (w->awaited != w->next) {
		w->awaited = w->next;
		w->awaited_ns = now;
	}
	return now - w->awaited_ns > WRITE_NS;
}

int guard_watch_poll(struct guard_watch *w, void (*fn)(const struct np_ev_guard *ev, void *arg),
		     void *arg)
{
	uint64_t newest = __atomic_load_n(&w->conf->events, __ATOMIC_ACQUIRE), expired;
	int n = 0;

	(void)!read(w->timer, &expired, sizeof(expired));
	if (newest + 1 - w->next > NP_GUARD_LOG) {
		w->lost += newest + 1 - w->next - NP_GUARD_LOG;
		w->next = newest + 1 - NP_GUARD_LOG;
	}
	while (w->next <= newest) {
		struct np_ev_guard ev;
		int r = read_one(w, &ev);

		if (!r && !is_overdue(w))
			break; /* another processor is about to: at the next look */
		w->next++;
		if (r <= 0) {
			w->lost++;
			continue;
		}
		fn(&ev, arg);
		n++;
	}
	return n;
}
