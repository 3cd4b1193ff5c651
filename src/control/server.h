/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket of a running instance. It never waits: one descriptor to be watched, a call
 * when that is readable. A client that says nothing, too much, or does not read is dropped.
 */
#ifndef NETPROBE_CONTROL_SERVER_H
#define NETPROBE_CONTROL_SERVER_H

#include "base/buf.h"
#include "base/error.h"
#include "control/request.h"

#define CONTROL_CLIENTS 8	/* at once; more are told to come again */
#define CONTROL_TIMEOUT_MS 2000 /* for a request to come in and for its answer to be taken */

/*
 * Answer: the members of the reply's object beside "ok", by json_kv_*. Else negative errno and err:
 * -EINVAL for what is the asker's fault.
 */
typedef int (*control_answer_fn)(const struct control_request *q, struct buf *reply,
				 struct netprobe_error *err, void *arg);

struct control_server;

/* Listens for this process; sockets that dead ones left are removed. err filled. */
int control_server_open(control_answer_fn fn, void *arg, struct control_server **ret_server,
			struct netprobe_error *err);
struct control_server *control_server_close(struct control_server *s); /* NULL-safe */
int control_server_fd(const struct control_server *s);
void control_server_run(struct control_server *s);

#endif
