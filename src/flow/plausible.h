/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures that no host can have made: a record with one of these is not added to anything, but counted. Whatever
 * is read from a kernel that is another than we take it for must not become somebody's bytes.
 */
#ifndef NETPROBE_FLOW_PLAUSIBLE_H
#define NETPROBE_FLOW_PLAUSIBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/record.h"

/* More than the memory of any host copies in a second; a socket's rate and an interface's stay below. */
#define PLAUSIBLE_BYTES_S (1ULL << 40)
/* What one socket can hold: its sizes of buffers are ints. Ahead of the kernel's figures by no more. */
#define PLAUSIBLE_AHEAD (1ULL << 31)

/*
 * NULL: it may be. Else what cannot be, for a log. figures: rec->tcp is the kernel's of that very
 * connection. for_ns: how long the probe has been counting; up_ns: how long the machine is up.
 */
const char *implausible_sock(const struct np_sock_rec *rec, bool figures, uint64_t for_ns,
			     uint64_t up_ns);
const char *implausible_part(const struct np_part *part, uint64_t for_ns);

#endif
