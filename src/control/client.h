/* SPDX-License-Identifier: BSD-2-Clause */
/* The asking side of a control socket: one request, one answer, then it is closed. May wait. */
#ifndef NETPROBE_CONTROL_CLIENT_H
#define NETPROBE_CONTROL_CLIENT_H

#include <jansson.h>
#include <sys/types.h>

#include "base/error.h"
#include "control/dir.h"

#define CONTROL_REPLY_MAX (1U << 20)

/*
 * Send a request (one line, newline included) and take the answer (json_decref it), whether it says
 * "ok" or not. -ENOENT: there is no such instance; -EPERM: it is not ours to ask; -ETIMEDOUT,
 * -EPROTO; err filled.
 */
int control_call(const struct control_dir *d, pid_t pid, const char *request, json_t **ret_reply,
		 struct netprobe_error *err);

#endif
