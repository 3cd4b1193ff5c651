/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What capture can be filtered by: each key once. The library's numbers, names and checks, the commands' options, and
 * keys of `ctl` and of the config file are made from it.
 */
#ifndef NETPROBE_BASE_FILTERKEYS_H
#define NETPROBE_BASE_FILTERKEYS_H

#include <netprobe/core.h>

/* Values of an option are divided at commas, or as a whole one value; names of hosts are looked up before. */
#define FILTER_LIST 0
#define FILTER_WHOLE 1
#define FILTER_HOST 2

/*
 * X(KEY of NETPROBE_FILTER_*, name, letter, how an option is divided, what it takes, help). In the order of --help. The
 * family is not here: it has no option of its own, but -4 and -6.
 */
#define FILTER_KEYS(X)                                                                        \
	X(PID, "pid", 'p', FILTER_LIST, "PID", "only this process")                           \
	X(COMM, "comm", 0, FILTER_WHOLE, "NAME", "only processes of this name")               \
	X(CGROUP, "cgroup", 'c', FILTER_WHOLE, "PATH", "only this cgroup and those below it") \
	X(CONTAINER, "container", 0, FILTER_WHOLE, "NAME|ID",                                 \
	  "only this container; the beginning of an id is enough")                            \
	X(POD, "pod", 0, FILTER_WHOLE, "NAME|UID",                                            \
	  "only this pod of Kubernetes; NAMESPACE/NAME where several are called so")          \
	X(NAMESPACE, "namespace", 0, FILTER_WHOLE, "NAME",                                    \
	  "only the pods that this namespace of Kubernetes has now")                          \
	X(UNIT, "unit", 0, FILTER_WHOLE, "UNIT",                                              \
	  "only this unit of systemd and those below it: nginx, user-1000.slice")             \
	X(USER, "user", 0, FILTER_LIST, "NAME|UID", "only processes of this user")            \
	X(HOST, "host", 0, FILTER_HOST, "HOST|CIDR",                                          \
	  "either end: an address, a network or a name")                                      \
	X(SRC_HOST, "src-host", 0, FILTER_HOST, "HOST|CIDR", "the local end")                 \
	X(DST_HOST, "dst-host", 0, FILTER_HOST, "HOST|CIDR", "the remote end")                \
	X(PORT, "port", 0, FILTER_LIST, "PORT[-PORT]",                                        \
	  "either end: 443, 80,443, 8000-8100, https")                                        \
	X(SRC_PORT, "src-port", 0, FILTER_LIST, "PORT[-PORT]", "the local end")               \
	X(DST_PORT, "dst-port", 0, FILTER_LIST, "PORT[-PORT]", "the remote end")              \
	X(PROTO, "proto", 0, FILTER_LIST, "PROTO", "tcp, udp or icmp")                        \
	X(INTERFACE, "interface", 'i', FILTER_LIST, "IF",                                     \
	  "only traffic routed by it, in whatever network namespace")

#endif
