/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of a record's JSON, found where they stand: an object of one line, as out/json.c writes it. Of what is no JSON
 * nothing is found; nothing is read beyond the NUL.
 */
#ifndef NETPROBE_API_JSON_FIND_H
#define NETPROBE_API_JSON_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define JSON_KEYS 160 /* of a record: more are not found */

/* Where the members of one object begin; zeroed: not looked at yet. */
struct json_index {
	bool made;
	unsigned int n;
	struct json_key {
		const char *name, *value;
		size_t len;
	} keys[JSON_KEYS];
};

/* The value of a key of the object at json; NULL: it has none. */
const char *json_index_find(struct json_index *x, const char *json, const char *name, size_t len);
const char *json_member(const char *object, const char *name, size_t len);
/* Element i of an array; NULL: it has fewer. */
const char *json_item(const char *array, unsigned int i);
/* A string's own text, in room; NULL: it is none. */
const char *json_value_text(const char *value, struct buf *room);
bool json_value_number(const char *value, long double *ret);

#endif
