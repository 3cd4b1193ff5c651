/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a row is called and which name comes first. Pure text; how much a row moved is view.c's, what a
 * filter finds in it the caller's.
 */
#ifndef NETPROBE_FLOW_ROW_H
#define NETPROBE_FLOW_ROW_H

#include "flow/group.h"
#include "flow/view.h"

void row_name_flow(char *buf, size_t size, const struct flow *f);
void row_name_group(char *buf, size_t size, const struct group_key *key);
const char *row_name_rest(uint32_t kind);
/* By name, A first (addresses by value); 0: the same. */
int row_compare_flows(const struct flow *a, const struct flow *b);
int row_compare_groups(const struct group_key *a, const struct group_key *b);

#endif
