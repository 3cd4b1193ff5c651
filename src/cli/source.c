/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of options, made anew and exchanged (see source.h). */
#include "cli/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/config.h"
#include "control/keys.h"

struct opts_source {
	const struct args_spec *spec;
	int argc;
	char **argv;
	void *defaults; /* as all sets that are not in force: the rows' fields, the rest zero */
	struct config config;
	struct key_strings strings; /* of what ctl set */
};

static int no_memory(struct netprobe_error *err)
{
	(void)error_set(err, -ENOMEM, "out of memory");
	return -ENOMEM;
}

/* Room for the rows' fields; a common_opts at least, so that it can be looked at as one. */
static void *set_new(const struct option_row *const *tables)
{
	size_t size = keys_size(tables);

	return calloc(1, size > sizeof(struct common_opts) ? size : sizeof(struct common_opts));
}

static void *set_free(const struct option_row *const *tables, void *set)
{
	if (set)
		keys_done(tables, set);
	free(set);
	return NULL;
}

static int parse_argv(const struct opts_source *src, void *opts, struct netprobe_error *err)
{
	struct args_list operands = {};
	int r = args_parse(src->spec, src->argc, src->argv, opts, &operands, err);

	args_list_done(&operands);
	return r;
}

/* The command line wins: what it adds to must not hold the file's values. */
static void make_way(const struct opts_source *src, const void *typed, void *opts)
{
	const struct option_row *row;
	struct key_iter at = {};

	while ((row = keys_next(src->spec->tables, &at))) {
		void *to = (char *)opts + row->offset;
		const void *from = (const char *)typed + row->offset;

		if (row->type == OPTION_STRINGS && ((const struct args_list *)from)->n)
			args_list_done(to);
		if (row->type == OPTION_COUNT && *(const unsigned int *)from)
			*(unsigned int *)to = 0;
	}
}

/* Defaults, file, command line. typed: what the command line alone gives. */
static int build(const struct opts_source *src, struct config *config, const void *typed,
		 void **ret_set, struct netprobe_error *err)
{
	const struct option_row *const *tables = src->spec->tables;
	struct key_strings none = {};
	void *set = set_new(tables);
	int r = set ? keys_copy(tables, src->defaults, set, &none) : -ENOMEM;

	if (r)
		no_memory(err);
	else
		r = config_apply(config, tables, src->defaults, set, err);
	if (!r) {
		make_way(src, typed, set);
		r = parse_argv(src, set, err);
	}
	key_strings_done(&none); /* defaults have no strings of their own */
	if (r)
		(void)set_free(tables, set);
	else
		*ret_set = set;
	return r;
}

static int use_config(struct opts_source *src, struct common_opts *o, struct netprobe_error *err)
{
	void *set = NULL;
	int r = config_read(o->config, &src->config, err);

	if (!r)
		r = build(src, &src->config, o, &set, err);
	if (!r)
		keys_move(src->spec->tables, set, o);
	free(set);
	return r;
}

int source_parse(const struct args_spec *spec, int argc, char **argv, struct common_opts *o,
		 struct netprobe_error *err)
{
	struct opts_source *src = calloc(1, sizeof(*src));
	int r;

	if (!src)
		return no_memory(err);
	*src = (struct opts_source){ .spec = spec, .argc = argc, .argv = argv };
	o->source = src;
	src->defaults = set_new(spec->tables);
	if (!src->defaults || keys_copy(spec->tables, o, src->defaults, &src->strings))
		return no_memory(err);
	r = parse_argv(src, o, err);
	if (!r && o->config && !o->help && !o->version)
		r = use_config(src, o, err);
	return r;
}

void source_free(struct common_opts *o)
{
	struct opts_source *src = o->source;

	if (!src)
		return;
	/* The command's rows have lists beside the common ones. */
	keys_done(src->spec->tables, o);
	(void)set_free(src->spec->tables, src->defaults);
	config_done(&src->config);
	key_strings_done(&src->strings);
	free(src);
	o->source = NULL;
}

const char *source_prog(const struct common_opts *o)
{
	return o->source->spec->prog;
}

int source_set(struct common_opts *o, const struct netprobe_setting *pairs, size_t n,
	       source_apply_fn apply, void *arg, struct netprobe_error *err)
{
	struct opts_source *src = o->source;
	const struct option_row *const *tables = src->spec->tables;
	struct key_strings strings = {};
	void *next = set_new(tables);
	int r = next ? keys_copy(tables, o, next, &strings) : -ENOMEM;

	if (r)
		no_memory(err);
	for (size_t i = 0; i < n && !r; i++) {
		const struct option_row *row;

		r = keys_find(tables, pairs[i].key, &row, err);
		if (!r)
			r = keys_set(row, pairs[i].value, src->defaults, next, &strings, err);
	}
	if (!r)
		r = apply(next, arg, err);
	if (!r) {
		struct key_strings old = src->strings;

		keys_move(tables, next, o);
		src->strings = strings;
		strings = old;
	}
	(void)set_free(tables, next);
	key_strings_done(&strings);
	return r;
}

/* What cannot be changed while it runs must be what it was. */
static int check_fixed(const struct opts_source *src, const struct config *config, const void *next,
		       const void *now, struct netprobe_error *err)
{
	const struct option_row *row;
	struct key_iter at = {};

	while ((row = keys_next(src->spec->tables, &at))) {
		if ((row->flags & OPTION_LIVE) || !row->name || keys_equal(row, next, now) ||
		    !strcmp(row->name, "ready-fd"))
			continue;
		error_set(err, -EINVAL, "--%s: cannot be changed while it runs; takes a new start",
			  row->name);
		config_blame(config, config_find(config, row), err);
		return -EINVAL;
	}
	return 0;
}

int source_reread(struct common_opts *o, source_apply_fn apply, void *arg,
		  struct netprobe_error *err)
{
	struct opts_source *src = o->source;
	const struct option_row *const *tables = src->spec->tables;
	void *typed = set_new(tables), *next = NULL;
	struct config config = {};
	int r = typed ? config_read(o->config, &config, err) : no_memory(err);

	if (!r)
		r = parse_argv(src, typed, err);
	if (!r)
		r = build(src, &config, typed, &next, err);
	if (!r)
		r = check_fixed(src, &config, next, o, err);
	if (!r) {
		r = apply(next, arg, err);
		if (r)
			config_blame(&config, NULL, err);
	}
	if (!r) {
		struct config old = src->config;

		keys_move(tables, next, o);
		key_strings_done(&src->strings);
		src->config = config;
		config = old;
	}
	config_done(&config);
	(void)set_free(tables, typed);
	(void)set_free(tables, next);
	return r;
}

int source_write(const struct common_opts *o, const char *key, struct buf *b,
		 struct netprobe_error *err)
{
	const struct option_row *const *tables = o->source->spec->tables;
	const struct option_row *row, *only = NULL;
	struct key_iter at = {};
	int r = key ? keys_find(tables, key, &only, err) : 0;

	if (r)
		return r;
	buf_putc(b, '{');
	while ((row = keys_next(tables, &at))) {
		if (!row->name || !(row->flags & OPTION_LIVE) || (only && row != only))
			continue;
		json_key(b, row->name);
		keys_write_json(b, row, o);
	}
	buf_putc(b, '}');
	return 0;
}
