/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: stderr, one write a line so that threads do not mix, control characters made harmless.
 * Under a service manager each line carries its priority the way sd-daemon(3) describes. Data never
 * comes this way: that is stdout's.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

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

static void write_all(const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(STDERR_FILENO, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nowhere left to say it */
		p += n;
		len -= (size_t)n;
	}
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
	for (; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = line[i] == '\n' || line[i] == '\t' ? ' ' : '?';
	}
	line[len < sizeof(line) ? len++ : len - 1] = '\n';
	write_all(line, len);
	errno = saved;
}
