/* SPDX-License-Identifier: BSD-2-Clause */
/* The ladder of capture modes: which rung a session stands on, and why not a higher one. Internal to engine/. */
#ifndef NETPROBE_ENGINE_RUNGS_H
#define NETPROBE_ENGINE_RUNGS_H

#include "engine/session.h"

/*
 * An explicit mode opens or fails. NETPROBE_CAPTURE_AUTO takes the highest rung that attaches and delivers, and
 * says in note (empty where it is the highest of all) which, and why not those above.
 */
int rungs_open(const struct session_opts *opts, struct rung *ret_rung, char *note, size_t note_size,
	       struct netprobe_error *err);

/* ebpf.c */
int ebpf_open(const struct session_opts *opts, struct rung *ret_rung, struct netprobe_error *err);
/* What the kernel half, if it is that, tells of owners beside their records. */
void ebpf_owners(const struct rung *rung, struct process_table *procs);
struct probe *ebpf_probe(const struct rung *rung); /* NULL: another rung */

#endif
