/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * YAML to pairs to options (see config.h), on libyaml's events: no tree, no types but text, so that
 * a value is spelt as on the command line. Anchors, tags and nesting have no meaning here.
 */
#include "control/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	struct config *config;
	struct netprobe_error *err;
};

static int blame(struct reader *r, yaml_mark_t at)
{
	error_prefix(r->err, "%.160s:%zu:%zu", r->config->path, at.line + 1, at.column + 1);
	return -EINVAL;
}

static int next(struct reader *r, yaml_event_t *ev)
{
	if (yaml_parser_parse(&r->parser, ev))
		return 0;
	if (r->parser.error == YAML_MEMORY_ERROR)
		return error_set(r->err, -ENOMEM, "out of memory");
	error_set(r->err, -EINVAL, "%s; takes YAML",
		  r->parser.problem ? r->parser.problem : "not readable");
	return blame(r, r->parser.error == YAML_READER_ERROR ? r->parser.mark
							     : r->parser.problem_mark);
}

static int add_pair(struct reader *r, const struct config_pair *key, const yaml_event_t *ev,
		    bool item)
{
	struct config *c = r->config;
	const char *value = (const char *)ev->data.scalar.value;
	struct config_pair *pairs, p = *key;

	if (strlen(value) != ev->data.scalar.length) {
		error_set(r->err, -EINVAL, "%s: a NUL character; takes text", key->key);
		return blame(r, ev->start_mark);
	}
	if (c->n == CONFIG_MAX_PAIRS) {
		error_set(r->err, -EINVAL, "one value too many; takes up to %d", CONFIG_MAX_PAIRS);
		return blame(r, ev->start_mark);
	}
	pairs = reallocarray(c->pairs, c->n + 1, sizeof(*pairs));
	if (pairs)
		c->pairs = pairs;
	/* A plain ~ is YAML's way to say nothing. */
	if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (!strcmp(value, "~") || !strcmp(value, "null")))
		value = "";
	p.key = strdup(key->key);
	p.value = strdup(value);
	p.line = (unsigned int)ev->start_mark.line + 1;
	p.column = (unsigned int)ev->start_mark.column + 1;
	p.item = item;
	if (!pairs || !p.key || !p.value) {
		free(p.key);
		free(p.value);
		return error_set(r->err, -ENOMEM, "out of memory");
	}
	c->pairs[c->n++] = p;
	return 0;
}

static int wrong_value(struct reader *r, const char *key, const yaml_event_t *ev)
{
	error_set(r->err, -EINVAL, "'%.64s' has something else; takes a value or a list of values",
		  key);
	return blame(r, ev->start_mark);
}

static int read_list(struct reader *r, const struct config_pair *key)
{
	yaml_event_t ev;
	bool end = false;
	int e = 0;

	while (!e && !end) {
		e = next(r, &ev);
		if (e)
			break;
		if (ev.type == YAML_SEQUENCE_END_EVENT)
			end = true;
		else if (ev.type == YAML_SCALAR_EVENT)
			e = add_pair(r, key, &ev, true);
		else
			e = wrong_value(r, key->key, &ev);
		yaml_event_delete(&ev);
	}
	return e;
}

static int read_value(struct reader *r, const struct config_pair *key)
{
	yaml_event_t ev;
	int e = next(r, &ev);

	if (e)
		return e;
	if (ev.type == YAML_SCALAR_EVENT)
		e = add_pair(r, key, &ev, false);
	else if (ev.type == YAML_SEQUENCE_START_EVENT)
		e = read_list(r, key);
	else
		e = wrong_value(r, key->key, &ev);
	yaml_event_delete(&ev);
	return e;
}

static int read_key(struct reader *r, const yaml_event_t *ev)
{
	struct config_pair key = {
		.key = (char *)ev->data.scalar.value,
		.key_line = (unsigned int)ev->start_mark.line + 1,
		.key_column = (unsigned int)ev->start_mark.column + 1,
	};

	for (unsigned int i = 0; i < r->config->n; i++) {
		if (strcmp(r->config->pairs[i].key, key.key) != 0)
			continue;
		error_set(r->err, -EINVAL, "'%.64s' is there twice; takes each key once", key.key);
		return blame(r, ev->start_mark);
	}
	return read_value(r, &key);
}

static int read_mapping(struct reader *r)
{
	yaml_event_t ev;
	bool end = false;
	int e = 0;

	while (!e && !end) {
		e = next(r, &ev);
		if (e)
			break;
		if (ev.type == YAML_MAPPING_END_EVENT) {
			end = true;
		} else if (ev.type == YAML_SCALAR_EVENT) {
			e = read_key(r, &ev);
		} else {
			error_set(r->err, -EINVAL, "not a key; takes KEY: VALUE");
			e = blame(r, ev.start_mark);
		}
		yaml_event_delete(&ev);
	}
	return e;
}

/* One document at most, a mapping, or nothing at all. */
static int read_stream(struct reader *r)
{
	unsigned int documents = 0;
	bool end = false;
	yaml_event_t ev;
	int e = 0;

	while (!e && !end) {
		e = next(r, &ev);
		if (e)
			break;
		if (ev.type == YAML_MAPPING_START_EVENT) {
			e = read_mapping(r);
		} else if (ev.type == YAML_STREAM_END_EVENT) {
			end = true;
		} else if (ev.type == YAML_DOCUMENT_START_EVENT && documents++) {
			error_set(r->err, -EINVAL, "a second document; takes one");
			e = blame(r, ev.start_mark);
		} else if ((ev.type == YAML_SCALAR_EVENT && ev.data.scalar.length) ||
			   ev.type == YAML_SEQUENCE_START_EVENT || ev.type == YAML_ALIAS_EVENT) {
			error_set(r->err, -EINVAL, "no mapping; takes lines of KEY: VALUE");
			e = blame(r, ev.start_mark);
		}
		yaml_event_delete(&ev);
	}
	return e;
}

int config_parse(const char *text, size_t len, const char *path, struct config *ret_config,
		 struct netprobe_error *err)
{
	struct config c = { .path = strdup(path) };
	struct reader r = { .config = &c, .err = err };
	int e;

	if (!c.path || !yaml_parser_initialize(&r.parser)) {
		config_done(&c);
		return error_set(err, -ENOMEM, "out of memory");
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	e = read_stream(&r);
	yaml_parser_delete(&r.parser);
	if (e)
		config_done(&c);
	else
		*ret_config = c;
	return e;
}

/* All of a plain file; positive: its size. */
static ssize_t slurp(int fd, char *text, size_t max)
{
	size_t len = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	while (len < max) {
		ssize_t n = read(fd, text + len, max - len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	return len < max ? (ssize_t)len : -EFBIG;
}

int config_read(const char *path, struct config *ret_config, struct netprobe_error *err)
{
	char *text = malloc(CONFIG_MAX_BYTES);
	int fd = text ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	ssize_t len = fd < 0 ? -errno : slurp(fd, text, CONFIG_MAX_BYTES);
	int r;

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	if (fd >= 0)
		(void)close(fd);
	if (len == -EFBIG)
		r = error_set(err, -EINVAL, "--config: '%.160s' is too long; takes up to %d bytes",
			      path, CONFIG_MAX_BYTES - 1);
	else if (len < 0)
		r = error_set(err, -EINVAL, "--config: '%.160s': %s; takes a file that can be read",
			      path, len == -EINVAL ? "not a plain file" : strerror((int)-len));
	else
		r = config_parse(text, (size_t)len, path, ret_config, err);
	free(text);
	return r;
}

void config_done(struct config *c)
{
	for (unsigned int i = 0; i < c->n; i++) {
		free(c->pairs[i].key);
		free(c->pairs[i].value);
	}
	free(c->pairs);
	free(c->path);
	key_strings_done(&c->strings);
	*c = (struct config){};
}

void config_blame(const struct config *c, const struct config_pair *pair,
		  struct netprobe_error *err)
{
	if (pair)
		error_prefix(err, "%.160s:%u:%u", c->path, pair->line, pair->column);
	else
		error_prefix(err, "%.160s", c->path);
}

const struct config_pair *config_find(const struct config *c, const struct option_row *row)
{
	for (unsigned int i = 0; i < c->n; i++)
		if (row->name && !strcmp(c->pairs[i].key, row->name))
			return &c->pairs[i];
	return NULL;
}

static int apply_pair(struct config *c, const struct config_pair *p,
		      const struct option_row *const *tables, const void *defaults, void *opts,
		      struct netprobe_error *err)
{
	const struct option_row *row = args_find(tables, p->key);
	int r;

	if (!row || row->type == OPTION_HELP || !strcmp(p->key, "config")) {
		error_set(err, -EINVAL, "'%.64s' is no key; takes long options that --help lists",
			  p->key);
		error_prefix(err, "%.160s:%u:%u", c->path, p->key_line, p->key_column);
		return -EINVAL;
	}
	if (p->item && row->type != OPTION_STRINGS)
		r = error_set(err, -EINVAL, "--%s: a list; takes one value", row->name);
	else if (p->item)
		r = args_set(row, p->value, opts, err);
	else
		r = keys_set(row, p->value, defaults, opts, &c->strings, err);
	if (r)
		config_blame(c, p, err);
	return r;
}

int config_apply(struct config *c, const struct option_row *const *tables, const void *defaults,
		 void *opts, struct netprobe_error *err)
{
	int r = 0;

	for (unsigned int i = 0; i < c->n && !r; i++)
		r = apply_pair(c, &c->pairs[i], tables, defaults, opts, err);
	return r;
}
