/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread that writes: how much at once, what it does where a disk is full or a file is opened anew. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/writer_internal.h"

#define PIECE_BYTES (256U << 10) /* of one write: what a slow one takes is seen while it goes on */
#define STACK_BYTES (256U << 10) /* of the thread: address space may be limited (ulimit -v) */
#define RETRY_MS 200		 /* a disk that was full is asked again */
#define STUCK_MS 200 /* a thread that does not come back from the kernel by then is left there */
#define WAKE SIGURG  /* takes the thread out of a write; nobody else means anything by it */

void writer_knows(struct writer *w, int fd)
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

void writer_drop_first(struct writer *w)
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
	writer_knows(w, w->fd);
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
		writer_drop_first(w);
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
		writer_drop_first(w);
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
int writer_thread_start(struct writer *w)
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

void writer_thread_stop(struct writer *w)
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
