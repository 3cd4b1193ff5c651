/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UTF-8 decoding and its width on a terminal. Widths come from wcwidth(), whose wchar_t is the code
 * point in glibc and musl; in a locale without UTF-8 it knows ASCII only and the rest counts as one
 * column, so whoever draws sets LC_CTYPE. Not here: JSON quoting (json.c).
 */
#include "base/utf8.h"

#include <string.h>
#include <wchar.h>

/* Table 3-7 of the Unicode standard: the second byte's range depends on the first. */
static void second_byte_range(unsigned char c, unsigned char *ret_lo, unsigned char *ret_hi)
{
	*ret_lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	*ret_hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
}

int utf8_decode(const char *s, size_t len, uint32_t *ret_cp)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char lo, hi;
	uint32_t cp;
	int n, i;

	if (p[0] < 0x80) {
		*ret_cp = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return -1;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	cp = p[0] & (0xffu >> (n + 1));
	second_byte_range(p[0], &lo, &hi);
	for (i = 1; i < n; i++) {
		if ((size_t)i >= len || p[i] < lo || p[i] > hi)
			return -i;
		cp = cp << 6 | (p[i] & 0x3fu);
		lo = 0x80;
		hi = 0xbf;
	}
	*ret_cp = cp;
	return n;
}

/* General categories Cf, Zl, Zp, what Unicode calls default ignorable, and noncharacters of plane 0; as of Unicode 15. */
static const struct {
	uint32_t from, to;
} unseen[] = {
	{ 0xad, 0xad },	      { 0x34f, 0x34f },	    { 0x600, 0x605 },	  { 0x61c, 0x61c },
	{ 0x6dd, 0x6dd },     { 0x70f, 0x70f },	    { 0x890, 0x891 },	  { 0x8e2, 0x8e2 },
	{ 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },	  { 0x200b, 0x200f },
	{ 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0x3164, 0x3164 },	  { 0xfdd0, 0xfdef },
	{ 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },	  { 0xfff0, 0xfffb },
	{ 0xfffe, 0xffff },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

bool utf8_is_control(uint32_t cp)
{
	if (cp < 0xa0)
		return cp < 0x20 || cp >= 0x7f;
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]) && unseen[i].from <= cp; i++)
		if (cp <= unseen[i].to)
			return true;
	return cp > 0xffff && (cp & 0xfffe) == 0xfffe;
}

bool utf8_is_blank(uint32_t cp)
{
	return cp == ' ' || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) ||
	       cp == 0x202f || cp == 0x205f || cp == 0x2800 || cp == 0x3000;
}

static unsigned int char_width(uint32_t cp)
{
	int w = cp < 0x7f ? 1 : wcwidth((wchar_t)cp);

	return w < 0 ? 1 : (unsigned int)w;
}

/* Like utf8_decode, but returns the bytes passed; *ret_cp is U+FFFD where not printable. */
static size_t next_char(const char *s, size_t len, uint32_t *ret_cp)
{
	uint32_t cp = 0xfffd;
	int n = utf8_decode(s, len, &cp);

	*ret_cp = utf8_is_control(cp) ? 0xfffd : cp;
	return (size_t)(n < 0 ? -n : n);
}

bool utf8_is_ascii(const char *s)
{
	while (*s && (unsigned char)*s < 0x80)
		s++;
	return !*s;
}

unsigned int utf8_width(const char *s, size_t len)
{
	unsigned int width = 0;
	uint32_t cp;
	size_t i;

	for (i = 0; i < len;) {
		i += next_char(s + i, len - i, &cp);
		width += char_width(cp);
	}
	return width;
}

void utf8_put_valid(struct buf *b, const char *s, size_t len)
{
	uint32_t cp;
	size_t i = 0;
	int n;

	while (i < len) {
		n = utf8_decode(s + i, len - i, &cp);
		if (n < 0)
			buf_put(b, UTF8_REPLACEMENT, 3);
		else
			buf_put(b, s + i, (size_t)n);
		i += (size_t)(n < 0 ? -n : n);
	}
}

unsigned int utf8_put_printable(struct buf *b, const char *s, size_t len, unsigned int max)
{
	bool cut = max && utf8_width(s, len) > max;
	unsigned int width = 0, room = cut ? max - 1 : 0;
	uint32_t cp;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = next_char(s + i, len - i, &cp);
		if (cut && width + char_width(cp) > room)
			break;
		if (cp == 0xfffd)
			buf_put(b, UTF8_REPLACEMENT, 3);
		else
			buf_put(b, s + i, n);
		width += char_width(cp);
	}
	if (!cut)
		return width;
	buf_puts(b, "…");
	return width + 1;
}

void utf8_one_line(char *s)
{
	size_t len = strlen(s), n;
	uint32_t cp = 0;
	int r;

	for (; len > 0; s += n, len -= n) {
		r = utf8_decode(s, len, &cp);
		n = (size_t)(r < 0 ? -r : r);
		if (r < 0 || utf8_is_control(cp))
			memset(s, '?', n);
	}
}

static bool needs_quotes(const char *s, size_t len)
{
	uint32_t cp = 0;

	for (size_t i = 0; i < len;) {
		i += next_char(s + i, len - i, &cp);
		if (utf8_is_blank(cp))
			return true;
	}
	return !len || *s == '"';
}

unsigned int utf8_put_field(struct buf *b, const char *s, size_t len)
{
	unsigned int width = 2;
	size_t n;

	if (!needs_quotes(s, len))
		return utf8_put_printable(b, s, len, 0);
	buf_putc(b, '"');
	for (; len > 0; s += n, len -= n) {
		for (n = 0; n < len && s[n] != '"' && s[n] != '\\'; n++)
			;
		width += utf8_put_printable(b, s, n, 0);
		if (n == len)
			break;
		buf_putc(b, '\\');
		buf_putc(b, s[n++]);
		width += 2;
	}
	buf_putc(b, '"');
	return width;
}
