/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a command's data goes. A reader that goes away ends the command quietly. */
#include "cli/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <netprobe/netprobe.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/opener.h"
#include "cli/writer.h"

#define LOOK_MS 20
#define PATIENCE_MS 2000  /* with a reader that takes nothing, at the end */
#define HURRY_MS 300	  /* the same after a signal */
#define HURRY_ONCE_MS 500 /* and with a snapshot, which is nothing where its end is missing */
#define HURRY_MAX_MS 5000 /* and with one that takes little */

static volatile sig_atomic_t hurry;

void sink_hurry(void)
{
	hurry = 1;
}

/* Behind what another left without its end: a record would be no line of its own there. */
static void end_last_line(int fd, const char *path, const struct stat *st)
{
	int in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat same;
	char last;

	if (in < 0)
		return;
	if (!fstat(in, &same) && same.st_dev == st->st_dev && same.st_ino == st->st_ino &&
	    pread(in, &last, 1, st->st_size - 1) == 1 && last != '\n')
		(void)!write(fd, "\n", 1);
	(void)close(in);
}

static int open_file(struct sink *k, const char *path, struct netprobe_error *err)
{
	struct stat st;

	k->fd = opener_open(path);
	if (k->fd < 0)
		return error_set(err, k->fd, "-o: '%s': %s; takes a file that can be written", path,
				 strerror(-k->fd));
	k->name = path;
	if (fstat(k->fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	k->empty = !st.st_size;
	if (!k->empty)
		end_last_line(k->fd, path, &st);
	k->opener = opener_start(path);
	if (k->opener < 0)
		log_info("-o: '%s' cannot be opened anew: %s", path, strerror(-k->opener));
	return 0;
}

int sink_open(struct sink *k, const struct common_opts *o, struct netprobe_error *err)
{
	const char *no_color = getenv("NO_COLOR");
	int r;

	*k = (struct sink){ .fd = STDOUT_FILENO,
			    .opener = -1,
			    .empty = true,
			    .once = k->once,
			    .queue = o->queue_size };
	if (o->output && strcmp(o->output, "-")) {
		r = open_file(k, o->output, err);
		if (r)
			return r;
	}
	k->tty = isatty(k->fd);
	k->color = k->tty && !o->no_color && !(no_color && *no_color);
	return 0;
}

void sink_close(struct sink *k)
{
	uint64_t lost;

	if (k->writer)
		(void)writer_end(k->writer, &lost);
	k->writer = writer_free(k->writer);
	if (k->fd > STDERR_FILENO)
		(void)close(k->fd);
	if (k->name && k->opener >= 0)
		(void)close(k->opener);
	k->fd = k->opener = -1;
	k->name = NULL;
}

/* What a full disk took of a line: half an address is another address. Where the file ends with it. */
static void cut_half_line(int fd, const char *p, size_t done)
{
	const char *nl = done ? memrchr(p, '\n', done) : NULL;
	size_t half = nl ? done - (size_t)(nl - p) - 1 : done;
	off_t end = half ? lseek(fd, 0, SEEK_CUR) : -1;
	struct stat st;

	if (end < (off_t)half || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size != end)
		return;
	if (!ftruncate(fd, end - (off_t)half))
		(void)lseek(fd, end - (off_t)half, SEEK_SET);
}

int sink_write(struct sink *k, struct buf *b)
{
	struct pollfd pfd = { .fd = k->fd, .events = POLLOUT };
	size_t done = 0;
	int r = b->err;

	while (!r && done < b->len) {
		ssize_t n = write(k->fd, b->data + done, b->len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN) /* whoever shares it made it non-blocking */
			(void)poll(&pfd, 1, -1);
		else if (errno != EINTR)
			r = -errno;
	}
	if (r && done < b->len)
		cut_half_line(k->fd, b->data, done);
	buf_reset(b);
	return r;
}

static int put(struct sink *k, struct buf *b, struct buf *packets, unsigned int kind,
	       uint64_t *ret_lost)
{
	uint64_t lost = 0;
	int r;

	if (!b->len && !b->err)
		return 0;
	kind |= k->more ? WRITER_MORE : 0;
	if (!k->writer)
		k->writer = writer_new(k->fd, k->name, k->once, k->queue);
	r = k->writer ? writer_put(k->writer, b, packets, kind, &lost) : -ENOMEM;
	if (ret_lost)
		*ret_lost = lost;
	return r;
}

int sink_put(struct sink *k, struct buf *b, uint64_t *ret_lost)
{
	return put(k, b, NULL, k->ending && !k->once ? WRITER_FIRST : WRITER_COUNTS, ret_lost);
}

int sink_put_lines(struct sink *k, struct buf *b, struct buf *packets, uint64_t *ret_lost)
{
	return put(k, b, packets, WRITER_LINES, ret_lost);
}

void sink_more(struct sink *k)
{
	k->more = true;
}

void sink_go(struct sink *k)
{
	if (k->more && k->writer)
		writer_go(k->writer);
	k->more = false;
}

void sink_ends(struct sink *k)
{
	k->ending = true;
}

bool sink_heading(struct sink *k)
{
	bool due = k->empty;

	k->empty = false;
	return due;
}

static int open_anew(void *arg)
{
	struct sink *k = arg;

	return opener_ask(k->opener);
}

/* By the name: a file that was not moved away goes on, under the heading that it has. */
static bool begins_anew(const struct sink *k)
{
	struct stat st;

	return stat(k->name, &st) ? errno == ENOENT : !st.st_size;
}

bool sink_turn(struct sink *k)
{
	if (k->opener < 0 || !k->name)
		return false;
	if (!k->writer)
		k->writer = writer_new(k->fd, k->name, k->once, k->queue);
	if (!k->writer || writer_turn(k->writer, open_anew, k))
		log_err("-o: '%s' cannot be opened anew: out of memory", k->name);
	else
		k->empty = k->empty || begins_anew(k);
	return true;
}

void sink_tell(struct sink *k, struct netprobe_manager *m)
{
	uint64_t all, lost;

	if (!k->writer)
		return;
	writer_counts(k->writer, &all, &lost);
	(void)netprobe_manager_tell_loss(m, "output", all - lost, lost, NULL);
	writer_packets(k->writer, &all, &lost);
	(void)netprobe_manager_tell_loss(m, "output.packets", all - lost, lost, NULL);
}

static bool signalled(void)
{
	sigset_t set;

	if (hurry)
		return true;
	return !sigpending(&set) &&
	       (sigismember(&set, SIGTERM) == 1 || sigismember(&set, SIGINT) == 1 ||
		sigismember(&set, SIGHUP) == 1);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void sink_rests(struct sink *k)
{
	if (!k->writer)
		return;
	(void)writer_wait(k->writer, 0, &k->rests_left);
	k->rests_ms = now_ms();
}

static int hurry_ms(const struct sink *k)
{
	return k->once ? HURRY_ONCE_MS : HURRY_MS;
}

/* Until all is written, the reader has taken nothing for long enough, or a signal says so. */
static void wait_for_reader(struct sink *k)
{
	uint64_t left, before = k->rests_ms ? k->rests_left : UINT64_MAX;
	int64_t still = k->rests_ms ? now_ms() - k->rests_ms : 0;
	int since = 0;

	while (!writer_wait(k->writer, LOOK_MS, &left)) {
		bool now = signalled();

		still = left < before ? 0 : still + LOOK_MS;
		before = left;
		since += now ? LOOK_MS : 0;
		if (now && (still >= hurry_ms(k) || since >= HURRY_MAX_MS))
			return;
		if (still >= PATIENCE_MS && (!k->once || writer_is_full(k->writer)))
			return;
	}
}

/* Some time for the reader, then what waits and is not of counts makes room. */
static bool wait_for_room(struct sink *k, size_t bytes)
{
	uint64_t left, before = UINT64_MAX;
	int still = 0, since = 0;

	while (!writer_has_room(k->writer, bytes)) {
		bool now = signalled(), any = k->once && !now && !writer_is_full(k->writer);
		int most = (now ? hurry_ms(k) : PATIENCE_MS) / 2;

		if (!any && (still >= most || since >= HURRY_MAX_MS)) {
			k->gave_up = !writer_make_room(k->writer, bytes);
			return !k->gave_up;
		}
		(void)writer_wait(k->writer, LOOK_MS, &left);
		still = left < before ? 0 : still + LOOK_MS;
		before = left;
		since += any ? 0 : LOOK_MS;
	}
	return true;
}

bool sink_has_room(struct sink *k, size_t bytes)
{
	if (!k->writer || writer_has_room(k->writer, bytes))
		return true;
	return k->ending && !k->gave_up && wait_for_room(k, bytes);
}

bool sink_wait_room(struct sink *k, size_t bytes)
{
	return !k->writer || (!k->gave_up && wait_for_room(k, bytes));
}

void sink_lose(struct sink *k, uint64_t lines)
{
	k->unput += lines;
}

int sink_finish(struct sink *k)
{
	uint64_t lost, packets, packets_lost;
	int r;

	if (!k->writer)
		return 0;
	if (!k->once || !k->gave_up)
		wait_for_reader(k);
	r = writer_end(k->writer, &lost);
	lost += k->unput;
	if (r == -EPIPE)
		return r;
	writer_packets(k->writer, &packets, &packets_lost);
	if (lost && !(k->once && r))
		log_notice("losses: %llu lines were not written: %s", (unsigned long long)lost,
			   r ? strerror(-r) : "the reader did not take them in time");
	if (packets_lost)
		log_notice("losses: these lines are about %llu packets that were dropped, of %llu",
			   (unsigned long long)packets_lost, (unsigned long long)packets);
	/* A stream goes on where there is room again; a snapshot that is not there, or half, is none. */
	if (!k->once && writer_is_full(k->writer))
		r = 0;
	return k->once && lost && !r ? -ETIMEDOUT : r;
}
