/* SPDX-License-Identifier: BSD-2-Clause */
/* stats.lb: what the balancer counts, as events. */
#ifndef NETPROBE_ENGINE_LB_H
#define NETPROBE_ENGINE_LB_H

#include "balance/balance.h"
#include "out/event.h"
#include "out/lb.h"

/* A VIP's backends into *ret (free() it). Number or -errno. */
int lb_backends(const struct balance *b, unsigned int vip, struct event_lb_backend **ret);
/* One event for each VIP, then one for the whole. 0 or -errno. */
int lb_events(const struct balance *b, void (*fn)(const struct event *ev, void *arg), void *arg);

#endif
