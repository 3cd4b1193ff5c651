/* SPDX-License-Identifier: BSD-2-Clause */
/* What is captured: a filter from the words of an option, a config file or the library's caller. */
#ifndef NETPROBE_ENGINE_FILTER_H
#define NETPROBE_ENGINE_FILTER_H

#include <stdbool.h>

#include "base/error.h"
#include "wire/config.h"

/*
 * One value more of a key (NETPROBE_FILTER_*), checked against this machine: pids, interfaces, cgroups and containers
 * exist. -EINVAL, -ESRCH, -ENODEV, -ENOENT, -ENOMEM, err says what it takes. f may be half changed then.
 */
int filter_add(struct np_filter *f, uint32_t key, const char *value, struct netprobe_error *err);
const char *filter_name(uint32_t key); /* NULL: there is none */
/* Does it ask whose a socket is: for process, name, user or cgroup? */
bool filter_has_owners(const struct np_filter *f);
/* ... for addresses or ports? */
bool filter_has_ends(const struct np_filter *f);
/* Is every socket there is recorded? */
bool filter_takes_all(const struct np_filter *f);

#endif
