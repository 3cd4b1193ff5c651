/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's words in those of the commands: "netprobe_ban.force" is "--force" here. */
#ifndef NETPROBE_CLI_WORDS_H
#define NETPROBE_CLI_WORDS_H

#include <netprobe/netprobe.h>

#define CLI_WORDS 640 /* room */

/* Into ret, which is returned. */
const char *cli_words(const char *text, char ret[CLI_WORDS]);
/* What failed and, behind "; ", what to do. */
const char *cli_error(const struct netprobe_error *err, char ret[CLI_WORDS]);

#endif
