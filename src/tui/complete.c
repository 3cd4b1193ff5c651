/* SPDX-License-Identifier: BSD-2-Clause */
/* See complete.h. */
#include "tui/complete.h"

#include <stdio.h>
#include <string.h>

#include "tui/model.h"

static bool is_operator(char c)
{
	return c && strchr("=!<>:~", c);
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-';
}

/* One token of the text: a name, an operator, a value. */
static void set_field(struct complete_place *ret, const char *text, size_t from, size_t to)
{
	size_t len = to - from;

	if (len >= sizeof(ret->field))
		len = 0;
	memcpy(ret->field, text + from, len);
	ret->field[len] = '\0';
}

void complete_parse(const char *text, struct complete_place *ret)
{
	size_t word = 0, i = 0;
	bool in_value = false;

	*ret = (struct complete_place){ 0 };
	while (text[i]) {
		if (text[i] == '"' || text[i] == '\'') {
			char quote = text[i];

			for (i++; text[i] && text[i] != quote; i++)
				i += quote == '"' && text[i] == '\\' && text[i + 1];
			if (!text[i])
				return; /* goes on: begin is of the quote */
			i++;
		} else if (is_operator(text[i]) && !in_value && i > word) {
			size_t end = i;

			while (end > word && text[end - 1] == ' ')
				end--;
			set_field(ret, text, word, end);
			while (is_operator(text[i]))
				i++;
			while (text[i] == ' ')
				i++;
			in_value = ret->value = true;
			ret->begin = i;
		} else if (text[i] == ',' && in_value) {
			ret->begin = ++i;
		} else if (text[i] == ' ' || text[i] == '(' || text[i] == ')') {
			size_t next = i + strspn(text + i, " ");

			/* "comm = x": an operator may stand apart from its field */
			if (text[i] == ' ' && !in_value && next > i && is_operator(text[next]) &&
			    i > word && is_name(text[i - 1])) {
				i = next;
				continue;
			}
			i += text[i] == ' ' ? next - i : 1;
			word = ret->begin = i;
			in_value = ret->value = false;
			ret->field[0] = '\0';
		} else {
			i++;
		}
	}
}

static void offer(struct completion *c, const char *before, const char *word)
{
	char text[COMPLETE_TEXT];

	if ((size_t)snprintf(text, sizeof(text), "%s%s", before, word) >= sizeof(text) ||
	    c->n == COMPLETE_MAX)
		return;
	for (unsigned int i = 0; i < c->n; i++)
		if (!strcmp(c->words[i], text))
			return;
	memcpy(c->words[c->n++], text, sizeof(text));
}

static void offer_operators(struct completion *c, uint8_t kind, const char *field)
{
	const char *ops = netprobe_expr_operators(kind, field);

	while (ops && *ops) {
		char op[4] = "";
		size_t len = strcspn(ops, " ");

		(void)snprintf(op, sizeof(op), "%.*s", (int)len, ops);
		offer(c, field, op);
		ops += len;
		ops += *ops == ' ';
	}
}

static void offer_fields(struct completion *c, uint8_t kind, const char *typed)
{
	static const char *const joins[] = { "and", "or", "not" };
	size_t len = strlen(typed);
	const char *field;

	if (len)
		offer_operators(c, kind, typed);
	for (unsigned int i = 0; (field = netprobe_expr_field(kind, i)); i++)
		if (!strncmp(field, typed, len) && field[len])
			offer(c, "", field);
	for (unsigned int i = 0; len && i < sizeof(joins) / sizeof(joins[0]); i++)
		if (!strncmp(joins[i], typed, len) && joins[i][len])
			offer(c, "", joins[i]);
}

/* Values being collected from rows. */
struct values {
	struct completion *c;
	uint8_t kind;
	const char *field, *typed;
};

static int take_value(const struct netprobe_row *row, void *arg)
{
	const struct values *v = arg;
	char text[COMPLETE_TEXT];

	for (unsigned int i = 0; i < 2; i++) {
		size_t quote;

		if (netprobe_expr_value(v->kind, v->field, row, i, text, sizeof(text)))
			continue;
		/* typed without its quote it is the same one */
		quote = text[0] == '"' && v->typed[0] != '"';
		if (!strncasecmp(text + quote, v->typed, strlen(v->typed)))
			offer(v->c, "", text);
	}
	return v->c->n == COMPLETE_MAX;
}

static void offer_values(struct tui_model *m, const struct values *v)
{
	const char *word;
	bool few = false;

	for (unsigned int i = 0; (word = netprobe_expr_word(v->kind, v->field, i)); i++) {
		few = true;
		if (!strncmp(word, v->typed, strlen(v->typed)))
			offer(v->c, "", word);
	}
	if (few)
		return;
	if (m->paused)
		for (size_t i = 0; i < m->n_kept && !take_value(kept_get(m->kept[i]), (void *)v);
		     i++)
			;
	else
		(void)model_each(m, take_value, (void *)v);
}

void complete_look(struct tui_model *m)
{
	const struct tui_level *l = model_level(m);
	struct completion *c = &m->complete;
	struct complete_place p;

	complete_parse(l->filter, &p);
	c->n = 0;
	c->at = -1;
	c->begin = p.begin;
	if (p.value)
		offer_values(m, &(struct values){ c, l->kind, p.field, l->filter + p.begin });
	else
		offer_fields(c, l->kind, l->filter + p.begin);
	/* what is there already is nothing to offer */
	if (c->n == 1 && !strcmp(c->words[0], l->filter + p.begin))
		c->n = 0;
}

/* Bytes that all of them begin with, whole characters. */
static size_t in_common(const struct completion *c)
{
	size_t n = strlen(c->words[0]);

	for (unsigned int i = 1; i < c->n; i++)
		for (size_t b = 0; b < n; b++)
			if (c->words[i][b] != c->words[0][b])
				n = b;
	while (n && (c->words[0][n] & 0xc0) == 0x80)
		n--;
	return n;
}

static bool put(struct tui_model *m, const char *word, size_t len)
{
	char *filter = model_level(m)->filter;

	if (m->complete.begin + len + 1 > TUI_FILTER_MAX)
		return false;
	memcpy(filter + m->complete.begin, word, len);
	filter[m->complete.begin + len] = '\0';
	return true;
}

int complete_tab(struct tui_model *m, int step)
{
	struct completion *c = &m->complete;
	const char *typed = model_level(m)->filter + c->begin;
	size_t common;

	if (!c->n)
		return MOVED_NOT;
	common = in_common(c);
	if (c->n == 1 || (c->at < 0 && common > strlen(typed))) {
		if (!put(m, c->words[0], common))
			return MOVED_NOT;
		complete_look(m);
		return nav_filter_changed(m);
	}
	c->at = c->at < 0 ? (step > 0 ? 0 : (int)c->n - 1) : (c->at + step + (int)c->n) % (int)c->n;
	if (!put(m, c->words[c->at], strlen(c->words[c->at])))
		return MOVED_NOT;
	return nav_filter_changed(m);
}
