/* SPDX-License-Identifier: BSD-2-Clause */
/* What the short words of cells mean. For the help; where cells stand is columns.c's. */
#ifndef NETPROBE_TUI_WORDS_H
#define NETPROBE_TUI_WORDS_H

/* Of fmt_tcp_state(): "ESTAB" is "open: both ends may send"; NULL: nothing to say. */
const char *words_state(const char *state);
/* Of NETPROBE_VERDICT_*; NULL for -1. */
const char *words_verdict(int verdict);
/* Line i of the list of both, label and sentence; false after the last. */
_Bool words_line(unsigned int i, const char **ret_label, const char **ret_text);

#endif
