/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * YAML to pairs (see config.h), on libyaml's events: no tree, no types but text, so that a value is spelt as on the
 * command line. Anchors and tags have no meaning here. What pairs mean is config_apply.c's.
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

/* Where the reader is: a key, and the section that it is in. */
struct place {
	struct config_pair key;
	unsigned int depth;
};

static int no_memory(struct reader *r)
{
	return error_set(r->err, -ENOMEM, "out of memory");
}

static int add_pair(struct reader *r, const struct place *at, const yaml_event_t *ev, bool item,
		    bool file)
{
	struct config *c = r->config;
	const char *value = (const char *)ev->data.scalar.value;
	struct config_pair *pairs, p = at->key;

	if (strlen(value) != ev->data.scalar.length) {
		error_set(r->err, -EINVAL, "%s: a NUL character; takes text", at->key.key);
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
	p.nothing = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !file && !item;
	if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !file &&
	    (!strcmp(value, "~") || !strcmp(value, "null")))
		value = "";
	p.nothing = p.nothing && !*value;
	p.key = strdup(at->key.key);
	p.value = strdup(value);
	p.line = (unsigned int)ev->start_mark.line + 1;
	p.column = (unsigned int)ev->start_mark.column + 1;
	p.item = item;
	p.file = file;
	if (!pairs || !p.key || !p.value) {
		free(p.key);
		free(p.value);
		return no_memory(r);
	}
	c->pairs[c->n++] = p;
	return 0;
}

/* The section that the key names, within the one that it is in. */
static int add_section(struct reader *r, const struct place *at, const yaml_event_t *ev, bool item,
		       struct place *ret)
{
	struct config *c = r->config;
	const char *outer = c->sections[at->key.section].name;
	struct config_section *more, s = { .line = (unsigned int)ev->start_mark.line + 1,
					   .column = (unsigned int)ev->start_mark.column + 1,
					   .parent = at->key.section,
					   .item = item };

	if (at->depth == CONFIG_MAX_DEPTH || c->n_sections == CONFIG_MAX_SECTIONS) {
		error_set(
			r->err, -EINVAL,
			"'%.64s' is one section too many; takes up to %d, and %d within one another",
			at->key.key, CONFIG_MAX_SECTIONS - 1, CONFIG_MAX_DEPTH);
		return blame(r, ev->start_mark);
	}
	more = reallocarray(c->sections, c->n_sections + 1, sizeof(*more));
	if (more)
		c->sections = more;
	if (!more || asprintf(&s.name, "%s%s%s", outer, *outer ? "." : "", at->key.key) < 0)
		return no_memory(r);
	*ret = (struct place){ .key.section = c->n_sections, .depth = at->depth + 1 };
	c->sections[c->n_sections++] = s;
	return 0;
}

static int wrong_value(struct reader *r, const char *key, const yaml_event_t *ev)
{
	error_set(r->err, -EINVAL, "'%.64s' has something else; takes a value, a list or a section",
		  key);
	return blame(r, ev->start_mark);
}

static int read_keys(struct reader *r, const struct place *at, yaml_event_t *first);

static bool is_scalar(const yaml_event_t *ev, const char *text)
{
	return ev->type == YAML_SCALAR_EVENT && !strcmp((const char *)ev->data.scalar.value, text);
}

/* Behind "file": its path, and nothing else. */
static int read_file(struct reader *r, const struct place *at, bool item)
{
	yaml_event_t ev;
	int e = next(r, &ev);

	if (e)
		return e;
	e = ev.type == YAML_SCALAR_EVENT ? add_pair(r, at, &ev, item, true)
					 : wrong_value(r, "file", &ev);
	yaml_event_delete(&ev);
	if (!e)
		e = next(r, &ev);
	if (e)
		return e;
	if (ev.type != YAML_MAPPING_END_EVENT) {
		error_set(r->err, -EINVAL, "something beside file; takes {file: PATH} alone");
		e = blame(r, ev.start_mark);
	}
	yaml_event_delete(&ev);
	return e;
}

/* {file: PATH} is a value, all else a section. */
static int read_map(struct reader *r, const struct place *at, const yaml_event_t *begin, bool item)
{
	struct place inner;
	yaml_event_t ev;
	int e = next(r, &ev);

	if (e)
		return e;
	if (is_scalar(&ev, "file")) {
		yaml_event_delete(&ev);
		return read_file(r, at, item);
	}
	e = add_section(r, at, begin, item, &inner);
	if (!e)
		return read_keys(r, &inner, &ev);
	yaml_event_delete(&ev);
	return e;
}

static int read_list(struct reader *r, const struct place *at, const yaml_event_t *begin)
{
	const yaml_event_t nothing = { .type = YAML_SCALAR_EVENT,
				       .start_mark = begin->start_mark,
				       .data.scalar = { .value = (yaml_char_t *)"",
							.style = YAML_PLAIN_SCALAR_STYLE } };
	bool empty = true, end = false;
	yaml_event_t ev;
	int e = 0;

	while (!e && !end) {
		e = next(r, &ev);
		if (e)
			break;
		if (ev.type == YAML_SEQUENCE_END_EVENT)
			end = true;
		else if (ev.type == YAML_SCALAR_EVENT)
			e = add_pair(r, at, &ev, true, false);
		else if (ev.type == YAML_MAPPING_START_EVENT)
			e = read_map(r, at, &ev, true);
		else
			e = wrong_value(r, at->key.key, &ev);
		empty = empty && end;
		yaml_event_delete(&ev);
	}
	/* As a key without a value. */
	return e || !empty ? e : add_pair(r, at, &nothing, false, false);
}

static int read_value(struct reader *r, const struct place *at)
{
	yaml_event_t ev;
	int e = next(r, &ev);

	if (e)
		return e;
	if (ev.type == YAML_SCALAR_EVENT)
		e = add_pair(r, at, &ev, false, false);
	else if (ev.type == YAML_SEQUENCE_START_EVENT)
		e = read_list(r, at, &ev);
	else if (ev.type == YAML_MAPPING_START_EVENT)
		e = read_map(r, at, &ev, false);
	else
		e = wrong_value(r, at->key.key, &ev);
	yaml_event_delete(&ev);
	return e;
}

/* Was there a value or a section of that name in the same place? */
static bool is_twice(const struct config *c, const struct config_pair *key)
{
	const char *outer = c->sections[key->section].name;
	size_t skip = *outer ? strlen(outer) + 1 : 0;

	for (unsigned int i = 0; i < c->n; i++)
		if (c->pairs[i].section == key->section && !strcmp(c->pairs[i].key, key->key))
			return true;
	for (unsigned int i = 1; i < c->n_sections; i++)
		if (c->sections[i].parent == key->section &&
		    !strcmp(c->sections[i].name + skip, key->key))
			return true;
	return false;
}

static int read_key(struct reader *r, const struct place *in, const yaml_event_t *ev)
{
	struct place at = *in;

	at.key.key = (char *)ev->data.scalar.value;
	at.key.key_line = (unsigned int)ev->start_mark.line + 1;
	at.key.key_column = (unsigned int)ev->start_mark.column + 1;
	if (strlen(at.key.key) != ev->data.scalar.length)
		error_set(r->err, -EINVAL, "'%.64s': a NUL character; takes text", at.key.key);
	else if (at.depth && is_scalar(ev, "file"))
		error_set(r->err, -EINVAL, "file beside something; takes {file: PATH} alone");
	else if (is_twice(r->config, &at.key))
		error_set(r->err, -EINVAL, "'%.64s' is there twice; takes each key once",
			  at.key.key);
	else
		return read_value(r, &at);
	return blame(r, ev->start_mark);
}

/* Keys up to the mapping's end. first: an event that was read already, and is deleted here. */
static int read_keys(struct reader *r, const struct place *at, yaml_event_t *first)
{
	yaml_event_t ev;
	bool end = false;
	int e = 0;

	while (!e && !end) {
		if (first)
			ev = *first;
		else
			e = next(r, &ev);
		first = NULL;
		if (e)
			break;
		if (ev.type == YAML_MAPPING_END_EVENT) {
			end = true;
		} else if (ev.type == YAML_SCALAR_EVENT) {
			e = read_key(r, at, &ev);
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
			e = read_keys(r, &(struct place){ .depth = 0 }, NULL);
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

	c.sections = calloc(1, sizeof(*c.sections));
	if (c.sections)
		c.sections[0].name = strdup("");
	c.n_sections = c.sections ? 1 : 0;
	if (!c.path || !c.sections || !c.sections[0].name || !yaml_parser_initialize(&r.parser)) {
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

static long read_all(int fd, char *text, size_t max, struct stat *ret)
{
	size_t len = 0;

	if (fstat(fd, ret) < 0)
		return -errno;
	if (!S_ISREG(ret->st_mode))
		return S_ISDIR(ret->st_mode) ? -EISDIR : -EINVAL;
	while (len < max) {
		ssize_t n = read(fd, text + len, max - len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	return len < max ? (long)len : -EFBIG;
}

long config_slurp(const char *path, char *text, size_t max, struct stat *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	long len = fd < 0 ? -errno : read_all(fd, text, max, ret);

	if (fd >= 0)
		(void)close(fd);
	return len;
}

int config_read(const char *path, struct config *ret_config, struct netprobe_error *err)
{
	char *text = malloc(CONFIG_MAX_BYTES);
	struct stat st = {};
	long len;
	int r;

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	len = config_slurp(path, text, CONFIG_MAX_BYTES, &st);
	if (len == -EFBIG)
		r = error_set(err, -EINVAL, "--config: '%.160s' is too long; takes up to %d bytes",
			      path, CONFIG_MAX_BYTES - 1);
	else if (len < 0)
		r = error_set(err, -EINVAL, "--config: '%.160s': %s; takes a file that can be read",
			      path, len == -EINVAL ? "not a plain file" : strerror((int)-len));
	else
		r = config_parse(text, (size_t)len, path, ret_config, err);
	if (!r) {
		ret_config->from_file = true;
		ret_config->others_read = st.st_mode & S_IROTH;
	}
	explicit_bzero(text, CONFIG_MAX_BYTES);
	free(text);
	return r;
}

void config_done(struct config *c)
{
	for (unsigned int i = 0; i < c->n; i++) {
		free(c->pairs[i].key);
		key_string_wipe(c->pairs[i].value);
	}
	for (unsigned int i = 0; i < c->n_sections; i++)
		free(c->sections[i].name);
	free(c->sections);
	free(c->pairs);
	free(c->path);
	key_strings_done(&c->strings);
	*c = (struct config){};
}
