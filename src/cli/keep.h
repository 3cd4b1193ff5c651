/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the live view keeps its settings: $XDG_CONFIG_HOME/netprobe/top.yaml, else ~/.config/netprobe/top.yaml. */
#ifndef NETPROBE_CLI_KEEP_H
#define NETPROBE_CLI_KEEP_H

#include <stddef.h>

/*
 * By the rights the process has. The file is exchanged as a whole; one that cannot be written leaves the old one. -EPERM: its
 * home or its folder belongs to somebody else. What reads "" is no file.
 */
int keep_write(const char *text);
int keep_read(char *text, size_t size);

#endif
