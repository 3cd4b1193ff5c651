/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of `netprobe drops` share. */
#ifndef NETPROBE_CLI_DROPS_H
#define NETPROBE_CLI_DROPS_H

#include <netprobe/netprobe.h>

#include "out/table.h"

#define DROPS_BY_ALL 0
#define DROPS_BY_REASON 1
#define DROPS_BY_OWNER 2
#define DROPS_BY_PLACE 3

/* All drops of the run as one table, largest first. limit 0: all rows. fit: columns of the terminal, or 0. */
int drop_summary_write(struct netprobe_manager *m, int by, bool benign, uint32_t limit, int format,
		       bool color, unsigned int fit, struct buf *out);

#endif
