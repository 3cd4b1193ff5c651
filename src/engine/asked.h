/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who asked a local resolver: calls of libc's resolver, kept for a while to be found by the queries
 * that they led to. Bounded; the oldest call gives way.
 */
#ifndef NETPROBE_ENGINE_ASKED_H
#define NETPROBE_ENGINE_ASKED_H

#include <stdbool.h>

#include "probe/asked.h"

/* One call, kept until a thousand newer ones came. */
struct asked_call {
	uint64_t begin_ns, end_ns; /* end 0: it goes on */
	struct np_owner owner;
	char name[NP_ASKED_NAME]; /* in lower case, without the last dot */
};

struct asked;

/* Finds the libraries and probes them. Errors as probe_asked_open's. */
int asked_open(struct probe *probe, struct asked **ret_asked, struct netprobe_error *err);
struct asked *asked_close(struct asked *a);
int asked_poll(struct asked *a, uint64_t now_ns);
/*
 * The call that a query about qname, sent at_ns by sender, was made for: another process asked for
 * that name (or for the part of it before the search list) and was waiting then. NULL: none.
 */
const struct asked_call *asked_find(const struct asked *a, const char *qname, uint64_t at_ns,
				    const struct np_owner *sender);
int asked_losses(const struct asked *a, struct np_asked_loss *ret_loss);
/* Libraries that are probed. */
unsigned int asked_libraries(const struct asked *a);

#endif
