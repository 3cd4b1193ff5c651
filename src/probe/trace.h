/* SPDX-License-Identifier: BSD-2-Clause */
/* The user side of trace.bpf.c: an object beside the main one, whose socket owners it shares. */
#ifndef NETPROBE_PROBE_TRACE_H
#define NETPROBE_PROBE_TRACE_H

#include <stddef.h>

#include "probe/probe.h"
#include "wire/trace.h"

struct probe_trace;

/* filter: which packets. steps: told a second, all together; 0: 1000. Errors as probe_open's. */
int probe_trace_open(struct probe *p, const struct np_filter *filter, uint32_t steps,
		     struct probe_trace **ret_trace, struct netprobe_error *err);
struct probe_trace *probe_trace_close(struct probe_trace *t);
void probe_trace_set_filter(struct probe_trace *t, const struct np_filter *filter);
typedef void (*probe_trace_fn)(const struct np_ev_trace *ev, void *arg);
/* Drain the ring. Number of records or -errno. */
int probe_trace_poll(struct probe_trace *t, probe_trace_fn fn, void *arg);
int probe_trace_losses(const struct probe_trace *t, struct np_trace_loss *ret_loss);
const char *probe_trace_reason(const struct probe_trace *t, uint32_t reason, char *buf,
			       size_t size);
const char *
probe_trace_note(const struct probe_trace *t); /* steps this kernel does not show; empty */

#endif
