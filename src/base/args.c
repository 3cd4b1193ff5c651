/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The option parser: argv to rows to values. Its own because getopt_long cannot say which of two
 * spellings was wrong, nor suggest one. Not here: values (args_value.c,
 * parse.c) and help (args_help.c).
 */
#include "base/args.h"

#include <errno.h>
#include <string.h>

/* The parser's place in argv. */
struct args_walk {
	const struct args_spec *spec;
	int argc, at;
	char *const *argv;
	void *opts;
	struct args_list *operands;
	struct netprobe_error *err;
	bool help; /* asked for: the rest does not matter */
};

bool option_takes_value(const struct option_row *row)
{
	return row->type >= OPTION_U32;
}

/* Next option row of all tables; NULL at the end. Start: *table at the list, row NULL. */
static const struct option_row *next_row(const struct option_row *const **table,
					 const struct option_row *row)
{
	row = row ? row + 1 : **table;
	while (row) {
		if (row->type == OPTION_END)
			row = *++*table;
		else if (row->type == OPTION_HEADING)
			row++;
		else
			return row;
	}
	return NULL;
}

static const struct option_row *find_long(const struct option_row *const *tables, const char *name,
					  size_t len)
{
	const struct option_row *row = NULL;

	while ((row = next_row(&tables, row))) {
		if (row->name && strlen(row->name) == len && memcmp(row->name, name, len) == 0)
			return row;
	}
	return NULL;
}

const struct option_row *args_find(const struct option_row *const *tables, const char *name)
{
	return find_long(tables, name, strlen(name));
}

static const struct option_row *find_short(const struct option_row *const *tables, char c)
{
	const struct option_row *row = NULL;

	while ((row = next_row(&tables, row))) {
		if (row->short_name == c)
			return row;
	}
	return NULL;
}

/* The option whose name is nearest to what was typed; NULL when none is near enough to be meant. */
static const struct option_row *nearest(const struct option_row *const *tables, const char *name,
					size_t len)
{
	const struct option_row *row = NULL, *best = NULL;
	unsigned int least = args_too_far(len), d;

	while ((row = next_row(&tables, row))) {
		if (!row->name || (row->flags & OPTION_HIDDEN))
			continue;
		d = args_distance(name, len, row->name);
		if (d < least) {
			least = d;
			best = row;
		}
	}
	return best;
}

static int unknown_option(struct args_walk *w, const char *what, size_t len)
{
	const struct option_row *row = NULL;
	int shown = len > 100 ? 100 : (int)len;

	if (len > 2 && what[1] == '-')
		row = nearest(w->spec->tables, what + 2, len - 2);
	else if (len > 2)
		row = find_long(w->spec->tables, what + 1, len - 1); /* -port */
	if (row)
		return error_set(w->err, -EINVAL, "unknown option '%.*s'; did you mean --%s?",
				 shown, what, row->name);
	return error_set(w->err, -EINVAL, "unknown option '%.*s'; takes what '%s --help' lists",
			 shown, what, w->spec->prog);
}

static int no_value(struct args_walk *w, const char *spelt, size_t len,
		    const struct option_row *row)
{
	return error_set(w->err, -EINVAL, "%.*s: nothing given; takes %s", (int)len, spelt,
			 row->arg ? row->arg : "a value");
}

static int parse_long(struct args_walk *w, const char *arg)
{
	const char *eq = strchr(arg, '='), *value = eq ? eq + 1 : NULL;
	size_t len = eq ? (size_t)(eq - arg) : strlen(arg);
	const struct option_row *row = find_long(w->spec->tables, arg + 2, len - 2);

	if (!row)
		return unknown_option(w, arg, len);
	if (row->type == OPTION_HELP && value && !strcmp(row->name, "help") &&
	    !strcmp(value, "all"))
		value = NULL; /* args_asks_all */
	if (!option_takes_value(row) && value)
		return error_set(w->err, -EINVAL, "--%s: '%.100s' given; takes no value", row->name,
				 value);
	if (option_takes_value(row) && !value) {
		if (w->at >= w->argc)
			return no_value(w, arg, len, row);
		value = w->argv[w->at++];
	}
	w->help |= row->type == OPTION_HELP;
	return args_set(row, value, w->opts, w->err);
}

/* -p 1, -p1, -qv, -qp1: letters until one takes a value, which is the rest or the next argument. */
static int parse_shorts(struct args_walk *w, const char *arg)
{
	const char *p;
	int r;

	/* -port is --port with a dash lost, not -p with "ort": silently wrong is worse. */
	if (arg[2] && args_find(w->spec->tables, arg + 1))
		return unknown_option(w, arg, strlen(arg));
	for (p = arg + 1; *p; p++) {
		const struct option_row *row = find_short(w->spec->tables, *p);
		char spelt[3] = { '-', *p, '\0' };
		const char *value = NULL;

		if (!row && p == arg + 1)
			return unknown_option(w, arg, strlen(arg));
		if (!row)
			return error_set(
				w->err, -EINVAL,
				"unknown option '%s' in '%.100s'; takes what '%s --help' lists",
				spelt, arg, w->spec->prog);
		if (option_takes_value(row)) {
			value = p[1] ? p + 1 : w->at < w->argc ? w->argv[w->at++] : NULL;
			if (!value)
				return no_value(w, spelt, 2, row);
		}
		w->help |= row->type == OPTION_HELP;
		r = args_set(row, value, w->opts, w->err);
		if (r < 0 || value || w->help)
			return r;
	}
	return 0;
}

static int add_operand(struct args_walk *w, const char *arg)
{
	const struct args_spec *spec = w->spec;
	int r;

	if (!spec->operands)
		return error_set(w->err, -EINVAL,
				 "'%.100s' is not an option; takes what '%s --help' lists", arg,
				 spec->prog);
	if (spec->max_operands && w->operands->n >= spec->max_operands && !spec->stop_at_operand)
		return error_set(w->err, -EINVAL, "'%.100s' is one too many; takes %s", arg,
				 spec->operands);
	r = args_list_add(w->operands, arg);
	return r < 0 ? error_set(w->err, r, "out of memory") : 0;
}

int args_parse(const struct args_spec *spec, int argc, char *const *argv, void *opts,
	       struct args_list *ret_operands, struct netprobe_error *err)
{
	struct args_walk w = { spec, argc, 1, argv, opts, ret_operands, err, false };
	bool only_operands = false;
	int r = 0;

	while (w.at < argc && r >= 0 && !w.help) {
		const char *arg = argv[w.at++];

		if (only_operands || arg[0] != '-' || !arg[1]) {
			only_operands |= spec->stop_at_operand;
			r = add_operand(&w, arg);
		} else if (strcmp(arg, "--") == 0) {
			only_operands = true;
		} else if (arg[1] == '-') {
			r = parse_long(&w, arg);
		} else {
			r = parse_shorts(&w, arg);
		}
	}
	if (r >= 0 && !w.help && ret_operands->n < spec->min_operands)
		r = error_set(err, -EINVAL, "%s given; takes %s",
			      ret_operands->n ? "too little" : "nothing", spec->operands);
	return r < 0 ? r : 0;
}
