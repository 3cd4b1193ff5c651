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

bool utf8_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
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
