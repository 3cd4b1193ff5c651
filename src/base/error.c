/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fill struct netprobe_error. Messages are one line whatever the input quoted in them holds, so
 * control characters are replaced here, once, and no caller has to think of it.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

int error_set(struct netprobe_error *err, int code, const char *fmt, ...)
{
	char msg[sizeof(err->msg)]; /* the arguments may point into err */
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	utf8_one_line(msg);
	err->code = code;
	memcpy(err->msg, msg, sizeof(msg));
	err->hint[0] = '\0';
	return code;
}

void error_take(struct netprobe_error *err, const struct netprobe_error *from)
{
	if (err)
		*err = *from;
}

int error_recode(struct netprobe_error *err, int code)
{
	if (err)
		err->code = code;
	return code;
}

void error_hint(struct netprobe_error *err, const char *fmt, ...)
{
	char hint[sizeof(err->hint)];
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(hint, sizeof(hint), fmt, ap);
	va_end(ap);
	utf8_one_line(hint);
	memcpy(err->hint, hint, sizeof(hint));
}

void error_prefix(struct netprobe_error *err, const char *fmt, ...)
{
	char prefix[sizeof(err->msg)], msg[2 * sizeof(err->msg) + 2];
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	(void)snprintf(msg, sizeof(msg), "%s: %s", prefix, err->msg);
	msg[sizeof(err->msg) - 1] = '\0';
	utf8_one_line(msg);
	memcpy(err->msg, msg, sizeof(err->msg));
}
