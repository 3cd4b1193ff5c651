/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a row and a string to a field of the caller's struct: ranges, names, lists. Shared by the
 * command line (args.c), config files and `ctl set`. How numbers, times and addresses are spelt is
 * parse.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/parse.h"

int args_list_add(struct args_list *l, const char *s)
{
	/* Grown at powers of two, so the size needs no field of its own. */
	if ((l->n & (l->n - 1)) == 0) {
		size_t cap = l->n ? 2 * (size_t)l->n : 1;
		const char **items = realloc(l->items, cap * sizeof(*items));

		if (!items)
			return -ENOMEM;
		l->items = items;
	}
	l->items[l->n++] = s;
	return 0;
}

void args_list_done(struct args_list *l)
{
	free(l->items);
	memset(l, 0, sizeof(*l));
}

static int set_enum(const struct option_row *row, const char *value, int *dest,
		    struct netprobe_error *err)
{
	struct buf list = { 0 };
	const char *text;
	int i;

	for (i = 0; row->names[i]; i++) {
		if (strcmp(row->names[i], value) == 0) {
			*dest = i;
			return 0;
		}
	}
	for (i = 0; row->names[i]; i++) {
		if (i)
			buf_puts(&list, row->names[i + 1] ? ", " : " or ");
		buf_puts(&list, row->names[i]);
	}
	text = buf_str(&list);
	i = text ? error_set(err, -EINVAL, "'%.100s' is not known; takes %s", value, text)
		 : -ENOMEM;
	buf_done(&list);
	return i;
}

static int set_bool(const char *value, bool *dest, struct netprobe_error *err)
{
	if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return error_set(err, -EINVAL, "'%.100s' is not a switch; takes true or false",
				 value);
	*dest = !value || *value == 't';
	return 0;
}

static int set_count(const char *value, unsigned int *dest, struct netprobe_error *err)
{
	if (value)
		return parse_u32(value, 0, UINT32_MAX, dest, err);
	++*dest;
	return 0;
}

static int set_seconds(const struct option_row *row, const char *value, double *dest,
		       struct netprobe_error *err)
{
	double v = 0;
	int r = parse_seconds(value, &v, err);

	if (r < 0)
		return r;
	if (v * 1000 < (double)row->min)
		return error_set(err, -EINVAL, "'%.100s' is too short; takes %g seconds or more",
				 value, (double)row->min / 1000);
	if (row->max && v * 1000 > (double)row->max)
		return error_set(err, -EINVAL, "'%.100s' is too long; takes at most %g seconds",
				 value, (double)row->max / 1000);
	*dest = v;
	return 0;
}

static int set_msec(const struct option_row *row, const char *value, uint32_t *dest,
		    struct netprobe_error *err)
{
	uint32_t v = 0;
	int r = parse_msec(value, &v, err);

	if (r < 0)
		return r;
	if (v < row->min)
		return error_set(err, -EINVAL, "'%.100s' is too short; takes %llu ms or more",
				 value, (unsigned long long)row->min);
	if (row->max && v > row->max)
		return error_set(err, -EINVAL, "'%.100s' is too long; takes at most %llu ms", value,
				 (unsigned long long)row->max);
	*dest = v;
	return 0;
}

static int set_string(const struct option_row *row, const char *value, void *dest,
		      struct netprobe_error *err)
{
	struct args_list *list = dest;

	if (!*value && !(row->flags & OPTION_EMPTY))
		return error_set(err, -EINVAL, "'' is empty; takes %s",
				 row->arg ? row->arg : "a value");
	if (row->type == OPTION_STRING) {
		*(const char **)dest = value;
		return 0;
	}
	if (!(row->flags & OPTION_REPEAT))
		list->n = 0;
	/* With n back at 0 the add reallocates to one item: still a valid list. */
	return args_list_add(list, value);
}

static int set_size(const struct option_row *row, const char *value, uint32_t *dest,
		    struct netprobe_error *err)
{
	uint64_t most = row->max && row->max < UINT32_MAX ? row->max : UINT32_MAX, v = 0;
	int r = parse_size(value, row->min, most, &v, err);

	if (!r)
		*dest = (uint32_t)v;
	return r;
}

static int set_value(const struct option_row *row, const char *value, void *dest,
		     struct netprobe_error *err)
{
	uint64_t max = row->max ? row->max : UINT64_MAX;

	switch (row->type) {
	case OPTION_BOOL:
	case OPTION_HELP:
		return set_bool(value, dest, err);
	case OPTION_COUNT:
		return set_count(value, dest, err);
	case OPTION_U32:
		if (row->arg && !strcmp(row->arg, "BYTES"))
			return set_size(row, value, dest, err);
		return parse_u32(value, (uint32_t)row->min,
				 max > UINT32_MAX ? UINT32_MAX : (uint32_t)max, dest, err);
	case OPTION_U64:
		return parse_u64(value, row->min, max, dest, err);
	case OPTION_SECONDS:
		return set_seconds(row, value, dest, err);
	case OPTION_MSEC:
		return set_msec(row, value, dest, err);
	case OPTION_ENUM:
		return set_enum(row, value, dest, err);
	case OPTION_STRING:
	case OPTION_STRINGS:
		return set_string(row, value, dest, err);
	case OPTION_CUSTOM:
		return row->parse(value, dest, err);
	default:
		return error_set(err, -EINVAL, "the option's row has no such type");
	}
}

int args_set(const struct option_row *row, const char *value, void *opts,
	     struct netprobe_error *err)
{
	int r = set_value(row, value, (char *)opts + row->offset, err);

	if (r == -ENOMEM)
		(void)error_set(err, r, "out of memory");
	else if (r < 0 && (row->flags & OPTION_SECRET))
		(void)error_set(err, r, "what is given is none; takes %s",
				row->arg ? row->arg : "a value");
	if (r < 0 && row->name)
		error_prefix(err, "--%s", row->name);
	else if (r < 0)
		error_prefix(err, "-%c", row->short_name);
	return r;
}
