/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a command's options come from: defaults, then the config file, then the command line, then
 * what ctl sets. Each change makes a whole new set, which takes the old one's place only when all of
 * it is right.
 */
#ifndef NETPROBE_CLI_SOURCE_H
#define NETPROBE_CLI_SOURCE_H

#include <netprobe/netprobe.h>

#include "cli/cli.h"

/*
 * Fill o from argv and the file that --config names; o holds the command's defaults before. spec and
 * argv must stay. -EINVAL, -ENOMEM.
 */
int source_parse(const struct args_spec *spec, int argc, char **argv, struct common_opts *o,
		 struct netprobe_error *err);
void source_free(struct common_opts *o);
/* Put the place in the config file in front of an error "--OPTION: ...", where the option is from there. */
void source_blame(struct netprobe_error *err);
const char *source_prog(const struct common_opts *o); /* "netprobe events" */

/* The new set may be refused (negative errno, err filled); else it is in force from here on. */
typedef int (*source_apply_fn)(const struct common_opts *next, void *arg,
			       struct netprobe_error *err);

/* ctl set: keys that may be changed now. Nothing is changed unless all are right. */
int source_set(struct common_opts *o, const struct netprobe_setting *pairs, size_t n,
	       source_apply_fn apply, void *arg, struct netprobe_error *err);
/* Read the config again: as a new start would, so what ctl set is gone. */
int source_reread(struct common_opts *o, source_apply_fn apply, void *arg,
		  struct netprobe_error *err);

/* ctl get: {"KEY":"VALUE",...}; key NULL: all that may be changed now. */
int source_write(const struct common_opts *o, const char *key, struct buf *b,
		 struct netprobe_error *err);

#endif
