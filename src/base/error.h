/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a library layer says what went wrong: it returns a negative errno and fills this, it never
 * prints. Only cli, daemon and engine log.
 */
#ifndef NETPROBE_BASE_ERROR_H
#define NETPROBE_BASE_ERROR_H

/* struct netprobe_error is the library's users', too. */
#include <netprobe/netprobe.h>

/* Fill err (NULL is allowed) and return code, for: return error_set(err, -ENOENT, ...). */
int error_set(struct netprobe_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void error_hint(struct netprobe_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* What another call said, as its own. */
void error_take(struct netprobe_error *err, const struct netprobe_error *from);
/* The same message under another code, which is returned. */
int error_recode(struct netprobe_error *err, int code);
/* Put "prefix: " in front of the message a lower layer left; its hint and code stay. */
void error_prefix(struct netprobe_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
