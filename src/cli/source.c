/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of options, made anew and exchanged (see source.h). */
#include "cli/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config.h"
#include "control/keys.h"

#define SECTIONS 16 /* commands that capture */

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

/* Each command that captures may have a section of the config: what is its own there, beside what all have. */
static void known_sections(struct config_known *ret)
{
	unsigned int n = 0;

	for (const struct command *c = command_table; c->name && n < SECTIONS - 1; c++)
		if (c->row)
			ret[n++] = (struct config_known){ .name = c->name,
							  .tables = c->row->spec->tables,
							  .shared = true };
	ret[n] = (struct config_known){};
}

static const char *own_section(const struct opts_source *src)
{
	const char *space = strrchr(src->spec->prog, ' ');

	return space ? space + 1 : src->spec->prog;
}

/* Sections of other commands are only looked at: what is wrong there is told by each. */
static int check_sections(struct config *config, const struct config_known *known,
			  struct netprobe_error *err)
{
	int r = 0;

	for (const struct config_known *k = known; !r && k->name; k++) {
		unsigned int section = config_section(config, k->name, 0);
		void *set = section ? set_new(k->tables) : NULL;
		void *none = section ? set_new(k->tables) : NULL;

		if (section)
			r = set && none ? config_apply(config, section, k->tables, none, set, err)
					: no_memory(err);
		(void)set_free(k->tables, set);
		(void)set_free(k->tables, none);
	}
	return r;
}

static int apply_config(const struct opts_source *src, struct config *config, void *set,
			struct netprobe_error *err)
{
	const struct option_row *const *tables = src->spec->tables;
	unsigned int own = config_section(config, own_section(src), 0);
	struct config_known known[SECTIONS];
	int r;

	known_sections(known);
	r = config_check(config, known, err);
	if (!r)
		r = config_apply(config, 0, tables, src->defaults, set, err);
	if (!r)
		r = check_sections(config, known, err);
	return r || !own ? r : config_apply(config, own, tables, src->defaults, set, err);
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
		r = apply_config(src, config, set, err);
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

/*
 * Does the command line give it, be it what the default is? Two sets that differ in this row agree then. Lists and counts
 * are empty unless it does.
 */
static bool is_typed(const struct opts_source *src, const struct option_row *row)
{
	const struct option_row *const *tables = src->spec->tables;
	void *typed = set_new(tables), *other = set_new(tables), *none = set_new(tables);
	bool is = true;

	if (typed && other && none) {
		keys_spoil(row, other);
		if (row->type == OPTION_STRINGS || row->type == OPTION_COUNT)
			is = !parse_argv(src, typed, NULL) && !keys_equal(row, typed, none);
		else
			is = !parse_argv(src, typed, NULL) && !parse_argv(src, other, NULL) &&
			     keys_equal(row, typed, other);
	}
	(void)set_free(tables, typed);
	(void)set_free(tables, other);
	(void)set_free(tables, none);
	return is;
}

/* The option that an error begins with; NULL. */
static const struct option_row *row_of(const struct opts_source *src, const char *msg)
{
	static const struct {
		const char *begin, *option;
	} other[] = { { "-o:", "output" }, { "hook family ", "hook" } };
	char name[64] = "";

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (!strncmp(msg, other[i].begin, strlen(other[i].begin)))
			return args_find(src->spec->tables, other[i].option);
	return sscanf(msg, "--%63[a-z0-9-]:", name) == 1 ? args_find(src->spec->tables, name)
							 : NULL;
}

/* Where the option that an error begins with stands in the file, unless the command line gives it. */
static bool blame(const struct opts_source *src, const struct config *config,
		  struct netprobe_error *err)
{
	const struct option_row *row = row_of(src, err->msg);

	if (config->n && row && !is_typed(src, row) &&
	    config_blame_row(config, config_section(config, own_section(src), 0), row, err))
		return true;
	/* who checks a value later says what it is, and does not know what it is to be kept from */
	if (row && row->flags & OPTION_SECRET) {
		int code = err->code;

		(void)error_set(err, code, "--%s: what is given is none; takes %s", row->name,
				row->arg ? row->arg : "a value");
		(void)error_recode(err, code);
	}
	return false;
}

/* The one of this process: commands have one. */
static struct opts_source *current;

void source_blame(struct netprobe_error *err)
{
	if (current)
		(void)blame(current, &current->config, err);
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
	o->source = current = src;
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
	if (current == src)
		current = NULL;
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
		config_blame(config,
			     config_find(config, config_section(config, own_section(src), 0), row),
			     err);
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
		if (r && !blame(src, &config, err))
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
