/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which C libraries run on this host: the host's own and those of containers, found through the
 * processes that have them mapped. One look at the processes of each mount namespace.
 */
#ifndef NETPROBE_OWNER_LIBC_H
#define NETPROBE_OWNER_LIBC_H

#include <stdint.h>

#define LIBC_MAX 32 /* different ones */

struct libc_finder;

struct libc_finder *libc_finder_new(const char *proc_root);
struct libc_finder *libc_finder_free(struct libc_finder *f);
/*
 * path opens the regular file that is mapped, whatever has its name by now; valid during the call. name: what to call it,
 * PROC_ROOT/PID/root and the path in there.
 */
typedef void (*libc_fn)(const char *path, const char *name, void *arg);
/* Those not told of before. Number of them, or -errno. */
int libc_find(struct libc_finder *f, libc_fn fn, void *arg);
/* Namespaces and libraries there was no room for. */
uint32_t libc_left_out(const struct libc_finder *f);

#endif
