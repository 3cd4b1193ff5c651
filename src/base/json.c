/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON writer, written by hand because it runs for every event: runs of plain characters are copied
 * in one go, keys are not looked at. It writes what it is told; balanced braces are the caller's.
 * Reading JSON is jansson's business, not ours.
 */
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

/* 0 plain, 1 to be escaped, 2 first byte of something beyond ASCII (or of nothing valid). */
static const unsigned char char_class[256] = {
	[0 ... 0x1f] = 1, ['"'] = 1, ['\\'] = 1, [0x7f] = 1, [0x80 ... 0xff] = 2,
};

/*
 * Whether eight bytes are all plain. Paths and container ids are most of a line's bytes; this takes
 * an eighth off its cost. Bit 7 of each byte of the sum tells of: the byte itself beyond ASCII,
 * below 0x20 (borrow), a quote, a backslash or DEL (exclusive-or gives 0, again a borrow). A borrow may
 * spill into the next byte: a false alarm costs time only.
 */
static bool all_plain(const char *s)
{
	const uint64_t ones = 0x0101010101010101ull;
	uint64_t w, quote, slash, del;

	memcpy(&w, s, sizeof(w));
	quote = (w ^ ones * '"') - ones;
	slash = (w ^ ones * '\\') - ones;
	del = (w ^ ones * 0x7f) - ones;
	return !((w | (w - ones * 0x20) | quote | slash | del) & ones * 0x80);
}

static void put_escaped(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
	const char *name = memchr("\bb\ff\nn\rr\tt\"\"\\\\", c, 14);

	/* The list above is pairs; a letter of it is never asked for, so a hit is a first half. */
	if (name) {
		text[1] = name[1];
		buf_put(b, text, 2);
		return;
	}
	buf_put(b, text, sizeof(text));
}

/* Of a character that shows nothing by itself: whoever reads JSON has it whole, a terminal does not obey it. */
static void put_code(struct buf *b, uint32_t cp)
{
	if (cp > 0xffff) {
		put_code(b, 0xd800 + ((cp - 0x10000) >> 10));
		cp = 0xdc00 + (cp & 0x3ff);
	}
	buf_printf(b, "\\u%04x", cp);
}

static void put_quoted(struct buf *b, const char *s, size_t len)
{
	size_t i = 0, run = 0; /* s[run..i) is plain and not yet copied */
	uint32_t cp;
	int n;

	buf_putc(b, '"');
	while (i < len) {
		unsigned char c = (unsigned char)s[i];

		if (len - i >= 8 && all_plain(s + i)) {
			i += 8;
			continue;
		}
		if (char_class[c] == 0) {
			i++;
			continue;
		}
		n = char_class[c] == 2 ? utf8_decode(s + i, len - i, &cp) : 0;
		if (n > 0 && !utf8_is_control(cp)) {
			i += (size_t)n;
			continue;
		}
		buf_put(b, s + run, i - run);
		if (n < 0)
			buf_put(b, UTF8_REPLACEMENT, 3);
		else if (n > 0)
			put_code(b, cp);
		else
			put_escaped(b, c);
		i += n < 0 ? (size_t)-n : n > 0 ? (size_t)n : 1;
		run = i;
	}
	buf_put(b, s + run, len - run);
	buf_putc(b, '"');
}

void json_str(struct buf *b, const char *s)
{
	if (s)
		put_quoted(b, s, strlen(s));
	else
		buf_put(b, "null", 4);
}

void json_strn(struct buf *b, const char *s, size_t max)
{
	if (s)
		put_quoted(b, s, strnlen(s, max));
	else
		buf_put(b, "null", 4);
}

void json_text(struct buf *b, const char *json)
{
	size_t len = strlen(json), n;
	uint32_t cp = 0;

	for (; len > 0; json += n, len -= n) {
		int r = utf8_decode(json, len, &cp);

		n = (size_t)(r < 0 ? -r : r);
		if (r > 0 && utf8_is_control(cp))
			put_code(b, cp);
		else
			buf_put(b, json, n);
	}
}

void json_keyn(struct buf *b, const char *key, size_t len)
{
	char last = b->len ? b->data[b->len - 1] : '\n';
	char *p;

	if (buf_reserve(b, len + 4) < 0)
		return;
	p = b->data + b->len;
	/* A line may follow another one in the same buffer, hence the newline. */
	if (last != '{' && last != '[' && last != '\n')
		*p++ = ',';
	*p++ = '"';
	memcpy(p, key, len);
	p += len;
	*p++ = '"';
	*p++ = ':';
	b->len = (size_t)(p - b->data);
}

void json_kv_bool(struct buf *b, const char *key, bool v)
{
	json_key(b, key);
	buf_puts(b, v ? "true" : "false");
}
