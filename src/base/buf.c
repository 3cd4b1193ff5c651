/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The growing byte buffer: bytes, numbers, printf. Everything that is written by netprobe passes
 * here, so integers have their own formatting; printf is for the cold paths. Not here: quoting
 * (json.c), time (time.c).
 */
#include "base/buf.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One event line fits, so that a stream allocates once. */
#define BUF_FIRST 2048

/* From here on a double has at most one binary digit or two behind the point. */
#define DOUBLE_EXACT 1e15

void buf_done(struct buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->err = 0;
}

static int buf_fail(struct buf *b)
{
	b->err = -ENOMEM;
	return b->err;
}

int buf_reserve(struct buf *b, size_t extra)
{
	size_t want, cap;
	char *data;

	if (b->err)
		return b->err;
	if (b->cap - b->len >= extra)
		return 0;
	if (__builtin_add_overflow(b->len, extra, &want) || want > SIZE_MAX / 2)
		return buf_fail(b);
	for (cap = b->cap ? b->cap : BUF_FIRST; cap < want;)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data)
		return buf_fail(b);
	b->data = data;
	b->cap = cap;
	return 0;
}

const char *buf_str(struct buf *b)
{
	if (buf_reserve(b, 1) < 0)
		return NULL;
	b->data[b->len] = '\0';
	return b->data;
}

void buf_put(struct buf *b, const void *data, size_t len)
{
	if (len == 0 || buf_reserve(b, len) < 0)
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	if (buf_reserve(b, 1) < 0)
		return;
	b->data[b->len++] = c;
}

/* Of the calling thread, for the time of one conversion: a library's caller may have any locale. */
static int convert(char *s, size_t size, const char *format, va_list ap)
{
	static _Atomic locale_t once;
	locale_t plain = once, was;
	int n;

	if (!plain) /* the C library's own: each thread gets the same */
		once = plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	was = plain ? uselocale(plain) : (locale_t)0;
	n = vsnprintf(s, size, format, ap);
	if (was)
		(void)uselocale(was);
	return n;
}

int fmt(char *s, size_t size, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = convert(s, size, format, ap);
	va_end(ap);
	return n;
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = convert(NULL, 0, format, ap);
	va_end(ap);
	/* A format that cannot be printed (EILSEQ) loses the text: it must not pass. */
	if (n < 0)
		b->err = b->err ? b->err : -EINVAL;
	if (n < 0 || buf_reserve(b, (size_t)n + 1) < 0)
		return;
	va_start(ap, format);
	(void)convert(b->data + b->len, (size_t)n + 1, format, ap);
	va_end(ap);
	b->len += (size_t)n;
}

/* The last byte of the digits is before end; the first is returned. */
static char *put_digits(char *end, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char *p = end;

	while (v >= 100) {
		p -= 2;
		memcpy(p, pairs + 2 * (v % 100), 2);
		v /= 100;
	}
	if (v >= 10) {
		p -= 2;
		memcpy(p, pairs + 2 * v, 2);
	} else {
		*--p = (char)('0' + v);
	}
	return p;
}

#define DIGITS 20 /* of UINT64_MAX */

void buf_u64(struct buf *b, uint64_t v)
{
	char digits[DIGITS], *end = digits + sizeof(digits), *p = put_digits(end, v);

	buf_put(b, p, (size_t)(end - p));
}

void buf_i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_putc(b, '-');
	/* Negating as unsigned is right for INT64_MIN too. */
	buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Of the absolute value. Parted first: times 1000 as a whole would lose the last digits of large ones. */
static uint64_t part_milli(double v, uint64_t *ret_milli)
{
	uint64_t whole = (uint64_t)fabs(v);

	*ret_milli = (uint64_t)lround((fabs(v) - (double)whole) * 1000);
	if (*ret_milli < 1000)
		return whole;
	*ret_milli = 0;
	return whole + 1;
}

int fmt_milli(char *s, size_t size, double v)
{
	char text[1 + DIGITS + 4], *end = text + sizeof(text), *p;
	uint64_t whole, milli;
	size_t len;

	if (!isfinite(v) || fabs(v) >= DOUBLE_EXACT)
		return fmt(s, size, "%.3f", v);
	whole = part_milli(v, &milli);
	/* as a number of four digits, whose first becomes the point */
	p = put_digits(end, 1000 + milli);
	*p = '.';
	p = put_digits(p, whole);
	if (v < 0 && (whole || milli))
		*--p = '-';
	len = (size_t)(end - p);
	if (size) {
		size_t n = len < size ? len : size - 1;

		memcpy(s, p, n);
		s[n] = '\0';
	}
	return (int)len;
}

void buf_double(struct buf *b, double v)
{
	uint64_t whole, milli;
	char text[4];

	if (!isfinite(v)) {
		buf_put(b, "null", 4);
		return;
	}
	if (fabs(v) >= DOUBLE_EXACT) {
		buf_printf(b, "%.0f", v);
		return;
	}
	whole = part_milli(v, &milli);
	if (v < 0 && (whole || milli))
		buf_putc(b, '-');
	buf_u64(b, whole);
	if (!milli)
		return;
	text[0] = '.';
	text[1] = (char)('0' + milli / 100);
	text[2] = (char)('0' + milli / 10 % 10);
	text[3] = (char)('0' + milli % 10);
	buf_put(b, text, milli % 10 ? 4 : milli % 100 ? 3 : 2);
}
