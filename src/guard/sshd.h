/* SPDX-License-Identifier: BSD-2-Clause */
/* From where the caller is logged in. */
#ifndef NETPROBE_GUARD_SSHD_H
#define NETPROBE_GUARD_SSHD_H

#include <stdbool.h>

/*
 * fn for the peer in SSH_CONNECTION, and for the peers of every sshd above this process (sudo forgets
 * the variable, sshd does not go away). addr: 4 or 16 bytes. 0, or what fn returned.
 */
int sshd_peers(int (*fn)(const void *addr, bool v6, void *arg), void *arg);

#endif
