/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of JSON to a request, nothing believed (see request.h). */
#include "control/request.h"

#include <errno.h>
#include <string.h>

static int wrong(struct netprobe_error *err, const char *what, const char *takes)
{
	return error_set(err, -EINVAL, "%s; takes %s", what, takes);
}

static int take_pairs(struct control_request *q, json_t *values, struct netprobe_error *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(values) || !json_object_size(values))
		return wrong(err, "set without values", "an object of KEY: VALUE");
	json_object_foreach (values, key, value) {
		if (q->n == CONTROL_MAX_PAIRS)
			return error_set(err, -EINVAL, "more than %d values; takes up to that many",
					 CONTROL_MAX_PAIRS);
		if (!json_is_string(value))
			return error_set(err, -EINVAL,
					 "the value of '%.64s' is not a string; takes text", key);
		q->pairs[q->n++] = (struct control_pair){ key, json_string_value(value) };
	}
	return 0;
}

static int take(struct control_request *q, struct netprobe_error *err)
{
	const char *cmd = json_string_value(json_object_get(q->root, "cmd"));
	json_t *key = json_object_get(q->root, "key");

	if (!cmd)
		return wrong(err, "no cmd", "info, get, set, stats");
	if (key && !json_is_string(key))
		return wrong(err, "the key is not a string", "the name of a long option");
	q->key = json_string_value(key);
	if (!strcmp(cmd, "info"))
		q->what = CONTROL_INFO;
	else if (!strcmp(cmd, "get"))
		q->what = CONTROL_GET;
	else if (!strcmp(cmd, "stats"))
		q->what = CONTROL_STATS;
	else if (!strcmp(cmd, "set"))
		q->what = CONTROL_SET;
	else
		return error_set(err, -EINVAL, "'%.64s' is not a cmd; takes info, get, set, stats",
				 cmd);
	return q->what == CONTROL_SET ? take_pairs(q, json_object_get(q->root, "values"), err) : 0;
}

int request_parse(const char *line, size_t len, struct control_request *ret_request,
		  struct netprobe_error *err)
{
	struct control_request q = {};
	json_error_t e;
	int r;

	q.root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);
	if (!q.root)
		return error_set(err, -EINVAL,
				 "no JSON (column %d: %.100s); takes one object in one line",
				 e.column, e.text);
	r = json_is_object(q.root) ? take(&q, err)
				   : wrong(err, "no object", "one object in one line");
	if (r)
		request_done(&q);
	else
		*ret_request = q;
	return r;
}

void request_done(struct control_request *q)
{
	json_decref(q->root);
	q->root = NULL;
}
