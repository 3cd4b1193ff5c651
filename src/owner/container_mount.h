/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which mounts are of file systems that answer by themselves. One that waits for a server or for a program (NFS, FUSE)
 * may never answer; no call here asks one that is not known to be of this machine.
 */
#ifndef NETPROBE_OWNER_CONTAINER_MOUNT_H
#define NETPROBE_OWNER_CONTAINER_MOUNT_H

struct container_mounts;

struct container_mounts *mounts_new(void);
struct container_mounts *mounts_free(struct container_mounts *m);
/*
 * What is called name in the folder at, as O_PATH, a link as itself. *mount: the number of the mount at is of, which
 * becomes that of what was opened; -1: not known. A descriptor, or -errno; -EXDEV: it is of no local file system.
 */
int mounts_open(struct container_mounts *m, int at, const char *name, int *mount);
/* Of a text as /proc/PID/mountinfo has: how many mounts are local, whose numbers are in *ret, to be freed. -ENOMEM. */
int mounts_parse(char *text, int **ret);

#endif
