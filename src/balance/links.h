/* SPDX-License-Identifier: BSD-2-Clause */
/* VLAN devices of this network namespace: routes lead to them, XDP sends at the device below. */
#ifndef NETPROBE_BALANCE_LINKS_H
#define NETPROBE_BALANCE_LINKS_H

#include <stdint.h>

/* Bring the kernel half's list (struct lb_link by ifindex) up to date. 0 or -errno. */
int links_refresh(int map_fd);

#endif
