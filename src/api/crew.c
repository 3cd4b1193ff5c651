/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several workers: one thread looks, these hand out. Each has queues of its own and takes the events of
 * the sockets that are its share, so that those of one socket stay in order; handlers run without the
 * manager's lock, and those of two workers at the same time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/internal.h"
#include "base/thread.h"

#define NS_PER_MS 1000000ull

struct hand {
	struct netprobe_manager *m;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more, idle;
	struct queue queues[API_FAMILIES];
	size_t batch; /* the configuration's, as of the last event */
	uint64_t batch_ns;
	bool stop, over;
	unsigned int flushes; /* that wait: hand out what there is, whatever its batch */
	uint64_t pushed[API_FAMILIES], done[API_FAMILIES]; /* events, since it began */
	int busy;					   /* family it hands out now; -1 none */
	unsigned int next; /* family that is looked at first: none has to wait for a busy one */
};

struct crew {
	unsigned int n;
	struct hand hands[];
};

static __thread const struct netprobe_manager *handling; /* by a worker of this crew */

bool crew_is_here(const struct netprobe_manager *m)
{
	return handling == m;
}

/* Of 64 bits that may count up: all of them matter. */
static unsigned int share_of(const struct crew *c, uint64_t sock)
{
	return (unsigned int)((sock * 0x9e3779b97f4a7c15ull) >> 33) % c->n;
}

/* The first queue that is full or old enough; -1: none, *ret_due says when there is. */
static int due_queue(const struct hand *h, uint64_t *ret_due)
{
	uint64_t now = clock_monotonic_ns();

	*ret_due = UINT64_MAX;
	for (unsigned int n = 0; n < API_FAMILIES; n++) {
		unsigned int i = (h->next + n) % API_FAMILIES;
		const struct queue *q = &h->queues[i];
		uint64_t at = q->since_ns + h->batch_ns;

		if (!q->n)
			continue;
		if (h->stop || h->flushes || q->n >= h->batch || at <= now)
			return (int)i;
		*ret_due = at < *ret_due ? at : *ret_due;
	}
	return -1;
}

/* Asked before each batch: a handler may take itself off, or set another one. */
static bool handler_now(struct hand *h, int i, struct queue *q)
{
	(void)pthread_mutex_lock(&h->lock);
	q->fn = h->queues[i].fn;
	q->arg = h->queues[i].arg;
	(void)pthread_mutex_unlock(&h->lock);
	return q->fn != NULL;
}

/* Without the lock: whoever pushes does not wait for a handler. */
static void hand_out(struct hand *h, int i)
{
	struct queue q = h->queues[i];
	size_t batch = h->batch;

	h->queues[i].events = NULL;
	h->queues[i].n = h->queues[i].room = 0;
	h->busy = i;
	h->next = (unsigned int)i + 1;
	(void)pthread_mutex_unlock(&h->lock);
	for (size_t at = 0; handler_now(h, i, &q) && at < q.n; at += batch) {
		size_t n = q.n - at < batch ? q.n - at : batch;

		q.fn(q.events + at, n, q.arg);
		(void)__atomic_add_fetch(&h->m->delivered, n, __ATOMIC_RELAXED);
	}
	queue_free_events(q.events, q.n);
	(void)pthread_mutex_lock(&h->lock);
	h->done[i] += q.n;
	h->busy = -1;
	(void)pthread_cond_broadcast(&h->idle);
}

/* Those that were pushed before the flush; more may come all the time. */
static bool has_done(const struct hand *h, const uint64_t until[API_FAMILIES])
{
	for (unsigned int i = 0; i < API_FAMILIES; i++)
		if (h->done[i] < until[i])
			return h->over;
	return true;
}

/* Each at once, then each in turn. */
void crew_flush(struct crew *c)
{
	uint64_t until[API_WORKERS_MAX][API_FAMILIES];

	for (unsigned int i = 0; i < c->n; i++) {
		struct hand *h = &c->hands[i];

		(void)pthread_mutex_lock(&h->lock);
		h->flushes++;
		memcpy(until[i], h->pushed, sizeof(until[i]));
		(void)pthread_cond_signal(&h->more);
		(void)pthread_mutex_unlock(&h->lock);
	}
	for (unsigned int i = 0; i < c->n; i++) {
		struct hand *h = &c->hands[i];

		(void)pthread_mutex_lock(&h->lock);
		while (!has_done(h, until[i]))
			(void)pthread_cond_wait(&h->idle, &h->lock);
		h->flushes--;
		(void)pthread_mutex_unlock(&h->lock);
	}
}

static void wait_until(struct hand *h, uint64_t due_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(due_ns / 1000000000u),
			       .tv_nsec = (long)(due_ns % 1000000000u) };

	if (due_ns == UINT64_MAX)
		(void)pthread_cond_wait(&h->more, &h->lock);
	else
		(void)pthread_cond_timedwait(&h->more, &h->lock, &ts);
}

static void *work(void *arg)
{
	struct hand *h = arg;
	uint64_t due;
	int i;

	handling = h->m;
	api_work(h->m, true);
	(void)pthread_mutex_lock(&h->lock);
	for (;;) {
		i = due_queue(h, &due);
		if (i >= 0)
			hand_out(h, i);
		else if (h->stop)
			break;
		else
			wait_until(h, due);
	}
	h->over = true;
	(void)pthread_cond_broadcast(&h->idle);
	(void)pthread_mutex_unlock(&h->lock);
	api_work(h->m, false);
	return NULL;
}

static int hand_start(struct hand *h, struct netprobe_manager *m)
{
	pthread_condattr_t clock;
	int r;

	h->m = m;
	h->busy = -1;
	for (unsigned int i = 0; i < API_FAMILIES; i++) {
		h->queues[i].fn = m->queues[i].fn;
		h->queues[i].arg = m->queues[i].arg;
	}
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&h->more, &clock);
	(void)pthread_cond_init(&h->idle, &clock);
	(void)pthread_condattr_destroy(&clock);
	r = thread_start(&h->thread, NULL, work, h);
	return r;
}

static void hand_stop(struct hand *h)
{
	(void)pthread_mutex_lock(&h->lock);
	h->stop = true;
	(void)pthread_cond_signal(&h->more);
	(void)pthread_mutex_unlock(&h->lock);
	(void)pthread_join(h->thread, NULL);
}

/* What others pushed after it stopped has nobody to take it. */
static void hand_done(struct hand *h)
{
	for (unsigned int i = 0; i < API_FAMILIES; i++)
		queue_free_events(h->queues[i].events, h->queues[i].n);
	(void)pthread_cond_destroy(&h->more);
	(void)pthread_cond_destroy(&h->idle);
	(void)pthread_mutex_destroy(&h->lock);
}

int crew_new(struct netprobe_manager *m)
{
	struct crew *c = calloc(1, sizeof(*c) + m->config.workers * sizeof(c->hands[0]));
	int r = c ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < m->config.workers && !r; i++) {
		r = hand_start(&c->hands[i], m);
		if (!r)
			c->n++;
	}
	if (r) {
		crew_stop(c);
		(void)crew_free(c);
		return r;
	}
	m->crew = c;
	return 0;
}

void crew_stop(struct crew *c)
{
	for (unsigned int i = 0; c && i < c->n; i++)
		hand_stop(&c->hands[i]);
}

struct crew *crew_free(struct crew *c)
{
	for (unsigned int i = 0; c && i < c->n; i++)
		hand_done(&c->hands[i]);
	free(c);
	return NULL;
}

bool crew_push(struct netprobe_manager *m, unsigned int family, uint64_t sock,
	       const struct netprobe_event *ev)
{
	struct hand *h = &m->crew->hands[share_of(m->crew, sock)];
	bool first, kept;

	(void)pthread_mutex_lock(&h->lock);
	h->batch = m->config.batch_size;
	h->batch_ns = m->config.batch_timeout * NS_PER_MS;
	first = !h->queues[family].n;
	kept = queue_add(&h->queues[family], ev);
	h->pushed[family] += kept;
	/* It sleeps until the oldest is old enough, or for ever. */
	if (kept && (first || h->queues[family].n >= h->batch))
		(void)pthread_cond_signal(&h->more);
	(void)pthread_mutex_unlock(&h->lock);
	return kept;
}

bool crew_has_room(const struct netprobe_manager *m, unsigned int family)
{
	bool room = true;

	/* Whose socket it will be of is not known here. */
	for (unsigned int i = 0; room && i < m->crew->n; i++) {
		struct hand *h = &m->crew->hands[i];

		(void)pthread_mutex_lock(&h->lock);
		room = h->queues[family].n < API_QUEUE_MAX;
		(void)pthread_mutex_unlock(&h->lock);
	}
	return room;
}

void crew_set_handler(struct crew *c, unsigned int family, netprobe_event_fn fn, void *arg)
{
	for (unsigned int i = 0; i < c->n; i++) {
		struct hand *h = &c->hands[i];
		uint64_t done;

		(void)pthread_mutex_lock(&h->lock);
		done = h->done[family];
		h->queues[family].fn = fn;
		h->queues[family].arg = arg;
		/* The former one's arg is not used any more when this returns; a handler cannot wait for itself. */
		while (h->busy == (int)family && h->done[family] == done && !crew_is_here(h->m))
			(void)pthread_cond_wait(&h->idle, &h->lock);
		(void)pthread_mutex_unlock(&h->lock);
	}
}
