/* SPDX-License-Identifier: BSD-2-Clause */
/* See writer.h. */
#include "cli/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/writer_internal.h"

#define QUEUE_BYTES (8U << 20) /* memory of all that waits, where nobody asks for another size */

static uint64_t count_lines(const char *p, size_t n)
{
	const char *end = p + n;
	uint64_t lines = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		lines++;
		p++;
	}
	return lines;
}

/* Of the lines from that one on. */
static uint64_t packets_of(const struct buf *packets, uint64_t from)
{
	uint64_t sum = 0, one;

	for (size_t at = (size_t)from * sizeof(one); at + sizeof(one) <= packets->len;
	     at += sizeof(one)) {
		memcpy(&one, packets->data + at, sizeof(one));
		sum += one;
	}
	return sum;
}

static void fill_packets(struct buf *packets, uint64_t lines)
{
	static const uint64_t none;

	while (packets->len < lines * sizeof(none) && !packets->err)
		buf_put(packets, &none, sizeof(none));
}

struct writer *writer_new(int fd, const char *name, bool quiet, size_t most)
{
	struct writer *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	if (!w)
		return NULL;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->more, &attr);
	(void)pthread_cond_init(&w->less, &attr);
	(void)pthread_condattr_destroy(&attr);
	w->name = name;
	w->said = quiet;
	w->most = most ?: QUEUE_BYTES;
	writer_knows(w, fd);
	if (writer_thread_start(w)) {
		free(w);
		return NULL;
	}
	return w;
}

/* With the lock. NULL: no memory. */
static struct chunk *chunk_new(struct writer *w)
{
	for (unsigned int i = 0; i < SPARE; i++)
		if (w->spare[i]) {
			struct chunk *c = w->spare[i];

			w->spare[i] = NULL;
			*c = (struct chunk){ .b = c->b, .packets = c->packets };
			return c;
		}
	return calloc(1, sizeof(struct chunk));
}

/* The first may be under way. */
static void append(struct writer *w, struct chunk *c)
{
	struct chunk *after = w->front ?: w->first;

	c->next = NULL;
	if (c->kind == WRITER_FIRST && after) {
		c->next = after->next;
		after->next = c;
		w->front = c;
		if (w->last == after)
			w->last = c;
		w->room += c->b.cap;
		return;
	}
	if (w->last)
		w->last->next = c;
	else
		w->first = c;
	w->last = c;
	w->room += c->b.cap;
}

/* Small pieces share a chunk: a queue of them would take far more memory than their bytes. */
static bool join(struct writer *w, struct buf *b, struct buf *packets, enum writer_kind kind)
{
	struct chunk *c = kind == WRITER_FIRST ? w->front : w->last;

	if (!c || c == w->first || c->turn || c->kind != kind || c->b.len + b->len > JOIN_BYTES)
		return false;
	if (c->packets.len || (packets && packets->len)) {
		fill_packets(&c->packets, count_lines(c->b.data, c->b.len));
		if (packets && packets->len)
			buf_put(&c->packets, packets->data, packets->len);
		else
			fill_packets(&c->packets, c->packets.len / sizeof(uint64_t) +
							  count_lines(b->data, b->len));
	}
	w->room -= c->b.cap;
	buf_put(&c->b, b->data, b->len);
	w->room += c->b.cap;
	return !c->b.err;
}

/* The bytes change hands, they are not copied. */
static bool hand_over(struct writer *w, struct buf *b, struct buf *packets, enum writer_kind kind)
{
	struct chunk *c;
	struct buf empty;

	if (w->first && w->room + b->cap > (kind == WRITER_LINES ? w->most / 2 : w->most))
		return false;
	if (join(w, b, packets, kind))
		return true;
	c = chunk_new(w);
	if (!c)
		return false;
	empty = c->b;
	c->b = *b;
	c->kind = kind;
	*b = empty;
	if (packets && packets->len) {
		empty = c->packets;
		c->packets = *packets;
		*packets = empty;
	}
	append(w, c);
	return true;
}

/* A disk that is full is asked again in its own time. With the lock. */
static void wake(struct writer *w)
{
	if (!w->full)
		(void)pthread_cond_signal(&w->more);
}

/* A small queue is not let get full by waiting for more. With the lock. */
static bool is_much(const struct writer *w)
{
	return w->left >= WAKE_BYTES || w->room >= w->most / 4;
}

int writer_put(struct writer *w, struct buf *b, struct buf *packets, unsigned int kind,
	       uint64_t *ret_lost)
{
	bool more = kind & WRITER_MORE;
	uint64_t lines, about = packets ? packets_of(packets, 0) : 0;
	size_t n = b->len;
	int r = b->err;

	*ret_lost = 0;
	if (r || !n) {
		buf_reset(b);
		return r;
	}
	lines = count_lines(b->data, n);
	(void)pthread_mutex_lock(&w->lock);
	r = w->err;
	w->lines += lines;
	w->packets += about;
	if (!r && hand_over(w, b, packets, kind & ~WRITER_MORE)) {
		w->left += n;
		if (!more || is_much(w))
			wake(w);
	} else {
		w->lost += lines;
		w->packets_lost += about;
		*ret_lost = lines;
	}
	(void)pthread_mutex_unlock(&w->lock);
	buf_reset(b);
	if (packets)
		buf_reset(packets);
	return r;
}

void writer_go(struct writer *w)
{
	(void)pthread_mutex_lock(&w->lock);
	if (w->first)
		wake(w);
	(void)pthread_mutex_unlock(&w->lock);
}

bool writer_has_room(struct writer *w, size_t bytes)
{
	bool room;

	(void)pthread_mutex_lock(&w->lock);
	room = w->err || !w->first || w->room + bytes <= w->most;
	(void)pthread_mutex_unlock(&w->lock);
	return room;
}

/* The youngest that is not under way, and not of counts. With the lock. */
static bool lose_youngest(struct writer *w)
{
	struct chunk *before = NULL, *c;

	for (c = w->first; c && c->next; c = c->next)
		if (c->next->kind == WRITER_LINES && !c->next->turn)
			before = c;
	if (!before)
		return false;
	c = before->next;
	before->next = c->next;
	if (w->last == c)
		w->last = before;
	w->lost += count_lines(c->b.data, c->b.len);
	w->packets_lost += packets_of(&c->packets, 0);
	w->left -= c->b.len;
	w->room -= c->b.cap;
	buf_done(&c->b);
	buf_done(&c->packets);
	free(c);
	return true;
}

bool writer_make_room(struct writer *w, size_t bytes)
{
	bool room;

	(void)pthread_mutex_lock(&w->lock);
	while (!(room = w->err || !w->first || w->room + bytes <= w->most) && lose_youngest(w))
		;
	(void)pthread_mutex_unlock(&w->lock);
	return room;
}

int writer_turn(struct writer *w, int (*fn)(void *arg), void *arg)
{
	struct chunk *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->turn = fn;
	c->arg = arg;
	(void)pthread_mutex_lock(&w->lock);
	append(w, c);
	(void)pthread_cond_signal(&w->more);
	(void)pthread_mutex_unlock(&w->lock);
	return 0;
}

bool writer_wait(struct writer *w, int ms, uint64_t *ret_left)
{
	struct timespec ts;
	bool done;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += (long)(ms % 1000) * 1000000L;
	ts.tv_sec += ms / 1000 + ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	(void)pthread_mutex_lock(&w->lock);
	wake(w);
	while (w->first && !w->err)
		if (pthread_cond_timedwait(&w->less, &w->lock, &ts))
			break;
	*ret_left = w->left;
	done = !w->first || w->err;
	(void)pthread_mutex_unlock(&w->lock);
	return done;
}

int writer_end(struct writer *w, uint64_t *ret_lost)
{
	int r;

	writer_thread_stop(w);
	(void)pthread_mutex_lock(&w->lock);
	r = w->err;
	if (!r && w->first && w->full)
		r = -w->full;
	for (const struct chunk *c = w->first; c; c = c->next) {
		size_t at = c == w->first ? w->at : 0;

		w->lost += count_lines(c->b.data + at, c->b.len - at);
		w->packets_lost += packets_of(&c->packets, count_lines(c->b.data, at));
	}
	*ret_lost = w->lost;
	(void)pthread_mutex_unlock(&w->lock);
	return r;
}

bool writer_is_full(struct writer *w)
{
	bool full;

	(void)pthread_mutex_lock(&w->lock);
	full = w->full;
	(void)pthread_mutex_unlock(&w->lock);
	return full;
}

void writer_counts(struct writer *w, uint64_t *ret_lines, uint64_t *ret_lost)
{
	(void)pthread_mutex_lock(&w->lock);
	*ret_lines = w->lines;
	*ret_lost = w->lost;
	(void)pthread_mutex_unlock(&w->lock);
}

void writer_packets(struct writer *w, uint64_t *ret_packets, uint64_t *ret_lost)
{
	(void)pthread_mutex_lock(&w->lock);
	*ret_packets = w->packets;
	*ret_lost = w->packets_lost;
	(void)pthread_mutex_unlock(&w->lock);
}

struct writer *writer_free(struct writer *w)
{
	if (!w || !w->ended)
		return NULL;
	(void)pthread_join(w->thread, NULL);
	while (w->first)
		writer_drop_first(w);
	for (unsigned int i = 0; i < SPARE; i++)
		if (w->spare[i]) {
			buf_done(&w->spare[i]->b);
			buf_done(&w->spare[i]->packets);
			free(w->spare[i]);
		}
	(void)pthread_mutex_destroy(&w->lock);
	(void)pthread_cond_destroy(&w->more);
	(void)pthread_cond_destroy(&w->less);
	free(w);
	return NULL;
}
