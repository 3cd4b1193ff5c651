/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel addresses to names, from /proc/kallsyms, modules included. Read at first use: it is some
 * 200,000 lines, and whoever takes no stacks never needs it.
 */
#ifndef NETPROBE_PROBE_KSYMS_H
#define NETPROBE_PROBE_KSYMS_H

#include <stdbool.h>
#include <stdint.h>

struct ksyms;

struct ksyms *ksyms_new(const char *path); /* "/proc/kallsyms" but in tests; NULL: no memory */
struct ksyms *ksyms_free(struct ksyms *k);
/* Name of the function at addr and the offset in it; NULL where it is not known. */
const char *ksyms_find(struct ksyms *k, uint64_t addr, uint64_t *ret_offset);
/* Why there are no names; NULL: there are. */
const char *ksyms_missing(struct ksyms *k);

#endif
