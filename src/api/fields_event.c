/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields of event records for expressions: the table of fields (src/event) says which there are, the record's JSON what
 * they are. A field that a record's type has not is null there, as what is not known.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/fields.h"
#include "event/field.h"

#define FIELDS_MAX 512
#define PATHS_MAX 16384
#define TYPES_MAX 64

/* What a field is in the record: one key, or either of two. */
struct place {
	const char *path[2];
};

static const struct {
	const char *name, *path[2];
} aliases[] = {
	{ "type", { "event_type" } },	   { "port", { "lport", "rport" } },
	{ "addr", { "laddr", "raddr" } },  { "container", { "container.id", "container.name" } },
	{ "proto", { "transport" } },	   { "interface", { "iface" } },
	{ "src-host", { "laddr" } },	   { "dst-host", { "raddr" } },
	{ "src-port", { "lport" } },	   { "dst-port", { "rport" } },
	{ "rtt", { "srtt_us" } },	   { "stall", { "stall_ms" } },
	{ "duration", { "duration_ms" } }, { "latency", { "latency_ms" } },
	{ "len", { "len_bytes" } },
};

/* Of every record alike: a word that is looked for in them would be found in all. */
static const char *const everywhere[] = { "schema", "ts",   "ktime_ns",	   "host",
					  "unit",   "mode", "sample_rate", NULL };

static const char *const transports[] = { "tcp", "udp", "icmp", "mptcp", NULL };
static const char *const families[] = { "ipv4", "ipv6", NULL };

/* Made once in a process. */
static struct {
	struct expr_field fields[FIELDS_MAX];
	struct place places[FIELDS_MAX];
	char paths[PATHS_MAX];
	const char *types[TYPES_MAX + 1]; /* all types of events */
	size_t n_fields, n_paths, n_types;
	struct expr_schema schema;
} event_fields;

static bool is_one(const char *const *list, const char *name)
{
	while (*list && strcmp(*list, name) != 0)
		list++;
	return *list;
}

static const struct expr_field *find(const char *name)
{
	for (size_t i = 0; i < event_fields.n_fields; i++)
		if (!strcmp(event_fields.fields[i].name, name))
			return &event_fields.fields[i];
	return NULL;
}

static uint8_t type_of(const struct field *f)
{
	switch (f->type) {
	case FIELD_BOOL:
		return EXPR_BOOL;
	case FIELD_INT:
		if (!strcmp(f->name, "lport") || !strcmp(f->name, "rport") ||
		    !strcmp(f->name, "sport") || !strcmp(f->name, "dport"))
			return EXPR_PORT;
		return EXPR_NUMBER;
	case FIELD_NUMBER:
	case FIELD_INTS:
		return EXPR_NUMBER;
	case FIELD_ADDR:
		return EXPR_ADDR;
	default:
		return EXPR_TEXT;
	}
}

static uint8_t unit_of(uint8_t unit)
{
	static const uint8_t units[FIELD_UNIT_MAX] = {
		[FIELD_BYTES] = EXPR_BYTES,   [FIELD_BYTES_S] = EXPR_BYTES_S,
		[FIELD_MBIT_S] = EXPR_MBIT_S, [FIELD_NS] = EXPR_NS,
		[FIELD_US] = EXPR_US,	      [FIELD_MS] = EXPR_MS,
		[FIELD_S] = EXPR_S,
	};

	return units[unit];
}

static void add(const char *name, struct expr_field f, const char *first, const char *second)
{
	size_t len = strlen(name) + 1;

	if (find(name) || event_fields.n_fields == FIELDS_MAX ||
	    event_fields.n_paths + len > sizeof(event_fields.paths))
		return;
	memcpy(event_fields.paths + event_fields.n_paths, name, len);
	f.name = event_fields.paths + event_fields.n_paths;
	f.id = (uint16_t)event_fields.n_fields;
	event_fields.places[event_fields.n_fields] =
		(struct place){ { first ? first : f.name, second } };
	event_fields.fields[event_fields.n_fields++] = f;
	event_fields.n_paths += len;
}

/* What stands in the record's own words is shown; numbers only where they name something. */
static bool is_shown(const struct expr_field *f, const char *name)
{
	return f->type == EXPR_TEXT || f->type == EXPR_ADDR || f->type == EXPR_PORT ||
	       !strcmp(name, "pid");
}

static void add_all(const struct field *list, const char *before)
{
	for (const struct field *f = list; f && f->name; f++) {
		char name[96];
		struct expr_field to = { .type = type_of(f), .unit = unit_of(f->unit) };

		(void)strcpy(name, before);
		(void)strncat(name, f->name, sizeof(name) - strlen(name) - 1);
		if (f->of) {
			if (strlen(name) < sizeof(name) / 2)
				add_all(f->of, strcat(name, "."));
			continue;
		}
		if (!strcmp(name, "transport"))
			to.names = transports;
		if (!strcmp(name, "family"))
			to.names = families;
		if (!strcmp(name, "event_type")) {
			to.names = event_fields.types;
			to.flags = EXPR_PART;
		}
		if (is_shown(&to, name) && !is_one(everywhere, name))
			to.flags |= EXPR_SHOWN;
		add(name, to, NULL, NULL);
	}
}

static bool get(const void *record, const struct expr_field *field, unsigned int i,
		struct expr_value *ret);

static void make(void)
{
	const struct record_type *t;

	for (unsigned int i = 0; (t = record_type_at(i)); i++) {
		if (!t->row && event_fields.n_types < TYPES_MAX)
			event_fields.types[event_fields.n_types++] = t->name;
		for (unsigned int g = 0; !t->row && g < RECORD_GROUPS && t->groups[g]; g++)
			add_all(t->groups[g], "");
	}
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		const struct expr_field *f = find(aliases[i].path[0]);
		struct expr_field to = f ? *f : (struct expr_field){};

		to.flags = EXPR_ALIAS | (to.flags & EXPR_PART);
		if (f)
			add(aliases[i].name, to, aliases[i].path[0], aliases[i].path[1]);
	}
	event_fields.schema = (struct expr_schema){ "an event", event_fields.fields,
						    event_fields.n_fields, 0, get };
}

const struct expr_schema *fields_about_event(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, make);
	return &event_fields.schema;
}

static bool get_text(struct fields_event *r, const char *at, struct expr_value *v)
{
	v->text = json_value_text(at, &r->text);
	v->known = v->text;
	return true;
}

static bool get_addr(struct fields_event *r, const char *at, struct expr_value *v)
{
	const char *text = json_value_text(at, &r->text);

	if (text && !inet_pton(AF_INET6, text, v->address)) {
		memset(v->address, 0, 10);
		memset(v->address + 10, 0xff, 2);
		v->known = inet_pton(AF_INET, text, v->address + 12) == 1;
	} else {
		v->known = text;
	}
	v->addr = v->address;
	return true;
}

/* Value number i of one path: of arrays each. NULL: there are no more. */
static const char *value_at(struct fields_event *r, const char *path, unsigned int i)
{
	const char *at = r->json;
	size_t len = strcspn(path, ".");

	for (bool first = true; at; first = false) {
		at = first ? json_index_find(&r->index, r->json, path, len)
			   : json_member(at, path, len);
		if (at && *at == '[') {
			at = json_item(at, i);
			i = 0;
		}
		if (!path[len])
			break;
		path += len + 1;
		len = strcspn(path, ".");
	}
	return i ? NULL : at;
}

static bool get(const void *record, const struct expr_field *field, unsigned int i,
		struct expr_value *ret)
{
	struct fields_event *r = (struct fields_event *)record; /* only its room changes */
	const struct place *p = &event_fields.places[field->id];
	const char *at;

	if (p->path[1] && i > 1)
		return false;
	at = p->path[1] ? value_at(r, p->path[i], 0) : value_at(r, p->path[0], i);
	if (!at)
		return p->path[1] || !i; /* null */
	switch (field->type) {
	case EXPR_TEXT:
		return get_text(r, at, ret);
	case EXPR_ADDR:
		return get_addr(r, at, ret);
	case EXPR_BOOL:
		ret->known = *at == 't' || *at == 'f';
		ret->num = *at == 't';
		return true;
	default:
		ret->known = json_value_number(at, &ret->num);
		return true;
	}
}
