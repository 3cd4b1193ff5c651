/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of option rows by name (see keys.h). How a value is spelt is base/args_value.c's. */
#include "control/keys.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void key_string_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void key_strings_done(struct key_strings *s)
{
	for (unsigned int i = 0; i < s->n; i++)
		key_string_wipe(s->items[i]);
	free(s->items);
	*s = (struct key_strings){};
}

const char *key_strings_add(struct key_strings *s, const char *text)
{
	char **items = reallocarray(s->items, s->n + 1, sizeof(*items));

	if (!items)
		return NULL;
	s->items = items;
	items[s->n] = strdup(text);
	return items[s->n] ? items[s->n++] : NULL;
}

const struct option_row *keys_next(const struct option_row *const *tables, struct key_iter *at)
{
	while (tables[at->table]) {
		const struct option_row *row = &tables[at->table][at->row++];

		if (row->type == OPTION_END)
			*at = (struct key_iter){ .table = at->table + 1 };
		else if (row->type != OPTION_HEADING)
			return row;
	}
	return NULL;
}

int keys_find(const struct option_row *const *tables, const char *key,
	      const struct option_row **ret_row, struct netprobe_error *err)
{
	const struct option_row *row = args_find(tables, key);
	struct key_iter at = {};
	struct buf names = {};
	const char *text;

	if (row && (row->flags & OPTION_LIVE)) {
		*ret_row = row;
		return 0;
	}
	while ((row = keys_next(tables, &at))) {
		if (!(row->flags & OPTION_LIVE))
			continue;
		if (names.len)
			buf_puts(&names, ", ");
		buf_puts(&names, row->name);
	}
	text = buf_str(&names);
	error_set(err, -EINVAL, "'%.64s' is not a key of this instance; takes %s", key,
		  text ? text : "what 'ctl get' lists");
	buf_done(&names);
	return -EINVAL;
}

static void *field(const struct option_row *row, void *opts)
{
	return (char *)opts + row->offset;
}

static const void *field_of(const struct option_row *row, const void *opts)
{
	return (const char *)opts + row->offset;
}

static size_t field_size(const struct option_row *row)
{
	switch (row->type) {
	case OPTION_BOOL:
	case OPTION_HELP:
		return sizeof(bool);
	case OPTION_COUNT:
		return sizeof(unsigned int);
	case OPTION_U32:
	case OPTION_MSEC:
		return sizeof(uint32_t);
	case OPTION_U64:
		return sizeof(uint64_t);
	case OPTION_SECONDS:
		return sizeof(double);
	case OPTION_STRING:
		return sizeof(const char *);
	case OPTION_ENUM:
		return sizeof(int);
	case OPTION_STRINGS:
		return sizeof(struct args_list);
	default:
		return 0;
	}
}

static int no_memory(struct netprobe_error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

static int set_one(const struct option_row *row, const char *value, void *opts,
		   struct key_strings *strings, struct netprobe_error *err)
{
	const char *kept = key_strings_add(strings, value);

	return kept ? args_set(row, kept, opts, err) : no_memory(err);
}

static int set_list(const struct option_row *row, const char *value, void *opts,
		    struct key_strings *strings, struct netprobe_error *err)
{
	char *copy = strdup(value), *rest = copy, *one;
	int r = copy ? 0 : no_memory(err);

	args_list_done(field(row, opts));
	while (!r && *value && (one = strsep(&rest, ",")))
		r = set_one(row, one, opts, strings, err);
	if (copy)
		explicit_bzero(copy, strlen(value)); /* strsep put ends into it */
	free(copy);
	return r;
}

int keys_set(const struct option_row *row, const char *value, const void *defaults, void *opts,
	     struct key_strings *strings, struct netprobe_error *err)
{
	if (row->type == OPTION_STRINGS)
		return set_list(row, value, opts, strings, err);
	if (*value)
		return set_one(row, value, opts, strings, err);
	memcpy(field(row, opts), field_of(row, defaults), field_size(row));
	return 0;
}

static int copy_list(const struct option_row *row, const struct args_list *from,
		     struct args_list *to, struct key_strings *strings)
{
	int r = 0;

	for (unsigned int i = 0; i < from->n && !r; i++) {
		const char *item = from->items[i];

		if (row->flags & OPTION_LIVE)
			item = key_strings_add(strings, item);
		r = item ? args_list_add(to, item) : -ENOMEM;
	}
	return r;
}

size_t keys_size(const struct option_row *const *tables)
{
	const struct option_row *row;
	struct key_iter at = {};
	size_t size = 0;

	while ((row = keys_next(tables, &at)))
		if (row->offset + field_size(row) > size)
			size = row->offset + field_size(row);
	return size;
}

int keys_copy(const struct option_row *const *tables, const void *from, void *to,
	      struct key_strings *strings)
{
	const struct option_row *row;
	struct key_iter at = {};
	int r = 0;

	while ((row = keys_next(tables, &at))) {
		if (row->type == OPTION_STRINGS)
			*(struct args_list *)field(row, to) = (struct args_list){};
		else
			memcpy(field(row, to), field_of(row, from), field_size(row));
	}
	at = (struct key_iter){};
	while (!r && (row = keys_next(tables, &at))) {
		const char *const *text = field_of(row, from);

		if (row->type == OPTION_STRINGS)
			r = copy_list(row, field_of(row, from), field(row, to), strings);
		if (row->type != OPTION_STRING || !(row->flags & OPTION_LIVE) || !*text)
			continue;
		*(const char **)field(row, to) = key_strings_add(strings, *text);
		r = *(const char **)field(row, to) ? 0 : -ENOMEM;
	}
	return r;
}

void keys_move(const struct option_row *const *tables, void *from, void *to)
{
	const struct option_row *row;
	struct key_iter at = {};

	keys_done(tables, to);
	while ((row = keys_next(tables, &at))) {
		memcpy(field(row, to), field_of(row, from), field_size(row));
		if (row->type == OPTION_STRINGS)
			*(struct args_list *)field(row, from) = (struct args_list){};
	}
}

void keys_done(const struct option_row *const *tables, void *opts)
{
	const struct option_row *row;
	struct key_iter at = {};

	while ((row = keys_next(tables, &at)))
		if (row->type == OPTION_STRINGS)
			args_list_done(field(row, opts));
}

static bool lists_equal(const struct args_list *a, const struct args_list *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned int i = 0; i < a->n; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

bool keys_equal(const struct option_row *row, const void *a, const void *b)
{
	const void *x = field_of(row, a), *y = field_of(row, b);
	const char *s, *t;

	if (row->type == OPTION_STRINGS)
		return lists_equal(x, y);
	if (row->type != OPTION_STRING)
		return memcmp(x, y, field_size(row)) == 0;
	s = *(const char *const *)x;
	t = *(const char *const *)y;
	return s == t || (s && t && strcmp(s, t) == 0);
}

void keys_spoil(const struct option_row *row, void *opts)
{
	if (row->type != OPTION_STRINGS && row->type != OPTION_COUNT)
		memset(field(row, opts), 0xff, field_size(row));
}

static void write_list(struct buf *b, const struct args_list *l)
{
	buf_putc(b, '[');
	for (unsigned int i = 0; i < l->n; i++) {
		if (i)
			buf_putc(b, ',');
		json_str(b, l->items[i]);
	}
	buf_putc(b, ']');
}

/* 0 where the option takes no 0 means that it was not given. */
static void write_number(struct buf *b, const struct option_row *row, uint64_t v)
{
	if (!v && row->min)
		buf_puts(b, "null");
	else
		buf_u64(b, v);
}

static bool is_set(const struct option_row *row, const void *at)
{
	static const uint8_t zero[sizeof(struct args_list)];

	return memcmp(at, zero, field_size(row)) != 0;
}

void keys_write_json(struct buf *b, const struct option_row *row, const void *opts)
{
	const void *at = field_of(row, opts);

	if (row->flags & OPTION_SECRET) {
		json_str(b, is_set(row, at) ? "(secret)" : NULL);
		return;
	}
	switch (row->type) {
	case OPTION_STRINGS:
		write_list(b, at);
		break;
	case OPTION_STRING:
		json_str(b, *(const char *const *)at);
		break;
	case OPTION_BOOL:
	case OPTION_HELP:
		buf_puts(b, *(const bool *)at ? "true" : "false");
		break;
	case OPTION_U64:
		write_number(b, row, *(const uint64_t *)at);
		break;
	case OPTION_COUNT:
	case OPTION_U32:
	case OPTION_MSEC:
		write_number(b, row, *(const uint32_t *)at);
		break;
	case OPTION_SECONDS:
		buf_double(b, *(const double *)at);
		break;
	case OPTION_ENUM:
		json_str(b, *(const int *)at < 0 ? NULL : row->names[*(const int *)at]);
		break;
	default:
		buf_puts(b, "null");
	}
}
