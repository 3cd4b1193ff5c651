/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables that fit a memory limit: where there is little, fewer sockets are kept, and what finds no room is counted. */
#ifndef NETPROBE_ENGINE_FIT_H
#define NETPROBE_ENGINE_FIT_H

#include "engine/session.h"

/* From this on nothing is made smaller. */
#define FIT_PLENTY (256ULL << 20)

/* Sizes that nobody asked for are taken from the limit (bytes; 0: none). */
void fit_to_memory(struct session_opts *o, uint64_t limit);

#endif
