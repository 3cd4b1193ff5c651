/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that fits a terminal (see fit.h). */
#include "out/fit.h"

#include <string.h>

#include "base/utf8.h"

#define ESC '\033'

static unsigned int taken(const struct fit_column *c, unsigned int n, bool least)
{
	unsigned int all = 0, shown = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (!c[i].shown)
			continue;
		all += least ? c[i].least : c[i].width;
		shown++;
	}
	return all + (shown ? (shown - 1) * FIT_GAP : 0);
}

static bool leave_out_one(struct fit_column *c, unsigned int n)
{
	unsigned int shown = 0, worst = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (!c[i].shown)
			continue;
		if (!shown++ || c[i].rank >= c[worst].rank)
			worst = i;
	}
	if (shown < 2)
		return false;
	c[worst].shown = false;
	return true;
}

/* The one that gives a column most easily: the widest of those that may be narrower. */
static struct fit_column *widest(struct fit_column *c, unsigned int n)
{
	struct fit_column *best = NULL;

	for (unsigned int i = 0; i < n; i++)
		if (c[i].shown && c[i].width > c[i].least && (!best || c[i].width > best->width))
			best = &c[i];
	return best;
}

void fit_columns(struct fit_column *c, unsigned int n, unsigned int columns)
{
	struct fit_column *one;
	unsigned int all;

	for (unsigned int i = 0; i < n; i++)
		if (c[i].least > c[i].width)
			c[i].least = c[i].width;
	while (taken(c, n, true) > columns && leave_out_one(c, n))
		;
	for (all = taken(c, n, false); all > columns; all--) {
		one = widest(c, n);
		if (!one)
			return;
		one->width--;
	}
}

/* ASCII that is seen: as most cells are, and a quarter of a million rows have millions. */
static bool is_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f)
			return false;
	return true;
}

/* The bytes at the end of s, all printable, that take at most max columns, without what combines with a character before. */
static size_t tail_of(const char *s, size_t len, unsigned int max, unsigned int *ret_width)
{
	size_t at = len, fits = len;

	*ret_width = 0;
	while (at > 0) {
		unsigned int w;

		do
			at--;
		while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80);
		w = utf8_width(s + at, len - at);
		if (w > max)
			break;
		if (w > *ret_width) {
			*ret_width = w;
			fits = at;
		}
	}
	return len - fits;
}

/* What is printable already. */
static unsigned int put_middle(struct buf *out, const char *s, size_t len, unsigned int max)
{
	unsigned int tail_width, head_width;
	size_t tail;

	if (max < 5 || utf8_width(s, len) <= max)
		return utf8_put_printable(out, s, len, max);
	tail = tail_of(s, len, (max - 1) / 2, &tail_width);
	head_width =
		utf8_put_printable(out, s, len - tail, max - tail_width); /* ends in the ellipsis */
	buf_put(out, s + len - tail, tail);
	return head_width + tail_width;
}

unsigned int fit_cell(struct buf *out, const char *s, size_t len, unsigned int max, bool middle)
{
	struct buf one = { 0 }, whole = { 0 };
	uint32_t cp = 0;
	bool blank = true; /* before this character: what may not be followed by one */
	unsigned int w;

	if (is_plain(s, len) && (!max || len <= max)) {
		buf_put(out, s, len);
		return (unsigned int)len;
	}
	for (size_t i = 0; i < len;) {
		int r = utf8_decode(s + i, len - i, &cp);
		size_t n = (size_t)(r < 0 ? -r : r);
		bool is = r > 0 && utf8_is_blank(cp);

		if (is && (cp != ' ' || blank || i + n == len))
			buf_put(&one, UTF8_REPLACEMENT, 3);
		else
			buf_put(&one, s + i, n);
		blank = is;
		i += n;
	}
	(void)utf8_put_printable(&whole, one.err ? "" : one.data, one.err ? 0 : one.len, 0);
	w = middle && !whole.err ? put_middle(out, whole.data, whole.len, max)
				 : utf8_put_printable(out, whole.err ? "" : whole.data,
						      whole.err ? 0 : whole.len, max);
	out->err = out->err ?: one.err ?: whole.err;
	buf_done(&one);
	buf_done(&whole);
	return w;
}

/* What is at s: one of our own colours (*ret_width 0, *ret_on: it switches one on), or a character. Returns its bytes. */
static size_t next_of(const char *s, size_t len, unsigned int *ret_width, bool *ret_on)
{
	uint32_t cp = 0;
	size_t n;
	int r;

	if (*s == ESC) {
		for (n = 1; n < len && s[n - 1] != 'm'; n++)
			;
		*ret_width = 0;
		*ret_on = !(n == 4 && s[2] == '0');
		return n;
	}
	r = utf8_decode(s, len, &cp);
	n = (size_t)(r < 0 ? -r : r);
	*ret_width = utf8_width(s, n);
	return n;
}

static unsigned int width_of(const char *s, size_t len)
{
	unsigned int all = 0, w;
	bool on;

	for (size_t i = 0; i < len; all += w)
		i += next_of(s + i, len - i, &w, &on);
	return all;
}

void fit_line(struct buf *out, const char *s, size_t len, unsigned int columns)
{
	unsigned int at = 0, w;
	bool on = false;
	size_t i, n;

	if (!columns || width_of(s, len) <= columns) {
		buf_put(out, s, len);
		return;
	}
	for (i = 0; i < len; i += n, at += w) {
		n = next_of(s + i, len - i, &w, &on);
		if (at + w > columns - 1)
			break;
		buf_put(out, s + i, n);
	}
	while (out->len && out->data[out->len - 1] == ' ')
		out->len--;
	buf_puts(out, on ? "…\033[0m" : "…");
}

static void blanks(struct buf *out, unsigned int n)
{
	while (n--)
		buf_putc(out, ' ');
}

/* One line; a word that has no room by itself is cut as the terminal would break it: not at all. */
static void words_of_line(struct buf *out, const char *s, size_t len, unsigned int columns)
{
	unsigned int indent = 0, at = 0, w;
	size_t i = 0, n, gap = 0;

	while (indent < len && s[indent] == ' ')
		indent++;
	for (i = indent, gap = indent; i < len; i += n + gap) {
		for (n = 0; i + n < len && s[i + n] != ' '; n++)
			;
		w = width_of(s + i, n);
		if (at > indent && at + gap + w > columns) {
			buf_putc(out, '\n');
			gap = indent + 2 < columns ? indent + 2 : 0;
			at = 0;
		}
		blanks(out, (unsigned int)gap);
		buf_put(out, s + i, n);
		at += (unsigned int)gap + w;
		for (gap = 0; i + n + gap < len && s[i + n + gap] == ' '; gap++)
			;
	}
}

void fit_words(struct buf *out, const char *s, size_t len, unsigned int columns)
{
	while (len) {
		const char *end = memchr(s, '\n', len);
		size_t n = end ? (size_t)(end - s) : len;

		if (!columns || width_of(s, n) <= columns)
			buf_put(out, s, n);
		else
			words_of_line(out, s, n, columns);
		if (!end)
			return;
		buf_putc(out, '\n');
		s += n + 1;
		len -= n + 1;
	}
}

struct text_locale text_locale_take(void)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

	return (struct text_locale){ utf8, utf8 ? uselocale(utf8) : (locale_t)0 };
}

void text_locale_give(const struct text_locale *l)
{
	if (!l->utf8)
		return;
	(void)uselocale(l->before);
	freelocale(l->utf8);
}
