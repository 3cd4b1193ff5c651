/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks backends whether they serve: TCP connects and HTTP requests, from this network namespace, all at
 * once, none of them waited for. Writes what it learns into the pinned maps, as any other command does;
 * while nobody runs one of these, backends stay as they were last seen.
 */
#ifndef NETPROBE_BALANCE_CHECK_H
#define NETPROBE_BALANCE_CHECK_H

#include <stddef.h>

#include "balance/balance.h"

struct checker;

/* A backend went up or down; both texts are good during the call only. why: of the failed check. */
typedef void (*checker_fn)(const char *vip, const char *backend, bool up, const char *why,
			   void *arg);

/* b stays the caller's; the checker shares it between its steps. NULL: no memory. */
struct checker *checker_new(struct balance *b, checker_fn fn, void *arg);
struct checker *checker_free(struct checker *c); /* NULL */
/*
 * Start what is due, wait for answers for up to timeout_ms, take them. -errno: the maps are gone or
 * cannot be written.
 */
int checker_run(struct checker *c, int timeout_ms, struct netprobe_error *err);
/* Of the first bytes of an answer: its status; 0: not HTTP; -EAGAIN: too few yet. */
int check_http_status(const char *reply, size_t bytes);

#endif
