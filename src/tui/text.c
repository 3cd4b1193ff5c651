/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Terminal-safe text. Widths are wcwidth()'s, so LC_CTYPE must be set by whoever draws; a character
 * the C library has no width for is not sent to the terminal at all, since the two would disagree
 * about where the cursor stands.
 */
#include "tui/text.h"

#include <string.h>

#include "base/utf8.h"

static void text_add(struct text *t, uint32_t cp, bool utf8)
{
	int w = -1;

	if (cp >= 0x20 && cp < 0x7f)
		w = 1;
	else if (utf8 && cp >= 0xa0 && !utf8_is_control(cp))
		w = wcwidth((wchar_t)cp);
	/* A combining mark with nothing before it would sit on the neighbour's cell. */
	if (w < 0 || w > 2 || (w == 0 && t->n == 0)) {
		cp = '?';
		w = 1;
	}
	t->ch[t->n] = (wchar_t)cp;
	t->width[t->n++] = (uint8_t)w;
	t->columns = (uint16_t)(t->columns + w);
}

void text_set(struct text *t, const char *s, bool utf8)
{
	size_t len = strlen(s), i = 0;

	t->n = 0;
	t->columns = 0;
	while (i < len && t->n < TEXT_MAX) {
		uint32_t cp = 0;
		int r = utf8_decode(s + i, len - i, &cp);

		text_add(t, cp, utf8);
		i += (size_t)(r < 0 ? -r : r);
	}
}

/* Characters of t from the start that fit into columns, with the marks that belong to the last. */
static unsigned int fit_head(const struct text *t, unsigned int columns, unsigned int *ret_columns)
{
	unsigned int i, used = 0;

	for (i = 0; i < t->n && used + t->width[i] <= columns; i++)
		used += t->width[i];
	*ret_columns = used;
	return i;
}

/* Index from which the rest of t fits into columns; never starts with a combining mark. */
static unsigned int fit_tail(const struct text *t, unsigned int columns, unsigned int *ret_columns)
{
	unsigned int i = t->n, used = 0;

	while (i > 0 && used + t->width[i - 1] <= columns)
		used += t->width[--i];
	while (i < t->n && t->width[i] == 0)
		i++;
	*ret_columns = used;
	return i;
}

static void text_splice(struct text *t, unsigned int head, unsigned int tail, wchar_t ellipsis)
{
	unsigned int rest = t->n - tail;

	memmove(t->ch + head + 1, t->ch + tail, rest * sizeof(*t->ch));
	memmove(t->width + head + 1, t->width + tail, rest);
	t->ch[head] = ellipsis;
	t->width[head] = 1;
	t->n = (uint16_t)(head + 1 + rest);
}

void text_cut_end(struct text *t, unsigned int columns, wchar_t ellipsis)
{
	unsigned int used, head;

	if (t->columns <= columns)
		return;
	if (columns == 0) {
		t->n = 0;
		t->columns = 0;
		return;
	}
	head = fit_head(t, columns - 1, &used);
	text_splice(t, head, t->n, ellipsis);
	t->columns = (uint16_t)(used + 1);
}

void text_cut_middle(struct text *t, unsigned int columns, wchar_t ellipsis)
{
	unsigned int before, after, head, tail;

	if (t->columns <= columns || columns < 4) {
		text_cut_end(t, columns, ellipsis);
		return;
	}
	head = fit_head(t, (columns - 1) / 2, &before);
	tail = fit_tail(t, columns - 1 - before, &after);
	text_splice(t, head, tail, ellipsis);
	t->columns = (uint16_t)(before + 1 + after);
}

int text_columns(const char *s, bool utf8)
{
	struct text t;

	text_set(&t, s, utf8);
	return t.columns;
}
