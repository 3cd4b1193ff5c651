/* SPDX-License-Identifier: BSD-2-Clause */
/* --type (see types.h). */
#include "cli/types.h"

#include <errno.h>
#include <netprobe/netprobe.h>
#include <stdlib.h>
#include <string.h>

/* A type, or what it begins with up to its dot. */
static bool is_of(const char *type, const char *word)
{
	size_t n = strlen(word);

	return n && !strncmp(type, word, n) && (!type[n] || type[n] == '.');
}

static int unknown(const char *word, struct netprobe_error *err)
{
	const char *type, *nearest = NULL;
	size_t most = 0;

	for (unsigned int i = 0; (type = netprobe_event_type(i)); i++) {
		size_t same = 0;

		while (word[same] && word[same] == type[same])
			same++;
		if (same > most) {
			most = same;
			nearest = type;
		}
	}
	return error_set(
		err, -EINVAL,
		"unknown type '%.40s'; takes types like %s, what stands before the dot, or list "
		"to see them all",
		word, nearest ? nearest : "conn.close");
}

int types_list(struct buf *out)
{
	const char *type;

	for (unsigned int i = 0; (type = netprobe_event_type(i)); i++)
		buf_printf(out, "%s\n", type);
	return out->err;
}

int types_add(struct types *t, const char *list, struct netprobe_error *err)
{
	char *copy = strdup(list), *rest = copy, *word;
	int r = copy ? 0 : error_set(err, -ENOMEM, "out of memory");

	while (!r && (word = strsep(&rest, ","))) {
		const char *type;
		uint64_t found = 0;

		for (unsigned int i = 0; (type = netprobe_event_type(i)) && i < TYPES_MAX; i++)
			if (is_of(type, word))
				found |= 1ULL << i;
		if (!found)
			r = unknown(word, err);
		t->wanted |= found;
	}
	free(copy);
	return r;
}

bool types_want(struct types *t, const char *type)
{
	const char *at;

	if (!t->wanted)
		return true;
	if (type == t->seen)
		return t->is_seen_wanted;
	t->seen = type;
	t->is_seen_wanted = false;
	for (unsigned int i = 0; (at = netprobe_event_type(i)) && i < TYPES_MAX; i++)
		if (!strcmp(at, type))
			t->is_seen_wanted = t->wanted >> i & 1;
	return t->is_seen_wanted;
}
