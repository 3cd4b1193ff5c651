/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds of every figure netprobe prints, whatever the test is about: none is more than this machine can have
 * moved in that time, and the product itself found none.
 */
#ifndef LIVE_FIGURES_H
#define LIVE_FIGURES_H

#include <stdbool.h>

/* Set by a test in which netprobe is made to find some. */
extern bool figures_may_be_implausible;
/* Checks each line of JSON in the file at path; a run of so many seconds printed it. */
void figures_check(const char *path, double seconds);
/* Checks what netprobe said at its end, whatever it printed, tables and text too. */
void figures_check_log(const char *path);

#endif
