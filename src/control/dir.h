/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where control sockets are: a folder of the user's own, PID.sock in it for each running instance.
 * Root: /run/netprobe; others: $XDG_RUNTIME_DIR/netprobe, else /tmp/netprobe-UID. NETPROBE_RUNTIME_DIR
 * names another one. The service (dist/netprobe.service.in) has a user and a folder of its own, which root's
 * `ctl` looks into as well.
 */
#ifndef NETPROBE_CONTROL_DIR_H
#define NETPROBE_CONTROL_DIR_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/error.h"

/* A path has to fit into a socket's address, with "/4194304.sock" behind it. */
#define CONTROL_DIR_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 20)

struct control_dir {
	char path[CONTROL_DIR_MAX];
};

/*
 * The folder; made (mode 0700) where create is set. -ENOENT: there is none. -EPERM: it is somebody
 * else's, or others may write there; -errno else. err filled.
 */
int control_dir_find(struct control_dir *ret_dir, bool create, struct netprobe_error *err);
/*
 * The service's folder, for root and where no folder is named. -ENOENT: there is none, or it is not for this
 * user; -EPERM: others than its user may write there.
 */
int control_dir_service(struct control_dir *ret_dir);
/* Has it a socket of that instance, alive or dead? */
bool control_dir_has(const struct control_dir *d, pid_t pid);
/* Address of an instance's socket. */
void control_dir_addr(const struct control_dir *d, pid_t pid, struct sockaddr_un *ret_addr);
/* Connected, non-blocking; -errno: -ENOENT no such instance, -ECONNREFUSED a dead one's. */
int control_dir_connect(const struct control_dir *d, pid_t pid);
/*
 * Bound and listening, non-blocking, mode 0600; a socket is only ever seen listening. Unlink it with
 * control_dir_unlink. -EADDRINUSE: somebody listens there.
 */
int control_dir_listen(const struct control_dir *d, pid_t pid, int backlog);
void control_dir_unlink(const struct control_dir *d, pid_t pid);
/*
 * Instances with a socket, ascending, into *ret_pids (free() it); what dead ones left behind is
 * removed. Returns how many, -ENOMEM, -errno.
 */
int control_dir_scan(const struct control_dir *d, pid_t **ret_pids);

#endif
