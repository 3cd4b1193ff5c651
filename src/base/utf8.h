/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UTF-8 from places that promise nothing (comm, paths, arguments): strict decoding, width on a
 * terminal, and text that cannot steer one. Names that others chose (of processes, files, cgroups, containers, interfaces,
 * hosts) go out by utf8_put_printable, by utf8_put_field where they are one field of a line, or by json_str (buf.h);
 * tests/check-names refuses other ways.
 */
#ifndef NETPROBE_BASE_UTF8_H
#define NETPROBE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/*
 * One character at s, len >= 1 bytes there. Returns its length and sets ret_cp. On bytes that are
 * no UTF-8 (overlong, surrogate, above U+10FFFF, cut short) returns minus the number of bytes that
 * one U+FFFD stands for (Unicode's "maximal subpart"), ret_cp untouched.
 */
int utf8_decode(const char *s, size_t len, uint32_t *ret_cp);
/*
 * What may act on a terminal, reorder a line or hide instead of showing itself: C0, DEL, C1, line and paragraph
 * separators, all format characters of Unicode (direction, joiners, tags, ...), fillers, variation selectors, and
 * what is no character at all.
 */
bool utf8_is_control(uint32_t cp);
/* Nothing beyond 7 bits. A char has a sign on x86-64 and none on arm64. */
bool utf8_is_ascii(const char *s);
/* Blanks of every width. */
bool utf8_is_blank(uint32_t cp);
/* Terminal columns of s as utf8_put_printable prints it. */
unsigned int utf8_width(const char *s, size_t len);
/* Append s with U+FFFD for what is no UTF-8; controls stay. */
void utf8_put_valid(struct buf *b, const char *s, size_t len);
/* A '?' for each byte of s that is no UTF-8 or of a control. */
void utf8_one_line(char *s);
/*
 * As utf8_put_printable without a limit, as one field of a line: where s is empty, has a blank in it or begins with a quote,
 * it stands in double quotes, and quotes and backslashes in it have a backslash in front.
 */
unsigned int utf8_put_field(struct buf *b, const char *s, size_t len);
/*
 * Append s for a terminal: controls and bytes that are no UTF-8 become U+FFFD; at most max columns
 * (0: no limit), a longer text ends in an ellipsis. Returns the columns.
 */
unsigned int utf8_put_printable(struct buf *b, const char *s, size_t len, unsigned int max);

#endif
