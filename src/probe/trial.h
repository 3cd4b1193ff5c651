/* SPDX-License-Identifier: BSD-2-Clause */
/* Tries every alternative of every hook, for doctor: load, attach, detach. */
#ifndef NETPROBE_PROBE_TRIAL_H
#define NETPROBE_PROBE_TRIAL_H

#include "probe/kernel.h"
#include "probe/probe.h"

/* hooks[NP_PROG_MAX] as a real start left them: what it chose, and what it found silent; NULL: there was none. */
void probe_trial_begin(struct hook_status *hooks, const struct hook_status *real);
/* Tries all others: status, errno, reason and remedy of each. */
void probe_trial_all(const struct kernel_facts *facts, struct hook_status *hooks);
/* "tp_btf/sock_send_length" of a program's name; NULL unknown. */
const char *probe_trial_target(const char *program);

#endif
