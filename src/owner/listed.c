/* SPDX-License-Identifier: BSD-2-Clause */
/* See listed.h. A bit for each number up to the largest that is there. */
#include "owner/listed.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PID_MOST (1U << 22) /* PID_MAX_LIMIT */

static int put(struct listed *l, uint32_t tgid)
{
	uint32_t word = tgid / 64;

	if (word >= l->words) {
		uint32_t words = word * 2 + 64;
		uint64_t *bits = reallocarray(l->bits, words, sizeof(*bits));

		if (!bits)
			return -ENOMEM;
		memset(bits + l->words, 0, (words - l->words) * sizeof(*bits));
		l->bits = bits;
		l->words = words;
	}
	l->bits[word] |= 1ULL << tgid % 64;
	l->n++;
	return 0;
}

static void forget(struct listed *l)
{
	if (l->bits)
		memset(l->bits, 0, l->words * sizeof(*l->bits));
	l->n = 0;
}

int listed_read(struct listed *l, const char *proc_root)
{
	DIR *d = opendir(proc_root);
	const struct dirent *e;
	int r = d ? 0 : -errno;

	forget(l);
	while (!r && (errno = 0, e = readdir(d))) {
		char *end;
		unsigned long tgid = strtoul(e->d_name, &end, 10);

		if (!*end && tgid && tgid <= PID_MOST)
			r = put(l, (uint32_t)tgid);
	}
	if (!r && errno)
		r = -errno;
	if (d)
		(void)closedir(d);
	if (r)
		forget(l);
	return r;
}

bool listed_has(const struct listed *l, uint32_t tgid)
{
	return tgid / 64 < l->words && l->bits[tgid / 64] & 1ULL << tgid % 64;
}

void listed_done(struct listed *l)
{
	free(l->bits);
	*l = (struct listed){ 0 };
}
