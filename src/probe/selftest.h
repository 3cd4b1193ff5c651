/* SPDX-License-Identifier: BSD-2-Clause */
/* Traffic over loopback that makes the hooks fire: the proof that they deliver. */
#ifndef NETPROBE_PROBE_SELFTEST_H
#define NETPROBE_PROBE_SELFTEST_H

/*
 * One TCP connection, one reset one, two datagrams, one child process, all of this process's own.
 * 0, or a negative errno when loopback does not carry them (then nothing is proven). Takes about
 * a millisecond; blocks at most 500 ms.
 */
int selftest_run(void);

#endif
