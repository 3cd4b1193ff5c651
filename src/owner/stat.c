/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads /proc/<tgid>/stat: one open and one read a process. comm ends at the last closing
 * parenthesis, since a process may call itself anything, "a) S 1 (" included.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "owner/stat.h"

/* Fields as proc_pid_stat(5) numbers them. */
#define STAT_STATE 3
#define STAT_PPID 4
#define STAT_THREADS 20
#define STAT_START 22

static void copy_comm(char comm[16], const char *text, const char *end)
{
	const char *from = strchr(text, '(');
	size_t len;

	if (!from || from >= end)
		return;
	len = (size_t)(end - from - 1);
	memcpy(comm, from + 1, len < 15 ? len : 15);
}

int proc_stat_parse(const char *text, struct proc_stat *ret)
{
	struct proc_stat st = { 0 };
	const char *p = strrchr(text, ')');
	int field;

	if (!p)
		return -EINVAL;
	copy_comm(st.comm, text, p);
	p++;
	for (field = STAT_STATE; field <= STAT_START; field++) {
		unsigned long long v;
		char *end;

		if (*p++ != ' ')
			return -EINVAL;
		if (field == STAT_STATE) {
			if (!*p)
				return -EINVAL;
			st.state = *p++;
			continue;
		}
		errno = 0;
		v = strtoull(p, &end, 10); /* negative ones are skipped, not used */
		if (end == p || errno)
			return -EINVAL;
		p = end;
		if (field == STAT_PPID)
			st.ppid = (uint32_t)v;
		else if (field == STAT_THREADS)
			st.threads = (uint32_t)v;
		else if (field == STAT_START)
			st.start_ticks = v;
	}
	*ret = st;
	return 0;
}

int proc_stat_read(const char *proc_root, uint32_t tgid, struct proc_stat *ret)
{
	char path[PATH_MAX], text[1024];
	ssize_t n;
	int fd, r;

	r = snprintf(path, sizeof(path), "%s/%u/stat", proc_root, tgid);
	if (r < 0 || (size_t)r >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	r = n < 0 ? -errno : 0;
	(void)close(fd);
	if (r < 0)
		return r;
	text[n] = '\0';
	return proc_stat_parse(text, ret);
}
