/* SPDX-License-Identifier: BSD-2-Clause */
/* A record against the table of fields (src/event/field.h). */
#ifndef TESTS_FIELDS_H
#define TESTS_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "event/field.h"

/* Whether it has the keys of its type, in that order, of the right types, null only where that may be; why not goes to why. */
bool fields_hold(const json_t *record, const struct record_type *type, char *why, size_t size);
/* The type is what its event_type names. */
bool fields_hold_event(const json_t *record, char *why, size_t size);

/* A heading of CSV or TSV: the names of its fields, those of an object as "container.id". */
bool fields_hold_heading(const char *line, char separator, const struct record_type *type,
			 char *why, size_t size);

#endif
