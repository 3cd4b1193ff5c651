/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of instances as text and JSON. Internal to `netprobe ctl`. */
#ifndef NETPROBE_CLI_CTL_PRINT_H
#define NETPROBE_CLI_CTL_PRINT_H

#include <jansson.h>
#include <sys/types.h>

#include "base/buf.h"

/* Each appends to b; format: FORMAT_TEXT or FORMAT_JSON. -ENOMEM. */

/* KEY=VALUE lines, as `set` takes them. */
int ctl_print_values(struct buf *b, int format, const json_t *values);
/* reply: of stats. Text: a table of the programs. */
int ctl_print_stats(struct buf *b, int format, json_t *reply);
/* replies: of info, NULL where an instance gave none. */
int ctl_print_list(struct buf *b, int format, const pid_t *pids, json_t *const *replies, int n);

#endif
