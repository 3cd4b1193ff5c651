/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two installed files hold the same program: one that everybody may run, without capabilities (PREFIX/bin/netprobe),
 * and a copy with file capabilities that only the group netprobe may execute. File capabilities are given to
 * whoever can execute the file, so one file cannot be both.
 */
#ifndef NETPROBE_CLI_RIGHTS_H
#define NETPROBE_CLI_RIGHTS_H

/*
 * From the first one, when it has no capability at all and its user may execute the copy: goes on as that
 * one, with the same arguments. Returns wherever the copy cannot run; the program then does without.
 */
void rights_take(char **argv);

#endif
