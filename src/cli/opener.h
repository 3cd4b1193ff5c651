/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens a file anew for a command that has given up the right to. A small process of its own, which
 * keeps the right to open that one file and can do nothing else; it ends with the command.
 */
#ifndef NETPROBE_CLI_OPENER_H
#define NETPROBE_CLI_OPENER_H

/* To be called before there are threads. A descriptor to ask by, or a negative errno. */
int opener_start(const char *path);
/* The file, open for appending, made where there is none: a descriptor, or a negative errno. */
int opener_ask(int opener);
/* The same, by oneself. */
int opener_open(const char *path);

#endif
