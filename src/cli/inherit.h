/* SPDX-License-Identifier: BSD-2-Clause */
/* What a command inherits of whoever starts it: descriptors, signals, limits. */
#ifndef NETPROBE_CLI_INHERIT_H
#define NETPROBE_CLI_INHERIT_H

#include <stdbool.h>
#include <stdint.h>

struct sigaction;

/*
 * First of all: descriptors 0 to 2 are open, so that no file takes their numbers (a closed stdout stays
 * one that cannot be written); a reader that goes and a file that may not grow are errors, not signals;
 * the soft limit of descriptors is the hard one.
 */
void inherit(void);
/* Ignored when the command started: by nohup, or by a shell for a job in the background. */
bool signal_is_ignored(int sig);
/* sigaction, but for a signal that was ignored: it stays so. */
void signal_heed(int sig, const struct sigaction *sa);

#endif
