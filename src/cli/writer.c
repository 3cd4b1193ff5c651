/* SPDX-License-Identifier: BSD-2-Clause */
/* See writer.h. */
#include "cli/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define QUEUE_BYTES (8U << 20)	 /* memory of all that waits, where nobody asks for another size */
#define JOIN_BYTES (64U << 10)	 /* smaller pieces are put together */
#define PIECE_BYTES (256U << 10) /* of one write: what a slow one takes is seen while it goes on */
#define WAKE_BYTES (256U << 10)	 /* much: woken for each piece it costs more than its writes */
#define SPARE (WAKE_BYTES / JOIN_BYTES)
#define STACK_BYTES (256U << 10) /* of the thread: address space may be limited (ulimit -v) */
#define RETRY_MS 200		 /* a disk that was full is asked again */
#define STUCK_MS 200 /* a thread that does not come back from the kernel by then is left there */
#define WAKE SIGURG  /* takes the thread out of a write; nobody else means anything by it */

struct chunk {
	struct chunk *next;
	struct buf b;
	struct buf packets; /* a uint64_t for each line; empty: 0 each */
	enum writer_kind kind;
	int (*turn)(void *arg); /* no lines: a new descriptor */
	void *arg;
};

struct writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more, less; /* for the thread; for who waits for it */
	struct chunk *first, *last, *spare[SPARE];
	struct chunk *front; /* the last that went before the others; NULL none */
	size_t at;	     /* of first, so much is written */
	size_t room, most;   /* memory of the chunks */
	uint64_t left, lines, lost, packets, packets_lost;
	bool ending, ended;
	int fd, err; /* err: the end of it */
	int full;    /* errno of a disk that takes nothing; 0: it does */
	bool said, regular;
	size_t pipe; /* what an empty one takes; 0: it is none */
	const char *name;
};

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

static void know(struct writer *w, int fd)
{
	struct stat st;
	bool known = !fstat(fd, &st);

	w->fd = fd;
	w->pipe = 0;
	if (known && S_ISFIFO(st.st_mode)) {
		int size = fcntl(fd, F_GETPIPE_SZ);

		w->pipe = size > PIPE_BUF ? (size_t)size : PIPE_BUF;
	}
	w->regular = known && S_ISREG(st.st_mode);
}

/* What a later attempt may succeed at: RLIMIT_FSIZE (EFBIG) among it. */
static bool is_full(const struct writer *w, int err)
{
	return err == ENOSPC || err == EDQUOT || err == EFBIG || (err == EIO && w->regular);
}

/*
 * What a pipe surely takes at once. Its pages are shared by writes that follow each other where they fit: what waits
 * fills more than half of them, but for the first, which may be half read, and the last (pipe_write, 5.14 to 6.18).
 */
static size_t pipe_room(const struct writer *w)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), taken;
	int waiting = 0;

	if (ioctl(w->fd, FIONREAD, &waiting))
		return PIPE_BUF;
	taken = waiting ? 2 * (size_t)waiting + 3 * page : 0;
	return taken + PIPE_BUF < w->pipe ? (w->pipe - taken) / page * page : PIPE_BUF;
}

/*
 * How much of the chunk goes into one write. A pipe takes PIPE_BUF bytes as a whole or not at all, and
 * more where it has room: what is cut off by the end is cut off between two lines. Others take a piece: a
 * snapshot of a quarter of a million rows in one write looks as if nobody took any of it.
 */
static size_t piece(const struct writer *w, const char *p, size_t n)
{
	size_t room;
	const char *end;

	if (n <= (w->pipe ? PIPE_BUF : PIECE_BYTES))
		return n;
	room = w->pipe ? pipe_room(w) : PIECE_BYTES;
	n = n < room ? n : room;
	end = memrchr(p, '\n', n);
	return end ? (size_t)(end - p) + 1 : n;
}

/* Half a line that the disk took before it was full: taken back, where the file ends with it. */
static void cut_back(struct writer *w, struct chunk *c)
{
	const char *nl = w->at ? memrchr(c->b.data, '\n', w->at) : NULL;
	size_t half = nl ? w->at - (size_t)(nl - c->b.data) - 1 : w->at;
	off_t end = half && w->regular ? lseek(w->fd, 0, SEEK_CUR) : -1;
	struct stat st;

	if (end < (off_t)half || fstat(w->fd, &st) || st.st_size != end ||
	    ftruncate(w->fd, end - (off_t)half))
		return; /* it is completed once there is room */
	(void)lseek(w->fd, end - (off_t)half, SEEK_SET);
	w->at -= half;
	w->left += half;
}

static void say_full(struct writer *w, int err)
{
	if (!w->said)
		log_warn("%s%s%s: %s; lines are lost, and counted, until there is room",
			 w->name ? "-o: '" : "", w->name ?: "standard output", w->name ? "'" : "",
			 strerror(err));
	w->said = true;
}

/* Without the lock. 0, or the errno. */
static int write_piece(struct writer *w, const char *p, size_t n, size_t *ret_done)
{
	ssize_t r = write(w->fd, p, n);

	*ret_done = r > 0 ? (size_t)r : 0;
	if (r >= 0 || errno == EINTR)
		return 0;
	if (errno == EAGAIN) { /* somebody who shares it made it non-blocking */
		struct pollfd pfd = { .fd = w->fd, .events = POLLOUT };

		(void)poll(&pfd, 1, RETRY_MS);
		return 0;
	}
	return errno;
}

static void drop_first(struct writer *w)
{
	struct chunk *c = w->first;

	w->first = c->next;
	if (!w->first)
		w->last = NULL;
	if (w->front == c)
		w->front = NULL;
	w->at = 0;
	w->room -= c->b.cap;
	for (unsigned int i = 0; i < SPARE; i++)
		if (!w->spare[i] && !c->turn && c->b.cap <= 2 * JOIN_BYTES) {
			buf_reset(&c->b);
			buf_reset(&c->packets);
			w->spare[i] = c;
			return;
		}
	buf_done(&c->b);
	buf_done(&c->packets);
	free(c);
}

static void turn(struct writer *w, struct chunk *c)
{
	int fd;

	(void)pthread_mutex_unlock(&w->lock);
	fd = c->turn(c->arg);
	/* In the place of the old one, which nothing keeps then: its room on the disk is free when it is deleted. */
	if (fd >= 0 && dup3(fd, w->fd, O_CLOEXEC) < 0) {
		int err = errno;

		(void)close(fd);
		fd = -err;
	}
	(void)pthread_mutex_lock(&w->lock);
	if (fd < 0) {
		log_err("-o: '%s' cannot be opened anew: %s; the file that is open stays",
			w->name ?: "", strerror(-fd));
		return;
	}
	(void)close(fd);
	know(w, w->fd);
	w->said = false;
}

/* Where the disk is full, a file that is opened anew may be on another one: it is not waited for. */
static bool turn_early(struct writer *w)
{
	for (struct chunk *c = w->first; c; c = c->next)
		if (c->turn) {
			turn(w, c);
			c->turn = NULL;
			return true;
		}
	return false;
}

static void wait_for_room(struct writer *w)
{
	struct timespec ts;

	if (turn_early(w))
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += RETRY_MS * 1000000L;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&w->more, &w->lock, &ts);
}

static void step(struct writer *w)
{
	struct chunk *c = w->first;
	size_t done = 0, n;
	int err;

	if (c->turn || !c->b.len) {
		if (c->turn)
			turn(w, c);
		drop_first(w);
		return;
	}
	(void)pthread_mutex_unlock(&w->lock);
	n = piece(w, c->b.data + w->at, c->b.len - w->at);
	err = write_piece(w, c->b.data + w->at, n, &done);
	(void)pthread_mutex_lock(&w->lock);
	w->at += done;
	w->left -= done;
	if (done)
		w->full = 0;
	if (w->at == c->b.len)
		drop_first(w);
	if (!err)
		return;
	if (!is_full(w, err)) {
		w->err = -err;
		return;
	}
	w->full = err;
	say_full(w, err);
	cut_back(w, c);
	if (!w->ending)
		wait_for_room(w);
}

static void *run(void *arg)
{
	struct writer *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	while (!w->ending && !w->err) {
		if (w->first)
			step(w);
		else
			(void)pthread_cond_wait(&w->more, &w->lock);
		if (!w->first || w->err)
			(void)pthread_cond_broadcast(&w->less);
	}
	w->ended = true;
	(void)pthread_cond_broadcast(&w->less);
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

/* Signals are for the loop; but one, which takes the thread out of a write. */
static int start(struct writer *w)
{
	struct sigaction sa = { .sa_handler = nothing };
	pthread_attr_t attr;
	sigset_t all, was;
	int r = -pthread_attr_init(&attr);

	if (r)
		return r;
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);

	(void)sigaction(WAKE, &sa, NULL);
	(void)sigfillset(&all);
	(void)sigdelset(&all, WAKE);
	(void)pthread_sigmask(SIG_SETMASK, &all, &was);
	r = pthread_create(&w->thread, &attr, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &was, NULL);
	(void)pthread_attr_destroy(&attr);
	return -r;
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
	know(w, fd);
	if (start(w)) {
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

/* A thread in a write that blocks is taken out of it, so that what it wrote is known. */
static void stop(struct writer *w)
{
	struct timespec ts = { .tv_nsec = 2000000 };

	(void)pthread_mutex_lock(&w->lock);
	w->ending = true;
	(void)pthread_cond_broadcast(&w->more);
	for (int i = 0; i < STUCK_MS / 2 && !w->ended; i++) {
		(void)pthread_mutex_unlock(&w->lock);
		(void)pthread_kill(w->thread, WAKE);
		(void)nanosleep(&ts, NULL);
		(void)pthread_mutex_lock(&w->lock);
	}
	(void)pthread_mutex_unlock(&w->lock);
}

int writer_end(struct writer *w, uint64_t *ret_lost)
{
	int r;

	stop(w);
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
		drop_first(w);
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
