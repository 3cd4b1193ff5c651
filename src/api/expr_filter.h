/* SPDX-License-Identifier: BSD-2-Clause */
/* What of an expression the kernel half can leave out. */
#ifndef NETPROBE_API_EXPR_FILTER_H
#define NETPROBE_API_EXPR_FILTER_H

#include <netprobe/netprobe.h>

#include "expr/expr.h"

/*
 * Filters that each record passes which matches x: how many, 0 where memory ends. The ends of a connection, its transport
 * and family: these are of a socket as a whole. By process, name or cgroup the kernel divides what several processes do
 * with one socket: a row would have other segments then than without the filter, so these are left to the expression.
 */
unsigned int expr_filters(const struct expr *x, uint32_t about, struct netprobe_filter **ret);
void expr_filters_free(struct netprobe_filter *list, unsigned int n);

#endif
