/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growing byte buffer and the JSON writer on top of it: the hot path of `events`. A failed
 * allocation sets err once and makes all further calls no-ops, so writers check only at the end.
 */
#ifndef NETPROBE_BASE_BUF_H
#define NETPROBE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
	int err; /* 0 or -ENOMEM; -EINVAL from a format that cannot be printed */
	/* The second buf_time_ns wrote last and its text; empty: none yet. */
	uint64_t time_s;
	char time_text[24];
};

void buf_done(struct buf *b);
void buf_reset(struct buf *b);		      /* keeps the memory, forgets err */
int buf_reserve(struct buf *b, size_t extra); /* room for extra more bytes: 0 or b->err */
/* The contents as a C string, "" for an empty buffer; NULL after a failed allocation. */
const char *buf_str(struct buf *b);
void buf_put(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* snprintf whose numbers have a point, whatever the locale of the program. buf_printf is the same. */
int fmt(char *s, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "%.3f" of buf_double's number, without printf: for what is told of each event. */
int fmt_milli(char *s, size_t size, double v);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
/*
 * Shortest of %.3f without trailing zeros ("125.5", "0"), whole numbers from 1e15 on; whatever the
 * locale. Never NaN or infinity: those give null.
 */
void buf_double(struct buf *b, double v);
/* RFC 3339, UTC: 2026-01-31T12:00:00.123456789Z. Caches the second in b, so not thread-safe. */
void buf_time_ns(struct buf *b, uint64_t wall_ns);

/*
 * JSON. Keys are literals and not escaped; values are, and bytes that are not UTF-8 become U+FFFD,
 * so a line is always valid JSON whatever a comm or a path holds. Characters that act instead of showing themselves
 * (utf8_is_control) are written as \uXXXX.
 */
void json_str(struct buf *b, const char *s);		  /* quoted; NULL gives null */
void json_strn(struct buf *b, const char *s, size_t max); /* up to NUL or max */
/* What another library wrote on one line, such characters escaped. */
void json_text(struct buf *b, const char *json);
void json_keyn(struct buf *b, const char *key, size_t len);
/* ,"key": with the comma where one is due. Inline, as those below: the compiler knows how long a literal is. */
static inline void json_key(struct buf *b, const char *key)
{
	json_keyn(b, key, __builtin_strlen(key));
}
static inline void json_kv_str(struct buf *b, const char *key, const char *s)
{
	json_key(b, key);
	json_str(b, s);
}

static inline void json_kv_u64(struct buf *b, const char *key, uint64_t v)
{
	json_key(b, key);
	buf_u64(b, v);
}

static inline void json_kv_double(struct buf *b, const char *key, double v)
{
	json_key(b, key);
	buf_double(b, v);
}

static inline void json_kv_null(struct buf *b, const char *key)
{
	json_key(b, key);
	buf_put(b, "null", 4);
}

/* 0 gives null */
static inline void json_kv_u64_or_null(struct buf *b, const char *key, uint64_t v)
{
	json_key(b, key);
	if (v)
		buf_u64(b, v);
	else
		buf_put(b, "null", 4);
}

void json_kv_bool(struct buf *b, const char *key, bool v);

#endif
