/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands with --trace share. */
#ifndef NETPROBE_CLI_TRACE_H
#define NETPROBE_CLI_TRACE_H

#include "cli/cli.h"

/* Whether the filters leave few enough packets to follow each. -EINVAL, err filled. */
int trace_check(const struct common_opts *o, struct netprobe_error *err);
/* Steps that were not told, on stderr. */

#endif
