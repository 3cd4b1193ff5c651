/* SPDX-License-Identifier: BSD-2-Clause */
/* See schema.h. Written with a line a field, so that a change of one is a line of a diff. */
#include "event/schema.h"

#include <string.h>

static const char *json_type(const struct field *f)
{
	switch (f->type) {
	case FIELD_BOOL:
		return "boolean";
	case FIELD_INT:
		return "integer";
	case FIELD_NUMBER:
		return "number";
	case FIELD_OBJECT:
		return "object";
	case FIELD_STRINGS:
	case FIELD_INTS:
	case FIELD_OBJECTS:
		return "array";
	default:
		return "string";
	}
}

static void put_object(struct buf *b, const struct field *const *groups, unsigned int n,
		       const char *indent, const char *type);

/* Of an object or an array, what is in it. */
static void put_inside(struct buf *b, const struct field *f, const char *indent)
{
	switch (f->type) {
	case FIELD_STRINGS:
		buf_puts(b, ", \"items\": {\"type\": \"string\"}");
		break;
	case FIELD_INTS:
		buf_puts(b, ", \"items\": {\"type\": \"integer\", \"minimum\": 0}");
		break;
	case FIELD_OBJECT:
		put_object(b, &f->of, 1, indent, NULL);
		break;
	case FIELD_OBJECTS:
		buf_puts(b, ", \"items\": {\"type\": \"object\"");
		put_object(b, &f->of, 1, indent, NULL);
		buf_puts(b, "}");
		break;
	default:
		break;
	}
}

static void put_field(struct buf *b, const struct field *f, const char *indent, const char *type)
{
	buf_printf(b, "%s\"%s\": {\"type\": ", indent, f->name);
	buf_printf(b, f->null ? "[\"%s\", \"null\"]" : "\"%s\"", json_type(f));
	if (!strcmp(f->name, "schema"))
		buf_printf(b, ", \"const\": %d", RECORD_SCHEMA);
	else if (type && !strcmp(f->name, "event_type"))
		buf_printf(b, ", \"const\": \"%s\"", type);
	if (f->type == FIELD_INT)
		buf_puts(b, ", \"minimum\": 0");
	if (f->type == FIELD_TIME)
		buf_puts(b, ", \"format\": \"date-time\"");
	buf_puts(b, ", \"description\": ");
	json_str(b, f->what);
	if (f->null) {
		buf_puts(b, ", \"x-null\": ");
		json_str(b, f->null);
	}
	if (f->unit)
		buf_printf(b, ", \"x-unit\": \"%s\"", field_unit_name(f->unit));
	if (f->otel)
		buf_printf(b, ", \"x-otel\": \"%s\"", f->otel);
	if (f->ipfix)
		buf_printf(b, ", \"x-ipfix\": %u", f->ipfix & 0x7fff);
	if (f->ipfix & 0x8000)
		buf_puts(b, ", \"x-ipfix-reverse\": true");
	if (f->ipfix6)
		buf_printf(b, ", \"x-ipfix-ipv6\": %u", f->ipfix6);
	if (f->since > 1)
		buf_printf(b, ", \"x-since\": %u", f->since);
	put_inside(b, f, indent);
	buf_puts(b, "}");
}

static void put_object(struct buf *b, const struct field *const *groups, unsigned int n,
		       const char *indent, const char *type)
{
	char deeper[32];
	bool some = false;

	(void)fmt(deeper, sizeof(deeper), "%s    ", indent);
	buf_puts(b, ", \"required\": [");
	for (unsigned int g = 0; g < n && groups[g]; g++)
		for (const struct field *f = groups[g]; f->name; f++, some = true)
			buf_printf(b, "%s\"%s\"", some ? ", " : "", f->name);
	buf_puts(b, "], \"properties\": {");
	some = false;
	for (unsigned int g = 0; g < n && groups[g]; g++)
		for (const struct field *f = groups[g]; f->name; f++, some = true) {
			buf_puts(b, some ? ",\n" : "\n");
			put_field(b, f, deeper, type);
		}
	buf_printf(b, "\n%s}", indent);
}

void schema_write(struct buf *b)
{
	const struct record_type *t;

	buf_puts(b, "{\n    \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
		    "    \"title\": \"records of netprobe\",\n    \"type\": \"object\",\n"
		    "    \"required\": [\"event_type\"],\n    \"oneOf\": [");
	for (unsigned int i = 0; (t = record_type_at(i)) && !t->row; i++)
		buf_printf(b, "%s\n        {\"$ref\": \"#/$defs/%s\"}", i ? "," : "", t->name);
	buf_puts(b, "\n    ],\n    \"$defs\": {");
	for (unsigned int i = 0; (t = record_type_at(i)); i++) {
		buf_printf(b, "%s\n        \"%s\": {\"description\": ", i ? "," : "", t->name);
		json_str(b, t->what);
		buf_puts(b, ", \"type\": \"object\"");
		put_object(b, t->groups, RECORD_GROUPS, "        ", t->row ? NULL : t->name);
		buf_puts(b, "}");
	}
	buf_puts(b, "\n    }\n}\n");
}

void schema_put_fields(struct buf *b, const struct field *fields)
{
	buf_puts(b, "| field | unit | meaning | null |\n|---|---|---|---|\n");
	for (const struct field *f = fields; f->name; f++)
		buf_printf(b, "| `%s` | %s | %s | %s |\n", f->name, field_unit_name(f->unit),
			   f->what, f->null ? f->null : "never");
}

static const struct {
	const char *name;
	const struct field *fields;
} shared[] = {
	{ "every record", record_fields_common },
	{ "owner", record_fields_owner },
	{ "cpu", record_fields_cpu },
	{ "cgroup", record_fields_cgroup },
	{ "container", record_fields_container },
	{ "where", record_fields_ends },
	{ "way", record_fields_way },
	{ "guard", record_fields_guard },
	{ "row", record_fields_row },
	{ "finding", record_fields_finding },
};

static bool is_shared(const struct field *fields)
{
	for (unsigned int i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (shared[i].fields == fields)
			return true;
	return fields == record_fields_place;
}

/* Each object of a type has a table of its own behind it. */
static void put_objects(struct buf *b, const struct field *fields)
{
	for (const struct field *f = fields; f->name; f++) {
		if (!f->of || is_shared(f->of))
			continue;
		buf_printf(b, "\nOf `%s`:\n\n", f->name);
		schema_put_fields(b, f->of);
	}
}

bool schema_put_docs(struct buf *b, const char *name)
{
	const struct record_type *t = record_type_find(name);
	bool some = false;

	for (unsigned int i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		if (strcmp(shared[i].name, name) != 0)
			continue;
		schema_put_fields(b, shared[i].fields);
		return true;
	}
	for (unsigned int g = 0; t && g < RECORD_GROUPS && t->groups[g]; g++) {
		if (is_shared(t->groups[g]))
			continue;
		if (!some)
			buf_puts(b, "| field | unit | meaning | null |\n|---|---|---|---|\n");
		some = true;
		for (const struct field *f = t->groups[g]; f->name; f++)
			buf_printf(b, "| `%s` | %s | %s | %s |\n", f->name,
				   field_unit_name(f->unit), f->what, f->null ? f->null : "never");
	}
	for (unsigned int g = 0; t && g < RECORD_GROUPS && t->groups[g]; g++)
		if (!is_shared(t->groups[g]))
			put_objects(b, t->groups[g]);
	return t != NULL;
}
