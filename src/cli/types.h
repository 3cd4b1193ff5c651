/* SPDX-License-Identifier: BSD-2-Clause */
/* --type: which types of events are written. */
#ifndef NETPROBE_CLI_TYPES_H
#define NETPROBE_CLI_TYPES_H

#include "base/args.h"
#include "base/buf.h"

#define TYPES_MAX 64

/* Types of the library by their index; none wanted: all are. */
struct types {
	uint64_t wanted;
	const char *
		seen; /* of the last event: names are the library's own strings, so that one look is enough */
	bool is_seen_wanted;
};

/*
 * "conn.close", "conn.close,dns.query", "conn" (conn.open, conn.close, conn.fail). -EINVAL: err names the type that
 * there is not, and the one most like it.
 */
int types_add(struct types *t, const char *list, struct netprobe_error *err);
/* Each type on a line. -ENOMEM. */
int types_list(struct buf *out);
bool types_want(struct types *t, const char *type);

#endif
