/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal as it was, for ends that nobody can prepare: Ctrl-\, a crash, a terminal that takes
 * nothing any more. No curses in it, nothing that waits or allocates.
 */
#ifndef NETPROBE_TUI_RESCUE_H
#define NETPROBE_TUI_RESCUE_H

#include <stddef.h>

/* Before the terminal is taken over: remember its modes. */
void rescue_modes(void);
/* Once its type is known: what gives the screen back, as curses would; and be there for signals. */
void rescue_arm(const char *const *strings);
void rescue_disarm(void);
/* Give it back now, as far as it can be without waiting. */
void rescue_terminal(void);
/* The strings, up to a NULL, behind each other without the delays of terminfo; how long that is, not terminated. */
size_t rescue_join(const char *const *strings, char *to, size_t size);

#endif
