/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of confine(). Positive errno or 0. */
#ifndef NETPROBE_CONFINE_INTERNAL_H
#define NETPROBE_CONFINE_INTERNAL_H

#include "confine/confine.h"

/* What becomes of a system call. */
#define CALL_MAY 0
#define CALL_NEVER 1
#define CALL_BPF 2    /* refused where the ebpf rung is not used */
#define CALL_PARTLY 3 /* by its arguments */

struct confine_call {
	const char *name;
	int nr; /* negative: this architecture does not have it */
	unsigned char what;
};

/* All that the kernel has. */
extern const struct confine_call confine_calls[];
extern const unsigned int confine_n_calls;

int seccomp_install(const struct confine_opts *opts);
/* Only what cli/opener.c calls. */
int seccomp_install_opener(void);
/*
 * No file is written, made, executed or renamed any more, wherever it is. A process under Landlock
 * cannot look at others in /proc, so that most ways to run netprobe cannot have it.
 */
int landlock_install(void);

#endif
