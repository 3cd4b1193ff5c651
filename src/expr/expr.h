/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Expressions over the fields of a record or a row: "port:443 rtt>50ms", "comm~^ng and not container=null". One
 * language for every place that takes one; what there is to ask is a table of the caller's (struct expr_schema). A
 * text is parsed once; the error names the column and what is taken there.
 *
 *	FIELD OP VALUE   = != < <= > >=, with a unit where the field has one: 50ms, 10MiB, 3Mbit/s
 *	FIELD:VALUE      a text that contains it, whatever the case; of others the same as =
 *	FIELD~REGEX      !~ is its opposite; a Perl regular expression
 *	WORD, ~REGEX     in any field that the row shows
 *	and or not ( )   what only stands side by side is joined by and
 *
 * Unknown (null): every comparison with it is false, != and !~ too. `not` is the plain opposite, so each record matches
 * either EXPR or not (EXPR). FIELD=null and FIELD!=null ask for it. Of a field with several values any may match; != and
 * !~ hold when none does.
 *
 * Whatever the text, parsing and matching are bounded: EXPR_TEXT_MAX, EXPR_NODES_MAX, EXPR_DEPTH_MAX, steps of a regular
 * expression for each text. One that needs more than its steps does not match there, and is counted.
 */
#ifndef NETPROBE_EXPR_EXPR_H
#define NETPROBE_EXPR_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/config.h"

#define EXPR_TEXT_MAX 1024 /* bytes of an expression, NUL included */
#define EXPR_NODES_MAX 128 /* comparisons, words and operators */
#define EXPR_DEPTH_MAX 32  /* parentheses and nots within one another */
#define EXPR_VALUES_MAX 16 /* alternatives of one value: port=80,443 */

/* What a field is. */
#define EXPR_NUMBER 1
#define EXPR_TEXT 2
#define EXPR_ADDR 3
#define EXPR_BOOL 4
#define EXPR_PORT 5 /* a number with names */

/* In which unit a number is. */
#define EXPR_PLAIN 0
#define EXPR_BYTES 1
#define EXPR_BYTES_S 2
#define EXPR_MBIT_S 3
#define EXPR_NS 4
#define EXPR_US 5
#define EXPR_MS 6
#define EXPR_S 7
#define EXPR_UNITS 8

#define EXPR_SHOWN 0x1 /* words are looked for here */
#define EXPR_ALIAS 0x2 /* another name of a field, or of several */
#define EXPR_PART 0x4  /* FIELD:VALUE asks for a part of it, though it has names */

struct expr_field {
	const char *name;
	uint8_t type, unit, flags;
	uint16_t id;	/* the getter's */
	uint32_t kinds; /* of records that have it: bits of expr_schema.kind; 0: all */
	/* All words that it may be, NULL-terminated; NULL: any. = and != take no other. */
	const char *const *names;
};

struct expr_value {
	bool known;
	long double num;     /* EXPR_NUMBER, EXPR_PORT; EXPR_BOOL: 0, 1 */
	const char *text;    /* EXPR_TEXT; borrowed, may point to room */
	const uint8_t *addr; /* EXPR_ADDR: 16 bytes, IPv4 as ::ffff:a.b.c.d */
	uint8_t address[16]; /* room for it */
	char room[64];
};

struct expr_schema {
	const char *what; /* "a row by process": what has these fields */
	const struct expr_field *fields;
	size_t n;
	uint32_t kind; /* one bit, see expr_field.kinds; 0: fields of all kinds */
	/* Value number i (from 0) of a field; false: it has no more. ret is zeroed before. */
	bool (*get)(const void *record, const struct expr_field *field, unsigned int i,
		    struct expr_value *ret);
};

struct expr;

/*
 * schema must stay. -EINVAL, err "column 5: ..."; -ENOMEM. An empty text is an error.
 */
int expr_new(const char *text, const struct expr_schema *schema, struct expr **ret,
	     struct netprobe_error *err);
struct expr *expr_free(struct expr *x); /* NULL, always */
/* Not by two threads at a time: regular expressions work in room of x. */
bool expr_match(struct expr *x, const void *record);
/* Texts that a regular expression gave up on, since it was made. */
uint64_t expr_gave_up(const struct expr *x);
const char *expr_text(const struct expr *x);

/* A comparison that every matching record has to pass: part of an `and` chain at the top. */
struct expr_term {
	const struct expr_field *field;
	bool contains;	  /* FIELD:VALUE of a text: part of it is enough */
	const char *text; /* the value as it was typed, alternatives between commas */
};
/* Those with = or : and a known value. fn's nonzero answer ends it and is returned. */
int expr_each_term(const struct expr *x, int (*fn)(const struct expr_term *t, void *arg),
		   void *arg);

#endif
