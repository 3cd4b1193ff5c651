/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands with --trace share. */
#ifndef NETPROBE_CLI_TRACE_H
#define NETPROBE_CLI_TRACE_H

#include "engine/trace.h"

/* Whether f leaves few enough packets to follow each. -EINVAL, err filled. */
int trace_check(const struct np_filter *f, struct netprobe_error *err);
/* Steps that were not told, on stderr. */
void trace_tell_losses(const struct trace_watch *w);

#endif
