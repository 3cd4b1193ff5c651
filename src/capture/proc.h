/* SPDX-License-Identifier: BSD-2-Clause */
/* The lowest rung: no rights at all. Sockets and TCP's figures from sock_diag, owners from /proc. */
#ifndef NETPROBE_CAPTURE_PROC_H
#define NETPROBE_CAPTURE_PROC_H

#include "base/error.h"
#include "capture/rung.h"

int proc_open(const struct np_filter *filter, struct rung *ret_rung, struct netprobe_error *err);

#endif
