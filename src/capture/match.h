/* SPDX-License-Identifier: BSD-2-Clause */
/* The filters of the kernel half (wire/config.h) for rungs that have none: over one record. Pure but for cgroup paths, and where it says so. */
#ifndef NETPROBE_CAPTURE_MATCH_H
#define NETPROBE_CAPTURE_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "owner/cgroup.h"
#include "wire/config.h"
#include "wire/record.h"

bool match_tuple(const struct np_filter *f, const struct np_tuple *t);
bool match_owner(const struct np_filter *f, const struct np_owner *o, struct cgroup_table *cgroups,
		 uint64_t now_ns);
/* Is the flow of this number one of 1 in f->sample_rate? */
bool match_sample(const struct np_filter *f, uint64_t flow);

/*
 * Are the interfaces of a filter in this network namespace, the only one that this rung sees? -ENODEV, err names the
 * first that is not.
 */
int match_check_ifaces(const struct np_filter *f, const char *mode, struct netprobe_error *err);

#endif
