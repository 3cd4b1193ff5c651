/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets whose end a listing showed before the kernel told of it: a reset connection is in no listing any
 * more, and its notice comes when the last descriptor is closed, maybe hours later. By cookie, bounded: the
 * oldest make room.
 */
#ifndef NETPROBE_CAPTURE_GONE_H
#define NETPROBE_CAPTURE_GONE_H

#include <stdbool.h>
#include <stdint.h>

struct gone;

struct gone *gone_free(struct gone *g);
/* *g is made at the first one; without memory it is not kept. */
void gone_add(struct gone **g, uint64_t cookie);
/* Was it there? It is not any more. */
bool gone_take(struct gone *g, uint64_t cookie);

#endif
