/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways through the table of fields (see field.h). */
#include "event/field.h"

#include <string.h>

#include "event/macros.h"

const struct record_type *record_type_at(unsigned int i)
{
	static const struct record_type *const lists[] = { record_types_traffic, record_types_guard,
							   record_types_rows };

	for (unsigned int l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
		for (const struct record_type *t = lists[l]; t->name; t++)
			if (!i--)
				return t;
	}
	return NULL;
}

const struct record_type *record_type_find(const char *name)
{
	const struct record_type *t;

	for (unsigned int i = 0; (t = record_type_at(i)); i++)
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}

const struct field *record_field_at(const struct record_type *t, unsigned int i)
{
	for (unsigned int g = 0; g < RECORD_GROUPS && t->groups[g]; g++) {
		for (const struct field *f = t->groups[g]; f->name; f++)
			if (!i--)
				return f;
	}
	return NULL;
}

static bool is_named(const struct field *f, const char *name, size_t len)
{
	return !strncmp(f->name, name, len) && !f->name[len];
}

const struct field *record_field_find(const struct record_type *t, const char *path)
{
	size_t len = strcspn(path, ".");
	const struct field *f;

	for (unsigned int i = 0; (f = record_field_at(t, i)); i++)
		if (is_named(f, path, len))
			break;
	while (f && path[len]) {
		path += len + 1;
		len = strcspn(path, ".");
		f = f->of;
		while (f && f->name && !is_named(f, path, len))
			f++;
		if (f && !f->name)
			f = NULL;
	}
	return f;
}

const char *field_type_name(uint8_t type)
{
	static const char *const names[FIELD_TYPE_MAX] = {
		[FIELD_BOOL] = "bool",	     [FIELD_INT] = "int",	  [FIELD_NUMBER] = "number",
		[FIELD_STRING] = "string",   [FIELD_TIME] = "time",	  [FIELD_ADDR] = "address",
		[FIELD_OBJECT] = "object",   [FIELD_STRINGS] = "strings", [FIELD_INTS] = "ints",
		[FIELD_OBJECTS] = "objects",
	};

	return type < FIELD_TYPE_MAX ? names[type] : "";
}

const char *field_unit_name(uint8_t unit)
{
	static const char *const names[FIELD_UNIT_MAX] = {
		[FIELD_NO_UNIT] = "",	   [FIELD_BYTES] = "bytes", [FIELD_BYTES_S] = "bytes/s",
		[FIELD_MBIT_S] = "Mbit/s", [FIELD_NS] = "ns",	    [FIELD_US] = "us",
		[FIELD_MS] = "ms",	   [FIELD_S] = "s",	    [FIELD_KIB] = "KiB",
		[FIELD_PER_S] = "1/s",
	};

	return unit < FIELD_UNIT_MAX ? names[unit] : "";
}
