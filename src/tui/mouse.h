/* SPDX-License-Identifier: BSD-2-Clause */
/* What the mouse does: it points at what the last frame drew. */
#ifndef NETPROBE_TUI_MOUSE_H
#define NETPROBE_TUI_MOUSE_H

#include "tui/keys.h"

/* A report of the mouse; MOVED_*. */
int mouse_handle(struct tui_model *m, struct key key);

#endif
