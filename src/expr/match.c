/* SPDX-License-Identifier: BSD-2-Clause */
/* Does a record match? Recursion is as deep as the parser lets expressions be. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "expr/internal.h"

static bool is_applicable(const struct expr_schema *s, const struct expr_field *f)
{
	return !f->kinds || !s->kind || (f->kinds & s->kind);
}

/* Names of others need not be UTF-8; until the next text. */
static const char *valid_text(struct expr *x, const char *text)
{
	if (utf8_is_ascii(text))
		return text;
	buf_reset(&x->valid);
	utf8_put_valid(&x->valid, text, strlen(text));
	buf_putc(&x->valid, '\0');
	return x->valid.err ? text : x->valid.data;
}

/* As it is printed; NULL unknown. room: of the value. */
static const char *text_of(struct expr *x, const struct expr_field *f, struct expr_value *v)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	switch (f->type) {
	case EXPR_TEXT:
		return valid_text(x, v->text);
	case EXPR_BOOL:
		return v->num != 0 ? "true" : "false";
	case EXPR_ADDR:
		if (!memcmp(v->addr, mapped, sizeof(mapped)))
			return inet_ntop(AF_INET, v->addr + 12, v->room, sizeof(v->room));
		return inet_ntop(AF_INET6, v->addr, v->room, sizeof(v->room));
	default:
		if (v->num >= 0 && v->num < 0x1p64L && v->num == (long double)(uint64_t)v->num)
			(void)snprintf(v->room, sizeof(v->room), "%" PRIu64, (uint64_t)v->num);
		else
			(void)fmt(v->room, sizeof(v->room), "%.10Lg", v->num);
		return v->room;
	}
}

static bool matches_regex(struct expr *x, struct regex *re, const char *text)
{
	int r = regex_match(re, text);

	x->gave_up += r < 0;
	return r > 0;
}

static bool has_word(struct expr *x, const struct literal *lit, const char *text)
{
	return lit->regex ? matches_regex(x, lit->regex, text)
			  : strcasestr(text, lit->text) != NULL;
}

static bool in_net(const struct np_cidr *net, const uint8_t addr[16])
{
	for (unsigned int i = 0; i < 16; i++)
		if ((net->addr[i] ^ addr[i]) & net->mask[i])
			return false;
	return true;
}

static bool is_one_of(const struct literal *lit, const struct expr_field *f,
		      const struct expr_value *v)
{
	bool found = false;

	for (unsigned int i = 0; i < lit->n && !found; i++)
		found = f->type == EXPR_ADDR ? in_net(&lit->nets[i], v->addr)
					     : v->num >= lit->low[i] && v->num <= lit->high[i];
	return found;
}

/* As if != were =, and !~ were ~. */
static bool passes(struct expr *x, const struct node *n, struct expr_value *v)
{
	const struct expr_field *f = n->field;
	const struct literal *lit = &n->value;

	switch (n->op) {
	case OP_LT:
		return v->num < lit->low[0];
	case OP_LE:
		return v->num <= lit->low[0];
	case OP_GT:
		return v->num > lit->low[0];
	case OP_GE:
		return v->num >= lit->low[0];
	case OP_RE:
	case OP_NRE:
		return matches_regex(x, lit->regex, text_of(x, f, v));
	default:
		if (f->type != EXPR_TEXT)
			return is_one_of(lit, f, v);
		if (value_is_part(f, n->op))
			return has_word(x, lit, text_of(x, f, v));
		return !strcmp(text_of(x, f, v), lit->text);
	}
}

static bool is_known(const struct expr_field *f, const struct expr_value *v)
{
	if (!v->known)
		return false;
	return f->type == EXPR_TEXT ? v->text != NULL : f->type != EXPR_ADDR || v->addr;
}

static bool compare(struct expr *x, const struct node *n, const void *record)
{
	bool known = false, any = false;

	for (unsigned int i = 0; !any; i++) {
		struct expr_value v = {};

		if (!x->schema->get(record, n->field, i, &v))
			break;
		if (!is_known(n->field, &v))
			continue;
		known = true;
		any = n->value.null || passes(x, n, &v);
	}
	if (n->value.null)
		return (n->op == OP_NE) == known;
	return n->op == OP_NE || n->op == OP_NRE ? known && !any : any;
}

static bool is_shown(struct expr *x, const struct node *n, const void *record)
{
	const struct expr_schema *s = x->schema;

	for (size_t k = 0; k < s->n; k++) {
		const struct expr_field *f = &s->fields[k];

		if (!(f->flags & EXPR_SHOWN) || !is_applicable(s, f))
			continue;
		for (unsigned int i = 0;; i++) {
			struct expr_value v = {};
			const char *text;

			if (!s->get(record, f, i, &v))
				break;
			text = is_known(f, &v) ? text_of(x, f, &v) : NULL;
			if (text && (n->kind == NODE_WORD ? has_word(x, &n->value, text)
							  : matches_regex(x, n->value.regex, text)))
				return true;
		}
	}
	return false;
}

static bool eval(struct expr *x, uint16_t at, const void *record)
{
	const struct node *n = &x->nodes[at];

	switch (n->kind) {
	case NODE_AND:
		return eval(x, n->left, record) && eval(x, n->right, record);
	case NODE_OR:
		return eval(x, n->left, record) || eval(x, n->right, record);
	case NODE_NOT:
		return !eval(x, n->left, record);
	case NODE_COMPARE:
		return compare(x, n, record);
	default:
		return is_shown(x, n, record);
	}
}

bool expr_match(struct expr *x, const void *record)
{
	return eval(x, x->root, record);
}

uint64_t expr_gave_up(const struct expr *x)
{
	return x->gave_up;
}

const char *expr_text(const struct expr *x)
{
	return x->text;
}

static int each_term(const struct expr *x, uint16_t at,
		     int (*fn)(const struct expr_term *t, void *arg), void *arg)
{
	const struct node *n = &x->nodes[at];
	struct expr_term t = { .field = n->field, .text = n->value.text };

	if (n->kind == NODE_AND)
		return each_term(x, n->left, fn, arg) ?: each_term(x, n->right, fn, arg);
	if (n->kind != NODE_COMPARE || n->value.null || (n->op != OP_EQ && n->op != OP_HAS))
		return 0;
	t.contains = value_is_part(n->field, n->op);
	return fn(&t, arg);
}

int expr_each_term(const struct expr *x, int (*fn)(const struct expr_term *t, void *arg), void *arg)
{
	return each_term(x, x->root, fn, arg);
}
