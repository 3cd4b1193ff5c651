/* SPDX-License-Identifier: BSD-2-Clause */
/* How a command ends, and where its data goes. */
#ifndef NETPROBE_CLI_SINK_H
#define NETPROBE_CLI_SINK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

#define EXIT_OK 0
#define EXIT_PERM 1    /* a capability is missing */
#define EXIT_CAPTURE 2 /* capture or BPF could not start */
#define EXIT_USAGE 3   /* bad arguments or config */
#define EXIT_INTERNAL 4

struct common_opts;

/* Where a command's data goes: stdout or -o FILE. */
struct sink {
	int fd;
	bool tty, color;
	bool closed; /* the reader went away: end quietly */
};
int sink_open(struct sink *k, const struct common_opts *o, struct netprobe_error *err);
void sink_close(struct sink *k);
/* All of b, then b is empty. -EPIPE when the reader is gone, -errno when the disk is full or the like. */
int sink_write(struct sink *k, struct buf *b);

#endif
