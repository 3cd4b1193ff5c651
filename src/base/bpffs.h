/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF file system that pins are put into, so that they outlive the command that made them.
 */
#ifndef NETPROBE_BPFFS_H
#define NETPROBE_BPFFS_H

#include "base/error.h"

/*
 * Its path: NETPROBE_BPFFS, which programs with more rights than their user do not hear; else /sys/fs/bpf
 * of the mount namespace of the first process, or of the topmost one above this that may be asked (`ip netns
 * exec` gives its command a /sys of its own, which ends with it); else /sys/fs/bpf here. Good until the
 * process ends. Any thread.
 */
const char *bpffs_root(void);

/*
 * Make sure that there is one, mount it where there is none. 0; -EPERM; -EOPNOTSUPP: only a mount that ends with
 * this command could be made; or what mount(2) says. err says what to do.
 */
int bpffs_ready(struct netprobe_error *err);

/*
 * 0, or -EPERM where others than root and this user own the folder, the one it is in (netprobe), or that one's (the
 * root of the file system, which may be sticky), or may write to it.
 */
int bpffs_check_owner(int dir_fd, const char *path, struct netprobe_error *err);

#endif
