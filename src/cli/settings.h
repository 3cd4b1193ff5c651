/* SPDX-License-Identifier: BSD-2-Clause */
/* What options ask of the library: a configuration, and how to say what it finds wrong with it. */
#ifndef NETPROBE_CLI_SETTINGS_H
#define NETPROBE_CLI_SETTINGS_H

#include <netprobe/netprobe.h>

#include "cli/cli.h"

struct settings {
	struct netprobe_config c;
	struct netprobe_filter *filters; /* c.filters; NULL: none */
	bool starts;			 /* names of hosts may be asked for */
	char zone[16];			 /* the interface of hosts that named one */
	uint32_t zoned, bare; /* the last NETPROBE_FILTER_* with such a host, and with another */
};

/* All that common options say. -EINVAL, -ENOMEM, err filled. To be given back by settings_done in any case. */
int settings_fill(struct settings *s, const struct common_opts *o, struct netprobe_error *err);
/* Of them what may change while it runs; the rest of s stays. */
int settings_change(struct settings *s, const struct common_opts *o, struct netprobe_error *err);
/* One filter more: NETPROBE_FILTER_PROTO, "tcp". -ENOMEM. */
int settings_filter(struct settings *s, uint32_t key, const char *value);
/* What the kernel can leave out of those that do not match; the options' own filters come before. match NULL: nothing. */
int settings_match(struct settings *s, const struct common_opts *o, struct netprobe_expr *match);
void settings_done(struct settings *s);

/* The library names its fields; say the option instead. */
void settings_blame(struct netprobe_error *err);

#endif
