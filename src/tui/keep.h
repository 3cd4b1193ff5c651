/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole rows of a view that outlive it: a paused view is filtered by all that its rows have. */
#ifndef NETPROBE_TUI_KEEP_H
#define NETPROBE_TUI_KEEP_H

#include <netprobe/netprobe.h>

struct kept_row;

struct kept_row *kept_new(const struct netprobe_row *row); /* NULL: no memory */
const struct netprobe_row *kept_get(const struct kept_row *kept);

#endif
