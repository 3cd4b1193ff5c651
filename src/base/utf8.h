/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UTF-8 from places that promise nothing (comm, paths, arguments): strict decoding, width on a
 * terminal, and text that cannot steer one.
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
 * What may act on a terminal or reorder a line instead of showing itself: C0, DEL, C1, line and
 * paragraph separators, direction overrides.
 */
bool utf8_is_control(uint32_t cp);
/* Terminal columns of s as utf8_put_printable prints it. */
unsigned int utf8_width(const char *s, size_t len);
/* Append s with U+FFFD for what is no UTF-8; controls stay. */
void utf8_put_valid(struct buf *b, const char *s, size_t len);
/*
 * Append s for a terminal: controls and bytes that are no UTF-8 become U+FFFD; at most max columns
 * (0: no limit), a longer text ends in an ellipsis. Returns the columns.
 */
unsigned int utf8_put_printable(struct buf *b, const char *s, size_t len, unsigned int max);

#endif
