/* SPDX-License-Identifier: BSD-2-Clause */
/* See json_find.h. */
#include "api/json_find.h"

#include <stdint.h>
#include <string.h>

static const char *skip_spaces(const char *s)
{
	while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		s++;
	return s;
}

/* Behind the quote that ends it; NULL: none does. */
static const char *skip_string(const char *s)
{
	for (s++; *s && *s != '"'; s++)
		if (*s == '\\' && !*++s)
			return NULL;
	return *s ? s + 1 : NULL;
}

/* Behind a value; NULL: it does not end. */
static const char *skip_value(const char *s)
{
	unsigned int depth = 0;

	do {
		if (*s == '"') {
			s = skip_string(s);
			if (!s)
				return NULL;
			continue;
		}
		if (!*s || (!depth && (*s == '}' || *s == ']' || *s == ',')))
			return depth ? NULL : s;
		depth += *s == '{' || *s == '[';
		depth -= *s == '}' || *s == ']';
		s++;
	} while (depth || (*s && *s != ',' && *s != '}' && *s != ']'));
	return s;
}

/* The next member from s on, which is behind '{' or ','; NULL: none. */
static const char *take_member(const char *s, struct json_key *ret)
{
	const char *end;

	s = skip_spaces(s);
	if (*s != '"')
		return NULL;
	end = skip_string(s);
	if (!end)
		return NULL;
	ret->name = s + 1;
	ret->len = (size_t)(end - s) - 2;
	s = skip_spaces(end);
	if (*s != ':')
		return NULL;
	ret->value = skip_spaces(s + 1);
	end = skip_value(ret->value);
	return end ? skip_spaces(end) : NULL;
}

static bool is_named(const struct json_key *k, const char *name, size_t len)
{
	return k->len == len && !memcmp(k->name, name, len);
}

const char *json_index_find(struct json_index *x, const char *json, const char *name, size_t len)
{
	if (!x->made) {
		const char *s = json && *json == '{' ? json : NULL;

		x->made = true;
		while (s && (*s == '{' || *s == ',') && x->n < JSON_KEYS) {
			s = take_member(s + 1, &x->keys[x->n]);
			x->n += s != NULL;
		}
	}
	for (unsigned int i = 0; i < x->n; i++)
		if (is_named(&x->keys[i], name, len))
			return x->keys[i].value;
	return NULL;
}

const char *json_member(const char *object, const char *name, size_t len)
{
	struct json_key k;
	const char *s = *object == '{' ? object : NULL;

	while (s && (*s == '{' || *s == ',')) {
		s = take_member(s + 1, &k);
		if (s && is_named(&k, name, len))
			return k.value;
	}
	return NULL;
}

const char *json_item(const char *array, unsigned int i)
{
	const char *s = *array == '[' ? skip_spaces(array + 1) : NULL;

	if (!s || *s == ']')
		return NULL;
	for (; i; i--) {
		s = skip_value(s);
		s = s ? skip_spaces(s) : NULL;
		if (!s || *s != ',')
			return NULL;
		s = skip_spaces(s + 1);
	}
	return *s ? s : NULL;
}

static int hex(const char *s, uint32_t *ret)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		char c = s[i];

		if (c >= '0' && c <= '9')
			v = v * 16 + (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = v * 16 + (uint32_t)((c | 32) - 'a') + 10;
		else
			return -1;
	}
	*ret = v;
	return 0;
}

static void put_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_putc(b, (char)c);
	} else if (c < 0x800) {
		buf_putc(b, (char)(0xc0 | c >> 6));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_putc(b, (char)(0xe0 | c >> 12));
		buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_putc(b, (char)(0xf0 | c >> 18));
		buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_putc(b, (char)(0x80 | (c & 0x3f)));
	}
}

/* What follows a backslash; where it ends. */
static const char *put_escape(struct buf *b, const char *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found = *s ? strchr(from, *s) : NULL;
	uint32_t c, low;

	if (found) {
		buf_putc(b, to[found - from]);
		return s + 1;
	}
	if (*s != 'u' || hex(s + 1, &c) || !c)
		return s;
	s += 5;
	/* what is beyond 16 bits is written as two */
	if (c >> 10 == 0xd800 >> 10 && s[0] == '\\' && s[1] == 'u' && !hex(s + 2, &low) &&
	    low >> 10 == 0xdc00 >> 10) {
		c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
		s += 6;
	}
	put_utf8(b, c);
	return s;
}

const char *json_value_text(const char *value, struct buf *room)
{
	if (*value != '"')
		return NULL;
	buf_reset(room);
	for (const char *s = value + 1; *s && *s != '"';) {
		size_t n = strcspn(s, "\"\\");

		buf_put(room, s, n);
		s += n;
		if (*s == '\\')
			s = put_escape(room, s + 1);
	}
	buf_putc(room, '\0');
	return room->err ? NULL : room->data;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool json_value_number(const char *value, long double *ret)
{
	const char *s = value + (*value == '-');
	long double v = 0, place = 1;
	int power = 0;
	bool under;

	if (!is_digit(*s))
		return false;
	for (; is_digit(*s); s++)
		v = v * 10 + (*s - '0');
	if (*s == '.')
		for (s++; is_digit(*s); s++) {
			v = v * 10 + (*s - '0');
			place *= 10;
		}
	v /= place;
	if ((*s | 32) == 'e') {
		s++;
		under = *s == '-';
		s += *s == '-' || *s == '+';
		for (; is_digit(*s) && power < 4000; s++)
			power = power * 10 + (*s - '0');
		for (; power > 0; power--)
			v = under ? v / 10 : v * 10;
	}
	*ret = *value == '-' ? -v : v;
	return true;
}
