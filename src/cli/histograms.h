/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe flows --histograms`: latencies of each process by powers of two. */
#ifndef NETPROBE_CLI_HISTOGRAMS_H
#define NETPROBE_CLI_HISTOGRAMS_H

#include "cli/cli.h"

/* In o's format; o->count: only that many processes. -errno. */
int histograms_write(struct netprobe_manager *m, struct sink *sink, const struct common_opts *o);

#endif
