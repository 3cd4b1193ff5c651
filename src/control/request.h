/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked over a control socket: one line of JSON a connection, answered by one line.
 *
 *   {"cmd":"info"}                              who answers: pid, command, mode, start
 *   {"cmd":"get"}  {"cmd":"get","key":"port"}   keys and their values
 *   {"cmd":"set","values":{"port":"80,443"}}    all of them or none; then the values as they are
 *   {"cmd":"stats"}                             losses of each program, as in probe.loss
 *
 * An answer is {"ok":true,...}, or {"ok":false,"code":EXIT,"error":"..."}.
 */
#ifndef NETPROBE_CONTROL_REQUEST_H
#define NETPROBE_CONTROL_REQUEST_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CONTROL_INFO 0
#define CONTROL_GET 1
#define CONTROL_SET 2
#define CONTROL_STATS 3

#define CONTROL_MAX_BYTES 16384 /* of a request's line */
#define CONTROL_MAX_PAIRS 64

struct control_pair {
	const char *key, *value;
};

struct control_request {
	uint8_t what;				      /* CONTROL_* */
	const char *key;			      /* CONTROL_GET; NULL: all */
	struct control_pair pairs[CONTROL_MAX_PAIRS]; /* CONTROL_SET */
	unsigned int n;
	json_t *root; /* the strings are in it */
};

/* -EINVAL with err filled; nothing to free then. */
int request_parse(const char *line, size_t len, struct control_request *ret_request,
		  struct netprobe_error *err);
void request_done(struct control_request *q);

#endif
