/* SPDX-License-Identifier: BSD-2-Clause */
/* What is captured: a filter from the words of an option, a config file or the library's caller. */
#ifndef NETPROBE_ENGINE_FILTER_H
#define NETPROBE_ENGINE_FILTER_H

#include "base/error.h"
#include "wire/config.h"

/*
 * One value more of a key ("port", "container"), checked against this machine: pids, interfaces,
 * cgroups and containers exist. -ENOKEY: there is no such key, err is not filled; else -EINVAL, -ESRCH,
 * -ENODEV, -ENOENT, -ENOMEM, err says what it takes. f may be half changed then.
 */
int filter_add(struct np_filter *f, const char *key, const char *value, struct netprobe_error *err);

#endif
