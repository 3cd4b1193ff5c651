/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the person at the live view wants done: a signal sent, a socket closed, settings kept. A process of its own does it,
 * made before capture begins, with the rights of the person and none of the program's: with file capabilities those of the
 * real user, unless that is root. It does these three things and ends with the view.
 */
#ifndef NETPROBE_CLI_HAND_H
#define NETPROBE_CLI_HAND_H

#include <stddef.h>

#include "tui/tui.h"

/* A descriptor to ask by; negative errno: nothing of it can be had. Before there are threads. */
int hand_start(void);
/* 0; -EPERM: the person may not; -ESRCH: the process or socket is not that one any more; -EOPNOTSUPP; other errnos. */
int hand_ask(int hand, const struct tui_act *act);
/* The settings that were kept, ended by NUL; "" none. -EPERM: the file is not the person's own. */
int hand_settings(int hand, char *text, size_t size);

#endif
