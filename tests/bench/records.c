/* SPDX-License-Identifier: BSD-2-Clause */
/* See records.h. */
#include "records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static void add(json_t *all, const char *line, size_t len)
{
	json_error_t e;
	json_t *one;

	if (!len)
		return;
	one = json_loadb(line, len, 0, &e);
	if (!one)
		bench_die("no JSON: %s: %.*s", e.text, (int)(len < 200 ? len : 200), line);
	if (json_is_array(one)) {
		json_array_extend(all, one);
		json_decref(one);
	} else {
		json_array_append_new(all, one);
	}
}

json_t *records_of_text(const char *text)
{
	json_t *all = json_array();

	while (*text) {
		const char *end = strchrnul(text, '\n');

		add(all, text, (size_t)(end - text));
		text = *end ? end + 1 : end;
	}
	return all;
}

json_t *records_of_file(const char *path)
{
	FILE *f = fopen(path, "re");
	json_t *all = json_array();
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!f)
		die(path);
	while ((n = getline(&line, &size, f)) > 0)
		add(all, line, (size_t)n - (line[n - 1] == '\n'));
	free(line);
	fclose(f);
	return all;
}

uint64_t rec_u64(const json_t *r, const char *key)
{
	const json_t *v = json_object_get(r, key);

	return json_is_integer(v) ? (uint64_t)json_integer_value(v) : 0;
}

const char *rec_str(const json_t *r, const char *key)
{
	const char *text = json_string_value(json_object_get(r, key));

	return text ? text : "";
}

bool rec_is(const json_t *r, const char *key, const char *value)
{
	return !strcmp(rec_str(r, key), value);
}
