/* SPDX-License-Identifier: BSD-2-Clause */
/* A manager from inside. Everything in it is under its lock; handlers run under it too. */
#ifndef NETPROBE_API_INTERNAL_H
#define NETPROBE_API_INTERNAL_H

#include <netprobe/netprobe.h>
#include <pthread.h>

#include "balance/check.h"
#include "base/buf.h"
#include "engine/session.h"

#define API_FAMILIES 4 /* bits of NETPROBE_EVENT_ALL */
#define API_QUEUE_MAX \
	65536 /* events of a family nobody has polled for; more are lost and counted */
#define API_PUBLIC __attribute__((visibility("default")))

/* Events of one family on their way to its handler. */
struct queue {
	netprobe_event_fn fn;
	void *arg;
	struct netprobe_event *events; /* each with its strings in one block, json first */
	size_t n, room;
	uint64_t since_ns; /* CLOCK_MONOTONIC of the oldest one's arrival */
};

struct netprobe_manager {
	pthread_mutex_t lock; /* recursive: a handler may call functions of its manager */
	struct netprobe_config config;
	char **filters; /* config.filters points here; NULL none */
	struct np_filter filter;
	struct session *session; /* NULL: not loaded, or NETPROBE_CAPTURE_NONE */
	bool loaded;
	bool handling; /* a handler is running */
	struct queue queues[API_FAMILIES];
	uint64_t delivered, lost;
	uint64_t next_tick_ns;
	struct balance balance; /* model NULL: there is none, or it is not watched */
	struct checker *checker;
	struct guard_watch *watch; /* NULL: guard is nowhere, or nobody wants to know */
	bool watch_tried;	   /* in this interval */
	struct buf line;
	pthread_t worker;
	bool has_worker;
	volatile bool stop; /* read by the worker between two steps */
};

/* config.c: copies what the caller's size has over the defaults and checks it. */
int api_config_take(const struct netprobe_config *from, struct netprobe_config *ret,
		    struct np_filter *ret_filter, struct netprobe_error *err);
int api_config_copy(struct netprobe_manager *m, const struct netprobe_config *from);
void api_config_done(struct netprobe_manager *m);

/* event.c */
void queue_session_event(const struct event *ev, void *manager);
/* One of our own: json is all of it behind the common keys, beginning with a comma; NULL nothing. */
void queue_own_event(struct netprobe_manager *m, uint32_t family, const char *type,
		     const char *entity, const char *value, double num, const char *unit,
		     const char *json);
bool queue_wanted(const struct netprobe_manager *m, uint32_t family);
/* Hand out batches that are full or old enough; all: whatever waits. How many events. */
size_t queue_flush(struct netprobe_manager *m, bool all);
/* When the next batch is old enough; UINT64_MAX: nothing waits. */
uint64_t queue_due_ns(const struct netprobe_manager *m);
void queue_done(struct netprobe_manager *m);

/* report.c: stats.* of an interval, and the balancer's health. */
void report_tick(struct netprobe_manager *m);
int report_health(struct netprobe_manager *m, struct netprobe_error *err);
void report_done(struct netprobe_manager *m);

/* security.c: detection's events. done: look anew for guard, which may have come, gone or both. */
void security_poll(struct netprobe_manager *m);
void security_done(struct netprobe_manager *m);

/* What the caller's structure has room for; -EINVAL: it says less than its own size field. */
int api_give(void *ret, size_t room, const void *from, size_t size);
#define GIVE(ret, from) api_give((ret), (ret)->size, &(from), sizeof(from))

static inline void api_lock(struct netprobe_manager *m)
{
	(void)pthread_mutex_lock(&m->lock);
}

static inline void api_unlock(struct netprobe_manager *m)
{
	(void)pthread_mutex_unlock(&m->lock);
}

#endif
