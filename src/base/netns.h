/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which network namespaces there are. The kernel has no list of them: they are where a thread is in one, one is
 * mounted, or somebody has one open.
 */
#ifndef NETPROBE_NETNS_H
#define NETPROBE_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Of n inode numbers, set ret[i] where no such namespace is anywhere to be seen. 0; -ENOTSUP: not all
 * processes can be looked at from here (another pid namespace, hidepid, no right), nothing is said; -EAGAIN: so many processes come that it cannot be told; -errno.
 * Not seen: one that only a socket is left of, or a mount that every process there has shut out of its root.
 */
int netns_gone(const uint64_t *inodes, size_t n, bool *ret);

/* What `ip netns` calls the namespace of that inode, as of a few seconds ago; "": nothing, or it cannot be seen. For one thread. */
const char *netns_name(uint32_t inode);
/* Inode of the own one; 0: not known. */
uint32_t netns_own(void);

#endif
