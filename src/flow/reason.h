/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a dropped packet means to whom it was for, by the kernel's reason and, where that says nothing, by
 * the function that dropped it. A table, by name: the numbers differ from kernel to kernel.
 */
#ifndef NETPROBE_FLOW_REASON_H
#define NETPROBE_FLOW_REASON_H

#include <netprobe/capture.h>
#include <stdbool.h>

#define DROP_KINDS (NETPROBE_DROP_OTHERS + 1)

/* NETPROBE_DROP_*. reason without SKB_DROP_REASON_; function NULL: unknown. */
int drop_kind(const char *reason, const char *function);
/* Lost to nobody here: told only where all are asked for. */
bool drop_is_quiet(const char *reason, const char *function);
/* Functions whose drops without a reason are quiet; NULL-terminated. */
const char *const *drop_quiet_functions(void);
const char *
drop_kind_name(int kind); /* "loss", "policy", "benign", "others"; NULL for what is none */

#endif
