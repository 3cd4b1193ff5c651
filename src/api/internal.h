/* SPDX-License-Identifier: BSD-2-Clause */
/* A manager from inside. Everything in it is under its lock; handlers run under it too. */
#ifndef NETPROBE_API_INTERNAL_H
#define NETPROBE_API_INTERNAL_H

#include <netprobe/netprobe.h>
#include <pthread.h>

#include "api/account.h"
#include "balance/check.h"
#include "base/buf.h"
#include "engine/drops.h"
#include "engine/session.h"
#include "engine/trace.h"
#include "guard/guard.h"

#define API_FAMILIES 6 /* bits of NETPROBE_EVENT_ALL */
#define API_QUEUE_MAX \
	65536 /* events of a family nobody has polled for; more are lost and counted */
#define API_WORKERS_MAX 16
#define API_PUBLIC __attribute__((visibility("default")))
#define API_SIZE_MAX 65536 /* of a structure of the caller's: more is no size */

/* Events of one family on their way to its handler. */
struct queue {
	netprobe_event_fn fn;
	void *arg;
	struct netprobe_event *events; /* each with its strings in one block, type first */
	size_t n, room;
	uint64_t since_ns; /* CLOCK_MONOTONIC of the oldest one's arrival */
};

/* The configuration's own copies of what it points to. */
struct config_strings {
	struct netprobe_filter *filters; /* NULL: none */
	char *btf, *pcap;		 /* NULL: none */
};

/* wake.c: what netprobe_manager_fd gives. */
struct wake {
	bool open;
	int epoll, timer;
	int session, links; /* in it; -1: not */
};

struct attacks; /* engine/attacks.h */
struct crew;

#define API_PLACES 8

/* security.c: a network namespace that calls of a manager came from. */
struct api_place {
	uint32_t netns;		   /* inode */
	uint64_t used;		   /* number of the last call from there; 0: a free place */
	struct guard_watch *watch; /* NULL: guard is not there */
	struct attacks *attacks;
	bool tried;   /* in this interval */
	bool watched; /* looked for at least once */
};

struct netprobe_manager {
	struct netprobe_manager *next; /* of those alive; handle.c */
	unsigned int users;	       /* calls that are in it; handle.c */
	pthread_mutex_t lock;	       /* recursive: a handler may call functions of its manager */
	struct netprobe_config config;
	struct config_strings strings;
	struct np_filter filter;
	struct session *session; /* NULL: not loaded, or NETPROBE_CAPTURE_NONE */
	struct drop_watch *drops;
	struct trace_watch *tracer;
	struct dropped *dropped; /* drops by rows, while health was watched; NULL: they are not */
	bool drops_tried, health;
	bool loaded;
	bool finished;		   /* the last interval is over: only figures can be asked for */
	bool handling;		   /* a handler is running */
	struct api_call **handler; /* calls of the thread that runs it; handle.c, as the next */
	struct api_call **workers[API_WORKERS_MAX];
	bool ending; /* somebody frees it */
	struct queue queues[API_FAMILIES];
	netprobe_room_fn room_fn; /* NULL: there always is */
	void *room_arg;
	uint64_t delivered; /* workers add to it: atomic, see api_delivered() */
	uint64_t lost;
	uint64_t next_tick_ns;
	struct balance balance; /* model NULL: there is none, or it is not watched */
	struct checker *checker;
	bool follows;	/* links_fd was asked for */
	int links_fd;	/* tells of interfaces that come and go; negative: does not */
	uint32_t netns; /* of whoever looked last; 0: nobody did */
	struct api_place places[API_PLACES];
	uint64_t places_used;
	uint64_t security_lost;	  /* of places that were left, and of guards that are gone */
	uint64_t moved, balanced; /* packets when stats.* were told last; only_moved */
	struct buf line, text, xctl;
	pthread_t worker;
	bool has_worker;
	struct crew *crew;	/* several workers; NULL: one or none */
	bool here;		/* events are for this thread to hand out, workers or not */
	volatile bool stop;	/* read by the worker between two steps */
	bool stopping, stopped; /* somebody ends the worker; it has ended */
	unsigned int flush_asked, flush_done; /* tickets: all that waits is to be handed out now */
	struct wake wake;
	struct account account;
};

/*
 * handle.c: which managers are alive. A call holds its manager, so that freeing it waits for the
 * call's end; one that was freed is told from one that lives.
 */
void api_enlist(struct netprobe_manager *m);
/* No new calls; returns when those that are in it have left. */
void api_delist(struct netprobe_manager *m);
/* One call of this thread, and the one that called back for it. */
struct api_call {
	struct netprobe_manager *m; /* NULL: it is not alive */
	bool waits;		    /* for handlers that workers run */
	struct api_call *outer;
};
/* 0; -EBADF: m is not alive; -EDEADLK: a handler of m waits for what this thread is the handler of. */
int api_enter(struct api_call *call, struct netprobe_manager *m, bool waits);
void api_leave(struct api_call *call);
/* Is this thread in a call of that manager already? */
bool api_is_within(const struct netprobe_manager *m);
int api_not_entered(int r, const struct netprobe_manager *m, struct netprobe_error *err);
/* This thread runs handlers of m from here on, under its lock; or does so no more. */
void api_handle(struct netprobe_manager *m, bool on);
/* The same of a worker of a crew, without the lock. */
void api_work(struct netprobe_manager *m, bool on);

#define API_ENTER_AND(m, err, waits)                                                       \
	struct api_call held_ __attribute__((cleanup(api_leave))) = { NULL, false, NULL }; \
	int entered_ = api_enter(&held_, m, waits);                                        \
	if (entered_)                                                                      \
	return api_not_entered(entered_, m, err)
#define API_ENTER(m, err) API_ENTER_AND(m, err, false)

/* Calls of this thread that hand out a list: what they hold must not be asked for again. */
extern __thread unsigned int api_listing;
int api_check_listing(struct netprobe_error *err); /* -EDEADLK from within one */

int api_not_loaded(struct netprobe_error *err); /* -ENODEV */
uint32_t api_capture(const struct session *s);	/* losses.c: NETPROBE_CAPTURE_*; NULL: NONE */

/* config.c: copies what the caller's size has over the defaults and checks it. */
int api_config_take(const struct netprobe_config *from, struct netprobe_config *ret,
		    struct np_filter *ret_filter, struct netprobe_error *err);
/* Makes the configuration and what it points to the manager's own. -ENOMEM: the old one stays. */
int api_config_use(struct netprobe_manager *m, const struct netprobe_config *c,
		   const struct np_filter *filter);
/* Does it differ in what a loaded manager cannot change? -EBUSY. */
int api_config_fixed(const struct netprobe_config *was, const struct netprobe_config *now,
		     struct netprobe_error *err);
void api_config_done(struct netprobe_manager *m);

/* load.c: what a configuration means to the engine. */
int api_open(struct netprobe_manager *m, struct netprobe_error *err);
void api_close(struct netprobe_manager *m);
int api_apply(struct netprobe_manager *m, const struct netprobe_config *c,
	      const struct np_filter *filter, struct netprobe_error *err);

/* poll.c */
void *poll_work(void *manager); /* what the worker does */
/* Not under the lock. -EALREADY: it was, or was never loaded. */
int poll_finish(struct netprobe_manager *m);

/* End the looking thread, if there is one; by whichever call comes first. Not under the lock. */
void poll_stop_worker(struct netprobe_manager *m);

/* wake.c: when a poll is due next; nothing where no descriptor was asked for. */
void wake_set(struct netprobe_manager *m);
void wake_done(struct netprobe_manager *m);

/* view.c: after an interval, what was dropped of each row. */
void view_take_drops(struct netprobe_manager *m);

/* event.c, queue.c */
void queue_session_event(const struct event *ev, void *manager);
/* EVENT_HEALTH, EVENT_AGAIN: good is its num. */
void queue_news(struct netprobe_manager *m, uint8_t kind, const char *entity, const char *value,
		bool good, const struct event_news *news);
/* One that is spelled already; of *like the strings are copied. sock: whose events stay in order; 0 no socket's. */
void queue_push(struct netprobe_manager *m, const struct netprobe_event *like, uint64_t sock);
/* Does one more record of counts find room, here and with who asked to be asked? */
bool queue_has_room(void *manager);
/* A copy at the queue's end; false: no room or no memory. */
bool queue_add(struct queue *q, const struct netprobe_event *like);
void queue_free_events(struct netprobe_event *events, size_t n);
/* What a writer left in b, without its newline; NULL: nothing, or no memory. */
const char *queue_line(struct buf *b);
bool queue_wanted(const struct netprobe_manager *m, uint32_t family);
/* Hand out batches that are full or old enough; all: whatever waits. How many events. */
size_t queue_flush(struct netprobe_manager *m, bool all);
/* When the next batch is old enough; UINT64_MAX: nothing waits. */
uint64_t queue_due_ns(const struct netprobe_manager *m);
void queue_done(struct netprobe_manager *m);

/* crew.c */
int crew_new(struct netprobe_manager *m); /* m->crew, of m->config.workers */
/* When all was handed out; not under the manager's lock. */
void crew_stop(struct crew *c);
struct crew *crew_free(struct crew *c); /* after it stopped, and nobody calls it any more */
bool crew_push(struct netprobe_manager *m, unsigned int family, uint64_t sock,
	       const struct netprobe_event *ev);
bool crew_has_room(const struct netprobe_manager *m, unsigned int family);
/* All that was pushed so far has been handed out when it returns. Not under the manager's lock. */
void crew_flush(struct crew *c);
/* Not under the manager's lock: waits for a handler that runs. */
void crew_set_handler(struct crew *c, unsigned int family, netprobe_event_fn fn, void *arg);
bool crew_is_here(const struct netprobe_manager *m); /* in a handler that one of them runs */

/* report.c: stats.* of an interval, and the balancer's health. */
/* families: NETPROBE_EVENT_STATISTICS, _BALANCING, those with a handler. How many records, or -errno. */
int report_tick(struct netprobe_manager *m, uint32_t families, struct netprobe_error *err);
/* At the end of an interval: those that the configuration wants. */
int report_interval(struct netprobe_manager *m);
int report_health(struct netprobe_manager *m, struct netprobe_error *err);
void report_done(struct netprobe_manager *m);
/* What the balancer did not remember; false: it is not there. */
bool report_balance_losses(struct netprobe_manager *m, struct np_loss *ret);
/* follow.c: guard goes on interfaces that came back. */
void follow_poll(struct netprobe_manager *m);
void follow_done(struct netprobe_manager *m);

/* security.c: detection's events. tick: look anew for guard, which may have come, gone or both. */
void security_poll(struct netprobe_manager *m);
void security_tick(struct netprobe_manager *m);
/* From here on: what is changed next is told. */
void security_begin(struct netprobe_manager *m);
void security_free(struct netprobe_manager *m);
bool security_asked(const struct netprobe_manager *m);	 /* somebody wants them */
bool security_watches(const struct netprobe_manager *m); /* guard is somewhere */
uint64_t security_lost(const struct netprobe_manager *m);
uint32_t api_netns(void); /* this thread's; 0: unknown */
/* Whoever looks may be in another namespace than who looked before. */
void api_here(struct netprobe_manager *m);

/* stats.c: what guard counted and did not remember, by interface, in since.last. How many; -errno: it cannot be read now. */
int stats_guard_losses(struct account_guard ret[NP_GUARD_IFS]);
/* One direction of an interface. */
void api_fill_device(struct netprobe_device_stats *s, const struct guard_if *f, bool tx);

/* attach.c: is some interface in mode BALANCE? */
bool api_balances(void);
/* Interfaces by which backends are reached; free() it. */
uint32_t *api_ways(size_t *ret_n);

/* guard_open, but -EDEADLK from within a list. */
int api_guard(unsigned int flags, struct guard **ret_guard, struct netprobe_error *err);
/* Pins of network namespaces that are gone are removed: by what begins something, and by what lists. */
void api_sweep(void);

/* The same to change lists, which this manager wants to be told of. */
int api_guard_to_change(struct netprobe_manager *m, struct guard **ret_guard,
			struct netprobe_error *err);
/* list.c: -EINVAL: it is longer than so many bytes. NULL is not. */
int api_check_text(const char *name, const char *text, size_t most, struct netprobe_error *err);

/* What the caller's structure has room for; -EINVAL: it says less than its own size field. */
int api_give(void *ret, size_t room, const void *from, size_t size);
#define GIVE(ret, from) api_give((ret), (ret)->size, &(from), sizeof(from))
/* The other way: what the caller's structure has over zeros; least: what it must have. -EINVAL. */
int api_take(const void *from, size_t size, size_t least, void *ret, size_t room,
	     struct netprobe_error *err);

static inline void api_lock(struct netprobe_manager *m)
{
	(void)pthread_mutex_lock(&m->lock);
}

static inline void api_unlock(struct netprobe_manager *m)
{
	(void)pthread_mutex_unlock(&m->lock);
}

static inline uint64_t api_delivered(const struct netprobe_manager *m)
{
	return __atomic_load_n(&m->delivered, __ATOMIC_RELAXED);
}

#endif
