/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways to move bytes through a TCP socket, one row a system call and flag: the scenario says which
 * by name. Each method adds what its calls returned to the report and dies on an error it did not
 * ask for.
 */
#ifndef TRAFFIC_METHODS_H
#define TRAFFIC_METHODS_H

#include "lib.h"

typedef void (*send_method)(struct report *r, int fd, uint64_t bytes, size_t chunk);
typedef void (*recv_method)(struct report *r, int fd); /* until the peer's FIN */

/* Both die on a name they do not know. */
send_method send_method_find(const char *name);
recv_method recv_method_find(const char *name);

#endif
