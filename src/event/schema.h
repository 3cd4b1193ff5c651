/* SPDX-License-Identifier: BSD-2-Clause */
/* What is made from the table of fields: the JSON Schema that is installed, and the tables of docs/. */
#ifndef NETPROBE_EVENT_SCHEMA_H
#define NETPROBE_EVENT_SCHEMA_H

#include "base/buf.h"
#include "event/field.h"

/* JSON Schema, draft 2020-12: one definition for each type; a record of events is the one that its event_type names. */
void schema_write(struct buf *b);
/* A Markdown table of a group, a line a field: "name", "unit", "meaning", "null". */
void schema_put_fields(struct buf *b, const struct field *fields);
/* The tables that docs/events.md has between "<!-- fields: NAME -->" and "<!-- end -->"; false: there is none so called. */
bool schema_put_docs(struct buf *b, const char *name);

#endif
