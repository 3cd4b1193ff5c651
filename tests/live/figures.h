/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds of every figure netprobe prints, whatever the test is about: none is more than this machine can have
 * moved in that time, and the product itself found none.
 */
#ifndef LIVE_FIGURES_H
#define LIVE_FIGURES_H

/* Checks each line of JSON in the file at path; a run of so many seconds printed it. */
void figures_check(const char *path, double seconds);

#endif
