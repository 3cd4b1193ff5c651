/* SPDX-License-Identifier: BSD-2-Clause */
/* How the tables of fields are spelled; for src/event/ alone. */
#ifndef NETPROBE_EVENT_MACROS_H
#define NETPROBE_EVENT_MACROS_H

#include <stddef.h>

#include "event/field.h"

#define F(key, t, u, null_when, meaning, ...)                                                    \
	{                                                                                        \
		.name = (key), .type = (t), .unit = (u), .null = (null_when), .what = (meaning), \
		##__VA_ARGS__                                                                    \
	}
#define COUNT(key, meaning, ...) F(key, FIELD_INT, FIELD_NO_UNIT, NULL, meaning, ##__VA_ARGS__)
#define BYTES(key, meaning, ...) F(key, FIELD_INT, FIELD_BYTES, NULL, meaning, ##__VA_ARGS__)
#define WORD(key, null_when, meaning, ...) \
	F(key, FIELD_STRING, FIELD_NO_UNIT, null_when, meaning, ##__VA_ARGS__)
#define FLAG(key, null_when, meaning) F(key, FIELD_BOOL, FIELD_NO_UNIT, null_when, meaning)
#define INTERVAL(null_when, meaning) F("interval_s", FIELD_NUMBER, FIELD_S, null_when, meaning)
#define ERRNO(null_when)                                                        \
	F("errno", FIELD_INT, FIELD_NO_UNIT, null_when, "number of the error"), \
		WORD("error", null_when, "its name, `ECONNREFUSED`", .otel = "error.type")

/* Lists of types, each ends with a NULL name; record_type_at() goes through all. */
extern const struct record_type record_types_traffic[];
extern const struct record_type record_types_guard[];
extern const struct record_type record_types_rows[];

#endif
