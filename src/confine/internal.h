/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of confine(). Positive errno or 0. */
#ifndef NETPROBE_CONFINE_INTERNAL_H
#define NETPROBE_CONFINE_INTERNAL_H

#include "confine/confine.h"

int seccomp_install(const struct confine_opts *opts);
/* Only what cli/opener.c calls. */
int seccomp_install_opener(void);
/*
 * No file is written, made, executed or renamed any more, wherever it is. A process under Landlock
 * cannot look at others in /proc, so that most ways to run netprobe cannot have it.
 */
int landlock_install(void);

#endif
