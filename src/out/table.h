/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for `top --once`, `flows`, `doctor`: columns described once, printed as aligned text, JSON
 * (one array of objects or one object a line), CSV (RFC 4180) or TSV. Cells are typed so that JSON
 * has numbers and null, text has units.
 */
#ifndef NETPROBE_OUT_TABLE_H
#define NETPROBE_OUT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define FORMAT_TEXT 0
#define FORMAT_JSON 1 /* one object a line */
#define FORMAT_CSV 2
#define FORMAT_TSV 3
#define FORMAT_XCTL 4 /* events only */

#define CELL_NULL 0
#define CELL_STR 1
#define CELL_U64 2
#define CELL_DOUBLE 3
#define CELL_BOOL 4

#define UNIT_NONE 0
#define UNIT_BYTES 1 /* text: 1.5 MiB */
#define UNIT_RATE 2  /* bytes/s; text: 1.5 MB/s */
#define UNIT_USEC 3  /* text: 1.2 ms */
#define UNIT_MSEC 4

struct table_column {
	const char *name;  /* JSON key and CSV heading: "tx_bytes" */
	const char *title; /* text heading: "TX"; NULL: not in text output */
	uint8_t unit;	   /* UNIT_* */
	bool right;	   /* align right */
	/* Of text that fits a terminal (table_fit): */
	uint8_t rank;  /* columns of the highest rank are left out first; 0 last */
	uint8_t least; /* strings are shortened to that; 0: 12 */
	bool middle;   /* in their middle, because their end matters as well */
};

struct cell {
	uint8_t type; /* CELL_* */
	union {
		const char *str;
		uint64_t u64;
		double dbl;
		bool b;
	};
};

/* Cells of what may be unknown: an empty string, 0, a negative number are null. */
static inline struct cell cell_str(const char *s)
{
	return s && *s ? (struct cell){ .type = CELL_STR, .str = s }
		       : (struct cell){ .type = CELL_NULL };
}

static inline struct cell cell_u64(uint64_t v)
{
	return (struct cell){ .type = CELL_U64, .u64 = v };
}

static inline struct cell cell_u64_or_null(uint64_t v)
{
	return v ? cell_u64(v) : (struct cell){ .type = CELL_NULL };
}

static inline struct cell cell_double(double v)
{
	return v >= 0 ? (struct cell){ .type = CELL_DOUBLE, .dbl = v }
		      : (struct cell){ .type = CELL_NULL };
}

static inline struct cell cell_bool(bool v)
{
	return (struct cell){ .type = CELL_BOOL, .b = v };
}

struct table;

struct table *table_new(const struct table_column *columns, unsigned int n_columns);
struct table *table_free(struct table *t);
/* Copies the strings. -ENOMEM. */
int table_add(struct table *t, const struct cell *cells);
void table_clear(struct table *t);
/* What text says in place of a heading without rows: "no flow matched". Borrowed. */
void table_nothing(struct table *t, const char *words);
int table_write(const struct table *t, struct buf *out, int format, bool color);
/*
 * Text from here on fits a terminal of so many columns: of the table's columns the less important ones are left out, strings are
 * shortened. 0: whole, as it is from the start.
 */
void table_fit(struct table *t, unsigned int columns);
/*
 * The widths of the columns of text from here on are those of all rows that were measured: a table that is written
 * in pieces is shown whole before, piece by piece. -ENOMEM.
 */
int table_measure(struct table *t);
/*
 * One more table of the same stream: CSV and TSV name their columns in the first alone, and so does text that was
 * measured.
 */
int table_write_on(const struct table *t, struct buf *out, int format, bool color);
/* "1.5 MiB" and the like into s (16 bytes are enough). */
void unit_format(uint8_t unit, double v, char *s, unsigned int size);
int format_parse(const char *name); /* "json" -> FORMAT_JSON; -EINVAL */

#endif
