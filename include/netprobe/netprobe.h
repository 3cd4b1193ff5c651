/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libnetprobe: who sends and receives what on this machine, and XDP programs that count, filter and
 * balance at its interfaces. The only header to include: managers, their events and counters are in core.h,
 * what guard does in guard.h, what capture knows in capture.h and view.h, how rows and records are chosen in expr.h, how running commands are asked in
 * instance.h, and this one brings them. Each can be included alone as well.
 *
 * Conventions, for all functions:
 *
 * - 0 or positive is success, a negative errno is failure. What is written through a pointer stays
 *   untouched on failure. Nothing is printed; errno is not part of the interface.
 * - Structures whose first field is `size` grow with new versions: set it to their sizeof (the
 *   functions that fill defaults do). A library that is older or newer than the caller's header then
 *   knows which fields there are; unknown ones are left alone.
 * - Strings are UTF-8 and NUL-terminated. Those handed to a handler are good during its call; those
 *   handed in are copied.
 * - Counters are since the interface was attached, or since load for what is captured; they never go
 *   back while that lasts. Bytes and packets are whole numbers, times are in the unit of their name.
 * - Ports, protocols and other numbers are in host byte order. Addresses in bytes are 16 in network
 *   byte order, IPv4 as ::ffff:a.b.c.d; all zero is unknown.
 * - Threads: a manager may be used from any thread, its functions take turns. Handlers run in the
 *   thread that calls netprobe_manager_poll, or in the library's own where workers are asked for, one
 *   at a time; with several workers as many at a time, and events of one socket by one of them and in order. They
 *   may call functions of their manager, but not free it (that does nothing and returns the manager). Two
 *   managers are independent, but both see the same guard: that belongs to the network namespace.
 * - Where handlers of two managers call functions of each other's manager at the same time, one of them is -EDEADLK.
 * - Functions that call back for each entry of a list hold what the list is in: from the callback,
 *   others of the library return -EDEADLK where they would need it, or what who holds that waits for.
 * - Misuse is an error, not a crash: NULL where there must be something and a size that is none are
 *   -EINVAL, a manager that was freed is -EBADF. Functions of a manager may return these three beside
 *   the errors they name: -EINVAL, -EBADF, -EDEADLK.
 * - A manager uses the network namespace that the calling thread is in, at each call; security.* is told of all
 *   (the last 8) that its calls came from.
 */
#ifndef NETPROBE_NETPROBE_H
#define NETPROBE_NETPROBE_H

#include <netprobe/capture.h>
#include <netprobe/core.h>
#include <netprobe/expr.h>
#include <netprobe/guard.h>
#include <netprobe/instance.h>
#include <netprobe/view.h>

#endif
