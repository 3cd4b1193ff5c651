/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Maps that guard's programs share with those that tell what drivers took (sent.bpf.c). */
#ifndef NETPROBE_BPF_GUARD_MAPS_H
#define NETPROBE_BPF_GUARD_MAPS_H

#include "wire/guard.h"

/* By interface slot: counted by the kernel half, cleared when a slot gets a new owner. */
struct np_guard_devs_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NP_GUARD_IFS);
	__type(key, __u32);
	__type(value, struct np_guard_dev);
};

/* By interface slot: written by user space. */
struct np_guard_ifs_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_GUARD_IFS);
	__type(key, __u32);
	__type(value, struct np_guard_if);
};

#endif
