/* SPDX-License-Identifier: BSD-2-Clause */
/* What was probably meant by a word that is not in a list: options, commands, verbs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/args.h"

#define NAME_MAX_LEN 32 /* longer ones are nobody's typing error */

/* Insertions, deletions, substitutions and swaps of neighbours that turn a into b. */
static unsigned int edit_distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned int d[3][NAME_MAX_LEN + 1]; /* the last three rows of the matrix */
	size_t i, j;

	for (j = 0; j <= m; j++)
		d[0][j] = (unsigned int)j;
	for (i = 1; i <= n; i++) {
		unsigned int *cur = d[i % 3], *prev = d[(i + 2) % 3], *prev2 = d[(i + 1) % 3];

		cur[0] = (unsigned int)i;
		for (j = 1; j <= m; j++) {
			unsigned int best = prev[j - 1] + (a[i - 1] != b[j - 1]);

			best = prev[j] + 1 < best ? prev[j] + 1 : best;
			best = cur[j - 1] + 1 < best ? cur[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    prev2[j - 2] + 1 < best)
				best = prev2[j - 2] + 1;
			cur[j] = best;
		}
	}
	return d[n % 3][m];
}

unsigned int args_too_far(size_t len)
{
	return len < 2 || len > NAME_MAX_LEN ? 0 : (unsigned int)(len + 1) / 3 + 1;
}

unsigned int args_distance(const char *typed, size_t len, const char *word)
{
	size_t m = strlen(word);

	if (!m || m > NAME_MAX_LEN || len > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	/* A beginning of it is nearer than any error. */
	if (m > len && memcmp(word, typed, len) == 0)
		return 0;
	return edit_distance(typed, len, word, m);
}

static const char *word_at(const void *table, size_t size, size_t i)
{
	const char *word;

	memcpy(&word, (const char *)table + i * size, sizeof(word));
	return word;
}

int args_unknown_word(const char *what, const char *typed, const void *table, size_t size,
		      struct netprobe_error *err)
{
	unsigned int least = args_too_far(strlen(typed));
	const char *best = NULL, *word;
	char list[256] = "";
	size_t n = 0;

	for (size_t i = 0; (word = word_at(table, size, i)); i++) {
		unsigned int d = args_distance(typed, strlen(typed), word);

		if (d < least) {
			least = d;
			best = word;
		}
		if (n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
					      word);
	}
	if (best)
		return error_set(err, -EINVAL, "unknown %s '%.100s'; did you mean %s?", what, typed,
				 best);
	return error_set(err, -EINVAL, "unknown %s '%.100s'; expected one of %s", what, typed,
			 list);
}
