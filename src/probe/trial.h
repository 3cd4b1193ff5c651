/* SPDX-License-Identifier: BSD-2-Clause */
/* Tries every alternative of every hook by itself, for doctor: load, attach, detach. */
#ifndef NETPROBE_PROBE_TRIAL_H
#define NETPROBE_PROBE_TRIAL_H

#include "probe/kernel.h"
#include "probe/probe.h"

/* Fills hooks[NP_PROG_MAX]: status, errno, reason and remedy of each alternative; used is -1 everywhere. */
void probe_trial_all(const struct kernel_facts *facts, struct hook_status *hooks);
/* What a real start chose, over what the trials found. */
void probe_trial_merge(struct hook_status *trial, const struct hook_status *real,
		       unsigned int n_alts);
/* "tp_btf/sock_send_length" of a program's name; NULL unknown. */
const char *probe_trial_target(const char *program);

#endif
