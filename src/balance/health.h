/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a backend is up, from the results of its checks, and how much of its weight it has. Pure:
 * time comes in, nothing is asked.
 */
#ifndef NETPROBE_BALANCE_HEALTH_H
#define NETPROBE_BALANCE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/lb.h"

/*
 * The result of one check; true: up changed to down or back. The very first decides at once, the
 * others change something when rise or fall of them in a row disagree with what holds.
 */
bool health_result(struct lb_backend_conf *b, bool ok, uint64_t now_ns);
/* LB_STATE_* of a backend: down wins over draining; one without a check is up. */
uint8_t health_state(const struct lb_backend_conf *b);
/* Its share of new flows now, in units of its own: 0 when it takes none, less while it starts slowly. */
uint32_t health_weight(const struct lb_backend_conf *b, uint64_t now_ns);
/* When its weight will next be another one by itself: nanoseconds from now; 0: it will not. */
uint64_t health_next_step_ns(const struct lb_backend_conf *b, uint64_t now_ns);

#endif
