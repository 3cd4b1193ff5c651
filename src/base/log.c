/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: stderr, one write a line so that threads do not mix, control characters made harmless.
 * Under a service manager each line carries its priority the way sd-daemon(3) describes. Data never
 * comes this way: that is stdout's.
 */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"

#define LINE_MAX_BYTES 1024
#define HELD_MAX_BYTES 8192
#define WAIT_MS 100 /* for who reads the log */

static atomic_int max_level; /* 0: silent, as a library is; commands raise it */
static const char *_Atomic line_ident = "netprobe";

void log_set_level(int level)
{
	max_level = level < LOG_ERR ? LOG_ERR : level > LOG_DEBUG ? LOG_DEBUG : level;
}

int log_level(void)
{
	return max_level;
}

void log_set_ident(const char *ident)
{
	line_ident = ident;
}

/* JOURNAL_STREAM is inherited by children whose stderr goes elsewhere: only a match counts. */
static bool stderr_is_journal(void)
{
	const char *env = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!env || sscanf(env, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

static const char *level_word(int level)
{
	return level == LOG_WARNING ? "warning: " : level == LOG_DEBUG ? "debug: " : "";
}

/* snprintf's return value as what is really there. */
static size_t written(int n, size_t size)
{
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

static bool stopped;  /* the terminal or the reader takes nothing */
static size_t unsaid; /* lines since then */

/* A terminal that is stopped, or a reader that is: nobody waits long for it, and once. */
static bool takes_more(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	stopped = poll(&p, 1, stopped ? 0 : WAIT_MS) == 0;
	return !stopped;
}

static void write_all(const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if (!takes_more()) {
			unsaid++;
			return;
		}
		n = write(STDERR_FILENO, p, len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return; /* nowhere left to say it */
		p += n;
		len -= (size_t)n;
	}
}

static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static bool holds;
static char held[HELD_MAX_BYTES];
static size_t held_len, held_lost;

/* The oldest lines give way. */
static void keep(const char *line, size_t len)
{
	while (held_len + len > sizeof(held)) {
		size_t first = (size_t)((char *)memchr(held, '\n', held_len) - held) + 1;

		held_len -= first;
		memmove(held, held + first, held_len);
		held_lost++;
	}
	memcpy(held + held_len, line, len);
	held_len += len;
}

static void say_unsaid(void)
{
	char line[128];
	int n = snprintf(line, sizeof(line),
			 "%s: %zu lines of the log are lost: nobody took them\n", line_ident,
			 unsaid);

	unsaid = 0;
	write_all(line, (size_t)n);
}

static void put(const char *line, size_t len)
{
	(void)pthread_mutex_lock(&held_lock);
	if (holds) {
		keep(line, len);
	} else {
		if (unsaid && takes_more())
			say_unsaid();
		write_all(line, len);
	}
	(void)pthread_mutex_unlock(&held_lock);
}

void log_hold(bool on)
{
	size_t lost;

	(void)pthread_mutex_lock(&held_lock);
	holds = on;
	lost = held_lost;
	if (!on) {
		write_all(held, held_len);
		held_len = held_lost = 0;
	}
	(void)pthread_mutex_unlock(&held_lock);
	if (!on && lost)
		log_notice("%zu older lines are lost", lost);
}

void log_msg(int level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	int saved = errno; /* for %m, and for the caller */
	size_t len, i;
	va_list ap;

	if (level > max_level)
		return;
	if (stderr_is_journal())
		len = written(snprintf(line, sizeof(line), "<%d>", level), sizeof(line));
	else
		len = written(snprintf(line, sizeof(line), "%s: %s", line_ident, level_word(level)),
			      sizeof(line));
	i = len;
	errno = saved;
	va_start(ap, fmt);
	len += written(vsnprintf(line + len, sizeof(line) - len, fmt, ap), sizeof(line) - len);
	va_end(ap);
	/* libbpf ends its messages with a newline of its own. */
	while (len > i && line[len - 1] == '\n')
		len--;
	line[len] = '\0';
	for (size_t at = i; at < len; at++)
		if (line[at] == '\n' || line[at] == '\t')
			line[at] = ' ';
	utf8_one_line(line + i); /* also what the end of the line left of a character */
	line[len < sizeof(line) ? len++ : len - 1] = '\n';
	put(line, len);
	errno = saved;
}
