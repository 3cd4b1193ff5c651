/* SPDX-License-Identifier: BSD-2-Clause */
/* What parser, values and matching share. */
#ifndef NETPROBE_EXPR_INTERNAL_H
#define NETPROBE_EXPR_INTERNAL_H

#include "base/buf.h"
#include "expr/expr.h"

struct regex; /* regex.c */

#define OP_EQ 0
#define OP_NE 1
#define OP_LT 2
#define OP_LE 3
#define OP_GT 4
#define OP_GE 5
#define OP_HAS 6 /* : */
#define OP_RE 7
#define OP_NRE 8

#define NODE_AND 0
#define NODE_OR 1
#define NODE_NOT 2
#define NODE_COMPARE 3
#define NODE_WORD 4  /* text in any field that is shown */
#define NODE_REGEX 5 /* the same */

struct literal {
	bool null;
	char *text;	  /* as typed, quotes gone, valid UTF-8; EXPR_TEXT compares it */
	unsigned int n;	  /* alternatives of the other types */
	long double *low; /* EXPR_NUMBER, EXPR_PORT, EXPR_BOOL: n of each; in the field's unit */
	long double *high;
	struct np_cidr *nets; /* EXPR_ADDR */
	struct regex *
		regex; /* also of a text with letters beyond ASCII that is looked for whatever its case */
};

struct node {
	uint8_t kind, op;
	uint16_t left, right; /* NODE_AND, NODE_OR; NODE_NOT: left */
	const struct expr_field *field;
	struct literal value;
};

struct expr {
	const struct expr_schema *schema;
	char *text;
	struct node *nodes; /* EXPR_NODES_MAX */
	unsigned int n;
	uint16_t root;
	uint64_t gave_up;
	struct buf valid; /* a text of the record, as it is printed */
};

/* value.c: the text of a literal as records show theirs. -ENOMEM. */
int value_text(struct literal *lit, struct netprobe_error *err);
/* Text that is looked for whatever its case. -ENOMEM. */
int value_word(struct literal *lit, struct netprobe_error *err);
/* lit->text to what the field takes. -EINVAL, err without the column. */
int value_take(struct literal *lit, const struct expr_field *f, uint8_t op,
	       struct netprobe_error *err);
/* A unit that a number of this field may have. */
bool value_is_unit(const char *s, size_t len, const struct expr_field *f);
void value_done(struct literal *lit);
/* Does op ask for a part of the field's text? */
static inline bool value_is_part(const struct expr_field *f, uint8_t op)
{
	return op == OP_HAS && f->type == EXPR_TEXT && (!f->names || f->flags & EXPR_PART);
}

/* regex.c. -EINVAL, -ENOMEM. */
int regex_new(const char *pattern, struct regex **ret, struct netprobe_error *err);
/* Of what is text to the letter, whatever its case; NULL without an error: it is too long, or no UTF-8. */
int regex_of_word(const char *word, struct regex **ret, struct netprobe_error *err);
struct regex *regex_free(struct regex *x);
/* 1: it matches, 0: not, -ERANGE: gave up. */
int regex_match(struct regex *x, const char *text);

#endif
