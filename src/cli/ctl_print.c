/* SPDX-License-Identifier: BSD-2-Clause */
/* What instances answer, for people and for programs (see ctl_print.h). */
#include "cli/ctl_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/row.h"
#include "cli/sink.h"
#include "event/field.h"
#include "out/table.h"

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static struct cell str_cell(const char *s)
{
	return s ? (struct cell){ .type = CELL_STR, .str = s } : (struct cell){ .type = CELL_NULL };
}

static struct cell num_cell(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_integer(v)
		       ? (struct cell){ .type = CELL_U64, .u64 = (uint64_t)json_integer_value(v) }
		       : (struct cell){ .type = CELL_NULL };
}

/* As `set` takes it. */
static void put_plain(struct buf *b, const json_t *v)
{
	const json_t *one;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_ARRAY:
		json_array_foreach (v, i, one) {
			if (i)
				buf_putc(b, ',');
			put_plain(b, one);
		}
		break;
	case JSON_STRING:
		(void)utf8_put_printable(b, json_string_value(v), json_string_length(v), 0);
		break;
	case JSON_INTEGER:
		buf_i64(b, json_integer_value(v));
		break;
	case JSON_REAL:
		buf_double(b, json_real_value(v));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_puts(b, json_is_true(v) ? "true" : "false");
		break;
	default:
		break;
	}
}

static int put_json(struct buf *b, const json_t *v)
{
	/* as many digits as a number of three decimals needs to come back */
	char *text = json_dumps(v, JSON_COMPACT | JSON_REAL_PRECISION(15));

	if (!text)
		return -ENOMEM;
	json_text(b, text);
	buf_putc(b, '\n');
	free(text);
	return b->err;
}

/* What an instance answered, behind the keys that every record begins with; mode NULL: no record of a capture. */
static int put_record(struct buf *b, const json_t *answer, const char *mode)
{
	json_t *all = json_object();
	struct row_stamp stamp;
	int r;

	row_stamp_take(&stamp, NULL);
	r = all ? json_object_set_new(all, "schema", json_integer(RECORD_SCHEMA)) : -1;
	if (!r && mode)
		r = json_object_set_new(all, "ts", json_string(stamp.ts)) ||
		    json_object_set_new(all, "host", json_string(stamp.host)) ||
		    json_object_set_new(all, "mode", json_string(mode));
	if (!r)
		r = json_object_update(all, (json_t *)answer);
	r = r ? -ENOMEM : put_json(b, all);
	json_decref(all);
	return r;
}

int ctl_print_values(struct buf *b, int format, const json_t *values)
{
	const char *key;
	json_t *v;

	if (format == FORMAT_JSON) /* "host" and the like are settings there */
		return put_record(b, values, NULL);
	json_object_foreach ((json_t *)values, key, v) {
		(void)utf8_put_printable(b, key, strlen(key), 0);
		buf_putc(b, '=');
		put_plain(b, v);
		buf_putc(b, '\n');
	}
	return b->err;
}

int ctl_print_stats(struct buf *b, int format, json_t *reply)
{
	static const struct table_column columns[] = {
		{ "program", "PROGRAM", UNIT_NONE, false, 0 },
		{ "seen", "SEEN", UNIT_NONE, true, 1 },
		{ "submitted", "SUBMITTED", UNIT_NONE, true, 3 },
		{ "ring_full", "RING FULL", UNIT_NONE, true, 2 },
		{ "filtered", "FILTERED", UNIT_NONE, true, 5 },
		{ "sampled_out", "SAMPLED OUT", UNIT_NONE, true, 5 },
		{ "rate_limited", "RATE LIMITED", UNIT_NONE, true, 4 },
		{ "map_full", "MAP FULL", UNIT_NONE, true, 2 },
		{ "helper_errors", "ERRORS", UNIT_NONE, true, 6 },
		{ "missed", "MISSED", UNIT_NONE, true, 3 },
		{ "implausible", "IMPLAUSIBLE", UNIT_NONE, true, 7 },
	};
	const json_t *p;
	struct table *t;
	int r = 0;
	size_t i;

	(void)json_object_del(reply, "ok");
	if (format == FORMAT_JSON)
		return put_record(b, reply,
				  text_of(json_object_get(reply, "instance"), "mode") ?: "ebpf");
	t = table_new(columns, 11);
	if (!t)
		return -ENOMEM;
	json_array_foreach (json_object_get(reply, "programs"), i, p) {
		struct cell c[11] = { str_cell(text_of(p, "program")) };
		bool some = format != FORMAT_TEXT;

		/* Text leaves out what saw and lost nothing. */
		for (unsigned int k = 1; k < 11; k++) {
			c[k] = num_cell(p, columns[k].name);
			some |= c[k].type == CELL_U64 && c[k].u64;
		}
		r = r || !some ? r : table_add(t, c);
	}
	if (t)
		table_fit(t, sink_columns(STDOUT_FILENO));
	r = r ?: table_write(t, b, format, false);
	(void)table_free(t);
	return r;
}

int ctl_print_list(struct buf *b, int format, const pid_t *pids, json_t *const *replies, int n)
{
	static const struct table_column columns[] = {
		ROW_COLUMNS,	     { .name = "pid" },	    { .name = "command" },
		{ .name = "start" }, { .name = "version" },
	};
	/* in another order, and not what is the same in each */
	static const struct table_column of_text[] = {
		{ "pid", "PID", UNIT_NONE, true, 0 },
		{ "command", "COMMAND", UNIT_NONE, false, 1 },
		{ "mode", "MODE", UNIT_NONE, false, 2 },
		{ "start", "START", UNIT_NONE, false, 3, 20 },
	};
	bool text = format == FORMAT_TEXT;
	struct table *t = text ? table_new(of_text, sizeof(of_text) / sizeof(of_text[0]))
			       : table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct row_stamp stamp;
	int r = t ? 0 : -ENOMEM;

	row_stamp_take(&stamp, NULL);
	for (int i = 0; i < n && !r; i++) {
		const json_t *in = json_object_get(replies[i], "instance");
		struct cell pid = cell_u64((uint64_t)pids[i]);
		struct cell mode = str_cell(text_of(in, "mode"));
		struct cell command = str_cell(text_of(in, "command"));
		struct cell start = str_cell(text_of(in, "start"));

		r = text ? table_add(t, (const struct cell[]){ pid, command, mode, start })
			 : table_add(t, (const struct cell[]){
						cell_u64(RECORD_SCHEMA), str_cell(stamp.ts),
						str_cell(stamp.host), mode, pid, command, start,
						str_cell(text_of(in, "version")) });
	}
	if (t) {
		table_fit(t, sink_columns(STDOUT_FILENO));
		table_nothing(t, "no instance runs");
	}
	r = r ?: table_write(t, b, format, false);
	(void)table_free(t);
	return r;
}
