/* SPDX-License-Identifier: BSD-2-Clause */
/* The options about names, which the capturing commands share. */
#ifndef NETPROBE_CLI_NAMES_H
#define NETPROBE_CLI_NAMES_H

#include <netprobe/netprobe.h>

#include "cli/cli.h"

extern const struct option_row names_rows[];

/* What those options ask of the library. -EINVAL, err filled. */
int names_fill(const struct common_opts *o, struct netprobe_config *c, struct netprobe_error *err);

#endif
