/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Levelled log on stderr: "netprobe: text", with a "<N>" priority prefix instead under a service
 * manager (JOURNAL_STREAM). Only cli, daemon and engine log above debug.
 */
#ifndef NETPROBE_BASE_LOG_H
#define NETPROBE_BASE_LOG_H

#include <stdbool.h>

#define LOG_ERR 3
#define LOG_WARNING 4
#define LOG_NOTICE 5
#define LOG_INFO 6
#define LOG_DEBUG 7

/* Silent until then, as a library is: main() sets LOG_NOTICE; -v raises, -q lowers. */
void log_set_level(int level);
int log_level(void);
/* What a line on a terminal starts with: "netprobe" (default), "netprobe events". Borrowed. */
void log_set_ident(const char *ident);
/* While the terminal is a screen lines wait, the last few KiB of them; they are written when it is none any more. */
void log_hold(bool on);
void log_msg(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_err(...) log_msg(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_msg(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)

#endif
