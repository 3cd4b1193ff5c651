/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every record is made of: each type is a list of typed fields. The table is data alone, so that whoever shows,
 * filters, stores or exports records can walk it; the writers beside it (out/json.c, the commands' columns) stay
 * written by hand and are held to it by tests. docs/events.md and netprobe-events(5) have their tables from it, and so
 * has the JSON Schema that is installed.
 */
#ifndef NETPROBE_EVENT_FIELD_H
#define NETPROBE_EVENT_FIELD_H

#include <stdbool.h>
#include <stdint.h>

/* Of every record; raised when a field changes its meaning or goes, not when one is added. */
#define RECORD_SCHEMA 1

enum field_type {
	FIELD_BOOL,
	FIELD_INT,    /* whole, not negative, 64 bits */
	FIELD_NUMBER, /* may have a fraction */
	FIELD_STRING,
	FIELD_TIME,    /* RFC 3339, UTC, ns */
	FIELD_ADDR,    /* IPv4 or IPv6 */
	FIELD_OBJECT,  /* of the fields in of */
	FIELD_STRINGS, /* array */
	FIELD_INTS,    /* array */
	FIELD_OBJECTS, /* array of them */
	FIELD_TYPE_MAX,
};

enum field_unit {
	FIELD_NO_UNIT,
	FIELD_BYTES,
	FIELD_BYTES_S,
	FIELD_MBIT_S,
	FIELD_NS,
	FIELD_US,
	FIELD_MS,
	FIELD_S,
	FIELD_KIB,
	FIELD_PER_S, /* of what the name says */
	FIELD_UNIT_MAX,
};

/* Of the other direction of a biflow (RFC 5103). */
#define IPFIX_REVERSE(element) ((element) | 0x8000)

struct field {
	const char *name;
	uint8_t type;		/* FIELD_*, enum field_type */
	uint8_t unit;		/* enum field_unit */
	uint8_t since;		/* the schema that it came with; 0: the first */
	uint16_t ipfix;		/* IANA's element of IPFIX, of IPv4 where there are two; 0 none */
	uint16_t ipfix6;	/* the one of IPv6; 0: the same */
	const char *null;	/* when it is null; NULL: never */
	const char *what;	/* what it means; Markdown of docs/ */
	const char *otel;	/* OpenTelemetry's name; NULL none */
	const struct field *of; /* FIELD_OBJECT, FIELD_OBJECTS: ends with a NULL name */
};

#define RECORD_GROUPS 8

struct record_type {
	const char
		*name; /* event_type; of rows what the command is called: "top", "drops summary" */
	bool row;      /* a command's, and no event */
	const char *what;
	const struct field *groups[RECORD_GROUPS]; /* in this order; each ends with a NULL name */
};

/* Groups that types share. */
extern const struct field record_fields_common[];
extern const struct field record_fields_owner[];
extern const struct field record_fields_cpu[];
extern const struct field record_fields_cgroup[];
extern const struct field record_fields_container[]; /* of the object */
extern const struct field record_fields_place[];     /* netns and iface alone */
extern const struct field record_fields_ends[];
extern const struct field record_fields_way[]; /* of guard's counters: rx, tx */
extern const struct field record_fields_guard[];
extern const struct field record_fields_finding[]; /* of security.* */
extern const struct field record_fields_doctor[];
/* What rows of every command begin with. */
extern const struct field record_fields_row[];

/* All types, events first; NULL beyond. */
const struct record_type *record_type_at(unsigned int i);
const struct record_type *record_type_find(const char *name);
/* Its fields in the order they are written in; NULL beyond. */
const struct field *record_field_at(const struct record_type *t, unsigned int i);
/* "container.id" goes into an object; NULL: it has none of this name. */
const struct field *record_field_find(const struct record_type *t, const char *path);

const char *field_type_name(uint8_t type); /* "int", "string", ... */
const char *field_unit_name(uint8_t unit); /* "us", "bytes/s"; "" none */

#endif
