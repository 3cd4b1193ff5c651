/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text as an expression over any record: an answer and its opposite, or one line with a column. */
#include <stdlib.h>
#include <string.h>

#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct record {
	const char *text; /* what the input begins with */
	uint8_t addr[16];
	uint8_t bits;
};

static const char *const words[] = { "tcp", "udp", NULL };
static const struct expr_field fields[] = {
	{ "comm", EXPR_TEXT, EXPR_PLAIN, EXPR_SHOWN, 0, 0, NULL },
	{ "transport", EXPR_TEXT, EXPR_PLAIN, 0, 1, 0, words },
	{ "raddr", EXPR_ADDR, EXPR_PLAIN, EXPR_SHOWN, 2, 0, NULL },
	{ "port", EXPR_PORT, EXPR_PLAIN, EXPR_SHOWN, 3, 0, NULL },
	{ "rtt", EXPR_NUMBER, EXPR_US, 0, 4, 0, NULL },
	{ "rate", EXPR_NUMBER, EXPR_BYTES_S, 0, 5, 0, NULL },
	{ "bytes", EXPR_NUMBER, EXPR_BYTES, 0, 6, 0, NULL },
	{ "closed", EXPR_BOOL, EXPR_PLAIN, 0, 7, 0, NULL },
};

static bool get(const void *record, const struct expr_field *f, unsigned int i,
		struct expr_value *ret)
{
	const struct record *r = record;

	ret->known = (r->bits >> f->id) & 1;
	ret->text = f->id == 1 ? words[r->addr[0] & 1] : r->text;
	ret->addr = r->addr;
	ret->num = f->id == 7 ? r->addr[1] & 1 : r->addr[2] * 1000.5L;
	return i < (f->id == 3 ? 2 : 1);
}

static const struct expr_schema schema = { "a row", fields, sizeof(fields) / sizeof(fields[0]), 0,
					   get };

static int on_term(const struct expr_term *t, void *arg)
{
	(void)arg;
	if (!t->field || !t->text)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netprobe_error err = { 0 };
	struct record r = { 0 };
	char text[1500], opposite[1520], subject[64];
	struct expr *x = NULL, *y = NULL;

	if (size < 2 || size >= sizeof(text))
		return 0;
	r.bits = data[0];
	memset(r.addr, data[1], sizeof(r.addr));
	memcpy(text, data + 2, size - 2);
	text[size - 2] = '\0';
	(void)strncpy(subject, text, sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	r.text = subject;
	if (expr_new(text, &schema, &x, &err)) {
		if (x || strchr(err.msg, '\n') ||
		    (strncmp(err.msg, "column ", 7) != 0 &&
		     strncmp(err.msg, "the expression has ", 19) != 0))
			abort();
		return 0;
	}
	(void)expr_each_term(x, on_term, NULL);
	(void)strcpy(opposite, "not (");
	(void)strcat(opposite, text);
	(void)strcat(opposite, ")");
	/* May be too deep or too long. What gave up is false on both sides. */
	if (!expr_new(opposite, &schema, &y, &err)) {
		bool a = expr_match(x, &r), b = expr_match(y, &r);

		if (a == b && !expr_gave_up(x) && !expr_gave_up(y))
			abort();
	}
	(void)expr_free(x);
	(void)expr_free(y);
	return 0;
}
