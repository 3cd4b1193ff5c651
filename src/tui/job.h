/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Job control: Ctrl-Z gives the terminal back as it was, and fg takes it again. Not by curses, whose handler draws beside
 * the thread that does so, waits for a terminal that takes nothing, and knows nothing of the mouse.
 */
#ifndef NETPROBE_TUI_JOB_H
#define NETPROBE_TUI_JOB_H

/*
 * The terminal is the view's: remember its modes, and what makes it so. SIGTSTP waits from here on for who calls
 * job_stop(), unless it is ignored. After rescue_arm().
 */
void job_begin(const char *const *strings);
void job_end(void);
/* Give the terminal back, and stop this process, none else, until SIGCONT. */
void job_stop(void);
/* Take the terminal again; in the background that waits, stopped. more: what is sent as well. */
void job_retake(const char *more);

#endif
