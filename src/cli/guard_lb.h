/* SPDX-License-Identifier: BSD-2-Clause */
/* The balancer's part of `netprobe guard`. */
#ifndef NETPROBE_CLI_GUARD_LB_H
#define NETPROBE_CLI_GUARD_LB_H

#include "balance/balance.h"
#include "base/buf.h"
#include "guard/guard.h"

int guard_cmd_vip(int argc, char **argv);
int guard_cmd_backend(int argc, char **argv);
/* Health checks and, each interval, stats.lb, until it is told to end. */
int guard_cmd_watch(int argc, char **argv);

/* All VIPs and their backends on stdout: exit code. */
int guard_lb_list(int format);
/* One stats.lb line for each VIP, one for all; nothing where there is no balancer. */
int guard_lb_events(struct balance *b, struct buf *out, int format, bool color);
/* The same as a table. */
int guard_lb_table(struct balance *b, struct buf *out);
/* Chain the balancer behind guard's program at an interface; makes it where there is none. */
int guard_lb_chain(struct guard *g, const char *ifname, struct netprobe_error *err);
/* After a detach: take the balancer away as well where no interface balances any more. */
void guard_lb_detached(void);
bool guard_lb_in_use(void);

#endif
