/* SPDX-License-Identifier: BSD-2-Clause */
/* The options about names, which the capturing commands share. */
#ifndef NETPROBE_CLI_NAMES_H
#define NETPROBE_CLI_NAMES_H

#include "cli/cli.h"
#include "engine/names.h"

extern const struct option_row names_rows[];

/* What those options ask of the session. -EINVAL, err filled. */
int names_build(const struct common_opts *o, struct names_opts *ret_names,
		struct netprobe_error *err);

#endif
