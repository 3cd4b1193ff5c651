/* SPDX-License-Identifier: BSD-2-Clause */
/* See fields.h. */
#include "fields.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool no(char *why, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool no(char *why, size_t size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, size, format, ap);
	va_end(ap);
	return false;
}

static bool is_time(const char *s)
{
	static const char like[] = "0000-00-00T00:00:00.000000000Z";

	if (strlen(s) != strlen(like))
		return false;
	for (size_t i = 0; like[i]; i++)
		if (like[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != like[i])
			return false;
	return true;
}

static bool is_addr(const char *s)
{
	uint8_t room[16];

	return inet_pton(AF_INET, s, room) == 1 || inet_pton(AF_INET6, s, room) == 1;
}

static bool object_holds(const json_t *object, const struct field *const *groups, unsigned int n,
			 char *why, size_t size);

static bool array_holds(const json_t *v, const struct field *f, char *why, size_t size)
{
	json_t *one;
	size_t i;

	if (!json_is_array(v))
		return no(why, size, "%s is no array", f->name);
	json_array_foreach (v, i, one) {
		if (f->type == FIELD_STRINGS && !json_is_string(one))
			return no(why, size, "%s has what is not a string", f->name);
		if (f->type == FIELD_INTS && !json_is_integer(one))
			return no(why, size, "%s has what is no integer", f->name);
		if (f->type == FIELD_OBJECTS && !object_holds(one, &f->of, 1, why, size))
			return false;
	}
	return true;
}

static bool value_holds(const json_t *v, const struct field *f, char *why, size_t size)
{
	const char *s = json_string_value(v);

	if (json_is_null(v))
		return f->null || no(why, size, "%s is null", f->name);
	switch (f->type) {
	case FIELD_BOOL:
		return json_is_boolean(v) || no(why, size, "%s is no boolean", f->name);
	case FIELD_INT:
		return json_is_integer(v) || no(why, size, "%s is no integer", f->name);
	case FIELD_NUMBER:
		return json_is_number(v) || no(why, size, "%s is not a number", f->name);
	case FIELD_OBJECT:
		return object_holds(v, &f->of, 1, why, size);
	case FIELD_STRINGS:
	case FIELD_INTS:
	case FIELD_OBJECTS:
		return array_holds(v, f, why, size);
	default:
		break;
	}
	if (!s || !*s)
		return no(why, size, "%s is %s", f->name, s ? "empty" : "no string");
	if (f->type == FIELD_TIME && !is_time(s))
		return no(why, size, "%s is not a time: %s", f->name, s);
	if (f->type == FIELD_ADDR && !is_addr(s))
		return no(why, size, "%s is not an address: %s", f->name, s);
	return true;
}

static bool object_holds(const json_t *object, const struct field *const *groups, unsigned int n,
			 char *why, size_t size)
{
	json_t *of = (json_t *)object;
	void *at = json_object_iter(of);

	if (!json_is_object(object))
		return no(why, size, "no object");
	for (unsigned int g = 0; g < n && groups[g]; g++) {
		for (const struct field *f = groups[g]; f->name; f++) {
			const char *key = at ? json_object_iter_key(at) : "the end";

			if (strcmp(key, f->name) != 0)
				return no(why, size, "%s where %s is due", key, f->name);
			if (!value_holds(json_object_iter_value(at), f, why, size))
				return false;
			at = json_object_iter_next(of, at);
		}
	}
	return !at || no(why, size, "%s is one too many", json_object_iter_key(at));
}

bool fields_hold(const json_t *record, const struct record_type *type, char *why, size_t size)
{
	if (!object_holds(record, type->groups, RECORD_GROUPS, why, size))
		return false;
	if (json_integer_value(json_object_get(record, "schema")) != RECORD_SCHEMA)
		return no(why, size, "another schema");
	return true;
}

bool fields_hold_event(const json_t *record, char *why, size_t size)
{
	const char *name = json_string_value(json_object_get(record, "event_type"));
	const struct record_type *type = name ? record_type_find(name) : NULL;

	if (!type)
		return no(why, size, "no such event_type: %s", name ? name : "(none)");
	return fields_hold(record, type, why, size);
}

static bool takes(const char **line, const char *name, const char *part, char separator)
{
	char want[128];
	size_t n;

	(void)snprintf(want, sizeof(want), "%s%s%s", name, part ? "." : "", part ? part : "");
	n = strlen(want);
	if (strncmp(*line, want, n) != 0 ||
	    ((*line)[n] && !strchr("\r\n", (*line)[n]) && (*line)[n] != separator))
		return false;
	*line += n + ((*line)[n] == separator);
	return true;
}

bool fields_hold_heading(const char *line, char separator, const struct record_type *type,
			 char *why, size_t size)
{
	const struct field *f;

	for (unsigned int i = 0; (f = record_field_at(type, i)); i++) {
		if (!f->of && !takes(&line, f->name, NULL, separator))
			return no(why, size, "%.40s where %s is due", line, f->name);
		for (const struct field *o = f->of; o && o->name; o++)
			if (!takes(&line, f->name, o->name, separator))
				return no(why, size, "%.40s where %s.%s is due", line, f->name,
					  o->name);
	}
	return !*line || strchr("\r\n", *line) || no(why, size, "%.40s is too much", line);
}
