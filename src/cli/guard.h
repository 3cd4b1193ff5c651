/* SPDX-License-Identifier: BSD-2-Clause */
/* Verbs of `netprobe guard`: a row in guard.c's table each, a file for those that belong together. */
#ifndef NETPROBE_CLI_GUARD_H
#define NETPROBE_CLI_GUARD_H

#include "base/args.h"
#include "base/buf.h"
#include "guard/guard.h"

struct guard_verb {
	const char *name;
	/* argv[0] is the verb; returns an exit code */
	int (*run)(int argc, char **argv);
	const char *summary;
};

/*
 * What every verb begins with: its options into opts, operands into ret_operands (args_list_done).
 * Negative: go on. Else the exit code: --help was printed, or an error told. help: bool in opts.
 */
int guard_parse(const struct args_spec *spec, int argc, char **argv, void *opts, const bool *help,
		struct args_list *ret_operands);
/* Tell err, and the exit code that fits it. */
int guard_failed(const struct netprobe_error *err);
/* Write out to stdout: exit code. */
int guard_print(struct buf *out);
/* The user as the lists name who added something. */
void guard_who(char ret[32]);

int guard_cmd_attach(int argc, char **argv);
int guard_cmd_detach(int argc, char **argv);
int guard_cmd_status(int argc, char **argv);
int guard_cmd_stats(int argc, char **argv);
int guard_cmd_ban(int argc, char **argv);
int guard_cmd_allow(int argc, char **argv);
int guard_cmd_unban(int argc, char **argv);
int guard_cmd_list(int argc, char **argv);
int guard_cmd_import(int argc, char **argv);
int guard_cmd_export(int argc, char **argv);
int guard_cmd_limit(int argc, char **argv);
int guard_cmd_detect(int argc, char **argv);
int guard_cmd_syncookie(int argc, char **argv);
int guard_cmd_events(int argc, char **argv);
int guard_cmd_confirm(int argc, char **argv);
int guard_cmd_off(int argc, char **argv);
int guard_cmd_on(int argc, char **argv);

#endif
