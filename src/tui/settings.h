/* SPDX-License-Identifier: BSD-2-Clause */
/* What the user chose, as text: "key: value" lines, which are YAML. Whose file it is is the caller's. */
#ifndef NETPROBE_TUI_SETTINGS_H
#define NETPROBE_TUI_SETTINGS_H

#include <stddef.h>

#include "tui/model.h"

/*
 * Into the model. 0; -EINVAL: a line could not be taken, the rest is; err tells the first: "line 3: theme: does not take
 * that value". text "": as it is.
 * keep_kind, keep_sort: those were asked for and stay.
 */
int settings_take(struct tui_model *m, const char *text, bool keep_kind, bool keep_sort, char *err,
		  size_t size);
void settings_text(const struct tui_model *m, char *s, size_t size);

#endif
