/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From pairs to options (see config.h): sections, values in files of their own, secrets. What of a file's content, or
 * of a secret, is wrong is never shown: the place where it stands is enough.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/config.h"

void config_blame(const struct config *c, const struct config_pair *pair,
		  struct netprobe_error *err)
{
	if (pair)
		error_prefix(err, "%.160s:%u:%u", c->path, pair->line, pair->column);
	else
		error_prefix(err, "%.160s", c->path);
}

const struct config_pair *config_find(const struct config *c, unsigned int section,
				      const struct option_row *row)
{
	const struct config_pair *found = NULL;

	for (unsigned int i = 0; i < c->n; i++) {
		const struct config_pair *p = &c->pairs[i];

		if (!row->name || strcmp(p->key, row->name) != 0)
			continue;
		if (p->section == section)
			return p;
		if (!p->section && !found)
			found = p;
	}
	return found;
}

/* Not --help and --version, and no file of a file. */
static bool takes_key(const struct option_row *row)
{
	return row && row->type != OPTION_HELP && strcmp(row->name, "config") != 0;
}

static int blame_section(const struct config *c, const struct config_section *s,
			 struct netprobe_error *err)
{
	error_prefix(err, "%.160s:%u:%u", c->path, s->line, s->column);
	return -EINVAL;
}

static unsigned int count(const struct config *c, const char *name, unsigned int up_to)
{
	unsigned int n = 0;

	for (unsigned int i = 1; i <= up_to; i++)
		n += !strcmp(c->sections[i].name, name);
	return n;
}

/* Is a pair that stands in no section one of an option of others, or an empty section? */
static bool is_elsewhere(const struct config_pair *p, const struct config_known *known)
{
	for (const struct config_known *k = known; k->name; k++) {
		const struct option_row *row = k->shared ? args_find(k->tables, p->key) : NULL;

		if (takes_key(row) || (p->nothing && !strcmp(p->key, k->name)))
			return true;
	}
	return false;
}

static int check_times(const struct config *c, unsigned int i, struct netprobe_error *err)
{
	const struct config_section *s = &c->sections[i];
	bool several = count(c, s->name, c->n_sections - 1) > 1;

	if (!s->item && count(c, s->name, i) == 1)
		return 0;
	error_set(err, -EINVAL, "'%.64s' is %s; takes it once", s->name,
		  several ? "there several times" : "a list of one section");
	return blame_section(c, s, err);
}

int config_check(struct config *c, const struct config_known *known, struct netprobe_error *err)
{
	for (unsigned int i = 0; i < c->n; i++)
		c->pairs[i].elsewhere = !c->pairs[i].section && is_elsewhere(&c->pairs[i], known);
	for (unsigned int i = 1; i < c->n_sections; i++) {
		const struct config_section *s = &c->sections[i];
		const struct config_known *k = known;

		while (k->name && strcmp(k->name, s->name) != 0)
			k++;
		if (!k->name) {
			(void)args_unknown_word("section", s->name, known, sizeof(*known), err);
			return blame_section(c, s, err);
		}
		if (!k->repeated && check_times(c, i, err))
			return -EINVAL;
	}
	return 0;
}

unsigned int config_section(const struct config *c, const char *name, unsigned int at)
{
	for (unsigned int i = at + 1; i < c->n_sections; i++)
		if (!strcmp(c->sections[i].name, name))
			return i;
	return 0;
}

/* Beside the config unless it begins with a slash. */
static char *path_of(const struct config *c, const char *value)
{
	const char *slash = strrchr(c->path, '/');
	char *path = NULL;

	if (*value == '/' || !slash)
		return strdup(value);
	return asprintf(&path, "%.*s/%s", (int)(slash - c->path), c->path, value) < 0 ? NULL : path;
}

static int refuse_file(const struct config_pair *p, const char *why, struct netprobe_error *err)
{
	return error_set(err, -EINVAL, "--%.64s: file '%.100s': %s", p->key, p->value, why);
}

static int take_content(const struct config_pair *p, char *text, long len, const struct stat *st,
			bool secret, struct netprobe_error *err)
{
	char why[96];

	if (len == -EFBIG) {
		(void)snprintf(why, sizeof(why), "too long; takes up to %d bytes",
			       CONFIG_MAX_BYTES - 1);
		return refuse_file(p, why, err);
	}
	if (len < 0) {
		(void)snprintf(why, sizeof(why), "%s; takes a file that can be read",
			       len == -EINVAL ? "not a plain file" : strerror((int)-len));
		return refuse_file(p, why, err);
	}
	if (secret && (st->st_mode & S_IROTH))
		return refuse_file(p, "a secret that anybody may read; takes mode 0600", err);
	/* An editor ends the last line. */
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	if (strlen(text) != (size_t)len)
		return refuse_file(p, "a NUL character; takes text", err);
	return 0;
}

/* What the file of a pair holds, to be freed; NULL with r set. */
static char *read_content(const struct config *c, const struct config_pair *p, bool secret, int *r,
			  struct netprobe_error *err)
{
	char *text = malloc(CONFIG_MAX_BYTES + 1), *path = path_of(c, p->value);
	struct stat st = {};

	if (!text || !path)
		*r = error_set(err, -ENOMEM, "out of memory");
	else if (!c->from_file)
		*r = refuse_file(p, "no file is read for this one", err);
	else
		*r = take_content(p, text, config_slurp(path, text, CONFIG_MAX_BYTES, &st), &st,
				  secret, err);
	free(path);
	if (!*r)
		return text;
	free(text);
	return NULL;
}

static bool is_first(const struct config *c, const struct config_pair *p)
{
	return p == c->pairs || p[-1].section != p->section || strcmp(p[-1].key, p->key) != 0;
}

/* An item is kept as it is, all else as the command line's. */
static int set_value(struct config *c, const struct config_pair *p, const struct option_row *row,
		     const char *value, const void *defaults, void *opts,
		     struct netprobe_error *err)
{
	const char *kept;

	if (!p->item)
		return keys_set(row, value, defaults, opts, &c->strings, err);
	if (is_first(c, p) && keys_set(row, "", defaults, opts, &c->strings, err))
		return -ENOMEM;
	kept = value == p->value ? value : key_strings_add(&c->strings, value);
	return kept ? args_set(row, kept, opts, err) : error_set(err, -ENOMEM, "out of memory");
}

static int apply_value(struct config *c, const struct config_pair *p, const struct option_row *row,
		       const void *defaults, void *opts, struct netprobe_error *err)
{
	bool secret = row->flags & OPTION_SECRET, list = row->type == OPTION_STRINGS;
	char *content = NULL;
	int r = 0;

	if (p->item && !list)
		return error_set(err, -EINVAL, "--%s: a list; takes one value", row->name);
	if (secret && !p->file && *p->value && c->others_read)
		return error_set(
			err, -EINVAL,
			"--%s: a secret in a file that anybody may read; takes mode 0600, or {file: PATH}",
			row->name);
	if (p->file)
		content = read_content(c, p, secret, &r, err);
	if (!r)
		r = set_value(c, p, row, content ? content : p->value, defaults, opts, err);
	if (r == -EINVAL && content)
		(void)refuse_file(p, "what it holds is not a value of this option", err);
	key_string_wipe(content);
	return r;
}

static int apply_pair(struct config *c, const struct config_pair *p,
		      const struct option_row *const *tables, const void *defaults, void *opts,
		      struct netprobe_error *err)
{
	const struct option_row *row = args_find(tables, p->key);
	int r;

	if (!row && p->elsewhere)
		return 0;
	if (!takes_key(row)) {
		error_set(err, -EINVAL,
			  "'%.64s' is not a key; takes long options that --help lists", p->key);
		error_prefix(err, "%.160s:%u:%u", c->path, p->key_line, p->key_column);
		return -EINVAL;
	}
	r = apply_value(c, p, row, defaults, opts, err);
	if (r)
		config_blame(c, p, err);
	return r;
}

int config_apply(struct config *c, unsigned int section, const struct option_row *const *tables,
		 const void *defaults, void *opts, struct netprobe_error *err)
{
	int r = 0;

	for (unsigned int i = 0; i < c->n && !r; i++)
		if (c->pairs[i].section == section)
			r = apply_pair(c, &c->pairs[i], tables, defaults, opts, err);
	return r;
}

/* Does an error quote this value? Beside a file's content only in front, for the content may have quotes in it. */
static bool quotes(const char *msg, const struct config_pair *p, bool in_front)
{
	size_t n = strlen(p->value), name = strlen(p->key);

	if (!n || p->file)
		return false;
	if (in_front)
		return strlen(msg) > name + 5 + n && msg[name + 4] == '\'' &&
		       !strncmp(msg + name + 5, p->value, n) && msg[name + 5 + n] == '\'';
	for (const char *at = strstr(msg, p->value); at; at = strstr(at + 1, p->value))
		if (at > msg && at[-1] == '\'' && at[n] == '\'')
			return true;
	return false;
}

bool config_blame_row(const struct config *c, unsigned int section, const struct option_row *row,
		      struct netprobe_error *err)
{
	const struct config_pair *first = config_find(c, section, row), *file = NULL, *meant = NULL;
	const struct config_pair *end = c->pairs + c->n, *p;
	struct netprobe_error told = {};

	if (!first || !err)
		return first;
	error_take(&told, err);
	for (p = first; p < end && !file; p++)
		if (p->file && p->section == first->section && !strcmp(p->key, first->key))
			file = p;
	for (p = first; p < end && !meant; p++)
		if (p->section == first->section && !strcmp(p->key, first->key) &&
		    quotes(told.msg, p, file))
			meant = p;
	if (!meant && file)
		(void)refuse_file(file, "what it holds is not a value of this option", err);
	else if (row->flags & OPTION_SECRET)
		(void)error_set(err, told.code, "--%s: what is given is none; takes %s", row->name,
				row->arg ? row->arg : "a value");
	(void)error_recode(err, told.code);
	config_blame(c, meant ? meant : file ? file : first, err);
	return true;
}
