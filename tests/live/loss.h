/* SPDX-License-Identifier: BSD-2-Clause */
/* probe.loss records. */
#ifndef LIVE_LOSS_H
#define LIVE_LOSS_H

#include <jansson.h>
#include <stdint.h>

/* A counter at the end of the run, over all programs. */
uint64_t loss_sum(const json_t *records, const char *key);

#endif
