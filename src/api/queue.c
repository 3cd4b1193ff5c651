/* SPDX-License-Identifier: BSD-2-Clause */
/* Events on their way to handlers: queues by family, handed out in batches; or at once, without a copy. */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "api/internal.h"

#define NS_PER_MS 1000000ull

static unsigned int index_of(uint32_t family)
{
	return (unsigned int)__builtin_ctz(family);
}

bool queue_wanted(const struct netprobe_manager *m, uint32_t family)
{
	return m->queues[index_of(family)].fn != NULL;
}

/* Copies a string to the end of a block; where it came to lie. */
static const char *keep(char **at, const char *text, size_t n)
{
	char *to = *at;

	memcpy(to, text, n);
	to[n] = '\0';
	*at += n + 1;
	return to;
}

static bool make_room(struct queue *q)
{
	size_t room = q->room ? 2 * q->room : 64;
	struct netprobe_event *more;

	if (q->n < q->room)
		return true;
	more = q->n < API_QUEUE_MAX ? reallocarray(q->events, room, sizeof(*more)) : NULL;
	if (!more)
		return false;
	q->events = more;
	q->room = room;
	return true;
}

#define TEXTS 17 /* strings of an event; the first is never NULL and begins its block */

static void texts_of(struct netprobe_event *ev, const char **ret_texts[TEXTS])
{
	const char **texts[TEXTS] = { &ev->type,
				      &ev->json,
				      &ev->entity_id,
				      &ev->value,
				      &ev->unit,
				      &ev->comm,
				      &ev->text,
				      &ev->xctl,
				      &ev->container.id,
				      &ev->container.name,
				      &ev->container.runtime,
				      &ev->container.pod,
				      &ev->container.pod_namespace,
				      &ev->container.image,
				      &ev->container.pod_name,
				      &ev->container.project,
				      &ev->container.service };

	memcpy(ret_texts, texts, sizeof(texts));
}

static size_t room_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* What a copy of *d takes, strings included. */
static size_t dns_room(const struct netprobe_dns_query *d)
{
	size_t sum = sizeof(*d) + d->n_answers * sizeof(char *) + alignof(max_align_t);

	sum += room_of(d->qname) + room_of(d->qtype) + room_of(d->rcode) +
	       room_of(d->asked_by_comm);
	for (size_t i = 0; i < d->n_answers; i++)
		sum += room_of(d->answers[i]);
	return sum;
}

static const char *keep_text(char **at, const char *text)
{
	return text ? keep(at, text, strlen(text)) : NULL;
}

static const struct netprobe_dns_query *dns_keep(char *at, const struct netprobe_dns_query *from)
{
	size_t off = (uintptr_t)at % alignof(max_align_t);
	struct netprobe_dns_query *d = (void *)(at + (off ? alignof(max_align_t) - off : 0));
	const char **answers = (const char **)(d + 1);

	*d = *from;
	d->answers = answers;
	at = (char *)(answers + d->n_answers);
	d->qname = keep_text(&at, from->qname);
	d->qtype = keep_text(&at, from->qtype);
	d->rcode = keep_text(&at, from->rcode);
	d->asked_by_comm = keep_text(&at, from->asked_by_comm);
	for (size_t i = 0; i < d->n_answers; i++)
		answers[i] = keep_text(&at, from->answers[i]);
	return d;
}

static size_t security_room(const struct netprobe_security *s)
{
	return sizeof(*s) + alignof(max_align_t) + room_of(s->source) + room_of(s->iface) +
	       room_of(s->rule) + room_of(s->reason) + room_of(s->who);
}

static const struct netprobe_security *security_keep(char *at, const struct netprobe_security *from)
{
	size_t off = (uintptr_t)at % alignof(max_align_t);
	struct netprobe_security *s = (void *)(at + (off ? alignof(max_align_t) - off : 0));

	*s = *from;
	at = (char *)(s + 1);
	s->source = keep_text(&at, from->source);
	s->iface = keep_text(&at, from->iface);
	s->rule = keep_text(&at, from->rule);
	s->reason = keep_text(&at, from->reason);
	s->who = keep_text(&at, from->who);
	return s;
}

/* Now, without a copy: the handler may call nothing of its manager, which is in the middle of a look. */
static void hand_over(struct netprobe_manager *m, const struct queue *q,
		      const struct netprobe_event *ev)
{
	api_listing++;
	(void)__atomic_add_fetch(&m->delivered, 1, __ATOMIC_RELAXED);
	q->fn(ev, 1, q->arg);
	api_listing--;
}

/* All that an event points to into one block that begins with its type. */
bool queue_add(struct queue *q, const struct netprobe_event *like)
{
	struct netprobe_event ev = *like;
	const char **texts[TEXTS];
	size_t n[TEXTS], sum = 0;
	char *block, *at;

	texts_of(&ev, texts);
	for (size_t i = 0; i < TEXTS; i++) {
		n[i] = *texts[i] ? strlen(*texts[i]) : 0;
		sum += n[i] + 1;
	}
	if (ev.dns)
		sum += dns_room(ev.dns);
	if (ev.security)
		sum += security_room(ev.security);
	block = make_room(q) ? malloc(sum) : NULL;
	if (!block)
		return false;
	at = block;
	for (size_t i = 0; i < TEXTS; i++)
		if (*texts[i])
			*texts[i] = keep(&at, *texts[i], n[i]);
	if (ev.dns)
		ev.dns = dns_keep(at, ev.dns);
	else if (ev.security)
		ev.security = security_keep(at, ev.security);
	if (!q->n)
		q->since_ns = clock_monotonic_ns();
	q->events[q->n++] = ev;
	return true;
}

/* What is no socket's stays in order by what it is about. */
static uint64_t share_by(const struct netprobe_event *ev)
{
	const char *about = ev->security && ev->security->source ? ev->security->source
								 : ev->entity_id;

	return XXH3_64bits_withSeed(about, strlen(about), ev->pid);
}

void queue_push(struct netprobe_manager *m, const struct netprobe_event *like, uint64_t sock)
{
	unsigned int family = index_of(like->family);
	struct queue *q = &m->queues[family];
	struct netprobe_event ev = *like;
	bool kept = true;

	ev.size = sizeof(ev);
	if (m->config.direct)
		hand_over(m, q, &ev);
	else if (m->crew && !m->here)
		kept = crew_push(m, family, sock ? sock : share_by(&ev), &ev);
	else
		kept = queue_add(q, &ev);
	m->lost += !kept;
}

bool queue_has_room(void *manager)
{
	struct netprobe_manager *m = manager;
	const struct queue *q = &m->queues[index_of(NETPROBE_EVENT_FLOW)];
	bool room = true;

	if (!q->fn)
		return true;
	if (m->room_fn) {
		api_listing++;
		room = m->room_fn(m->room_arg);
		api_listing--;
	}
	if (!room || m->config.direct)
		return room;
	if (m->crew && !m->here)
		return crew_has_room(m, index_of(NETPROBE_EVENT_FLOW));
	return q->n < API_QUEUE_MAX;
}

void queue_free_events(struct netprobe_event *events, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((char *)events[i].type);
	free(events);
}

/* The queue is emptied first: its handler may fill it again, or change it. */
static size_t hand_out(struct netprobe_manager *m, struct queue *q)
{
	struct netprobe_event *events = q->events;
	size_t n = q->n, step, given = 0;

	q->events = NULL;
	q->n = q->room = 0;
	m->handling = true;
	api_handle(m, true);
	/* The slot is read before each batch: the handler may take itself off, or set another one. */
	for (; q->fn && given < n; given += step) {
		step = n - given < m->config.batch_size ? n - given : m->config.batch_size;
		(void)__atomic_add_fetch(&m->delivered, step, __ATOMIC_RELAXED);
		q->fn(events + given, step, q->arg);
	}
	api_handle(m, false);
	m->handling = false;
	queue_free_events(events, n);
	return given;
}

size_t queue_flush(struct netprobe_manager *m, bool all)
{
	uint64_t now = clock_monotonic_ns();
	size_t n = 0;

	for (unsigned int i = 0; i < API_FAMILIES; i++) {
		struct queue *q = &m->queues[i];
		bool old = now - q->since_ns >= m->config.batch_timeout * NS_PER_MS;

		if (q->n && (all || old || q->n >= m->config.batch_size))
			n += hand_out(m, q);
	}
	return n;
}

uint64_t queue_due_ns(const struct netprobe_manager *m)
{
	uint64_t due = UINT64_MAX;

	for (unsigned int i = 0; i < API_FAMILIES; i++) {
		const struct queue *q = &m->queues[i];
		uint64_t at = q->since_ns + m->config.batch_timeout * NS_PER_MS;

		if (q->n && at < due)
			due = at;
	}
	return due;
}

void queue_done(struct netprobe_manager *m)
{
	for (unsigned int i = 0; i < API_FAMILIES; i++) {
		queue_free_events(m->queues[i].events, m->queues[i].n);
		m->queues[i] = (struct queue){};
	}
}
