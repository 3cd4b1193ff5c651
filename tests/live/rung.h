/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the lower rungs share: those see their own network namespace only, so the test enters it. */
#ifndef LIVE_RUNG_H
#define LIVE_RUNG_H

#include "maker.h"
#include "netns.h"
#include "probe.h"

#define RUNG_NOBODY 65534
#define RUNG_END_MS 60000 /* doctor loads every program there is */
#define LOWER "afpacket"  /* what auto takes as root where ebpf cannot be had */
#define SHORT "--duration", "0.1"

/* Enter a namespace. */
void rung_go(const struct netns *ns);
/* A namespace of the test's own, entered. */
struct netns rung_enter(void);
/* A file system of its own, in a mount namespace of the test's own, is over that folder. */
void rung_hide(const char *folder);
/* `events` in that mode; uid 0: as we are, else with those capabilities only. */
struct probe rung_events(const char *mode, uid_t uid, uint64_t caps);
/* Run to its end as that user with those capabilities; exit code, and what it said (free both). */
int rung_run(const char *const *args, uid_t uid, uint64_t caps, char **ret_out, char **ret_said);
/* Wait for conn.open of a process. */
void rung_wait_open(const struct probe *p, pid_t pid);
/* Wait until so many connections were told to have ended; the kernel tells of it a little later. */
void rung_wait_closed(const struct probe *p, unsigned int n);
/* The mode every record carries. */
void rung_check_mode(const json_t *records, const char *mode);
/* It ends well; one line on stderr, which names the rung and each word of why. */
void rung_check_falls(const struct probe_opts *opts, const char *mode, const char *const *words);
/* The same start with ebpf asked for by name: exit 2 and the cause, nothing on stdout. */
void rung_check_explicit_fails(struct probe_opts opts, const char *const *words);

#endif
