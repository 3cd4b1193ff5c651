/* SPDX-License-Identifier: BSD-2-Clause */
/* The user side of asked.bpf.c: uprobes on the resolver functions of C libraries. */
#ifndef NETPROBE_PROBE_ASKED_H
#define NETPROBE_PROBE_ASKED_H

#include "probe/probe.h"
#include "wire/asked.h"

struct probe_asked;

/* Nothing is probed yet. -EOPNOTSUPP where this kernel has no uprobes, or none that are safe. */
int probe_asked_open(struct probe *p, struct probe_asked **ret_asked, struct netprobe_error *err);
struct probe_asked *probe_asked_close(struct probe_asked *a);
/* Probe one C library. Number of its functions, 0 it has none of them, or -errno. */
int probe_asked_attach(struct probe_asked *a, const char *path);

typedef void (*probe_asked_fn)(const struct np_ev_asked *ev, void *arg);
/* Drain the ring. Number of records or -errno. */
int probe_asked_poll(struct probe_asked *a, probe_asked_fn fn, void *arg);
int probe_asked_losses(const struct probe_asked *a, struct np_asked_loss *ret_loss);

/* For doctor: NULL when uprobes can be used here, else why not. */
const char *probe_asked_missing(char *buf, unsigned int size);

#endif
