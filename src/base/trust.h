/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose word counts. A program with file capabilities has more rights than its user, so what that user
 * names may not decide what these rights do.
 */
#ifndef NETPROBE_BASE_TRUST_H
#define NETPROBE_BASE_TRUST_H

#include <stdbool.h>
#include <stddef.h>

/* This program has more rights than its user gave it. */
bool trust_is_higher(void);
/*
 * Whether nobody but root can change what path, of size bytes, names now; it becomes the way without links.
 * 0, -EPERM: somebody else can, or -errno.
 */
int trust_only_root(char *path, size_t size);

#endif
