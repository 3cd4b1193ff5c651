/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text to nodes, by recursive descent: or, and, not, then one comparison or word. What a value means is value.c's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "expr/internal.h"

struct parser {
	struct expr *x;
	const char *begin, *at;
	unsigned int depth;
	struct netprobe_error *err;
};

/* Column of a place, in characters from 1. */
static unsigned int column_of(const struct parser *p, const char *at)
{
	unsigned int n = 1;

	for (const char *s = p->begin; s < at; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

#define FAIL(p, place, ...)                         \
	(error_set((p)->err, -EINVAL, __VA_ARGS__), \
	 error_prefix((p)->err, "column %u", column_of((p), (place))), -EINVAL)

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_spaces(struct parser *p)
{
	while (is_space(*p->at))
		p->at++;
}

static bool is_name(char c, bool first)
{
	char l = c | 32;

	return (l >= 'a' && l <= 'z') || c == '_' ||
	       (!first && ((c >= '0' && c <= '9') || c == '.' || c == '-'));
}

static int add_node(struct parser *p, struct node n, uint16_t *ret)
{
	if (p->x->n == EXPR_NODES_MAX) {
		value_done(&n.value);
		return FAIL(p, p->at, "the expression is too long; takes up to %d parts",
			    EXPR_NODES_MAX);
	}
	p->x->nodes[p->x->n] = n;
	*ret = (uint16_t)p->x->n++;
	return 0;
}

/* Is it this word, and no longer one? Moves on if so. */
static bool take_keyword(struct parser *p, const char *word)
{
	size_t n = strlen(word);

	skip_spaces(p);
	if (strncasecmp(p->at, word, n) != 0 ||
	    (p->at[n] && !is_space(p->at[n]) && p->at[n] != '(' && p->at[n] != ')'))
		return false;
	p->at += n;
	return true;
}

static bool is_keyword(const char *s, size_t n)
{
	return (n == 3 && (!strncasecmp(s, "and", 3) || !strncasecmp(s, "not", 3))) ||
	       (n == 2 && !strncasecmp(s, "or", 2));
}

/* The operator there, 0 bytes: none. */
static size_t operator_at(const char *s, uint8_t *ret)
{
	static const struct {
		const char *text;
		uint8_t op;
	} ops[] = { { "!=", OP_NE }, { "!~", OP_NRE }, { "<=", OP_LE }, { ">=", OP_GE },
		    { "==", OP_EQ }, { "=", OP_EQ },   { "<", OP_LT },	{ ">", OP_GT },
		    { ":", OP_HAS }, { "~", OP_RE } };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strncmp(s, ops[i].text, strlen(ops[i].text))) {
			*ret = ops[i].op;
			return strlen(ops[i].text);
		}
	return 0;
}

/* Text in quotes: "..." with \" and \\, '...' as it is. */
static int take_quoted(struct parser *p, char **ret)
{
	const char *begin = p->at, *s = begin + 1;
	char quote = *begin, *to, *text = malloc(strlen(begin) + 1);

	if (!text)
		return error_set(p->err, -ENOMEM, "out of memory");
	for (to = text; *s && *s != quote; s++) {
		if (quote == '"' && *s == '\\' && (s[1] == '"' || s[1] == '\\'))
			s++;
		*to++ = *s;
	}
	*to = '\0';
	if (!*s) {
		free(text);
		return FAIL(p, begin, "a quote that does not end; takes %c at its end", quote);
	}
	p->at = s + 1;
	*ret = text;
	return 0;
}

/* Up to a space, or a parenthesis that it did not open: regular expressions have their own. */
static int take_bare(struct parser *p, bool parens, char **ret)
{
	const char *s = p->at;
	unsigned int open = 0;

	for (; *s && !is_space(*s); s++) {
		if (parens && *s == '\\' && s[1] && !is_space(s[1])) {
			s++;
			continue;
		}
		if (*s == '(' && parens)
			open++;
		else if (*s == '(' || (*s == ')' && !open))
			break;
		else if (*s == ')')
			open--;
	}
	*ret = strndup(p->at, (size_t)(s - p->at));
	p->at = s;
	return *ret ? 0 : error_set(p->err, -ENOMEM, "out of memory");
}

static int unknown_field(struct parser *p, const char *name, const char *at)
{
	const struct expr_schema *s = p->x->schema;
	unsigned int least = args_too_far(strlen(name)), d;
	const char *best = NULL;
	char list[160] = "";
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct expr_field *f = &s->fields[i];

		if (f->kinds && s->kind && !(f->kinds & s->kind))
			continue;
		d = args_distance(name, strlen(name), f->name);
		if (d < least) {
			least = d;
			best = f->name;
		}
		if (n + strlen(f->name) + 6 < sizeof(list) && !(f->flags & EXPR_ALIAS))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s, ", f->name);
	}
	if (best)
		return FAIL(p, at, "unknown field '%.40s'; did you mean %s?", name, best);
	return FAIL(p, at, "unknown field '%.40s'; takes %s...", name, list);
}

static int find_field(struct parser *p, const char *at, size_t len, const struct expr_field **ret)
{
	const struct expr_schema *s = p->x->schema;
	char name[48];

	(void)snprintf(name, sizeof(name), "%.*s", (int)(len < 47 ? len : 47), at);
	for (size_t i = 0; i < s->n && len < sizeof(name); i++) {
		const struct expr_field *f = &s->fields[i];

		if (strcmp(f->name, name) != 0)
			continue;
		if (f->kinds && s->kind && !(f->kinds & s->kind))
			return FAIL(p, at, "%s has no %s", s->what, name);
		*ret = f;
		return 0;
	}
	return unknown_field(p, name, at);
}

/* "50 ms", "80 , 443": the rest would be a word that is looked for. */
static int check_apart(struct parser *p, const struct node *n)
{
	size_t text = strlen(n->value.text), len;
	const char *at = p->at;

	if (n->field->type != EXPR_NUMBER && n->field->type != EXPR_PORT)
		return 0;
	while (is_space(*at))
		at++;
	for (len = 0; at[len] && !is_space(at[len]) && at[len] != '(' && at[len] != ')';)
		len++;
	if (*at == ',')
		return FAIL(p, at, "a comma apart from its value; takes 80,443 without spaces");
	if (n->value.text[text - 1] < '0' || n->value.text[text - 1] > '9' ||
	    !value_is_unit(at, len, n->field))
		return 0;
	return FAIL(p, at, "'%.*s' stands apart from its number; takes %.40s%.*s, or quotes",
		    (int)len, at, n->value.text, (int)len, at);
}

static int take_comparison(struct parser *p, const char *name, size_t len, uint8_t op,
			   uint16_t *ret)
{
	struct node n = { .kind = NODE_COMPARE, .op = op };
	bool quoted, regex = op == OP_RE || op == OP_NRE;
	const char *at;
	int r = find_field(p, name, len, &n.field);

	if (r)
		return r;
	skip_spaces(p);
	at = p->at;
	quoted = *at == '"' || *at == '\'';
	r = quoted ? take_quoted(p, &n.value.text) : take_bare(p, regex, &n.value.text);
	if (!r && !*n.value.text && !quoted)
		r = FAIL(p, at, "nothing behind %.*s; takes %s", (int)(len < 40 ? len : 40), name,
			 regex ? "a regular expression" : "a value, or null");
	n.value.null = !r && !quoted && !regex && !strcmp(n.value.text, "null");
	if (!r) {
		r = value_take(&n.value, n.field, op, p->err);
		if (r == -EINVAL)
			error_prefix(p->err, "column %u", column_of(p, at));
	}
	if (!r && !quoted && !regex && !n.value.null)
		r = check_apart(p, &n);
	if (r) {
		value_done(&n.value);
		return r;
	}
	return add_node(p, n, ret);
}

/* "fe80::1", "[::1]:443": colons that are no operator. */
static bool is_address(const char *s)
{
	unsigned int colons = 0;

	for (; *s && !is_space(*s) && *s != '(' && *s != ')'; s++) {
		if (!strchr("0123456789abcdefABCDEF:./%[]", *s))
			return false;
		colons += *s == ':';
	}
	return colons > 1;
}

/* What looks like another language, or like a comparison of something that is no name. */
static int check_word(struct parser *p, const char *word, const char *at)
{
	if (*word == '&' || *word == '|' || *word == '!')
		return FAIL(p, at, "'%.20s' is not an operator; takes and, or, not", word);
	if (*word && strpbrk(word, "=<>~"))
		return FAIL(
			p, at,
			"'%.40s' is not a field with a value; takes FIELD=VALUE, or quotes around text",
			word);
	return 0;
}

static int take_word(struct parser *p, uint16_t *ret)
{
	struct node n = { .kind = NODE_WORD };
	const char *at = p->at;
	bool quoted;
	int r;

	if (*at == '~') {
		n.kind = NODE_REGEX;
		p->at++;
		skip_spaces(p);
	}
	quoted = *p->at == '"' || *p->at == '\'';
	r = quoted ? take_quoted(p, &n.value.text)
		   : take_bare(p, n.kind == NODE_REGEX, &n.value.text);
	if (!r && !*n.value.text)
		r = FAIL(p, at, "nothing here; takes FIELD=VALUE, a word or (");
	if (!r && n.kind == NODE_WORD && !quoted)
		r = check_word(p, n.value.text, at);
	if (!r && n.kind == NODE_REGEX) {
		r = regex_new(n.value.text, &n.value.regex, p->err);
		if (r == -EINVAL)
			error_prefix(p->err, "column %u", column_of(p, at));
	}
	if (!r && n.kind == NODE_WORD)
		r = value_word(&n.value, p->err);
	if (r) {
		value_done(&n.value);
		return r;
	}
	return add_node(p, n, ret);
}

static int take_or(struct parser *p, uint16_t *ret);

static int take_group(struct parser *p, uint16_t *ret)
{
	const char *at = p->at++;
	int r;

	if (++p->depth > EXPR_DEPTH_MAX)
		return FAIL(p, at, "too many parentheses; takes up to %d within one another",
			    EXPR_DEPTH_MAX);
	r = take_or(p, ret);
	if (r)
		return r;
	p->depth--;
	skip_spaces(p);
	if (*p->at != ')')
		return FAIL(p, at, "a parenthesis that does not end; takes )");
	p->at++;
	return 0;
}

static int take_primary(struct parser *p, uint16_t *ret)
{
	const char *at, *end;
	uint8_t op = 0;
	size_t n;

	skip_spaces(p);
	at = end = p->at;
	if (*at == '(')
		return take_group(p, ret);
	if (is_name(*at, true) && !is_address(at)) {
		while (is_name(*end, false))
			end++;
		p->at = end;
		skip_spaces(p);
		n = operator_at(p->at, &op);
		if (n) {
			p->at += n;
			return take_comparison(p, at, (size_t)(end - at), op, ret);
		}
		p->at = at;
		if (is_keyword(at, (size_t)(end - at)))
			return FAIL(
				p, at,
				"'%.*s' has nothing on one side; takes FIELD=VALUE, a word or (",
				(int)(end - at), at);
	}
	n = *at == '~' ? 0 : operator_at(at, &op);
	if (n && op != OP_HAS)
		return FAIL(p, at, "'%.*s' has no field before it; takes FIELD=VALUE", (int)n, at);
	return take_word(p, ret);
}

static int take_not(struct parser *p, uint16_t *ret)
{
	struct node n = { .kind = NODE_NOT };
	const char *at = p->at;
	int r;

	if (!take_keyword(p, "not"))
		return take_primary(p, ret);
	if (++p->depth > EXPR_DEPTH_MAX)
		return FAIL(p, at, "too many nots; takes up to %d", EXPR_DEPTH_MAX);
	r = take_not(p, &n.left);
	p->depth--;
	return r ?: add_node(p, n, ret);
}

/* Does another operand follow, with or without an `and`? */
static bool goes_on(struct parser *p)
{
	const char *at = p->at;
	bool other;

	if (take_keyword(p, "and"))
		return true;
	skip_spaces(p);
	if (!*p->at || *p->at == ')')
		return false;
	other = take_keyword(p, "or");
	if (other)
		p->at = at;
	return !other;
}

static int take_and(struct parser *p, uint16_t *ret)
{
	int r = take_not(p, ret);

	while (!r && goes_on(p)) {
		struct node n = { .kind = NODE_AND, .left = *ret };

		r = take_not(p, &n.right) ?: add_node(p, n, ret);
	}
	return r;
}

static int take_or(struct parser *p, uint16_t *ret)
{
	int r = take_and(p, ret);

	while (!r && take_keyword(p, "or")) {
		struct node n = { .kind = NODE_OR, .left = *ret };

		r = take_and(p, &n.right) ?: add_node(p, n, ret);
	}
	return r;
}

static int parse(struct expr *x, struct netprobe_error *err)
{
	struct parser p = { .x = x, .begin = x->text, .at = x->text, .err = err };
	int r;

	if (strlen(x->text) >= EXPR_TEXT_MAX)
		return error_set(err, -EINVAL, "the expression has %zu bytes; takes up to %d",
				 strlen(x->text), EXPR_TEXT_MAX - 1);
	r = take_or(&p, &x->root);
	if (r)
		return r;
	skip_spaces(&p);
	return *p.at ? FAIL(&p, p.at, "'%.20s' closes nothing; takes and, or, or the end", p.at)
		     : 0;
}

int expr_new(const char *text, const struct expr_schema *schema, struct expr **ret,
	     struct netprobe_error *err)
{
	struct expr *x = calloc(1, sizeof(*x));
	int r;

	if (x) {
		x->schema = schema;
		x->text = strdup(text);
		x->nodes = calloc(EXPR_NODES_MAX, sizeof(*x->nodes));
	}
	if (!x || !x->text || !x->nodes)
		r = error_set(err, -ENOMEM, "out of memory");
	else
		r = parse(x, err);
	if (r)
		(void)expr_free(x);
	else
		*ret = x;
	return r;
}

struct expr *expr_free(struct expr *x)
{
	if (!x)
		return NULL;
	for (unsigned int i = 0; i < x->n; i++)
		value_done(&x->nodes[i].value);
	free(x->nodes);
	free(x->text);
	buf_done(&x->valid);
	free(x);
	return NULL;
}
