/* SPDX-License-Identifier: BSD-2-Clause */
/* security.*: what guard's kernel half found, as events; the end of a ban is one too. */
#ifndef NETPROBE_ENGINE_ATTACKS_H
#define NETPROBE_ENGINE_ATTACKS_H

#include "out/event.h"
#include "wire/guard.h"

struct attacks;
/* NULL: no memory. fn: called within the calls below. */
struct attacks *attacks_new(void (*fn)(const struct event *ev, void *arg), void *arg);
struct attacks *attacks_free(struct attacks *a);
/* A finding, and the ban that follows from it. iface: the name of its interface; "": unknown. */
void attacks_tell(struct attacks *a, const struct np_ev_guard *ev, const char *iface);
/* Bans that ended since. */
void attacks_tick(struct attacks *a);
/* Ends of bans that there was no room to remember. */
uint64_t attacks_untold(const struct attacks *a);

#endif
