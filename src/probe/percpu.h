/* SPDX-License-Identifier: BSD-2-Clause */
/* The losses that a kernel half counts: one per-CPU value, a struct of __u64 alone. */
#ifndef NETPROBE_PROBE_PERCPU_H
#define NETPROBE_PROBE_PERCPU_H

#include <stddef.h>

struct bpf_map;

/* Sum over all processors of the map's only value, size bytes, into ret; 0 or negative errno, ret is then zero. */
int percpu_sum(const struct bpf_map *map, void *ret, size_t size);

#endif
